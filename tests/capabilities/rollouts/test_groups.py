"""Waiting for copies to become ready: without holding anything up, in words, and not for ever."""

from __future__ import annotations

import pytest

from shipline.capabilities.rollouts.routing import group_id
from shipline.capabilities.rollouts.steps import RESTORE_GRACE_S
from shipline.capabilities.rollouts.waiting import POLL_MAX_S, POLL_MIN_S, awaited_copies, pause_s, standing
from shipline.capabilities.rollouts.workflow import START_TIMEOUT_S
from shipline.domain.errors import RefusedError
from shipline.domain.rollout import Rollout, RolloutStatus
from shipline.engine.journal import journal_of, runs_of
from shipline.ports.target import Group, Role
from tests.capabilities.rollouts.rollout_world import DIGESTS, RolloutWorld

NEW = group_id("quotes", "1.1.0", 1, Role.CANARY)
OLD = group_id("quotes", "1.0.0", 1, Role.CANARY)


def waits_of(place: RolloutWorld, rollout: Rollout, step: str) -> list[str]:
    """What a step of a rollout waited for, in order."""
    with place.world.store.begin() as tx:
        (run,) = runs_of(tx, f"rollout:{rollout.id}")
        entries = journal_of(tx, run.id)
    return [entry.detail for entry in entries if entry.step == step and entry.outcome == "again"]


def test_slow_copies_are_waited_for_in_words_and_no_tick_lasts(serving: RolloutWorld) -> None:
    """The clock stands still within every tick: others have their turn meanwhile."""
    serving.target.slow_s["1.1.0"] = 12.0
    rollout = serving.deploy("1.1.0")
    engine, clock = serving.engine(), serving.world.clock
    for _ in range(40):
        before_us = clock.now_us()
        engine.sweep()
        assert clock.now_us() == before_us
        clock.sleep(0.5)
    waits = waits_of(serving, rollout, "start")
    assert set(waits) == {"0 of 1 copy of quotes 1.1.0 is ready."}
    assert 5 <= len(waits) <= 20, "often at first, then every two seconds"
    assert sum(serving.serving().values()) == pytest.approx(1.0)
    serving.settle()
    assert serving.now(rollout).status is RolloutStatus.PROMOTED
    assert serving.target.runs[NEW] == 2, "once for the canary, once for the rest of its copies"


def test_traffic_moves_only_once_all_copies_are_ready(serving: RolloutWorld) -> None:
    rollout = serving.deploy("1.1.0")
    serving.run_until(rollout, "canary")
    serving.target.slow_s["1.1.0"] = 9.0
    serving.say(rollout, "promote")
    engine = serving.engine()
    serving.look(engine, 8.0)
    assert "1.0.0" in serving.serving()
    assert waits_of(serving, rollout, "promote")[-1] == "1 of 2 copies of quotes 1.1.0 is ready."
    serving.settle()
    assert serving.serving() == {"1.1.0": 1.0}
    assert serving.routed() == serving.addresses()


def test_copies_that_never_become_ready_fail_the_rollout_after_its_deadline_with_their_trouble(
    serving: RolloutWorld,
) -> None:
    """And nothing of the version stays."""
    serving.target.sick.add(NEW)
    began_us = serving.world.clock.now_us()
    rollout = serving.shipped("1.1.0")
    assert rollout.status is RolloutStatus.ROLLED_BACK
    assert f"did not end within {START_TIMEOUT_S} s" in rollout.reason
    assert "0 of 1 copy of quotes 1.1.0 is ready: " in rollout.reason
    assert "does not answer its health check" in rollout.reason
    assert serving.world.clock.now_us() - began_us < (START_TIMEOUT_S + 10) * 1_000_000
    assert serving.alive() == ["1.0.0", "1.0.0"]


@pytest.mark.parametrize("late", [False, True])
def test_copies_for_which_there_is_no_hope_fail_it_at_once(serving: RolloutWorld, *, late: bool) -> None:
    """Also those that a promotion adds."""
    rollout = serving.deploy("1.1.0")
    if late:
        serving.run_until(rollout, "canary")
        serving.say(rollout, "promote")
    serving.target.broken.add("1.1.0")
    began_us = serving.world.clock.now_us()
    serving.settle()
    ended = serving.now(rollout)
    assert ended.status is RolloutStatus.ROLLED_BACK
    assert "it is broken" in ended.reason
    assert serving.world.clock.now_us() - began_us < 5_000_000
    assert serving.serving() == {"1.0.0": 1.0}
    assert serving.alive() == ["1.0.0", "1.0.0"]


def test_an_abort_while_copies_are_waited_for_ends_the_wait(serving: RolloutWorld) -> None:
    serving.target.sick.add(NEW)
    rollout = serving.deploy("1.1.0")
    serving.look(serving.engine(), 5.0)
    began_us = serving.world.clock.now_us()
    serving.say(rollout, "abort")
    serving.settle()
    assert serving.now(rollout).status is RolloutStatus.ROLLED_BACK
    assert serving.world.clock.now_us() - began_us < 1_000_000
    assert serving.alive() == ["1.0.0", "1.0.0"]


