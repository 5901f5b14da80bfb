"""Looking whether the places of a yank show it, after a person did their part."""

from __future__ import annotations

from dataclasses import replace

from shipline.capabilities.releases.ground import ReleaseGround
from shipline.capabilities.releases.queries import RELEASES
from shipline.capabilities.releases.telling import append
from shipline.capabilities.releases.yank.mark import MarkPlace
from shipline.capabilities.releases.yank.page import PagePlace
from shipline.capabilities.releases.yank.places import Place, registry_places
from shipline.capabilities.releases.yank.revert import RevertPlace
from shipline.capabilities.releases.yank.tags import TagsPlace
from shipline.domain.errors import RefusedError
from shipline.domain.release import Release, ReleaseStatus
from shipline.domain.verdict import Answer
from shipline.ports.registry import Finding
from shipline.store.transaction import Transaction


def verify_yank(ground: ReleaseGround, release: Release) -> tuple[Release, dict[str, Finding]]:
    """Ask every place of a yanked release whether it shows so, and write down where it does.

    Returns the release as it is then, and what each place said.
    """
    if release.status is not ReleaseStatus.YANKED:
        raise RefusedError(
            f"{release.package} {release.version} is {release.status.value}, not yanked",
            todo=f"shipline yank {release.version} --reason TEXT",
        )
    places: tuple[Place, ...] = (
        MarkPlace(ground),
        *registry_places(ground, release),
        TagsPlace(ground),
        PagePlace(ground.forge),
        RevertPlace(ground, 0),
    )
    known = {yank.place for yank in release.yanks}
    found = {place.name: place.look(release) for place in places if place.name in known}
    with ground.store.begin() as tx:
        current = RELEASES.find(tx, release.id, lock=True) or release
        for place, finding in found.items():
            if finding.answer is Answer.PASS:
                current = _verified(tx, ground, current, place, finding)
    return current, found


def _verified(tx: Transaction, ground: ReleaseGround, release: Release, place: str, finding: Finding) -> Release:
    if any(yank.place == place and yank.verified_us is not None for yank in release.yanks):
        return release
    now_us = ground.events.clock.now_us()
    yanks = tuple(replace(yank, verified_us=now_us) if yank.place == place else yank for yank in release.yanks)
    verified = replace(release, yanks=yanks)
    RELEASES.save(tx, verified)
    append(tx, ground.events, verified, "YankVerified", {"place": place, "words": finding.words})
    return verified
