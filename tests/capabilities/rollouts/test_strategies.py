"""Blue-green, rolling, canaries with fixed steps, previews, verification, and what is kept warm: whole rollouts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from shipline.capabilities.rollouts import (
    Alert,
    Preview,
    PreviewBy,
    Strategy,
    StrategyKind,
    Verification,
    WeightStep,
    analysis_of,
    exposure_of,
    order_cooling,
    turn_back,
)
from shipline.domain.errors import InvalidValue, RefusedError
from shipline.domain.rollout import Rollout, RolloutStatus
from shipline.engine.journal import journal_of, runs_of
from shipline.testing.fakes.command import Call, Ending
from shipline.testing.world import World
from tests.capabilities.events import kinds
from tests.capabilities.rollouts.rollout_world import PERSON, PLACE, RolloutWorld

BLUE_GREEN = Strategy(StrategyKind.BLUE_GREEN)
ROLLING = Strategy(StrategyKind.ROLLING)
STEPS = (WeightStep(0.1, 6), WeightStep(0.25, 4), WeightStep(0.6, 4))
STEPPED = Strategy(StrategyKind.CANARY, steps=STEPS)


def ended(place: RolloutWorld, version: str, strategy: Strategy) -> Rollout:
    """A rollout by this strategy, and its end."""
    rollout = place.deploy(version, strategy=strategy)
    place.settle()
    return place.now(rollout)


def waits(place: RolloutWorld, rollout: Rollout, step: str) -> list[str]:
    """What a step waited for, in order, each once."""
    with place.world.store.begin() as tx:
        (run,) = runs_of(tx, f"rollout:{rollout.id}")
        entries = journal_of(tx, run.id)
    found = [entry.detail or "" for entry in entries if entry.step == step and entry.outcome == "again"]
    return [words for words, before in zip(found, ["", *found], strict=False) if words != before]


def test_blue_green_switches_at_once_and_stops_the_old(serving: RolloutWorld) -> None:
    """All copies of the new version are ready before the first request reaches one."""
    rollout = ended(serving, "1.1.0", BLUE_GREEN)
    assert (rollout.status, rollout.strategy) == (RolloutStatus.PROMOTED, "blue-green")
    assert serving.serving() == {"1.1.0": 1.0}
    assert serving.alive() == ["1.1.0", "1.1.0"]
    served = {one.version: one.counts.requests for one in serving.users.served() if one.role.value == "canary"}
    assert served == {}, "nobody was served by a canary"


def test_blue_green_works_where_traffic_is_switched_as_a_whole(serving: RolloutWorld) -> None:
    """It needs no splitting; a canary and a rolling rollout do, and are refused before anything begins."""
    serving.fake_traffic.splits = False
    for kind in (StrategyKind.CANARY, StrategyKind.ROLLING):
        with pytest.raises(RefusedError, match=f"production cannot have {kind.value}"):
            serving.deploy("1.1.0", strategy=Strategy(kind))
    assert ended(serving, "1.1.0", BLUE_GREEN).status is RolloutStatus.PROMOTED


def test_a_preview_is_for_those_who_ask_until_a_person_approves(serving: RolloutWorld) -> None:
    """Everybody else is served by the stable version meanwhile."""
    preview = Preview(PreviewBy.HEADER, hold_s=60, approve=True)
    rollout = serving.deploy("1.1.0", strategy=replace(BLUE_GREEN, preview=preview))
    engine = serving.engine()
    serving.look(engine, 30)
    assert serving.serving() == {"1.0.0": 1.0}
    assert [route.version for route in serving.traffic.routes.values() if route.preview] == ["1.1.0"]
    now = serving.now(rollout)
    assert now.status is RolloutStatus.RUNNING
    assert now.waiting_for.startswith("The new version gets the requests that ask for it for another ")
    serving.look(engine, 600)
    now = serving.now(rollout)
    assert (now.status, now.weight) == (RolloutStatus.PAUSED, 0.0)
    assert now.waiting_for.startswith("Paused until a person")
    serving.say(rollout, "resume")
    serving.settle()
    assert serving.now(rollout).status is RolloutStatus.PROMOTED
    assert not any(route.preview for route in serving.traffic.routes.values())
    assert {"RolloutPaused", "RolloutPromoted"} <= set(kinds(serving.world.store, f"rollout:{rollout.id}"))


@pytest.mark.parametrize("by", list(PreviewBy))
def test_a_canary_may_be_previewed_or_mirrored_first(serving: RolloutWorld, by: PreviewBy) -> None:
    """Then its shares begin as always."""
    strategy = Strategy(StrategyKind.CANARY, preview=Preview(by, hold_s=10))
    rollout = serving.deploy("1.1.0", strategy=strategy)
    serving.look(serving.engine(), 5)
    (route,) = (route for route in serving.traffic.routes.values() if route.serves and route.version == "1.1.0")
    assert (route.share, route.preview, route.mirror) == (0.0, by is PreviewBy.HEADER, by is PreviewBy.MIRROR)
    serving.settle()
    assert serving.now(rollout).status is RolloutStatus.PROMOTED


@pytest.mark.parametrize(("said", "watched"), [("skip", True), ("promote", False)])
def test_a_preview_is_skipped_or_promoted_from(serving: RolloutWorld, said: str, *, watched: bool) -> None:
    """`skip` ends this wait alone, `promote` all that would follow."""
    strategy = Strategy(StrategyKind.CANARY, preview=Preview(hold_s=3600, approve=True))
    rollout = serving.deploy("1.1.0", strategy=strategy)
    serving.run_until(rollout, "preview")
    serving.say(rollout, said)
    serving.settle()
    assert serving.now(rollout).status is RolloutStatus.PROMOTED
    with serving.world.store.begin() as tx:
        assert bool(analysis_of(tx, rollout.id)) is watched


@pytest.mark.parametrize("code", [0, 1])
def test_what_is_verified_before_decides_before_anybody_sees_it(serving: RolloutWorld, code: int) -> None:
    """On the preview's own address, and not again once all are served."""
    tried: list[tuple[tuple[str, ...], dict[str, float]]] = []

    def budget(call: Call) -> Ending:
        tried.append((tuple(call.arguments), serving.serving()))
        return Ending(code)

    serving.commands.programs["budget"] = budget
    serving.verifications = (Verification("budget", ("budget", "{url}"), attempts=2, every_s=1, before=True),)
    rollout = serving.deploy("1.1.0", strategy=replace(BLUE_GREEN, preview=Preview(hold_s=5)))
    serving.settle()
    assert set(map(str, tried)) == {str((("http://preview.example/",), {"1.0.0": 1.0}))}
    assert len(tried) == 1 + code
    ended = serving.now(rollout)
    assert ended.status is (RolloutStatus.ROLLED_BACK if code else RolloutStatus.PROMOTED)
    assert ("budget failed on the preview 2 times" in ended.reason) is bool(code)


