"""Rollouts from order to end: whatever happens on the way, traffic and record say the same in the end."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from shipline.capabilities.rollouts import CountsTrial, Verification, analysis_of, try_counts, workflow_name
from shipline.domain.errors import NothingToDo, RefusedError, UnavailableError, UsageError
from shipline.domain.rollout import Rollout, RolloutStatus
from shipline.domain.verdict import Answer
from shipline.testing.fakes.command import Ending
from shipline.testing.fakes.faults import Fault
from shipline.testing.world import World
from tests.capabilities.events import bodies, kinds
from tests.capabilities.rollouts.rollout_world import DIGESTS, DRAIN_TIMEOUT_S, PLACE, RolloutWorld


def events_of(place: RolloutWorld, rollout: Rollout) -> list[str]:
    return [kind for kind in kinds(place.world.store, f"rollout:{rollout.id}") if kind != "CanaryWeightChanged"]


def test_the_first_deployment_gets_all_traffic_at_once(place: RolloutWorld) -> None:
    """There is nothing to compare it with, and nothing to lose."""
    rollout = place.shipped("1.0.0")
    assert rollout.status is RolloutStatus.PROMOTED
    assert rollout.strategy == "all-at-once"
    assert place.serving() == {"1.0.0": 1.0}
    assert place.alive() == ["1.0.0", "1.0.0"]
    assert events_of(place, rollout) == ["RolloutStarted", "DeploymentBegan", "DeploymentFinished", "RolloutPromoted"]


def test_a_good_canary_is_watched_and_promoted(serving: RolloutWorld) -> None:
    """The old version's deployment ends when the new one's is finished; nothing of the old one keeps running."""
    rollout = serving.shipped("1.1.0")
    assert (rollout.status, rollout.weight, rollout.stable_version) == (RolloutStatus.PROMOTED, 1.0, "1.0.0")
    assert serving.serving() == {"1.1.0": 1.0}
    assert serving.alive() == ["1.1.0", "1.1.0"]
    first, second = serving.deployments()
    assert first.ended_us == second.finished_us is not None
    assert second.ended_us is None
    with serving.world.store.begin() as tx:
        looks = analysis_of(tx, rollout.id)
    assert [look.number for look in looks] == list(range(1, len(looks) + 1))
    assert len(looks) >= 3


def test_a_bad_canary_is_rolled_back(serving: RolloutWorld) -> None:
    """Traffic is back on the stable version, the canary is stopped, and the record says what it cost."""
    rollout = serving.shipped("1.2.0")
    assert rollout.status is RolloutStatus.ROLLED_BACK
    assert rollout.failed_requests > 0
    assert rollout.evidence_value >= 80
    assert serving.serving() == {"1.0.0": 1.0}
    assert serving.alive() == ["1.0.0", "1.0.0"]
    assert events_of(serving, rollout) == ["RolloutStarted", "DeploymentBegan", "RollbackBegan", "RolloutRolledBack"]
    deployment = serving.deployments()[-1]
    assert (deployment.failed, deployment.finished_us) == (True, None)


def test_a_rolled_back_version_may_be_tried_again(serving: RolloutWorld) -> None:
    """Its second attempt has groups of its own."""
    serving.shipped("1.2.0")
    serving.behave("1.2.0", error_rate=0.0)
    again = serving.shipped("1.2.0")
    assert (again.status, again.attempt) == (RolloutStatus.PROMOTED, 2)
    assert all("-a2-" in name for name in serving.target.groups)


def test_a_paused_canary_keeps_its_weight_until_it_is_resumed(serving: RolloutWorld) -> None:
    rollout = serving.deploy("1.1.0")
    serving.run_until(rollout, "canary")
    serving.say(rollout, "pause")
    engine = serving.engine()
    for _ in range(30):
        serving.world.clock.sleep(2)
        engine.sweep()
    paused = serving.now(rollout)
    assert paused.status is RolloutStatus.PAUSED
    assert paused.waiting_for.startswith("Paused until a person resumes, promotes or aborts it.")
    weight = paused.weight
    assert 0 < weight < 0.5
    serving.say(rollout, "resume")
    serving.settle()
    assert serving.now(rollout).status is RolloutStatus.PROMOTED
    assert {"RolloutPaused", "RolloutResumed"} <= set(events_of(serving, rollout))


def test_a_paused_canary_is_told_of_again_until_somebody_speaks(serving: RolloutWorld) -> None:
    """With what would settle it, and when it turns back by itself; at the same pace whatever else happens to it."""
    serving.remind_every_s = 60
    rollout = serving.deploy("1.1.0")
    serving.run_until(rollout, "canary")
    serving.say(rollout, "pause")
    for _ in range(70):
        serving.world.clock.sleep(2)
        serving.engine().sweep()  # A new process each time: what was told is on record.
    paused = serving.now(rollout)
    told = bodies(serving.world.store, "RolloutStillPaused")
    assert [round(one["seconds"]) for one in told] == [60, 120]
    assert told[0]["reason"].startswith("Paused until a person resumes, promotes or aborts it.")
    assert {one["turns_back_us"] for one in told} == {paused.paused_until_us}
    assert paused.paused_us is not None
    assert paused.paused_until_us is not None
    assert paused.paused_until_us > serving.world.clock.now_us()
    serving.say(rollout, "resume")
    serving.settle()
    ended = serving.now(rollout)
    assert (ended.status, ended.paused_us, ended.paused_until_us) == (RolloutStatus.PROMOTED, None, None)
    assert len(bodies(serving.world.store, "RolloutStillPaused")) == 2


def test_a_paused_canary_that_turns_bad_is_rolled_back_all_the_same(serving: RolloutWorld) -> None:
    """Nobody has to be awake for that; and nothing says that it was resumed."""
    rollout = serving.deploy("1.1.0")
    serving.run_until(rollout, "canary")
    serving.say(rollout, "pause")
    serving.behave("1.1.0", error_rate=0.3)
    serving.settle()
    assert serving.now(rollout).status is RolloutStatus.ROLLED_BACK
    assert "RolloutResumed" not in events_of(serving, rollout)


def test_a_pause_said_before_the_canary_runs_is_heard(serving: RolloutWorld) -> None:
    rollout = serving.deploy("1.1.0")
    serving.say(rollout, "pause")
    engine = serving.engine()
    for _ in range(30):
        engine.sweep()
        serving.world.clock.sleep(2)
    assert serving.now(rollout).status is RolloutStatus.PAUSED


@pytest.mark.parametrize("early", [True, False])
def test_a_person_may_promote_without_waiting(serving: RolloutWorld, *, early: bool) -> None:
    """Also before the canary has had a request."""
    rollout = serving.deploy("1.1.0")
    if not early:
        serving.run_until(rollout, "canary")
    serving.say(rollout, "promote")
    began_us = serving.world.clock.now_us()
    serving.settle()
    assert serving.now(rollout).status is RolloutStatus.PROMOTED
    assert serving.world.clock.now_us() - began_us < 2_500_000


@pytest.mark.parametrize("fault", [Fault.UNAVAILABLE])
def test_what_is_said_while_the_signals_are_away_is_not_lost(serving: RolloutWorld, fault: Fault) -> None:
    rollout = serving.deploy("1.1.0")
    serving.run_until(rollout, "canary")
    engine = serving.engine()
    serving.say(rollout, "promote")
    serving.fake_signals.fault = fault
    engine.sweep()
    serving.fake_signals.fault = None
    began_us = serving.world.clock.now_us()
    serving.settle()
    assert serving.now(rollout).status is RolloutStatus.PROMOTED
    assert serving.world.clock.now_us() - began_us < 4_000_000


@pytest.mark.parametrize("step", ["gate", "prepare", "start", "canary"])
def test_aborted_at_any_step_everything_is_as_before(serving: RolloutWorld, step: str) -> None:
    rollout = serving.deploy("1.1.0")
    serving.run_until(rollout, step)
    serving.say(rollout, "abort")
    serving.settle()
    ended = serving.now(rollout)
    assert ended.status is RolloutStatus.ROLLED_BACK
    assert "abort by ann" in ended.reason
    assert serving.serving() == {"1.0.0": 1.0}
    assert serving.alive() == ["1.0.0", "1.0.0"]
    exposed = step in ("start", "canary")
    assert any(one.version == "1.1.0" for one in serving.deployments()) is exposed


@pytest.mark.parametrize("first", [True, False])
def test_an_abort_that_comes_while_it_is_promoted_counts(place: RolloutWorld, *, first: bool) -> None:
    """Record and traffic agree."""
    if not first:
        place.shipped("1.0.0")
    rollout = place.deploy("1.1.0", strategy="all-at-once")

    place.run_until(rollout, "promote")
    with pytest.raises(RefusedError, match="too late"):
        place.say(rollout, "pause")
    place.say(rollout, "abort")
    place.settle()
    assert place.now(rollout).status is RolloutStatus.ROLLED_BACK
    assert place.serving() == ({} if first else {"1.0.0": 1.0})
    assert place.alive() == ([] if first else ["1.0.0", "1.0.0"])
    assert [one.version for one in place.deployments() if one.ended_us is None] == ([] if first else ["1.0.0"])
    assert place.shipped("1.1.0").status is RolloutStatus.PROMOTED


def test_gates_that_refuse_leave_everything_as_it_was(serving: RolloutWorld) -> None:
    """Nothing is started, nothing installed, and no incident would follow: users met nothing."""
    serving.refusal = "on friday says FAIL"
    rollout = serving.shipped("1.1.0")
    assert (rollout.status, rollout.reason) == (
        RolloutStatus.ROLLED_BACK,
        "Ask the environment's gates: on friday says FAIL",
    )
    assert ("quotes", "1.1.0", DIGESTS) not in serving.target.prepared
    assert [one.version for one in serving.deployments()] == ["1.0.0"]


def test_a_refused_first_deployment_opens_no_proxy(place: RolloutWorld) -> None:
    place.refusal = "no"
    assert place.shipped("1.0.0").status is RolloutStatus.ROLLED_BACK
    assert not place.traffic.running


@pytest.mark.parametrize("trouble", ["missing", "broken"])
def test_a_version_that_cannot_be_started_changes_nothing(serving: RolloutWorld, trouble: str) -> None:
    getattr(serving.target, trouble).add("1.1.0")
    rollout = serving.shipped("1.1.0")
    assert rollout.status is RolloutStatus.ROLLED_BACK
    assert serving.serving() == {"1.0.0": 1.0}
    assert serving.alive() == ["1.0.0", "1.0.0"]


@pytest.mark.parametrize("trouble", ["missing", "broken", "port"])
def test_a_first_version_that_cannot_be_started_leaves_the_environment_free(place: RolloutWorld, trouble: str) -> None:
    """A busy port, too: mended, the next deployment goes through."""
    place.traffic.port_in_use = trouble == "port"
    place.target.missing = {"1.0.0"} if trouble == "missing" else set()
    place.target.broken = {"1.0.0"} if trouble == "broken" else set()
    assert place.shipped("1.0.0").status is RolloutStatus.ROLLED_BACK
    place.traffic.port_in_use = False
    place.target.missing.clear()
    place.target.broken.clear()
    assert place.shipped("1.0.0").status is RolloutStatus.PROMOTED


def test_a_proxy_that_dies_during_a_canary_is_opened_again(serving: RolloutWorld) -> None:
    rollout = serving.deploy("1.1.0")
    serving.run_until(rollout, "canary")
    serving.fake_traffic.kill()
    serving.settle()
    assert serving.now(rollout).status is RolloutStatus.PROMOTED


def test_a_proxy_that_dies_before_a_rollout_turns_back_is_opened_again(serving: RolloutWorld) -> None:
    rollout = serving.deploy("1.1.0")
    serving.run_until(rollout, "canary")
    serving.say(rollout, "abort")
    serving.fake_traffic.kill()
    serving.settle()
    assert serving.now(rollout).status is RolloutStatus.ROLLED_BACK
    assert serving.serving() == {"1.0.0": 1.0}


def test_stable_copies_that_died_are_run_again_on_the_way_back(serving: RolloutWorld) -> None:
    """As after a restart of the machine: the stable version serves again, not nobody."""
    rollout = serving.deploy("1.1.0")
    serving.run_until(rollout, "canary")
    serving.lose_all_copies()
    serving.fake_traffic.kill()
    serving.say(rollout, "abort")
    serving.settle()
    assert serving.now(rollout).status is RolloutStatus.ROLLED_BACK
    assert serving.serving() == {"1.0.0": 1.0}
    assert serving.routed() == serving.addresses()


def test_a_version_that_fails_where_the_stable_one_had_died_goes_back_to_that(serving: RolloutWorld) -> None:
    """Nobody but the record knew it as stable any more; and nobody was served in the end."""
    serving.lose_all_copies()
    serving.verifications = (Verification("smoke", ("smoke",), attempts=1),)
    serving.commands.programs["smoke"] = lambda _call: Ending(exit_code=1)
    assert serving.shipped("1.1.0").status is RolloutStatus.ROLLED_BACK
    assert serving.serving() == {"1.0.0": 1.0}
    assert serving.alive() == ["1.0.0", "1.0.0"]
    assert serving.routed() == serving.addresses()


def test_signals_that_stay_away_roll_the_canary_back(serving: RolloutWorld) -> None:
    """Silence beyond the limit is failure."""
    rollout = serving.deploy("1.1.0")
    serving.run_until(rollout, "canary")
    serving.fake_signals.fault = Fault.UNAVAILABLE
    serving.settle()
    assert serving.now(rollout).status is RolloutStatus.ROLLED_BACK
    assert serving.serving() == {"1.0.0": 1.0}


def test_counts_that_come_late_find_a_bad_version_late(serving: RolloutWorld) -> None:
    """And promote a good one late."""
    serving.fake_signals.delay_s = 6.0
    assert serving.shipped("1.1.0").status is RolloutStatus.PROMOTED
    began_us = serving.world.clock.now_us()
    rollout = serving.shipped("1.2.0")
    assert rollout.status is RolloutStatus.ROLLED_BACK
    assert 6.0 <= (serving.world.clock.now_us() - began_us) / 1e6 <= 30.0
    assert rollout.failed_requests > 0


def test_a_canary_whose_stable_version_cannot_be_counted_does_not_begin(serving: RolloutWorld) -> None:
    """What the source says is the reason. Another strategy needs no counts, and neither does the way back."""
    serving.fake_signals.uncounted = "no series fits"
    assert "no series fits" in serving.shipped("1.1.0").reason
    assert serving.alive() == ["1.0.0", "1.0.0"]
    rollout = serving.deploy("1.1.0", strategy="blue-green")
    serving.settle()
    assert serving.now(rollout).status is RolloutStatus.PROMOTED


def test_whether_what_serves_can_be_counted_is_tried_without_a_rollout(serving: RolloutWorld) -> None:
    """While the proxy does not run nobody knows."""
    ground = serving.ground(serving.world.store)
    ports = (ground.target, ground.traffic, ground.signals)
    assert try_counts(*ports).answer is Answer.PASS
    serving.fake_signals.uncounted = "no series fits"
    assert try_counts(*ports) == CountsTrial(Answer.FAIL, "no series fits")
    serving.fake_traffic.close(revision=serving.traffic.revision)
    assert try_counts(*ports).answer is Answer.UNKNOWN


def test_what_the_source_of_counts_does_not_know_is_told_and_stops_nothing(
    serving: RolloutWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With what to do. It is another answer than one that speaks against a canary."""

    def trouble(_: object) -> str:
        raise UnavailableError("no error was found", why="none, or mistyped", todo="check the selector")

    monkeypatch.setattr(serving.fake_signals, "trouble", trouble)
    ground = serving.ground(serving.world.store)
    words = "Nobody knows yet: no error was found: none, or mistyped.\nWhat to do: check the selector."
    assert try_counts(ground.target, ground.traffic, ground.signals) == CountsTrial(Answer.UNKNOWN, words)
    assert serving.shipped("1.1.0").status is RolloutStatus.PROMOTED


