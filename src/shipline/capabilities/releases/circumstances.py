"""Facts beside a release's evidence, as they are now: the calendar, checklists, code owners, and issues on the forge.

Each is looked up only where a gate names it. A forge that gives no answer is no error here: the fact is missing, which
blocks, and the verdict says why.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from shipline.capabilities.gates import ISSUES, calendar_facts, checklist_facts, facts_read
from shipline.capabilities.releases.approving import who_approves
from shipline.capabilities.releases.ground import ReleaseGround
from shipline.capabilities.releases.owning import codeowners_facts
from shipline.capabilities.releases.queries import evidence_of
from shipline.domain.calendar import CalendarRule
from shipline.domain.checklist import Checklist, Tick
from shipline.domain.errors import ShiplineError
from shipline.domain.gate import Gate
from shipline.domain.release import Release
from shipline.ports.forge import Forge

LABELS_MAX = 50


@dataclass(frozen=True, slots=True)
class Circumstances:
    """A tree of facts as `evaluate` takes it, by path why others are missing, and what else is to be told of one."""

    facts: dict[str, dict[str, Any]]
    lacking: dict[str, str]
    told: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StageQuestion:
    """Which gates ask, at which stage, when; with the checklists that hold there, and what was ticked."""

    stage: str
    gates: Sequence[Gate]
    lists: Sequence[Checklist]
    ticks: Sequence[Tick]
    now_us: int


def circumstances_of(ground: ReleaseGround, release: Release, asked: StageQuestion) -> Circumstances:
    """What the gates ask for about a release at a stage."""
    read, stage, now_us = facts_read(asked.gates), asked.stage, asked.now_us
    groups = {path.partition(".")[0] for path in read}
    facts: dict[str, dict[str, Any]] = {}
    if "checklist" in groups:
        facts["checklist"] = dict(checklist_facts(asked.lists, asked.ticks))
    if "calendar" in groups:
        # Pre-releases wait for no calendar when they are released.
        rules = () if stage == "release" and release.is_prerelease else ground.calendar_now()
        signed = exempting(ground, release, stage, rules, now_us)
        name = f"{release.package} {release.version}"
        facts["calendar"] = dict(calendar_facts(rules, stage, now_us, release=name, signed=signed))
    labels = [path.removeprefix(f"{ISSUES}.") for path in read if path.startswith(f"{ISSUES}.")]
    counts, lacking = open_issues(ground.forge, sorted(labels))
    if counts:
        facts["issues"] = {"open": counts}
    told: dict[str, str] = {}
    if "codeowners" in groups:
        try:
            facts["codeowners"], told["codeowners.missing"] = codeowners_facts(ground, release, stage, now_us)
        except ShiplineError as error:
            lacking |= {path: error.sentence() for path in read if path.startswith("codeowners.")}
    return Circumstances(facts, lacking, told)


def exempting(
    ground: ReleaseGround, release: Release, stage: str, calendar: Sequence[CalendarRule], now_us: int
) -> frozenset[str]:
    """Who has signed for the release at the stage, where a freeze there lets it through on somebody's word."""
    name = f"{release.package} {release.version}"
    if not any(each.release == name for rule in calendar if stage in rule.stages for each in rule.exemptions):
        return frozenset()
    with ground.store.begin() as tx:
        pieces = evidence_of(tx, release.id)
    return who_approves(ground, release, stage, pieces, now_us)


def open_issues(forge: Forge | None, labels: Sequence[str]) -> tuple[dict[str, int], dict[str, str]]:
    """How many open issues bear each label; and, by the path of its fact, why that is not known of the others.

    A forge that cannot be reached is asked once.
    """
    counts: dict[str, int] = {}
    lacking: dict[str, str] = {}
    away = "" if forge is not None else "no forge is configured, or none is asked on the way back"
    for number, label in enumerate(labels):
        path = f"{ISSUES}.{label}"
        if away or forge is None:
            lacking[path] = away
            continue
        try:
            counts[label] = _counted(forge, label, number=number)
        except ShiplineError as error:
            lacking[path] = error.sentence()
            away = error.sentence() if error.retryable else ""
    return counts, lacking


def _counted(forge: Forge, label: str, *, number: int) -> int:
    if number >= LABELS_MAX:
        raise ShiplineError(f"the gates of a stage ask for issues of at most {LABELS_MAX} labels")
    count = forge.open_issues(label)
    if count is None:
        raise ShiplineError(f"the forge has no label {label[:100]!r}")
    return count