def test_where_the_preview_was_skipped_it_is_verified_afterwards(serving: RolloutWorld) -> None:
    serving.commands.programs["budget"] = lambda _call: Ending(1)
    serving.verifications = (Verification("budget", ("budget",), attempts=1, before=True),)
    rollout = serving.deploy("1.1.0", strategy=replace(BLUE_GREEN, preview=Preview(hold_s=500)))
    serving.run_until(rollout, "start")
    serving.say(rollout, "promote")
    serving.settle()
    ended = serving.now(rollout)
    assert (ended.status, ended.reason.partition(": ")[2][:18]) == (RolloutStatus.ROLLED_BACK, "budget failed 1 ti")


@pytest.mark.parametrize("version", ["1.0.0", "1.1.0"])
def test_where_people_have_to_sign_nobodys_word_lets_it_go_on(tmp_path: Path, version: str) -> None:
    """Nor does it begin with a first version that nobody has signed for."""
    place = RolloutWorld(World(5, tmp_path))
    if version != "1.0.0":
        place.shipped("1.0.0")
    preview = Preview(approvals={"ops": 2, "security": 1})
    rollout = place.deploy(version, strategy=replace(BLUE_GREEN, preview=preview))
    place.run_until(rollout, "preview")
    for verb in ("promote", "skip", "resume"):
        place.say(rollout, verb)
        place.look(place.engine(), 10)
    place.approved = {"ops": ("ann",), "security": ("ann",)}
    place.look(place.engine(), 10)
    now = place.now(rollout)
    assert (now.status, now.weight) == (RolloutStatus.PAUSED, 0.0)
    assert now.waiting_for == (f"It waits for the approval of 1 of ops: shipline approve {version} --stage production.")
    place.approved = {"ops": ("ann", "ben"), "security": ("ann",)}
    place.look(place.engine(), 60)
    assert place.now(rollout).status is RolloutStatus.PROMOTED


