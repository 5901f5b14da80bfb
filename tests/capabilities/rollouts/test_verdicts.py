"""What whoever asks for a verdict hears: nothing unknown passes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from shipline.capabilities.rollouts import HOOKS, ROLLOUTS, VerdictNow, verdict_now
from shipline.capabilities.rollouts.observing.history import POINTS, AnalysisPoint
from shipline.domain.rollout import Rollout, RolloutStatus
from shipline.domain.verdict import Answer
from shipline.testing.world import World

ROLLOUT = Rollout("rol_1", "quotes", "1.1.0", "production", "driven", RolloutStatus.RUNNING, 0, reason="it is worse")
SECOND_US = 1_000_000


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(7, tmp_path)
    yield made
    made.close()


def asked(
    world: World, status: RolloutStatus, verdict: str = "", *, age_s: float = 5.0, evidence: float = 1.0
) -> VerdictNow:
    """The verdict on a rollout that stands so, whose last look was so long ago."""
    now_us = 1000 * SECOND_US
    is_back = status in (RolloutStatus.ROLLING_BACK, RolloutStatus.FAILED)
    began_us = now_us - 80 * SECOND_US if is_back else None
    with world.store.begin() as tx:
        ROLLOUTS.save(tx, replace(ROLLOUT, status=status, rollback_began_us=began_us))
        if verdict:
            at_us = now_us - int(age_s * SECOND_US)
            point = AnalysisPoint("p-1", ROLLOUT.id, 1, at_us, 0.2, 5, 0, 20, 0, evidence, verdict, "so it is")
            POINTS.save(tx, point)
        return verdict_now(tx, "production", now_us, fresh_s=60.0, evidence_calm=10.0)


def yes(verdict: VerdictNow) -> set[str]:
    """The webhooks that hear yes."""
    return {hook for hook in HOOKS if verdict.agrees(hook)}


GOING, ALL = {"confirm-rollout", "confirm-traffic-increase", "rollout"}, set(HOOKS) - {"rollback"}


@pytest.mark.parametrize(
    ("status", "verdict", "answer", "hooks"),
    [
        (RolloutStatus.STARTING, "", Answer.UNKNOWN, {"confirm-rollout"}),
        (RolloutStatus.RUNNING, "", Answer.UNKNOWN, {"confirm-rollout"}),
        (RolloutStatus.RUNNING, "continue", Answer.UNKNOWN, GOING),
        (RolloutStatus.RUNNING, "hold", Answer.UNKNOWN, {"confirm-rollout", "rollout"}),
        (RolloutStatus.RUNNING, "promote", Answer.PASS, ALL),
        (RolloutStatus.RUNNING, "rollback", Answer.FAIL, {"rollback"}),
        (RolloutStatus.PAUSED, "continue", Answer.UNKNOWN, {"confirm-rollout", "rollout"}),
        (RolloutStatus.PAUSED, "promote", Answer.UNKNOWN, {"confirm-rollout", "rollout"}),
        (RolloutStatus.PROMOTING, "promote", Answer.UNKNOWN, set()),
        (RolloutStatus.PROMOTING, "", Answer.UNKNOWN, set()),
        (RolloutStatus.ROLLING_BACK, "continue", Answer.FAIL, {"rollback"}),
        (RolloutStatus.FAILED, "rollback", Answer.FAIL, {"rollback"}),
        (RolloutStatus.ROLLED_BACK, "rollback", Answer.UNKNOWN, set()),
        (RolloutStatus.PROMOTED, "promote", Answer.UNKNOWN, set()),
    ],
)
def test_what_is_heard(world: World, status: RolloutStatus, verdict: str, answer: Answer, hooks: set[str]) -> None:
    # A point that was made before the way back began.
    age_s = 90.0 if status is RolloutStatus.ROLLING_BACK else 5.0
    found = asked(world, status, verdict, age_s=age_s)
    assert (found.answer, yes(found)) == (answer, hooks)
    assert found.reason


def test_what_nobody_has_looked_at_lately_is_unknown(world: World) -> None:
    """Nor what was looked at in the future: a clock that was set back knows nothing."""
    for age_s in (61.0, -5.0):
        found = asked(world, RolloutStatus.RUNNING, "promote", age_s=age_s)
        assert (found.answer, yes(found)) == (Answer.UNKNOWN, {"confirm-rollout"})


def test_nothing_rises_while_the_evidence_is_not_calm(world: World) -> None:
    found = asked(world, RolloutStatus.RUNNING, "continue", evidence=12.0)
    assert yes(found) == {"confirm-rollout", "rollout"}


def test_the_way_back_after_a_promotion_is_let_through(world: World) -> None:
    """The image was set back since: asked about is the version that comes back."""
    found = asked(world, RolloutStatus.ROLLING_BACK, "promote")
    assert (found.answer, yes(found)) == (Answer.PASS, ALL)


@pytest.mark.parametrize(
    ("status", "age_s", "answer", "hooks"),
    [
        (RolloutStatus.ROLLING_BACK, 70.0, Answer.UNKNOWN, set()),
        (RolloutStatus.FAILED, 5.0, Answer.FAIL, {"rollback"}),
    ],
)
def test_a_way_back_that_nobody_looks_at_lets_nothing_through(
    world: World, status: RolloutStatus, age_s: float, answer: Answer, hooks: set[str]
) -> None:
    """Somebody may have set another image since; and one that has come to no end is none."""
    found = asked(world, status, "promote", age_s=age_s)
    assert (found.answer, yes(found)) == (answer, hooks)


def test_nothing_is_under_way(world: World) -> None:
    with world.store.begin() as tx:
        found = verdict_now(tx, "production", 0, fresh_s=60.0, evidence_calm=10.0)
    assert (found.answer, found.rollout, yes(found)) == (Answer.UNKNOWN, None, set())