def test_a_way_back_that_fails_waits_for_a_person_and_can_be_retried(serving: RolloutWorld) -> None:
    rollout = serving.deploy("1.1.0")
    serving.run_until(rollout, "canary")
    serving.say(rollout, "abort")
    serving.fake_traffic.fault = Fault.UNAVAILABLE
    serving.settle()
    assert serving.now(rollout).status is RolloutStatus.FAILED
    with pytest.raises(RefusedError, match="busy") as refused:
        serving.deploy("1.1.0")
    assert "rollout retry production" in refused.value.todo
    for verb in ("abort", "promote", "pause"):
        with pytest.raises(RefusedError, match="failed on its way back"):
            serving.say(rollout, verb)
    serving.fake_traffic.fault = None
    serving.say(rollout, "retry")
    serving.settle()
    assert serving.now(rollout).status is RolloutStatus.ROLLED_BACK
    assert serving.serving() == {"1.0.0": 1.0}


def test_groups_that_cannot_be_stopped_block_nothing_for_good(serving: RolloutWorld) -> None:
    """The outcome stands, it is said what is left, and `retry` ends it."""
    rollout = serving.deploy("1.1.0")
    serving.run_until(rollout, "promote")
    serving.fake_target.fault = Fault.UNAVAILABLE
    serving.settle()
    stuck = serving.now(rollout)
    assert stuck.status is RolloutStatus.PROMOTED
    assert "does not answer" in stuck.waiting_for
    with pytest.raises(RefusedError, match="could not be stopped"):
        serving.deploy("1.2.0")
    serving.fake_target.fault = None
    serving.say(rollout, "retry")
    serving.settle()
    assert serving.now(rollout).waiting_for == ""
    assert serving.alive() == ["1.1.0", "1.1.0"]
    with pytest.raises(RefusedError, match="nothing to retry"):
        serving.say(rollout, "retry")