def test_an_aborted_preview_leaves_nothing(serving: RolloutWorld) -> None:
    rollout = serving.deploy("1.1.0", strategy=replace(BLUE_GREEN, preview=Preview(hold_s=3600)))
    serving.run_until(rollout, "preview")
    assert (
        exposure_of(serving.ground(serving.world.store), rollout) == "0.0% of the traffic is on 1.1.0, and its preview"
    )
    serving.say(rollout, "abort")
    serving.settle()
    assert serving.now(rollout).status is RolloutStatus.ROLLED_BACK
    assert serving.serving() == {"1.0.0": 1.0}
    assert serving.alive() == ["1.0.0", "1.0.0"]


def test_a_proxy_that_cannot_preview_refuses_one(serving: RolloutWorld) -> None:
    """Before anything begins, with what is missing."""
    for name, by in (("previews", PreviewBy.HEADER), ("mirrors", PreviewBy.MIRROR)):
        setattr(serving.fake_traffic, name, False)
        with pytest.raises(RefusedError) as refused:
            serving.deploy("1.1.0", strategy=replace(BLUE_GREEN, preview=Preview(by)))
        assert refused.value.why


def test_a_canary_goes_by_its_steps(serving: RolloutWorld) -> None:
    """Each weight is held for its time; more than half is possible, and the baseline gets what is left."""
    rollout = ended(serving, "1.1.0", STEPPED)
    assert rollout.status is RolloutStatus.PROMOTED
    with serving.world.store.begin() as tx:
        looks = analysis_of(tx, rollout.id)
    weights = [look.weight for look in looks]
    assert sorted(set(weights)) == [0.1, 0.25, 0.6]
    assert weights == sorted(weights)
    assert looks[-1].time_us - looks[0].time_us >= (4 + 4) * 1_000_000
    words = waits(serving, rollout, "canary")
    assert any("At 25% (step 2 of 3) for another" in each for each in words)


def test_a_bad_canary_is_found_within_its_steps(serving: RolloutWorld) -> None:
    """The analysis goes on during every wait, also for a person."""
    steps = (WeightStep(0.1, 2, approve=True), WeightStep(0.5, 2))
    rollout = ended(serving, "1.2.0", replace(STEPPED, steps=steps))
    assert rollout.status is RolloutStatus.ROLLED_BACK
    assert serving.serving() == {"1.0.0": 1.0}


def test_a_step_waits_for_a_person(serving: RolloutWorld) -> None:
    """And says so; the analysis's own deadline does not end that wait."""
    steps = (WeightStep(0.1, 2, approve=True), WeightStep(0.5, 2))
    rollout = serving.deploy("1.1.0", strategy=replace(STEPPED, steps=steps))
    engine = serving.engine()
    serving.look(engine, 300)
    now = serving.now(rollout)
    assert (now.status, now.weight) == (RolloutStatus.PAUSED, 0.1)
    assert "At 10% (step 1 of 2): a person says that it goes on." in now.waiting_for
    serving.say(rollout, "resume")
    serving.settle()
    assert serving.now(rollout).status is RolloutStatus.PROMOTED


def test_a_step_is_skipped(serving: RolloutWorld) -> None:
    """An hour of holding ends with a word."""
    rollout = serving.deploy("1.1.0", strategy=replace(STEPPED, steps=(WeightStep(0.1, 3000), WeightStep(0.5, 2))))
    engine = serving.engine()
    serving.look(engine, 60)
    assert serving.now(rollout).weight == 0.1
    serving.say(rollout, "skip")
    serving.look(engine, 4)
    assert serving.now(rollout).weight == 0.5


def test_a_canary_gets_as_many_copies_as_its_share_needs(serving: RolloutWorld) -> None:
    """A tenth of the copies cannot carry half of the traffic; its baseline grows beside it, equally young."""
    serving.instances = 10
    assert ended(serving, "1.1.0", Strategy(StrategyKind.ALL_AT_ONCE)).status is RolloutStatus.PROMOTED
    serving.behave("1.3.0", error_rate=0.001)
    serving.target.slow_s["1.3.0"] = 1.0
    rollout = serving.deploy("1.3.0", strategy=STEPPED)
    engine = serving.engine()
    most = 0
    while serving.now(rollout).status in (RolloutStatus.STARTING, RolloutStatus.RUNNING):
        serving.look(engine, 1)
        copies = serving.alive().count("1.3.0")
        most = max(most, copies)
        assert serving.serving().get("1.3.0", 0.0) <= max(copies, 1) / 10 + 1e-9
    serving.settle()
    assert most >= 6
    assert serving.now(rollout).status is RolloutStatus.PROMOTED
    assert serving.alive() == ["1.3.0"] * 10


