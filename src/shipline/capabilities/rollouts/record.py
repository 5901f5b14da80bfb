"""What is on record of a release's rollouts, for those who are to have it in one file."""

from __future__ import annotations

from typing import Any

from shipline.capabilities.rollouts.observing.history import analysis_of
from shipline.capabilities.rollouts.queries import ROLLOUTS
from shipline.domain.codec import to_json
from shipline.domain.release import Release
from shipline.domain.rollout import Rollout
from shipline.store.transaction import Transaction


def rollouts_of_release(tx: Transaction, release: Release) -> tuple[Rollout, ...]:
    """Where it was brought, or was to be, oldest first."""
    found = ROLLOUTS.where(tx, package=release.package, version=release.version, order="started_us")
    return tuple(one for one in found if one.release_id == release.id)


def rollouts_document(tx: Transaction, rollouts: tuple[Rollout, ...]) -> dict[str, Any]:
    """Each of them, and every look of the analysis at it."""
    listed = [{"rollout": to_json(one), "analysis": to_json(analysis_of(tx, one.id))} for one in rollouts]
    return {"rollouts": listed}