def test_open_requests_end_before_a_group_is_stopped(serving: RolloutWorld) -> None:
    old = min(serving.target.groups)
    rollout = serving.deploy("1.1.0")
    serving.run_until(rollout, "promote")
    serving.traffic.open_requests[old] = 3
    engine = serving.engine()
    for _ in range(20):
        serving.world.clock.sleep(0.5)
        engine.sweep()
    assert old in serving.target.groups
    serving.traffic.open_requests[old] = 0
    serving.settle()
    assert old not in serving.target.groups
    assert set(serving.traffic.routes) == set(serving.target.groups)


def test_a_group_whose_request_never_ends_is_never_stopped(serving: RolloutWorld) -> None:
    """The new version serves; what is left is a person's to decide, and `retry` goes on once the request has ended."""
    old = min(serving.target.groups)
    serving.traffic.open_requests[old] = 1
    began_us = serving.world.clock.now_us()
    rollout = serving.shipped("1.1.0")
    assert rollout.status is RolloutStatus.PROMOTED
    assert old in serving.target.groups
    assert serving.world.clock.now_us() - began_us > DRAIN_TIMEOUT_S * 1_000_000
    serving.traffic.open_requests[old] = 0
    serving.say(rollout, "retry")
    serving.settle()
    assert old not in serving.target.groups
    assert serving.breaches == []


