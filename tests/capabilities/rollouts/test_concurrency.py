"""What becomes of an order while its environment is busy: pure."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shipline.capabilities.rollouts.concurrency import Concurrency, queueing
from shipline.capabilities.rollouts.turns import LOOK_MAX_S, LOOK_MIN_S, look_again_s
from shipline.domain.errors import RefusedError
from shipline.domain.rollout import Rollout, RolloutPurpose, RolloutStatus

QUEUE, SUPERSEDE = Concurrency.QUEUE, Concurrency.SUPERSEDE


def rollout(minor: int, status: str = "running", purpose: RolloutPurpose = RolloutPurpose.RELEASE) -> Rollout:
    """1.`minor`.0, released in that order."""
    name = f"1.{minor}.0"
    made = Rollout(f"rol_{name}", "quotes", name, "production", "canary", RolloutStatus(status), minor)
    return replace(made, released_us=minor, purpose=purpose)


def back(minor: int, status: str = "running") -> Rollout:
    return rollout(minor, status, RolloutPurpose.ROLLBACK)


@pytest.mark.parametrize("how", [QUEUE, SUPERSEDE])
def test_only_the_newest_release_waits(how: Concurrency) -> None:
    """Ways back that wait are others' wishes."""
    waiting = (back(1, "queued"), rollout(2, "queued"))
    assert queueing(how, rollout(3), None, waiting).replaced == waiting[1:]
    with pytest.raises(RefusedError, match=r"1\.1\.0 would come after 1\.2\.0, which is newer"):
        queueing(how, rollout(1), None, waiting)


def test_a_release_of_which_nobody_knows_its_age_is_as_new_as_its_order() -> None:
    waiting = replace(rollout(9, "queued"), released_us=None, started_us=1)
    assert queueing(QUEUE, rollout(2), None, (waiting,)).replaced == (waiting,)


def test_what_waits_of_another_package_stays() -> None:
    waiting = (replace(rollout(2, "queued"), package="other"),)
    assert queueing(QUEUE, rollout(3), None, waiting).replaced == ()


@pytest.mark.parametrize(
    ("how", "new", "running", "turned_back"),
    [
        (QUEUE, rollout(3), rollout(2), False),
        (SUPERSEDE, rollout(3), rollout(2, "starting"), True),
        (SUPERSEDE, rollout(3), rollout(2, "paused"), True),
        (SUPERSEDE, rollout(3), rollout(2, "promoting"), False),
        (SUPERSEDE, rollout(3), rollout(2, "rolling_back"), False),
        (SUPERSEDE, rollout(3), back(2), False),
        (SUPERSEDE, back(3), back(2), False),
        (SUPERSEDE, back(1), rollout(2, "promoting"), True),
        (QUEUE, back(1), rollout(2), True),
        (QUEUE, back(1), rollout(2, "rolling_back"), False),
    ],
)
def test_what_runs_is_turned_back_for_what_is_newer_and_for_ways_back(
    how: Concurrency, new: Rollout, running: Rollout, *, turned_back: bool
) -> None:
    assert queueing(how, new, running, ()).supersedes is turned_back


def test_an_older_release_supersedes_nothing_and_waits_for_nothing() -> None:
    """Two pipelines may end in the other order."""
    with pytest.raises(RefusedError, match="which is newer"):
        queueing(SUPERSEDE, rollout(1), rollout(2), ())
    assert not queueing(QUEUE, rollout(1), rollout(2), ()).supersedes


def test_looks_become_rarer_as_the_wait_goes_on() -> None:
    assert look_again_s(0) == LOOK_MIN_S
    assert look_again_s(200_000_000) == 10.0
    assert look_again_s(86_400_000_000) == LOOK_MAX_S
