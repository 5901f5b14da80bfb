"""Whole rollouts that Argo Rollouts or Flagger carries out: the engine, the store and the real providers over working
models of both. Only the requests of users are simulated."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path

import pytest

from shipline.capabilities.rollouts import (
    Verification,
    analysis_of,
    current_deployment,
    look_for_drift,
    verdict_now,
)
from shipline.capabilities.rollouts.upkeep.drift import DriftAnswer
from shipline.domain.errors import RefusedError
from shipline.domain.rollout import Rollout, RolloutStatus
from shipline.domain.verdict import Answer
from shipline.ports.controller import Phase
from shipline.testing.conformance.controller import BETTER, BROKEN, GOOD
from shipline.testing.fakes.faults import Fault
from shipline.testing.fakes.kubernetes.argo import ArgoController
from shipline.testing.kills import Countdown, Killed
from shipline.testing.world import World
from tests.capabilities.events import bodies, kinds
from tests.capabilities.rollouts.driven_world import DrivenPlace, copied_place
from tests.capabilities.rollouts.rollout_world import PLACE
from tests.clusters import digests_of
from tests.controllers import CANARY, ROLLOUT, driven_cluster


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], DrivenPlace]]:
    """A place of each kind where GOOD serves, for copies of it: its rollout is the same for all."""

    @cache
    def made(kind: str) -> DrivenPlace:
        folder = tmp_path_factory.mktemp(kind)
        world = World(7, folder)
        place = DrivenPlace(world, stack.enter_context(driven_cluster(kind, folder, world.clock)))
        assert place.ended(GOOD).status is RolloutStatus.PROMOTED
        world.close()
        return place

    with ExitStack() as stack, pytest.MonkeyPatch.context() as patched:
        patched.setenv("DOCKER_CONFIG", str(tmp_path_factory.getbasetemp() / "no-docker"))
        yield made


@pytest.fixture(params=["argo-rollouts", "flagger"])
def place(request: pytest.FixtureRequest, begun: Callable[[str], DrivenPlace], tmp_path: Path) -> Iterator[DrivenPlace]:
    """GOOD serves."""
    with copied_place(begun(request.param), tmp_path) as place:
        yield place


@pytest.fixture
def argo(begun: Callable[[str], DrivenPlace], tmp_path: Path) -> Iterator[DrivenPlace]:
    with copied_place(begun("argo-rollouts"), tmp_path) as place:
        yield place


@pytest.fixture
def flagger(begun: Callable[[str], DrivenPlace], tmp_path: Path) -> Iterator[DrivenPlace]:
    with copied_place(begun("flagger"), tmp_path) as place:
        yield place


def look_until(place: DrivenPlace, rollout: Rollout, words: str, *, seconds: float = 2.0) -> Rollout:
    """Work until it says that it waits for this."""
    engine = place.engine()
    for _ in range(300):
        place.look(engine, seconds)
        now = place.now(rollout)
        if words in now.waiting_for:
            return now
    raise AssertionError(f"never waited for {words!r}; last: {place.now(rollout).waiting_for!r}")


def test_a_good_version_is_watched_and_let_on(place: DrivenPlace) -> None:
    """The analysis has its history, the record its deployment, and nothing has drifted."""
    ended = place.ended(BETTER)
    assert (ended.status, ended.strategy, ended.stable_version) == (RolloutStatus.PROMOTED, "driven", GOOD)
    assert ended.reason == ""
    state = place.state()
    assert state.phase is Phase.SETTLED
    assert state.stable is not None
    assert state.stable.content.version == BETTER
    with place.world.store.begin() as tx:
        points = analysis_of(tx, ended.id)
        served = current_deployment(tx, PLACE, "quotes")
    assert points[-1].verdict == "promote"
    assert sum(point.canary_requests for point in points) > 0
    assert served is not None
    assert served.version == BETTER
    assert bodies(place.world.store, "ControllerPromoted")[0]["before_evidence"] is False
    assert look_for_drift(place.ground(place.world.store), PLACE).answer is DriftAnswer.NONE


def test_a_bad_version_is_turned_back_by_the_controllers_own_means(place: DrivenPlace) -> None:
    """The image is set back, so that the controller has nothing left to do."""
    place.behave(BETTER, error_rate=0.5)
    ended = place.ended(BETTER)
    assert ended.status is RolloutStatus.ROLLED_BACK
    assert "requests failed" in ended.reason or "fails more often" in ended.reason
    state = place.state()
    assert (state.phase, state.wanted.version, state.weight) == (Phase.SETTLED, GOOD, 0.0)
    (told,) = bodies(place.world.store, "RolloutRolledBack")
    assert told["found_worse"]
    assert [one.failed for one in place.deployments()] == [False, True]


def test_the_controllers_own_rollback_is_recorded_with_its_reason(place: DrivenPlace) -> None:
    place.cluster.model.failing.update(digests_of(BETTER))
    ended = place.ended(BETTER)
    assert ended.status is RolloutStatus.ROLLED_BACK
    assert "has turned back by itself: " in ended.reason
    assert bodies(place.world.store, "ControllerTurnedBack")[0]["words"]
    assert place.state().wanted.version == GOOD
    assert not bodies(place.world.store, "RolloutRolledBack")[0]["found_worse"]


def test_copies_that_do_not_become_ready_end_it(place: DrivenPlace) -> None:
    ended = place.ended(BROKEN)
    assert ended.status is RolloutStatus.ROLLED_BACK
    assert place.state().wanted.version == GOOD


def test_a_controller_that_does_nothing_is_not_waited_for(place: DrivenPlace) -> None:
    """The image is back where it was, and the words say what may be wrong."""
    place.cluster.model.asleep = True
    rollout = place.order(BETTER)
    place.look(place.engine(), 310.0)
    place.cluster.model.asleep = False
    place.settle()
    now = place.now(rollout)
    assert now.status is RolloutStatus.ROLLED_BACK
    assert "has not begun to bring 1.1.0 there within 300 s" in now.reason
    assert place.state().wanted.version == GOOD
    assert len(place.deployments()) == 1


def test_a_person_aborts(place: DrivenPlace) -> None:
    rollout = place.order(BETTER)
    look_until(place, rollout, "20% of the traffic")
    place.say(rollout, "abort")
    place.settle()
    assert place.now(rollout).status is RolloutStatus.ROLLED_BACK
    assert place.state().wanted.version == GOOD


def test_a_person_promotes_and_the_record_says_so(place: DrivenPlace) -> None:
    """Argo skips what is left. Flagger goes through its steps, and hears yes at each."""
    rollout = place.order(BETTER)
    look_until(place, rollout, "20% of the traffic")
    place.say(rollout, "promote")
    place.settle()
    assert place.now(rollout).status is RolloutStatus.PROMOTED
    assert bodies(place.world.store, "ControllerPromoted")[0]["before_evidence"] is False
    with place.world.store.begin() as tx:
        assert any("Promoted by a person" in point.reason for point in analysis_of(tx, rollout.id))


def test_a_person_pauses_and_resumes(place: DrivenPlace) -> None:
    """While it is paused no weight rises, however good it is; it goes on being watched."""
    rollout = place.order(BETTER)
    look_until(place, rollout, "20% of the traffic")
    place.say(rollout, "pause")
    engine = place.engine()
    place.look(engine, 120.0)
    now = place.now(rollout)
    assert (now.status, now.weight) == (RolloutStatus.PAUSED, 0.2)
    assert now.waiting_for.startswith("Paused until a person")
    place.say(rollout, "resume")
    place.settle()
    assert place.now(rollout).status is RolloutStatus.PROMOTED


def test_what_a_controller_cannot_be_told_is_refused_in_words(flagger: DrivenPlace) -> None:
    """The rollout goes on."""
    rollout = flagger.order(BETTER)
    look_until(flagger, rollout, "20% of the traffic")
    flagger.say(rollout, "skip")
    now = look_until(flagger, rollout, "It was not told")
    assert "cannot be told to skip a step" in now.waiting_for
    assert "ControllerRefused" in kinds(flagger.world.store)
    flagger.settle()
    assert flagger.now(rollout).status is RolloutStatus.PROMOTED


def test_a_promotion_before_the_evidence_is_said(argo: DrivenPlace) -> None:
    """Steps without a pause do not wait for anybody."""
    steps = [{"setWeight": 20}, {"pause": {"duration": "4s"}}]
    argo.cluster.change(ROLLOUT, strategy={"canary": {"trafficRouting": {"plugins": {}}, "steps": steps}})
    ended = argo.ended(BETTER)
    assert ended.status is RolloutStatus.PROMOTED
    assert ended.reason == "Argo Rollouts has promoted it before there was evidence that it is no worse."
    assert bodies(argo.world.store, "ControllerPromoted")[-1]["before_evidence"] is True


def test_what_is_not_proved_in_time_is_paused_for_a_person(argo: DrivenPlace) -> None:
    steps = [{"setWeight": 20}, {"pause": {"duration": "600s"}}]
    argo.cluster.change(ROLLOUT, strategy={"canary": {"trafficRouting": {"plugins": {}}, "steps": steps}})
    argo.users.requests_per_s = 0.1
    rollout = argo.order(BETTER)
    now = look_until(argo, rollout, "Insufficient evidence")
    assert now.status is RolloutStatus.PAUSED
    assert argo.cluster.world.objects.must_get(ROLLOUT)["spec"]["paused"] is True
    argo.say(rollout, "promote")
    argo.settle()
    assert argo.now(rollout).status is RolloutStatus.PROMOTED


def test_evidence_ends_the_pause_for_want_of_it_and_no_other(argo: DrivenPlace) -> None:
    """The steps' own time still runs out by itself, and what a person has paused since waits for that person."""
    steps = [{"setWeight": 20}, {"pause": {"duration": "3000s"}}]
    argo.cluster.change(ROLLOUT, strategy={"canary": {"trafficRouting": {"plugins": {}}, "steps": steps}})
    argo.users.requests_per_s = 0.1
    rollout = argo.order(BETTER)
    look_until(argo, rollout, "Insufficient evidence")
    argo.users.requests_per_s = 20.0
    engine = argo.engine()
    argo.look(engine, 120.0)
    assert argo.cluster.world.objects.must_get(ROLLOUT)["spec"]["paused"] is False
    assert (argo.now(rollout).status, argo.state().weight) == (RolloutStatus.RUNNING, 0.2)
    assert "pause: 3000s" in argo.state().words
    argo.cluster.change(ROLLOUT, paused=True)
    argo.look(engine, 30.0)
    assert argo.cluster.world.objects.must_get(ROLLOUT)["spec"]["paused"] is True
    argo.say(rollout, "resume")
    argo.settle()
    assert argo.now(rollout).status is RolloutStatus.PROMOTED


