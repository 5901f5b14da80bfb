"""The history of an analysis: one point a look, kept for the page and as evidence."""

from __future__ import annotations

from dataclasses import dataclass

from shipline.capabilities.rollouts.observing.checks import CheckFinding
from shipline.store.rows import Rows
from shipline.store.transaction import Transaction

POINTS_MAX = 20_000


@dataclass(frozen=True, slots=True)
class AnalysisPoint:
    """One look at a canary: counts since the look before, `weight` set after it, evidence and verdict.

    `checks` are the thresholds that were read in it. `synthetic_requests` is how many requests, to all versions, were
    made on purpose up to then.
    """

    id: str
    rollout_id: str
    number: int
    time_us: int
    weight: float
    canary_requests: int
    canary_errors: int
    baseline_requests: int
    baseline_errors: int
    evidence_value: float
    verdict: str
    reason: str
    checks: tuple[CheckFinding, ...] = ()
    synthetic_requests: int = 0


POINTS = Rows("observation", AnalysisPoint)


def analysis_of(tx: Transaction, rollout_id: str) -> tuple[AnalysisPoint, ...]:
    """The looks of a rollout, in order; of more than POINTS_MAX the last ones."""
    newest = POINTS.where(tx, rollout_id=rollout_id, order="number", newest_first=True, limit=POINTS_MAX)
    return newest[::-1]


def newest_point(tx: Transaction, rollout_id: str) -> AnalysisPoint | None:
    """The last look at a rollout, None before the first."""
    newest = POINTS.where(tx, rollout_id=rollout_id, order="number", newest_first=True, limit=1)
    return newest[0] if newest else None
