"""Ephemeral environments: brought up, seen to be healthy, and taken down wholly, whoever dies in between."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from shipline.capabilities.rollouts import (
    HealthCheck,
    Life,
    LifeEnd,
    LifeOrder,
    RolloutOrder,
    Strategy,
    StrategyKind,
    asleep,
    end_life,
    environment_state,
    free_port,
    instance_name,
    life_key,
    life_of,
    life_words,
    open_lives,
    order_life,
)
from shipline.domain.errors import InvalidValue, RefusedError
from shipline.domain.rollout import RolloutStatus
from shipline.engine.journal import Run, runs_of
from shipline.engine.rules import RunStatus
from tests.capabilities.events import bodies
from tests.capabilities.rollouts.rollout_world import DIGESTS, PERSON, PLACE, RolloutWorld

MINUTE_US = 60_000_000
LIFE = Life(PLACE, PLACE)
PORTS = range(9001, 9003)


def order_of(place: RolloutWorld, life: Life = LIFE, version: str = "1.0.0", **rest: Any) -> LifeOrder:
    order = RolloutOrder(
        "quotes",
        version,
        PLACE,
        Strategy(StrategyKind.ALL_AT_ONCE),
        DIGESTS,
        release_id="rel_x",
        is_down=True,
        id=place.world.ids.new("rol"),
    )
    return LifeOrder(life, order, **rest)


def begin(place: RolloutWorld, life: Life = LIFE, version: str = "1.0.0", **rest: Any) -> None:
    with place.world.store.begin() as tx:
        order_life(tx, place.engine(), order_of(place, life, version, **rest), PERSON)


def end(place: RolloutWorld, key: str = "") -> None:
    with place.world.store.begin() as tx:
        end_life(tx, place.engine(), PLACE, LifeEnd("nobody needs it", PERSON, key))


def pass_s(place: RolloutWorld, seconds: float) -> None:
    place.look(place.engine(), seconds)


def last(place: RolloutWorld) -> Run:
    with place.world.store.begin() as tx:
        return runs_of(tx, life_key(PLACE))[-1]


def nothing_is_left(place: RolloutWorld) -> bool:
    with place.world.store.begin() as tx:
        serves = environment_state(tx, PLACE).serves
    return (place.alive(), place.traffic.running, serves) == ([], False, ())


def test_it_comes_up_lives_and_goes(place: RolloutWorld) -> None:
    """Healthy at the third try; nothing of it is left when its time is over, and the log tells of it."""
    place.load.answer = lambda _number, _path: 200 if len(place.load.plans) > 2 else 503
    begin(place, replace(LIFE, expires_us=place.world.clock.now_us() + 10 * MINUTE_US))
    pass_s(place, 60)
    assert (last(place).state.step, place.serving()) == ("live", {"1.0.0": 1.0})
    assert "It is up, for another" in life_words(last(place))
    pass_s(place, 10 * 60)
    assert nothing_is_left(place)
    (came,), (ended,) = (bodies(place.world.store, kind) for kind in ("EnvironmentCameUp", "EnvironmentEnded"))
    assert (came["tries"], ended["was_up"], ended["reason"]) == (3, True, "its time is over")
    begin(place)
    pass_s(place, 60)
    assert place.serving() == {"1.0.0": 1.0}


def test_what_does_not_become_healthy_is_taken_down(place: RolloutWorld) -> None:
    """After ten tries, five seconds apart."""
    place.load.answer = lambda _number, _path: 503
    begun_us = place.world.clock.now_us()
    begin(place, replace(LIFE, health=HealthCheck("/healthz")))
    place.settle()
    assert nothing_is_left(place)
    assert [plan.paths for plan in place.load.plans] == [("/healthz",)] * 10
    assert place.world.clock.now_us() - begun_us >= 45 * 1_000_000
    assert last(place).state.reason.endswith("/healthz was answered with 503 at the last of 10 tries")


def test_a_version_that_does_not_start_leaves_nothing(place: RolloutWorld) -> None:
    place.target.broken.add("1.0.0")
    begin(place)
    place.settle()
    assert nothing_is_left(place)
    (ended,) = bodies(place.world.store, "EnvironmentEnded")
    assert (ended["was_up"], "the rollout of quotes 1.0.0 is rolled back" in ended["reason"]) == (False, True)


def test_it_lowers_only_what_it_raised(place: RolloutWorld) -> None:
    """What a deployment has brought there is left alone, also while it is brought, or has died; taken down it is free.

    A version that fails, or is served already and found unhealthy, would else end with nothing there at all.
    """
    rollout = place.deploy("1.0.0")
    with pytest.raises(RefusedError, match="production is busy"):
        begin(place, version="1.1.0")
    place.settle()
    assert place.now(rollout).status is RolloutStatus.PROMOTED
    for version in ("1.0.0", "1.1.0"):
        with pytest.raises(RefusedError, match=r"production serves quotes 1\.0\.0 already"):
            begin(place, version=version)
    assert place.serving() == {"1.0.0": 1.0}
    place.take_down()
    place.settle()
    begin(place, version="1.1.0")
    pass_s(place, 60)
    assert place.serving() == {"1.1.0": 1.0}


def test_what_serves_without_a_record_is_left_alone(place: RolloutWorld) -> None:
    order = order_of(place)
    with place.world.store.begin() as tx, pytest.raises(RefusedError, match="production serves users already"):
        order_life(tx, place.engine(), replace(order, rollout=replace(order.rollout, is_down=False)), PERSON)


@pytest.mark.parametrize("after_s", [0.0, 0.5, 30.0])
def test_it_is_taken_down_when_it_is_said_to(place: RolloutWorld, after_s: float) -> None:
    """Whether it was up by then or not: a rollout that is under way is aborted."""
    begin(place)
    pass_s(place, after_s)
    end(place)
    place.settle()
    assert nothing_is_left(place)
    (said,) = bodies(place.world.store, "EnvironmentEndOrdered")
    assert said["reason"] == "nobody needs it"
    with pytest.raises(RefusedError, match="no ephemeral environment production is up"):
        end(place)


def test_what_is_rolled_out_to_it_meanwhile_is_aborted(place: RolloutWorld) -> None:
    begin(place)
    pass_s(place, 30)
    rollout = place.deploy("1.1.0")
    place.run_until(rollout, "canary")
    end(place)
    place.settle()
    assert (place.now(rollout).status, nothing_is_left(place)) == (RolloutStatus.ROLLED_BACK, True)


def test_ordered_twice_it_is_one_life(place: RolloutWorld) -> None:
    """While it is taken down it is refused, and so is another one of its name."""
    begin(place)
    begin(place)
    pass_s(place, 30)
    with pytest.raises(RefusedError, match="the name production is that of an environment after production"):
        begin(place, replace(LIFE, branch="x"))
    end(place)
    pass_s(place, 0.1)
    with pytest.raises(RefusedError, match="production is being taken down"):
        begin(place)
    place.settle()
    with place.world.store.begin() as tx:
        assert len(runs_of(tx, life_key(PLACE))) == 1


def test_what_the_schedule_has_taken_down_sleeps(place: RolloutWorld) -> None:
    """Until its time is over; what a person has taken down does not. Said twice with one key it is said once."""
    now_us = place.world.clock.now_us()
    begin(place, replace(LIFE, branch="feature", expires_us=now_us + 60 * MINUTE_US), ports=PORTS)
    pass_s(place, 30)
    end(place, "tonight")
    end(place, "tonight")
    place.settle()
    with place.world.store.begin() as tx:
        assert [life_of(run).branch for run in asleep(tx, PLACE, now_us)] == ["feature"]
        assert asleep(tx, PLACE, now_us + 61 * MINUTE_US) == ()
        assert open_lives(tx, PLACE) == ()
    begin(place, replace(LIFE, branch="feature"), ports=PORTS)
    pass_s(place, 30)
    end(place)
    place.settle()
    with place.world.store.begin() as tx:
        assert asleep(tx, PLACE, now_us) == ()
    assert last(place).state.status is RunStatus.DONE


@pytest.mark.parametrize(
    ("branch", "name"),
    [
        ("fix-42", "review-fix-42"),
        ("feature/Login", "review-feature-login-"),
        ("feature-login", "review-feature-login"),
        ("x" * 200, "review-xxxxxxxxxxxxxxxxxxxxxxxx-"),
        ("größe", "review-gr-e-"),
        ("a-0123abcd", "review-a-0123abcd-"),
    ],
)
def test_a_branch_gives_a_name_that_no_other_branch_gives(branch: str, name: str) -> None:
    """What is not told by its letters is told by a hash."""
    found = instance_name("review", branch)
    assert len(found) <= 40
    assert found == name if not name.endswith("-") else found.startswith(name) and len(found) == len(name) + 8


@pytest.mark.parametrize("branch", ["", "a b", "../x", "-rf", "a..b", "x;y\n", "a" * 201, "x.lock", "@{u}", "a/"])
def test_what_is_no_branch_has_no_name(branch: str) -> None:
    with pytest.raises(InvalidValue):
        instance_name("review", branch)


def test_each_has_a_port_of_its_own() -> None:
    assert [free_port(range(9001, 9004), taken) for taken in ((), (9001, 9003), (9002, 9003))] == [9001, 9002, 9001]
    with pytest.raises(RefusedError, match="3 branches have an environment already"):
        free_port(range(9001, 9004), (9001, 9002, 9003))