def test_blue_green_waits_for_a_person(argo: DrivenPlace) -> None:
    argo.cluster.change(ROLLOUT, strategy={"blueGreen": {"activeService": "quotes", "autoPromotionEnabled": False}})
    rollout = argo.order(BETTER)
    look_until(argo, rollout, "nothing can be compared before")
    argo.say(rollout, "promote")
    argo.settle()
    assert argo.now(rollout).status is RolloutStatus.PROMOTED


def test_the_way_back_after_a_promotion(place: DrivenPlace) -> None:
    """A rollback sets the version before, and needs no evidence."""
    place.ended(BETTER)
    began_us = place.world.clock.now_us()
    back = place.ended(GOOD, back=True)
    assert back.status is RolloutStatus.PROMOTED
    assert place.state().wanted.version == GOOD
    limit_s = 60 if place.cluster.kind == "argo-rollouts" else 300
    assert (place.world.clock.now_us() - began_us) / 1e6 < limit_s


def test_what_fails_its_verification_goes_back_although_it_is_promoted(place: DrivenPlace) -> None:
    place.verifications = (Verification("smoke", ("false",), attempts=1, every_s=1, timeout_s=5),)
    ended = place.ended(BETTER)
    assert ended.status is RolloutStatus.ROLLED_BACK
    state = place.state()
    assert (state.phase, state.wanted.version) == (Phase.SETTLED, GOOD)


