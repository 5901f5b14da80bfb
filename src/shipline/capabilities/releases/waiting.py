"""Who waits: a package that requires another one whose release was begun and is not public yet.

Packages of one plan that do not require each other are independent, and one that stops holds up none of those. What
requires it would be published with a requirement that nothing fulfils. A package counts as required where a manifest
names it, whatever the range says: one that is taken for required only waits, as it would for nothing worse.
"""

from __future__ import annotations

import re
from collections.abc import Container, Mapping
from dataclasses import replace

from shipline.capabilities.plans import MANIFESTS
from shipline.capabilities.releases.candidates import Candidate
from shipline.capabilities.releases.committed import find_committed
from shipline.capabilities.releases.footing import inside
from shipline.capabilities.releases.ground import ReleaseGround
from shipline.capabilities.releases.queries import matching_releases, newest_release
from shipline.capabilities.releases.rules import UNPUBLISHED, Decision, Start
from shipline.domain.release import Release

_SEPARATORS = re.compile(r"[-_.]+")


def held_up(
    ground: ReleaseGround, candidate: Candidate, decision: Decision, *, to_end: Container[str] = ()
) -> Decision:
    """The decision, or that the package waits; only what is to begin does.

    `to_end` are packages whose releases are taken as ended by then.
    """
    if decision.start is not Start.NEW:
        return decision
    found = unfinished_before(ground, candidate, to_end=to_end)
    if found is None:
        return decision
    why = f"{decision.version} waits for {found.package} {found.version}, which it requires and which is"
    return replace(decision, start=Start.WAIT, reason=f"{why} {found.status.value}")


def unfinished_before(ground: ReleaseGround, candidate: Candidate, *, to_end: Container[str] = ()) -> Release | None:
    """A release that is not public yet, of a package that the candidate requires, itself or by another one that is to
    be released before it; None where there is none."""
    unfinished = {name: one for name, one in _unfinished(ground).items() if name not in to_end}
    # A peer knows neither its own peers nor where it is released from: they are the candidate's.
    all_peers = (replace(one, beside=candidate.beside, peers=candidate.peers) for one in candidate.peers())
    peers = {one.package.name: one for one in all_peers}
    if not unfinished.keys() & peers.keys():
        return None
    seen, left = {candidate.package.name}, [candidate]
    while left:
        for name in _required(ground, left.pop(), peers):
            if name in unfinished and name not in seen:
                return unfinished[name]
            if name not in seen and _is_to_come(ground, peers[name]):
                left.append(peers[name])
            seen.add(name)
    return None


def _unfinished(ground: ReleaseGround) -> dict[str, Release]:
    """Of each package whose newest release is not public, that one."""
    with ground.store.begin() as tx:
        found = [one for status in UNPUBLISHED for one in matching_releases(tx, status=status)]
        newest = {name: newest_release(tx, name) for name in {one.package for one in found}}
    return {name: one for name, one in newest.items() if one is not None and one.status in UNPUBLISHED}


def _is_to_come(ground: ReleaseGround, candidate: Candidate) -> bool:
    return candidate.plan.releasable or find_committed(ground, candidate) is not None


def _required(ground: ReleaseGround, candidate: Candidate, peers: Mapping[str, Candidate]) -> tuple[str, ...]:
    """Those of the packages that the plan or a manifest of this one names, in their order."""
    planned = {edit.package for edit in candidate.plan.requirements}
    paths = tuple(inside(candidate.package, name) for name in MANIFESTS)
    contents = ground.repository.read_files(paths, candidate.beside or "HEAD")
    text = "\n".join(content.decode("utf-8", "replace") for content in contents.values())
    return tuple(name for name in peers if name in planned or is_named(text, name))


def is_named(text: str, package: str) -> bool:
    """True if a manifest's text has the package's name as a word of its own.

    Runs of `-`, `_` and `.` count as equal, and case does not count, as in Python's names (PEP 503).
    """
    name = "[-_.]+".join(re.escape(part) for part in _SEPARATORS.split(package))
    return re.search(rf"(?<![\w@/-]){name}(?![\w/-])", text, re.IGNORECASE) is not None
