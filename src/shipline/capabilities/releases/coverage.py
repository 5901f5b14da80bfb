"""What a release keeps of frameworks, for people: required ones or others."""

from __future__ import annotations

from collections.abc import Sequence

from shipline.capabilities.gates import Coverage, Framework, assess
from shipline.capabilities.releases.compliance import STAGE, record_of
from shipline.capabilities.releases.ground import ReleaseGround
from shipline.capabilities.releases.judging import facts_at
from shipline.capabilities.releases.queries import evidence_of
from shipline.domain.release import Release


def coverages_of(ground: ReleaseGround, release: Release, frameworks: Sequence[Framework]) -> tuple[Coverage, ...]:
    """How a release stands to each framework now; nothing is kept."""
    now_us = ground.events.clock.now_us()
    with ground.store.begin() as tx:
        pieces = evidence_of(tx, release.id)
    facts = facts_at(ground, release, STAGE, pieces, now_us)
    record = record_of(ground, release, pieces, facts, now_us)
    return tuple(assess(one, record) for one in frameworks)
