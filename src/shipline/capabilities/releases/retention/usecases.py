"""What is stored, loaded; what is due, decided by the rules; removed, and told in the log.

The event comes first, and what it tells is removed then. Who is cut off in between finds the files still there, and
removes them without telling it twice.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from shipline.capabilities.releases.ground import ReleaseGround
from shipline.capabilities.releases.proof import BUNDLE_NAME
from shipline.capabilities.releases.queries import RELEASES
from shipline.capabilities.releases.retention.rules import KINDS, Held, Keep, Removal, due
from shipline.capabilities.releases.telling import append
from shipline.domain.deployment import Deployment
from shipline.domain.errors import ShiplineError
from shipline.domain.release import Release, ReleaseStatus
from shipline.engine.journal import ended_journals, forget_journals
from shipline.store.log import read
from shipline.store.rows import Rows
from shipline.store.transaction import Transaction

EVENTS = {"reports": "ReportsRemoved", "dist": "ArtifactsRemoved"}
JOURNALS_STREAM = "retention"
JOURNALS_MAX = 500
_DEPLOYMENTS = Rows("deployment", Deployment)


@dataclass(frozen=True, slots=True)
class RetentionPlan:
    """What is due: folders of releases, and the ids of runs that have ended whose journals are; the latter are at most
    JOURNALS_MAX, and what is left is due the next time."""

    removals: tuple[Removal, ...]
    journals: tuple[str, ...]

    @property
    def is_empty(self) -> bool:
        """True where there is nothing to remove."""
        return not (self.removals or self.journals)


def plan_retention(ground: ReleaseGround, keep: Keep) -> RetentionPlan:
    """What has been kept long enough now; nothing is removed."""
    now_us = ground.events.clock.now_us()
    with ground.store.begin() as tx:
        removals = tuple(due(_held(tx, ground), keep, now_us))
        before_us = None if keep.journals_us is None else now_us - keep.journals_us
        journals = () if before_us is None else ended_journals(tx, before_us=before_us, limit=JOURNALS_MAX)
    return RetentionPlan(removals, journals)


def apply_retention(ground: ReleaseGround, plan: RetentionPlan) -> None:
    """Remove what a plan names, and tell it. ShiplineError for a folder that cannot be removed; the rest is done."""
    trouble: list[str] = []
    for removal in plan.removals:
        with ground.store.begin() as tx:
            release = RELEASES.find(tx, removal.release_id)
        if release is None:
            continue
        if not _was_told(ground, removal):
            with ground.store.begin() as tx:
                append(tx, ground.events, release, EVENTS[removal.kind], {"bytes": removal.size})
        try:
            _remove(ground.folder_of(release) / removal.kind)
        except OSError as error:
            trouble.append(f"{removal.package} {removal.version}: {error.strerror or error}")
    if plan.journals:
        with ground.store.begin() as tx:
            forgotten = forget_journals(tx, plan.journals)
            ground.events.append(tx, JOURNALS_STREAM, "JournalsRemoved", {"runs": forgotten})
    if trouble:
        todo = "see who owns the files; it is tried again the next time"
        raise ShiplineError("files that are due could not be removed", why="; ".join(trouble[:5]), todo=todo)


def _held(tx: Transaction, ground: ReleaseGround) -> Iterator[Held]:
    releases = RELEASES.where(tx, order="created_us", newest_first=True)
    public = [one for one in releases if one.status in (ReleaseStatus.PUBLISHED, ReleaseStatus.YANKED)]
    wanted = _gone_back_to(tx)
    newest: dict[str, str] = {}
    for release in public:
        if release.status is ReleaseStatus.PUBLISHED:
            newest.setdefault(release.package, release.id)
    for release in public:
        folder = ground.folder_of(release)
        sizes = {kind: _size(folder / kind) for kind in KINDS if (folder / kind).is_dir()}
        if not sizes:
            continue
        served = _DEPLOYMENTS.where(tx, package=release.package, version=release.version)
        yield Held(
            release_id=release.id,
            package=release.package,
            version=release.version,
            published_us=_public_since(release),
            has_bundle=(folder / BUNDLE_NAME).is_file(),
            is_newest=newest.get(release.package) == release.id,
            is_served=any(one.ended_us is None for one in served) or (release.package, release.version) in wanted,
            served_until_us=max((one.ended_us or 0 for one in served), default=None),
            sizes=sizes,
        )


def _gone_back_to(tx: Transaction) -> set[tuple[str, str]]:
    """By package and version what each environment would go back to: of what has served all users there before what
    does now, the newest. However long ago that was, a way back begins with what was built."""
    found: dict[tuple[str, str], str] = {}
    ended = [one for one in _DEPLOYMENTS.where(tx, order="began_us", newest_first=True) if one.finished_us is not None]
    serving = {(one.environment, one.package, one.version) for one in ended if one.ended_us is None}
    for one in ended:
        if (one.environment, one.package, one.version) not in serving:
            found.setdefault((one.environment, one.package), one.version)
    return {(package, version) for (_, package), version in found.items()}


def _public_since(release: Release) -> int | None:
    return release.published_us if release.published_us is not None else release.created_us


def _was_told(ground: ReleaseGround, removal: Removal) -> bool:
    return bool(read(ground.store, 0, 1, f"release:{removal.release_id}", (EVENTS[removal.kind],)))


def _size(folder: Path) -> int:
    return sum(entry.lstat().st_size for entry in folder.rglob("*") if entry.is_file())


def _remove(folder: Path) -> None:
    """Whole or not at all to who looks: it is put aside first."""
    aside = folder.with_name(f".removed-{folder.name}")
    shutil.rmtree(aside, ignore_errors=True)
    if folder.is_dir():
        folder.replace(aside)
        shutil.rmtree(aside)