def test_the_way_back_gives_traffic_to_what_lives_before_it_waits_for_the_rest(serving: RolloutWorld) -> None:
    """The harm ends at once; the copy that had died gets its part when it is ready."""
    rollout = serving.deploy("1.1.0")
    serving.run_until(rollout, "canary")
    serving.look(serving.engine(), 3.0)
    serving.fake_target.kill(OLD, 2)
    serving.target.slow_s["1.0.0"] = 6.0
    (alive,) = [copy.address for copy in serving.target.groups[OLD].copies.values()]
    serving.say(rollout, "abort")
    serving.look(serving.engine(), 1.0)
    assert (serving.serving(), serving.routed()) == ({"1.0.0": 1.0}, {alive})
    assert waits_of(serving, rollout, "start")[-1] == "1 of 2 copies of quotes 1.0.0 is ready."
    serving.settle()
    assert serving.now(rollout).status is RolloutStatus.ROLLED_BACK
    assert serving.routed() == serving.addresses()
    assert len(serving.routed()) == 2


def test_the_way_back_has_succeeded_though_one_copy_stays_dead(serving: RolloutWorld) -> None:
    """What lives has the traffic; nobody needs a person for that."""
    rollout = serving.deploy("1.1.0")
    serving.run_until(rollout, "canary")
    serving.fake_target.kill(OLD, 2)
    serving.target.broken.add("1.0.0")
    began_us = serving.world.clock.now_us()
    serving.say(rollout, "abort")
    serving.settle()
    assert serving.now(rollout).status is RolloutStatus.ROLLED_BACK
    assert serving.serving() == {"1.0.0": 1.0}
    assert serving.routed() == serving.addresses()
    waited_s = (serving.world.clock.now_us() - began_us) / 1e6
    assert RESTORE_GRACE_S <= waited_s <= RESTORE_GRACE_S + 10


def test_where_nothing_stable_comes_back_the_way_back_has_failed(serving: RolloutWorld) -> None:
    rollout = serving.deploy("1.1.0")
    serving.run_until(rollout, "canary")
    serving.fake_target.kill(OLD)
    serving.target.broken.add("1.0.0")
    serving.say(rollout, "abort")
    serving.settle()
    failed = serving.now(rollout)
    assert failed.status is RolloutStatus.FAILED
    assert "it is broken" in failed.reason
    serving.target.broken.clear()
    serving.say(rollout, "retry")
    serving.settle()
    assert serving.now(rollout).status is RolloutStatus.ROLLED_BACK
    assert serving.routed() == serving.addresses()


def test_a_canary_where_traffic_is_only_switched_is_refused_before_anything_begins(place: RolloutWorld) -> None:
    place.splits = place.fake_traffic.splits = False
    with pytest.raises(RefusedError, match="cannot have canary") as refused:
        place.deploy("1.0.0")
    assert "needs one that splits it" in refused.value.why
    assert "all-at-once" in refused.value.todo
    rollout = place.deploy("1.0.0", strategy="all-at-once")
    place.settle()
    assert place.now(rollout).status is RolloutStatus.PROMOTED


def test_a_canary_that_was_ordered_before_the_traffic_became_a_switch_starts_nothing(serving: RolloutWorld) -> None:
    """The settings may change between the order and its turn."""
    rollout = serving.deploy("1.1.0")
    serving.fake_traffic.splits = False
    serving.settle()
    ended = serving.now(rollout)
    assert (ended.status, "switches it as a whole" in ended.reason) == (RolloutStatus.ROLLED_BACK, True)
    assert ("quotes", "1.1.0", DIGESTS) not in serving.target.prepared


def a_group(ready: int, size: int, trouble: str = "") -> Group:
    return Group("g", Role.STABLE, "quotes", "1.2.0", size, ready, (), 0, DIGESTS, trouble)


def test_how_groups_stand_is_said_in_words() -> None:
    assert standing(a_group(0, 1)) == "0 of 1 copy of quotes 1.2.0 is ready"
    assert standing(a_group(1, 3)) == "1 of 3 copies of quotes 1.2.0 is ready"
    assert standing(a_group(2, 3)) == "2 of 3 copies of quotes 1.2.0 are ready"
    assert awaited_copies((a_group(3, 3), a_group(1, 2, "it hangs"))) == (
        "1 of 2 copies of quotes 1.2.0 is ready: it hangs"
    )
    assert awaited_copies((a_group(3, 3),)) == ""


def test_looks_are_close_at_first_and_never_far_apart() -> None:
    assert [pause_s(seconds * 1_000_000) for seconds in (0, 1, 4, 3600)] == [POLL_MIN_S, 0.25, 1.0, POLL_MAX_S]