def test_the_same_order_again_follows_the_rollout_that_is_under_way(serving: RolloutWorld) -> None:
    """Whoever ordered it may have been killed."""
    rollout = serving.deploy("1.1.0")
    serving.run_until(rollout, "canary")
    assert serving.deploy("1.1.0").id == rollout.id
    with pytest.raises(RefusedError, match="busy"):
        serving.deploy("1.2.0")
    serving.settle()
    with pytest.raises(NothingToDo):
        serving.deploy("1.1.0")


@pytest.mark.parametrize("trouble", ["instances", "proxy", "both"])
def test_the_same_version_is_deployed_again_where_nothing_serves_any_more(serving: RolloutWorld, trouble: str) -> None:
    """After a restart of the machine, or `shipline down`: the record alone serves nobody."""
    if trouble != "proxy":
        serving.lose_all_copies()
    if trouble != "instances":
        serving.fake_traffic.kill()
    again = serving.shipped("1.0.0")
    assert (again.status, again.attempt) == (RolloutStatus.PROMOTED, 2)
    assert serving.serving() == {"1.0.0": 1.0}
    assert serving.alive() == ["1.0.0", "1.0.0"]
    assert [one.ended_us is None for one in serving.deployments()] == [False, True]


def test_an_environment_serves_one_package(serving: RolloutWorld) -> None:
    """Another one's rollout would take its traffic and stop it."""
    with pytest.raises(RefusedError, match="serves quotes"):
        serving.deploy("7.0.0", package="jokes")


