"""Gates, asked or explained by whoever wants to know: nothing is recorded, and nothing is posted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from shipline.capabilities.gates import Explanation, explained
from shipline.capabilities.releases.ground import ReleaseGround
from shipline.capabilities.releases.judging import opening, verdicts_of_stage
from shipline.capabilities.releases.queries import VERDICTS, matching_releases
from shipline.domain.calendar import PeriodKind
from shipline.domain.errors import UnknownName
from shipline.domain.gate import Gate
from shipline.domain.release import Release
from shipline.domain.verdict import Verdict
from shipline.store.database import Store


def ask_gates(ground: ReleaseGround, release: Release, stage: str, now_us: int) -> tuple[Verdict, ...]:
    """What gates, checklists and calendar of a stage say about a release now, as they would if it came there.

    Of the stage `release` the calendar counts by its freezes: a release that has begun on its train needs no other.
    """
    verdicts = verdicts_of_stage(ground, release, stage, now_us)
    calendar = ground.calendar_now()
    if stage == "release":
        freezes = tuple(rule for rule in calendar if rule.kind is PeriodKind.FREEZE)
        calendar = () if release.is_prerelease else freezes
    return (*verdicts, *opening(ground, release, stage, calendar, now_us))


def asked_release(store: Store, version: str | None, package: str | None) -> Release | None:
    """The release that is asked about: that of a version, else the newest. UnknownName where a version has none."""
    with store.begin() as tx:
        found = matching_releases(tx, version=version, package=package, limit=1)
    if not found and version is not None:
        raise UnknownName(
            f"there is no release {version[:60]!r}", todo="`shipline releases` lists those that there are"
        )
    return found[0] if found else None


def explain_gates(
    store: Store, gates: Sequence[Gate], origins: Mapping[tuple[str, str], str], release: Release | None
) -> tuple[Explanation, ...]:
    """Each gate, with what it said last about a release, None for no release. `origins` are by stage and name."""
    last: dict[tuple[str, str], Verdict] = {}
    if release is not None:
        with store.begin() as tx:
            for stage in {gate.stage for gate in gates}:
                rows = VERDICTS.where(tx, release_id=release.id, stage=stage, order="decided_us")
                last |= {(stage, verdict.gate): verdict for verdict in rows}
    return tuple(
        explained(
            gate,
            origin=origins.get((gate.stage, gate.name), ""),
            last=last.get((gate.stage, gate.name)),
            version=None if release is None else release.version,
        )
        for gate in gates
    )