def test_an_image_that_somebody_sets_meanwhile_is_left_alone(place: DrivenPlace) -> None:
    rollout = place.order(BETTER)
    look_until(place, rollout, "20% of the traffic")
    other = f"{place.cluster.host}/team/quotes:by-hand"
    place.cluster.set_by_hand(other)
    place.settle()
    now = place.now(rollout)
    assert now.status is RolloutStatus.ROLLED_BACK
    assert "somebody has set the image to" in now.reason
    assert place.state().wanted.image == other


def test_a_source_of_counts_that_is_down_is_no_verdict(place: DrivenPlace) -> None:
    """Nothing is let on and nothing turned back; whoever asks hears that nobody knows."""
    place.users.requests_per_s = 0.5
    rollout = place.order(BETTER)
    look_until(place, rollout, "20% of the traffic")
    place.fake_signals.fault = Fault.UNAVAILABLE
    place.look(place.engine(), 90.0)
    assert place.now(rollout).status is RolloutStatus.RUNNING
    with place.world.store.begin() as tx:
        verdict = verdict_now(tx, PLACE, place.world.clock.now_us(), fresh_s=60.0, evidence_calm=10.0)
    assert verdict.answer is Answer.UNKNOWN
    assert not verdict.rises
    assert not verdict.holds
    place.fake_signals.fault = None