def test_with_a_store_begun_anew_a_canary_is_still_a_canary(serving: RolloutWorld, tmp_path: Path) -> None:
    """What is stable is what the proxy serves."""
    anew = World(6, tmp_path, url=f"sqlite:///{tmp_path / 'anew.db'}")
    anew.clock = serving.world.clock
    anew.clock.sleep(60)
    later = RolloutWorld(anew, target=serving.target, traffic=serving.traffic)
    later.behave("1.2.0", error_rate=0.05)
    rollout = later.shipped("1.2.0")
    assert (rollout.status, rollout.strategy, rollout.stable_version) == (RolloutStatus.ROLLED_BACK, "canary", "1.0.0")
    assert later.serving() == {"1.0.0": 1.0}
    assert later.shipped("1.0.0").status is RolloutStatus.PROMOTED
    assert later.alive() == ["1.0.0", "1.0.0"]
    anew.close()


def test_nothing_can_be_said_to_a_rollout_that_has_ended(serving: RolloutWorld) -> None:
    rollout = serving.shipped("1.1.0")
    with pytest.raises(RefusedError, match="has ended: promoted"):
        serving.say(rollout, "abort")
    with pytest.raises(UsageError, match="does not know"):
        serving.say(rollout, "dance")
    assert rollout.environment == PLACE


def test_a_rollout_at_a_step_that_an_upgrade_took_away_stops_in_words_and_can_be_aborted(serving: RolloutWorld) -> None:
    """Traffic goes back, and nothing else was done meanwhile."""
    rollout = serving.deploy("1.1.0")
    serving.run_until(rollout, "canary")
    upgraded = serving.engine()
    known = upgraded.catalogue.workflows[workflow_name(PLACE)]
    without = replace(known, steps=tuple(step for step in known.steps if step.name != "canary"))
    upgraded.catalogue = replace(upgraded.catalogue, workflows={known.name: without})
    serving.world.run_until_quiet(upgraded)
    stuck = serving.now(rollout)
    assert stuck.status is RolloutStatus.RUNNING
    assert "does not know the step “canary”" in stuck.waiting_for
    serving.say(rollout, "abort")
    serving.world.run_until_quiet(upgraded)
    assert serving.now(rollout).status is RolloutStatus.ROLLED_BACK
    assert serving.serving() == {"1.0.0": 1.0}
