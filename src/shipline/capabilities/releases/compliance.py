"""Compliance of releases: what is on record of one, and what frameworks that are required say of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from shipline.capabilities.gates import Noted, ReleaseRecord, assess, compliance_verdict
from shipline.capabilities.releases.approving import who_approves
from shipline.capabilities.releases.ground import ReleaseGround
from shipline.domain.errors import ShiplineError
from shipline.domain.evidence import Evidence
from shipline.domain.release import Release, ReleaseStatus
from shipline.domain.verdict import Verdict

STAGE = "release"
EVENTS_MAX = 10_000
DECIDED = "GateDecided"
PUBLIC = frozenset({ReleaseStatus.PUBLISHED, ReleaseStatus.YANKED})


def record_of(
    ground: ReleaseGround,
    release: Release,
    pieces: Sequence[Evidence],
    facts: Mapping[str, object],
    now_us: int,
) -> ReleaseRecord:
    """What there is to show about a release now. `facts` are those of the stage `release`.

    A gate that the commit under release alone asks for may refuse it, and shows nothing: else it could bring the gate
    that a framework names, and have it say PASS.
    """
    from shipline.store.log import read  # noqa: PLC0415 - it brings SQLAlchemy, and few frameworks are required

    found = read(ground.store, 0, EVENTS_MAX, f"release:{release.id}")
    events = [one for one in found if one.event.kind != DECIDED or _counts(ground, one.event.body)]
    try:
        approvers = who_approves(ground, release, STAGE, pieces, now_us)
    except ShiplineError:
        approvers = None  # Its commits are not in this clone: who has written them cannot be told.
    return ReleaseRecord(
        is_published=release.status in PUBLIC,
        evidence=tuple(pieces),
        events=tuple(Noted(one.event.id, one.event.kind, one.place, one.event.body) for one in events),
        facts=facts,
        approvers=approvers,
    )


def _counts(ground: ReleaseGround, decided: Mapping[str, object]) -> bool:
    return (decided.get("stage"), decided.get("gate")) not in ground.added_gates


def comply(ground: ReleaseGround, record: ReleaseRecord, now_us: int) -> tuple[Verdict, ...]:
    """A verdict for each framework that is required."""
    return tuple(compliance_verdict(assess(one, record), now_us) for one in ground.frameworks())