def test_no_weight_rises_before_what_the_last_one_did_is_known(flagger: DrivenPlace) -> None:
    """Counts come 40 s late, and Flagger would raise the weight every 10 s: a bad version is found at the first one."""
    flagger.fake_signals.delay_s = 40.0
    flagger.behave(BETTER, error_rate=0.5)
    ended = flagger.ended(BETTER)
    assert ended.status is RolloutStatus.ROLLED_BACK
    with flagger.world.store.begin() as tx:
        points = analysis_of(tx, ended.id)
    assert max(point.weight for point in points) == 0.1
    assert "hold" in {point.verdict for point in points}


def test_a_controller_that_never_asks_has_its_image_set_back(flagger: DrivenPlace) -> None:
    """Flagger does not reach the server: the harm ends all the same."""
    rollout = flagger.order(BETTER)
    look_until(flagger, rollout, "20% of the traffic")
    assert not isinstance(flagger.cluster.model, ArgoController)
    asked, flagger.cluster.model.ask = flagger.cluster.model.ask, lambda _url, _payload: 503
    flagger.say(rollout, "abort")
    flagger.look(flagger.engine(), 130.0)
    assert flagger.state().wanted.version == GOOD
    flagger.cluster.model.ask = asked
    flagger.settle()
    assert flagger.now(rollout).status is RolloutStatus.ROLLED_BACK


def test_the_image_is_not_set_back_amid_a_promotion(flagger: DrivenPlace) -> None:
    """Flagger asks nothing then, so it is not deaf; it goes through with it, and then brings the version before."""
    rollout = flagger.order(BETTER)
    engine = flagger.engine()
    while flagger.cluster.world.objects.must_get(CANARY)["status"]["phase"] != "Promoting":
        flagger.look(engine, 2.0)
    flagger.cluster.model.asleep = True
    flagger.say(rollout, "abort")
    flagger.look(engine, 140.0)
    assert flagger.state().wanted.version == BETTER
    flagger.cluster.model.asleep = False
    flagger.settle()
    state = flagger.state()
    assert flagger.now(rollout).status is RolloutStatus.ROLLED_BACK
    assert (state.phase, state.stable and state.stable.content.version) == (Phase.SETTLED, GOOD)