def test_rolling_replaces_batch_by_batch(place: RolloutWorld) -> None:
    """At no time do fewer copies serve than before, and never more than a batch beside them."""
    place.instances = 5
    place.shipped("1.0.0")
    place.target.slow_s["1.1.0"] = 3.0
    rollout = place.deploy("1.1.0", strategy=replace(ROLLING, batch=2, batch_hold_s=10))
    engine, seen = place.engine(), set()
    while place.now(rollout).status in (RolloutStatus.STARTING, RolloutStatus.RUNNING):
        place.look(engine, 0.5)
        new, old = place.alive().count("1.1.0"), place.alive().count("1.0.0")
        assert 5 <= new + old <= 7
        assert sum(place.serving().values()) == pytest.approx(1.0)
        seen.add((new, old))
    place.settle()
    assert {(2, 3), (4, 1)} <= seen
    assert place.now(rollout).status is RolloutStatus.PROMOTED
    assert place.serving() == {"1.1.0": 1.0}
    assert place.alive() == ["1.1.0"] * 5


def test_rolling_waits_for_open_requests_of_each_copy(place: RolloutWorld) -> None:
    """A copy that is busy is stopped when it is not any more."""
    place.shipped("1.0.0")
    (old,) = place.target.groups
    place.traffic.open_requests_by_copy[(old, "1")] = 1
    rollout = place.deploy("1.1.0", strategy=ROLLING)
    engine = place.engine()
    place.look(engine, 20)
    assert f"{old}-1" in place.names()
    assert place.now(rollout).waiting_for == "Waiting for open requests of old copies to end."
    assert serves(place, old) == {"2"}
    place.traffic.open_requests_by_copy.clear()
    place.settle()
    assert place.now(rollout).status is RolloutStatus.PROMOTED


def serves(place: RolloutWorld, group_id: str) -> set[str]:
    """The copies of a group that routes lead to."""
    return {endpoint.id for endpoint in place.traffic.routes[group_id].endpoints}


def test_an_aborted_rolling_rollout_starts_the_old_copies_again(place: RolloutWorld) -> None:
    """As many as there were, with the traffic on those that live at once."""
    place.instances = 4
    place.shipped("1.0.0")
    rollout = place.deploy("1.1.0", strategy=replace(ROLLING, batch_hold_s=1000))
    engine = place.engine()
    place.look(engine, 60)
    assert place.alive() == ["1.0.0"] * 3 + ["1.1.0"]
    place.say(rollout, "abort")
    place.settle()
    assert place.now(rollout).status is RolloutStatus.ROLLED_BACK
    assert place.serving() == {"1.0.0": 1.0}
    assert place.alive() == ["1.0.0"] * 4


def test_a_version_that_does_not_start_stops_a_rolling_rollout(place: RolloutWorld) -> None:
    """With its first batch, or with a later one."""
    place.instances = 3
    place.shipped("1.0.0")
    place.target.broken.add("1.1.0")
    rollout = ended(place, "1.1.0", ROLLING)
    assert rollout.status is RolloutStatus.ROLLED_BACK
    assert "it is broken" in rollout.reason
    assert place.alive() == ["1.0.0"] * 3


def test_a_verification_that_fails_gives_the_traffic_back(serving: RolloutWorld) -> None:
    """After all of its tries, with what the command said; the old version was still there."""
    serving.verifications = (
        Verification("health", ("true",)),
        Verification("smoke", ("smoke", "{url}/quotes", "{version}", "{environment}"), attempts=3, every_s=5),
    )
    serving.commands.programs |= {"true": lambda _call: Ending(), "smoke": lambda _call: Ending(1, "no quotes today")}
    began_us = serving.world.clock.now_us()
    rollout = ended(serving, "1.1.0", BLUE_GREEN)
    assert rollout.status is RolloutStatus.ROLLED_BACK
    assert "smoke failed 3 times, the last time so: it ended with 1. no quotes today" in rollout.reason
    assert serving.serving() == {"1.0.0": 1.0}
    assert serving.alive() == ["1.0.0", "1.0.0"]
    calls = [call.arguments for call in serving.commands.calls]
    assert calls == [(), *[("http://127.0.0.1:8080/quotes", "1.1.0", PLACE)] * 3]
    assert serving.world.clock.now_us() - began_us >= 10_000_000


