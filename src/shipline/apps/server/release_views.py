"""What the pages of releases show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from shipline.apps.server.checklist_views import ChecklistView, checklist_views
from shipline.apps.server.finding_views import FindingsView, findings_view
from shipline.apps.server.notes import Block, blocks
from shipline.apps.server.site import Site
from shipline.apps.server.step_views import StepView, steps_of_subject
from shipline.capabilities.gates import Coverage
from shipline.capabilities.releases import RELEASES, all_releases, evidence_of, verdicts_of
from shipline.capabilities.rollouts import ROLLOUTS
from shipline.domain.errors import ShiplineError
from shipline.domain.evidence import Evidence, EvidenceKind
from shipline.domain.release import Release, ReleaseStatus
from shipline.domain.rollout import Rollout
from shipline.domain.verdict import Answer, Verdict, combined
from shipline.store.log import RecordedEvent, read_latest
from shipline.store.transaction import Transaction

EVENTS_MAX = 50


@dataclass(frozen=True, slots=True)
class ReleaseLine:
    """A release in a list. `closed` names the gates that did not say PASS in their latest answers."""

    release: Release
    gates: int
    closed: tuple[str, ...]

    @property
    def words(self) -> str:
        """What the gates said."""
        if not self.gates:
            return "no gates asked"
        return f"not open: {', '.join(self.closed)}" if self.closed else "all open"


@dataclass(frozen=True, slots=True)
class ComplianceView:
    """How a release stands to the frameworks that are required; `trouble` says why that cannot be told, or is ""."""

    coverages: tuple[Coverage, ...] = ()
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class ReleaseView:
    """One moment of a release. `verdicts` are the latest of each gate; `commits` is how many it holds, None if not
    known. `findings` None: there are none on record. `events` are the last fifty, newest first."""

    release: Release
    notes: tuple[Block, ...]
    commits: int | None
    steps: tuple[StepView, ...]
    evidence: tuple[Evidence, ...]
    verdicts: tuple[Verdict, ...]
    answer: Answer
    checklists: tuple[ChecklistView, ...]
    findings: FindingsView | None
    rollouts: tuple[Rollout, ...]
    events: tuple[RecordedEvent, ...]
    compliance: ComplianceView

    @property
    def ended(self) -> bool:
        """True while nothing is under way, and nobody has to tick anything."""
        at_work = any(step.outcome in ("running", "waiting") for step in self.steps)
        at_work |= any(one.open_items for one in self.checklists)
        return not (at_work or self.release.status is ReleaseStatus.PREPARING)


def release_lines(tx: Transaction, *, limit: int) -> tuple[ReleaseLine, ...]:
    """The newest releases."""
    return tuple(_line(tx, release) for release in all_releases(tx, limit=limit))


def _line(tx: Transaction, release: Release) -> ReleaseLine:
    verdicts = latest_verdicts(verdicts_of(tx, release.id))
    closed = tuple(verdict.gate for verdict in verdicts if verdict.answer is not Answer.PASS)
    return ReleaseLine(release, len(verdicts), closed)


def latest_verdicts(verdicts: Sequence[Verdict]) -> tuple[Verdict, ...]:
    """Of each gate its latest answer; a gate may be asked again."""
    return tuple({verdict.gate: verdict for verdict in verdicts}.values())


def release_view(site: Site, release_id: str) -> ReleaseView | None:
    """All that is to be shown, None for an unknown id."""
    with site.reading() as tx:
        release = RELEASES.find(tx, release_id)
        if release is None:
            return None
        verdicts = latest_verdicts(verdicts_of(tx, release_id))
        steps = steps_of_subject(tx, site.engine.catalogue, f"release:{release_id}")
        evidence = evidence_of(tx, release_id)
        checklists = checklist_views(site, tx, release, site.stages)
        findings = findings_view(site, tx, release)
        rollouts = ROLLOUTS.where(tx, version=release.version, order="started_us", newest_first=True, limit=20)
    events = read_latest(site.store, EVENTS_MAX, f"release:{release_id}")
    return ReleaseView(
        release=release,
        notes=blocks(release.notes_markdown),
        commits=_commits(events),
        steps=steps,
        # What was ticked stands in its list.
        evidence=tuple(one for one in evidence if not (checklists and one.kind is EvidenceKind.CHECKLIST)),
        verdicts=verdicts,
        answer=combined(verdicts),
        checklists=checklists,
        findings=findings,
        rollouts=tuple(rollout for rollout in rollouts if rollout.package == release.package),
        events=tuple(reversed(events)),
        compliance=_compliance(site, release),
    )


def _compliance(site: Site, release: Release) -> ComplianceView:
    try:
        return ComplianceView(site.compliance(release))
    except ShiplineError as error:
        return ComplianceView(trouble=f"How it stands to the frameworks cannot be told here: {error.sentence()}")


def _commits(events: Sequence[RecordedEvent]) -> int | None:
    started = [entry.event for entry in events if entry.event.kind == "ReleaseStarted" and not entry.is_erased]
    found = started[0].body.get("commits") if started else None
    return len(found) if isinstance(found, list) else None