def test_a_canary_that_does_not_ask_is_refused_before_anything_is_set(flagger: DrivenPlace) -> None:
    analysis = flagger.cluster.world.objects.must_get(CANARY)["spec"]["analysis"]
    flagger.cluster.change(CANARY, analysis=analysis | {"webhooks": []})
    ended = flagger.ended(BETTER)
    assert ended.status is RolloutStatus.ROLLED_BACK
    assert "does not ask Shipline" in ended.reason
    assert flagger.state().wanted.version == GOOD


def test_nothing_is_run_stopped_or_weighed(argo: DrivenPlace) -> None:
    ground = argo.ground(argo.world.store)
    (group,) = ground.target.groups()
    for act in (
        lambda: ground.target.run(group.spec, revision=1),
        lambda: ground.target.stop(group.id, revision=1),
        ground.traffic.close,
        ground.traffic.address,
        lambda: ground.traffic.apply((), revision=1),
    ):
        with pytest.raises(RefusedError):
            act()
    ground.traffic.apply(ground.traffic.routes(), revision=1)


@pytest.mark.parametrize(
    ("place", "error_rate"), [("argo-rollouts", 0.0), ("argo-rollouts", 0.5), ("flagger", 0.5)], indirect=["place"]
)
def test_a_kill_anywhere_costs_nothing(place: DrivenPlace, error_rate: float) -> None:
    """At each effect in the cluster, before it and after it, the next engine goes on to the same end."""
    place.behave(BETTER, error_rate=error_rate)
    wanted = RolloutStatus.ROLLED_BACK if error_rate else RolloutStatus.PROMOTED
    deaths = 0
    for fatal in range(1, 30):
        rollout = place.order(BETTER)
        countdown = Countdown(fatal)
        try:
            place.world.run_until_quiet(place.engine(countdown=countdown))
        except Killed:
            deaths += 1
            place.world.clock.sleep(60.0)
            place.settle()
        now = place.now(rollout)
        assert (now.status, fatal) == (wanted, fatal)
        if len(countdown.passed) < fatal:
            break
        if not error_rate:
            assert place.ended(GOOD, back=True).status is RolloutStatus.PROMOTED
    assert deaths >= 4


def test_a_kill_on_the_way_back_costs_nothing(flagger: DrivenPlace) -> None:
    """Flagger has promoted what fails its verification, and asks as soon as the image is set back: also where the
    process that has set it lives no more, and nothing but a yes keeps Flagger from refusing what comes back."""
    analysis = flagger.cluster.world.objects.must_get(CANARY)["spec"]["analysis"]
    required = [one for one in analysis["webhooks"] if one["type"] in ("confirm-promotion", "rollback")]
    flagger.cluster.change(CANARY, analysis=analysis | {"webhooks": required})
    flagger.verifications = (Verification("smoke", ("false",), attempts=1, every_s=1, timeout_s=5),)
    deaths = 0
    for fatal in range(3, 20):  # The first two are around the new image.
        rollout = flagger.order(BETTER)
        countdown = Countdown(fatal)
        try:
            flagger.world.run_until_quiet(flagger.engine(countdown=countdown))
        except Killed:
            deaths += 1
            for _ in range(3):
                flagger.world.clock.sleep(20.0)
                flagger.state()
            flagger.settle()
        state = flagger.state()
        assert (flagger.now(rollout).status, fatal) == (RolloutStatus.ROLLED_BACK, fatal)
        assert (state.phase, state.stable and state.stable.content.version) == (Phase.SETTLED, GOOD)
        if len(countdown.passed) < fatal:
            break
    assert deaths >= 2