def test_a_verification_may_need_a_few_tries(serving: RolloutWorld) -> None:
    """That is what they are for."""
    endings = [Ending(1), Ending(1), Ending(0)]

    def smoke(_call: Call) -> Ending:
        return endings.pop(0)

    serving.commands.programs["smoke"] = smoke
    serving.verifications = (Verification("smoke", ("smoke",)),)
    rollout = ended(serving, "1.1.0", BLUE_GREEN)
    assert rollout.status is RolloutStatus.PROMOTED
    assert "VerificationEnded" in kinds(serving.world.store, f"rollout:{rollout.id}")


def test_it_can_turn_back_while_it_bakes(serving: RolloutWorld) -> None:
    """All traffic has moved, and the old version still runs."""
    rollout = serving.deploy("1.1.0", strategy=replace(BLUE_GREEN, bake_s=600))
    engine = serving.engine()
    serving.look(engine, 60)
    assert serving.serving() == {"1.1.0": 1.0}
    assert serving.now(rollout).waiting_for.startswith("It serves everybody, and can still turn back for another ")
    serving.say(rollout, "abort")
    serving.settle()
    assert serving.now(rollout).status is RolloutStatus.ROLLED_BACK
    assert serving.serving() == {"1.0.0": 1.0}


@pytest.mark.parametrize(
    "strategy",
    [replace(BLUE_GREEN, bake_s=600), replace(BLUE_GREEN, preview=Preview(PreviewBy.HEADER, hold_s=600))],
    ids=["bakes", "is previewed"],
)
def test_a_proxy_that_dies_while_it_waits_is_started_again(serving: RolloutWorld, strategy: Strategy) -> None:
    """Nobody is served meanwhile, and nothing is shown by a version that nobody can reach."""
    rollout = serving.deploy("1.1.0", strategy=strategy)
    engine = serving.engine()
    serving.look(engine, 60)
    before = serving.serving()
    serving.traffic.running = False
    serving.look(engine, 5)
    assert (serving.traffic.running, serving.serving()) == (True, before)
    serving.traffic.running, serving.traffic.port_in_use = False, True
    serving.look(engine, 700)
    assert serving.now(rollout).status is not RolloutStatus.PROMOTED


def test_the_time_to_bake_is_skipped(serving: RolloutWorld) -> None:
    """With a word, as every other wait."""
    rollout = serving.deploy("1.1.0", strategy=replace(BLUE_GREEN, bake_s=3000))
    engine = serving.engine()
    serving.look(engine, 60)
    serving.say(rollout, "skip")
    serving.look(engine, 10)
    assert serving.now(rollout).status is RolloutStatus.PROMOTED


def test_an_alert_turns_it_back_while_it_bakes(serving: RolloutWorld) -> None:
    """What served before is still there."""
    rollout = serving.deploy("1.1.0", strategy=replace(BLUE_GREEN, bake_s=3000))
    serving.look(serving.engine(), 60)
    alert = Alert("SlowQuotes", PLACE, serving.world.clock.now_us())
    with serving.world.store.begin() as tx:
        assert [one.id for one in turn_back(tx, serving.engine(), (alert,), PERSON)] == [rollout.id]
    serving.settle()
    assert serving.now(rollout).status is RolloutStatus.ROLLED_BACK
    assert serving.serving() == {"1.0.0": 1.0}


def test_what_served_before_is_kept_warm_and_stopped_when_its_time_is_over(serving: RolloutWorld) -> None:
    """By a run of its own, so that the environment is free meanwhile."""
    rollout = ended(serving, "1.1.0", replace(BLUE_GREEN, keep_warm_s=300))
    assert rollout.status is RolloutStatus.PROMOTED
    assert serving.alive() == ["1.0.0", "1.0.0", "1.1.0", "1.1.0"]
    engine = serving.engine()
    for after_s, alive in ((200, 4), (200, 2)):
        serving.look(engine, after_s)
        with serving.world.store.begin() as tx:
            order_cooling(tx, engine, PLACE)
        serving.settle()
        assert len(serving.alive()) == alive
    assert serving.alive() == ["1.1.0", "1.1.0"]
    assert serving.now(rollout).warm_until_us is None


