"""Code owners of a release: whose approval the files need that it changes, and whether those have given it.

The file is the protected branch's, as gates are: a commit cannot take away its own owners. What it asks for is all that
has changed since the release before, whichever package it is in, as it is for who may not approve.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from shipline.capabilities.gates import LOCATIONS, Need, missing_needs, owned
from shipline.capabilities.releases.approving import who_approves
from shipline.capabilities.releases.ground import ReleaseGround
from shipline.capabilities.releases.queries import evidence_of
from shipline.domain.errors import ShiplineError
from shipline.domain.gate import PULL_STAGE, Approver
from shipline.domain.release import Release

PATHS_MAX = 50_000
SHOWN_MAX = 5


def codeowners_facts(ground: ReleaseGround, release: Release, stage: str, now_us: int) -> tuple[dict[str, Any], str]:
    """`codeowners.*`, and who is missing, in words. ShiplineError, saying why, where it cannot be known."""
    if stage == PULL_STAGE:
        raise ShiplineError("owners approve releases; of a pull request the forge itself asks them")
    paths = _changed(ground, release)
    found = owned(_file(ground, release), ground.owners().rules, paths)
    with ground.store.begin() as tx:
        pieces = evidence_of(tx, release.id)
    names = who_approves(ground, release, stage, pieces, now_us)
    people = {one.name: (*one.owns, *one.emails) for one in ground.approvers if one.name in names}
    missing = missing_needs(found.needs, people)
    facts = {"needed": len(found.needs), "missing": len(missing), "unowned": len(found.unowned)}
    return facts, _in_words(missing, ground.approvers)


def _file(ground: ReleaseGround, release: Release) -> bytes:
    place = ground.owners()
    if place.rules not in LOCATIONS:
        raise ShiplineError(
            "whose CODEOWNERS it is cannot be told: "
            + (f"there are no known rules of {place.rules}" if place.rules else "no forge is known")
        )
    commit = place.commit or str(release.commit)
    contents = ground.repository.read_files(LOCATIONS[place.rules], commit)
    for path in LOCATIONS[place.rules]:
        if path in contents:
            return contents[path]
    raise ShiplineError(f"{commit[:12]} has none of {', '.join(LOCATIONS[place.rules])}")


def _changed(ground: ReleaseGround, release: Release) -> tuple[str, ...]:
    """What differs from the release before; all files where there is none."""
    repository = ground.repository
    if release.commit is None or repository.find_commit(release.commit) is None:
        raise ShiplineError(f"the commit of {release.package} {release.version} is not in this clone")
    if release.previous_version is None:
        paths = repository.list_files(("",), release.commit)
    else:
        package = next((one for one in ground.packages() if one.name == release.package), None)
        before = None if package is None else repository.find_tag(package.tag(release.previous_version))
        if before is None:
            raise ShiplineError(f"the tag of {release.previous_version} is not in this clone")
        paths = repository.changed_paths(before.commit, release.commit)
    if len(paths) > PATHS_MAX:
        raise ShiplineError(f"more than {PATHS_MAX} files have changed")
    return paths


def _in_words(missing: Sequence[Need], approvers: Sequence[Approver]) -> str:
    known = {handle.casefold() for one in approvers for handle in (*one.owns, *one.emails)}
    shown = [_need_in_words(need, known) for need in missing[:SHOWN_MAX]]
    more = [f"{len(missing) - SHOWN_MAX} more"] if len(missing) > SHOWN_MAX else []
    return "; ".join([*shown, *more])


def _need_in_words(need: Need, known: set[str]) -> str:
    who = " or ".join(need.owners[:SHOWN_MAX]) + (" or others" if len(need.owners) > SHOWN_MAX else "")
    nobody = "" if known & {owner.casefold() for owner in need.owners} else ", and no approver `owns` that"
    return f"{need.path} needs {need.count} of {who} ({need.why}){nobody}"
