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
)
from shipline.domain.errors import RefusedError
from shipline.domain.rollout import RolloutStatus
from shipline.ports.controller import Phase
from shipline.testing.conformance.controller import BETTER, GOOD
from shipline.testing.fakes.kubernetes.argo import ArgoController
from shipline.testing.kills import Countdown, Killed
from shipline.testing.world import World
from tests.capabilities.events import bodies, kinds
from tests.capabilities.rollouts.driven_rollouts import DrivenRollouts, look_until
from tests.capabilities.rollouts.driven_world import DrivenPlace, copied_place
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


class TestDrivenRollouts(DrivenRollouts):
    """Over models of both."""


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
        lambda: ground.traffic.close(revision=1),
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