def cooled(place: RolloutWorld) -> list[str]:
    """What lives once whatever is due was stopped."""
    engine = place.engine()
    with place.world.store.begin() as tx:
        order_cooling(tx, engine, PLACE)
    place.settle()
    return place.alive()


def test_cooling_after_a_take_down_starts_nothing(serving: RolloutWorld) -> None:
    """The proxy was stopped on purpose, and there is nothing left to stop."""
    ended(serving, "1.1.0", replace(BLUE_GREEN, keep_warm_s=300))
    serving.take_down()
    serving.settle()
    serving.world.clock.sleep(400)
    assert cooled(serving) == []
    assert not serving.traffic.running


@pytest.mark.parametrize("trouble", ["open requests", "no proxy"])
def test_what_cannot_be_stopped_when_its_time_is_over_keeps_nobody_from_a_rollout(
    serving: RolloutWorld, trouble: str
) -> None:
    """It is tried again a minute later, and the environment is free meanwhile."""
    ended(serving, "1.1.0", replace(BLUE_GREEN, keep_warm_s=300))
    (warm,) = (name for name, group in serving.target.groups.items() if group.spec.version == "1.0.0")
    serving.world.clock.sleep(400)
    if trouble == "no proxy":
        serving.fake_traffic.kill()
    else:
        serving.traffic.open_requests[warm] = 1
    assert len(cooled(serving)) == 4
    assert serving.traffic.running is (trouble != "no proxy")
    serving.traffic.open_requests.clear()
    serving.fake_traffic.open(revision=serving.traffic.revision)
    assert len(cooled(serving)) == 4, "not before a minute is over"
    serving.world.clock.sleep(61)
    assert cooled(serving) == ["1.1.0", "1.1.0"]


def test_a_rollout_after_it_keeps_nothing_of_the_one_before(serving: RolloutWorld) -> None:
    """Its copies are stopped, and the record says so."""
    first = ended(serving, "1.1.0", replace(BLUE_GREEN, keep_warm_s=300))
    assert first.warm_until_us is not None
    serving.behave("1.3.0", error_rate=0.001)
    second = ended(serving, "1.3.0", replace(BLUE_GREEN, keep_warm_s=300))
    assert serving.alive() == ["1.1.0", "1.1.0", "1.3.0", "1.3.0"]
    assert second.warm_until_us is not None
    assert serving.now(first).warm_until_us is None


def test_a_rollback_takes_the_warm_copies(serving: RolloutWorld) -> None:
    """Nothing is started; the bad version is not kept."""
    ended(serving, "1.1.0", replace(BLUE_GREEN, keep_warm_s=300))
    before = dict(serving.target.runs)
    rollback = serving.deploy("1.0.0", strategy="all-at-once", rollback=True)
    serving.settle()
    assert serving.now(rollback).status is RolloutStatus.PROMOTED
    assert serving.target.runs == before
    assert serving.serving() == {"1.0.0": 1.0}
    assert serving.alive() == ["1.0.0", "1.0.0"]


def test_a_rollback_starts_what_is_not_warm_any_more(serving: RolloutWorld) -> None:
    """Or what has died meanwhile."""
    ended(serving, "1.1.0", replace(BLUE_GREEN, keep_warm_s=300))
    (warm,) = (name for name, group in serving.target.groups.items() if group.spec.version == "1.0.0")
    serving.fake_target.kill(warm, 1)
    rollback = serving.deploy("1.0.0", strategy="all-at-once", rollback=True)
    serving.settle()
    assert serving.now(rollback).status is RolloutStatus.PROMOTED
    assert serving.alive() == ["1.0.0", "1.0.0"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"preview": Preview(), "kind": StrategyKind.ROLLING},
        {"steps": STEPS, "kind": StrategyKind.BLUE_GREEN},
        {"steps": (WeightStep(0.5), WeightStep(0.2)), "kind": StrategyKind.CANARY},
        {"batch": 0, "kind": StrategyKind.ROLLING},
        {"bake_s": float("nan"), "kind": StrategyKind.CANARY},
        {"keep_warm_s": -1.0, "kind": StrategyKind.CANARY},
    ],
)
def test_a_strategy_that_cannot_be_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(InvalidValue):
        Strategy(**wrong)  # type: ignore[arg-type] # what is wrong is the point


@pytest.mark.parametrize("weight", [0.0, 1.0, -0.1, float("nan")])
def test_a_weight_that_is_none_is_refused(weight: float) -> None:
    with pytest.raises(InvalidValue):
        WeightStep(weight)
