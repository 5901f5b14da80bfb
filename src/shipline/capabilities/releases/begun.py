"""Versions that a plan has committed or tagged and that nobody has published: what `shipline release` ends first.

The store has a row only of releases that it has seen begin. A fellow in another package's commit has none until its
turn, and a runner's store is empty; git says what is left, as it does to `shipline release`, within its last 500
commits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from shipline.capabilities.releases.candidates import Candidate
from shipline.capabilities.releases.ground import ReleaseGround
from shipline.capabilities.releases.ordering import known_of
from shipline.capabilities.releases.pull_request import find_merged
from shipline.capabilities.releases.rules import Decision, Known, decide_merged, decide_start
from shipline.capabilities.releases.waiting import held_up
from shipline.domain.errors import ShiplineError


@dataclass(frozen=True, slots=True)
class Begun:
    """A version without a release in the store. `state` is `committed` or `tagged`, `commit` is what holds it, and
    `reason` is a sentence on why it is not published."""

    package: str
    version: str
    state: str
    commit: str
    reason: str


def begun_versions(
    ground: ReleaseGround, candidates: Sequence[Candidate], *, merged_alone: bool = False
) -> tuple[Begun, ...]:
    """What waits, in the order of its releases. Releases that the store has are not among it.

    A tagged version of which a registry cannot be asked is: whether it is published is not known. `merged_alone` is as
    for `foresee`.
    """
    found = (_begun(ground, one, merged_alone=merged_alone) for one in candidates)
    return tuple(one for one in found if one is not None)


def _begun(ground: ReleaseGround, candidate: Candidate, *, merged_alone: bool) -> Begun | None:
    try:
        known = known_of(ground, candidate)
    except ShiplineError as error:
        current = str(candidate.plan.current)
        reason = f"{current} is tagged; whether it is published cannot be told: {error.what}"
        if (tagged := _tagged(ground, candidate, reason)) is None:
            raise
        return tagged
    if known.unfinished is not None:
        return None
    usual = decide_start(known)
    merged = find_merged(ground, candidate) if merged_alone else None
    decided = decide_merged(usual, known, merged) if merged_alone else usual
    brought = merged or known.committed or known.overtaken
    if brought is not None:
        reason = _reason(known, held_up(ground, candidate, decided))
        return Begun(candidate.package.name, brought.version, "committed", brought.commit, reason)
    if known.tagged_here and decided.version == candidate.plan.current:
        return _tagged(ground, candidate, held_up(ground, candidate, decided).reason)
    return None


def _reason(known: Known, decision: Decision) -> str:
    if known.overtaken is not None and decision.version is not None and not decision.waits:
        return f"newer commits came after its own, and make {decision.version}"
    return decision.reason


def _tagged(ground: ReleaseGround, candidate: Candidate, reason: str) -> Begun | None:
    version = str(candidate.plan.current)
    tag = ground.repository.find_tag(candidate.package.tag(version))
    return None if tag is None else Begun(candidate.package.name, version, "tagged", tag.commit, reason)
