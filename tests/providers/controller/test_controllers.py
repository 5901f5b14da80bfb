"""Both controllers over working models of them: the suite, and what each of them refuses."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from shipline.domain.errors import ConfigurationError, ConflictError, RefusedError, ShiplineError
from shipline.ports.controller import Content, Controlled, Controller, Phase, Verb
from shipline.providers.controller.argo import ArgoRollouts
from shipline.providers.controller.flagger import Flagger
from shipline.testing.conformance.controller import BETTER, BROKEN, GOOD, PACKAGE, ControllerConformance
from shipline.testing.fakes.kubernetes.argo import ArgoController
from tests.clusters import digests_of as known_digests
from tests.controllers import CANARY, ROLLOUT, DrivenCluster, driven_cluster

KINDS = ("argo-rollouts", "flagger")


@pytest.fixture(params=KINDS)
def cluster(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[DrivenCluster]:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))
    with driven_cluster(request.param, tmp_path) as made:
        yield serving_good(made)


def serving_good(made: DrivenCluster) -> DrivenCluster:
    """GOOD has been set, and has been let through."""
    controller = made.controller(container="web")
    made.hear(Verb.PROMOTE)
    controller.set(made.content(GOOD), revision=1)
    for _ in range(60):
        made.clock.sleep(10.0)
        state = controller.look()
        if state.phase is Phase.SETTLED and state.stable is not None and state.stable.content.version == GOOD:
            made.said = {"confirm-rollout": True, "confirm-traffic-increase": True, "rollout": True}
            return made
        controller.tell(Verb.PROMOTE, revision=1)
    pytest.fail("GOOD does not serve")


class TestControllers(ControllerConformance):
    @pytest.fixture
    def open_controller(self, cluster: DrivenCluster) -> Callable[[], Controller]:
        return lambda: cluster.controller(container="web")

    @pytest.fixture
    def advance(self, cluster: DrivenCluster) -> Callable[[float], None]:
        return cluster.clock.sleep

    @pytest.fixture
    def hears(self, cluster: DrivenCluster) -> Callable[[Verb], None]:
        return cluster.hear

    @pytest.fixture
    def digests_of(self) -> Callable[[str], tuple[str, ...]]:
        return known_digests


def prepared(cluster: DrivenCluster, **settings: str) -> Content:
    return cluster.controller(**{"container": "web", **settings}).prepare(PACKAGE, BETTER, known_digests(BETTER))


def test_it_says_what_is_missing(cluster: DrivenCluster) -> None:
    """The namespace, the object, the container, and the CRD, each in words of its own."""
    with pytest.raises(ShiplineError, match="in the namespace elsewhere"):
        prepared(cluster, namespace="elsewhere")
    key = "rollout" if cluster.kind == "argo-rollouts" else "canary"
    with pytest.raises(ShiplineError, match=r"there is no .* other") as missing:
        prepared(cluster, **{key: "other"})
    assert "there are: quotes" in missing.value.todo
    with pytest.raises(ConfigurationError, match="has no container 'nginx'") as container:
        prepared(cluster, container="nginx")
    assert "web, proxy" in container.value.todo
    with pytest.raises(ConfigurationError, match="has 2 containers"):
        prepared(cluster, container="")
    cluster.server.apis -= {"argoproj.io/v1alpha1", "flagger.app/v1beta1"}
    with pytest.raises(ShiplineError, match="this cluster knows no"):
        prepared(cluster)


def test_the_image_of_another_container_stays(cluster: DrivenCluster) -> None:
    """Only the named container is changed, and one whose image names no registry is refused."""
    with pytest.raises(ConfigurationError, match="not named with its registry"):
        prepared(cluster, container="proxy")
    cluster.controller(container="web").set(prepared(cluster), revision=2)
    key = ROLLOUT if cluster.kind == "argo-rollouts" else ("deployments", "default", "quotes")
    web, proxy = cluster.world.objects.must_get(key)["spec"]["template"]["spec"]["containers"]
    assert (web["image"], proxy["image"]) == (cluster.content(BETTER).image, "sidecar:1")


def test_one_environment_drives_one_object(cluster: DrivenCluster) -> None:
    with pytest.raises(ConflictError, match="driven by the environment production"):
        cluster.controller("staging", container="web").set(cluster.content(BETTER), revision=9)


def test_a_controller_that_sleeps_notices_nothing(cluster: DrivenCluster) -> None:
    cluster.model.asleep = True
    controller = cluster.controller(container="web")
    controller.set(cluster.content(BETTER), revision=2)
    cluster.clock.sleep(300.0)
    state = controller.look()
    assert (state.phase, state.noticed, state.weight) == (Phase.MOVING, False, 0.0)


def test_what_nobody_noted_is_called_by_its_image(cluster: DrivenCluster) -> None:
    cluster.set_by_hand(f"{cluster.host}/team/quotes:by-hand")
    wanted = cluster.controller(container="web").look().wanted
    assert (wanted.package, wanted.version, wanted.digests) == ("", "image by-hand", ())


@pytest.fixture
def argo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[DrivenCluster]:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))
    with driven_cluster("argo-rollouts", tmp_path) as made:
        yield serving_good(made)


@pytest.fixture
def flagger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[DrivenCluster]:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))
    with driven_cluster("flagger", tmp_path) as made:
        yield serving_good(made)


def looked(cluster: DrivenCluster, seconds: float = 0.0) -> Controlled:
    cluster.clock.sleep(seconds)
    return cluster.controller(container="web").look()


def test_argo_is_paused_by_hand_and_goes_on(argo: DrivenCluster) -> None:
    """A pause by hand is none that a verdict may end; a pause with a time is no waiting."""
    controller = argo.controller(container="web")
    controller.set(argo.content(BETTER), revision=2)
    assert looked(argo).phase is Phase.MOVING
    controller.tell(Verb.PAUSE, revision=3)
    state = looked(argo, 60.0)
    assert (state.phase, state.awaits_verdict, state.weight) == (Phase.WAITING, False, 0.2)
    controller.tell(Verb.RESUME, revision=4)
    assert argo.world.objects.must_get(ROLLOUT)["spec"]["paused"] is False
    assert looked(argo, 60.0).weight == 0.5


def test_argo_keeps_the_pause_of_its_step_when_only_ours_is_taken_back(argo: DrivenCluster) -> None:
    controller = argo.controller(container="web")
    controller.set(argo.content(BETTER), revision=2)
    looked(argo)
    controller.tell(Verb.PAUSE, revision=3)
    for _ in range(2):
        controller.tell(Verb.UNPAUSE, revision=4)
    state = looked(argo, 1.0)
    assert (state.phase, state.weight) == (Phase.MOVING, 0.2)
    assert "step 2 of 4 (pause: 30s)" in state.words


def test_argo_skips_the_step_that_it_is_at(argo: DrivenCluster) -> None:
    controller = argo.controller(container="web")
    controller.set(argo.content(BETTER), revision=2)
    assert "step 2 of 4 (pause: 30s)" in looked(argo).words
    controller.tell(Verb.SKIP, revision=3)
    assert looked(argo).weight == 0.5


def test_argo_aborts_by_itself_with_its_reason(argo: DrivenCluster) -> None:
    assert not isinstance(argo.model, Flagger)
    argo.model.failing.update(known_digests(BETTER))
    argo.controller(container="web").set(argo.content(BETTER), revision=2)
    state = looked(argo, 10.0)
    assert (state.phase, state.weight) == (Phase.BACK, 0.0)
    assert "success-rate" in state.words


@pytest.mark.parametrize("step", ["analysis", "experiment"])
def test_what_has_no_result_at_argo_is_left_to_a_person(argo: DrivenCluster, step: str) -> None:
    """It is no pause that a verdict may end. Who resumes leaves the step: what has no result stays without."""
    assert isinstance(argo.model, ArgoController)
    argo.model.inconclusive.update(known_digests(BETTER))
    steps = [{"setWeight": 20}, {step: {"templates": []}}, {"setWeight": 50}, {"pause": {}}]
    argo.change(ROLLOUT, strategy={"canary": {"trafficRouting": {"plugins": {}}, "steps": steps}})
    controller = argo.controller(container="web")
    controller.set(argo.content(BETTER), revision=2)
    state = looked(argo)
    assert (state.phase, state.awaits_verdict, state.weight) == (Phase.WAITING, False, 0.2)
    controller.tell(Verb.RESUME, revision=3)
    state = looked(argo)
    assert (state.phase, state.awaits_verdict, state.weight) == (Phase.WAITING, True, 0.5)


@pytest.mark.parametrize("strategy", [{}, {"strategy": {"blueGreen": {"activeService": "quotes"}}}])
def test_argo_is_aborted_although_somebody_has_promoted_it(argo: DrivenCluster, strategy: dict[str, Any]) -> None:
    """It takes an abort back while it has to promote; so that order goes first, also where the abort stands already."""
    argo.change(ROLLOUT, **strategy)
    controller = argo.controller(container="web")
    controller.set(argo.content(BROKEN), revision=2)
    looked(argo)
    controller.tell(Verb.PROMOTE, revision=3)
    controller.tell(Verb.ABORT, revision=4)
    assert looked(argo).phase is Phase.BACK
    argo.model.asleep = True
    controller.tell(Verb.PROMOTE, revision=5)
    controller.tell(Verb.ABORT, revision=6)
    argo.model.asleep = False
    argo.world.broken.clear()
    state = looked(argo)
    assert (state.phase, state.weight) == (Phase.BACK, 0.0)


def test_argo_blue_green_switches_when_it_is_told(argo: DrivenCluster) -> None:
    argo.change(ROLLOUT, strategy={"blueGreen": {"activeService": "quotes", "autoPromotionEnabled": False}})
    controller = argo.controller(container="web")
    controller.set(argo.content(BETTER), revision=2)
    state = looked(argo)
    assert (state.phase, state.awaits_verdict, state.splits, state.weight) == (Phase.WAITING, True, False, 0.0)
    with pytest.raises(RefusedError, match="has no steps"):
        controller.tell(Verb.SKIP, revision=3)
    controller.tell(Verb.RESUME, revision=3)
    assert looked(argo).phase is Phase.SETTLED


def test_a_rollout_whose_template_is_elsewhere_is_refused(argo: DrivenCluster) -> None:
    found = argo.world.objects.must_get(ROLLOUT)
    del found["spec"]["template"]
    argo.world.controllers.clear()
    argo.world.objects.put(ROLLOUT, found, now=argo.world.now())
    with pytest.raises(RefusedError, match="no pod template of its own"):
        prepared(argo)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"suspend": True}, "is suspended"),
        ({"skipAnalysis": True}, "skips its analysis"),
        ({"analysis": {"maxWeight": 50, "stepWeight": 10}}, "no webhook of the type confirm-promotion and rollback"),
        ({"targetRef": {"kind": "DaemonSet", "name": "quotes"}}, "is about DaemonSet quotes"),
    ],
)
def test_a_canary_that_could_not_be_turned_back_is_refused(
    flagger: DrivenCluster, change: dict[str, Any], words: str
) -> None:
    flagger.world.controllers.clear()
    flagger.change(CANARY, **change)
    with pytest.raises(RefusedError, match=words):
        prepared(flagger)


def test_flagger_says_what_it_cannot_be_told(flagger: DrivenCluster) -> None:
    controller = flagger.controller(container="web")
    assert set(controller.look().refused) == {"skip"}
    hooks = flagger.world.objects.must_get(CANARY)["spec"]["analysis"]
    hooks["webhooks"] = [one for one in hooks["webhooks"] if one["type"] != "confirm-traffic-increase"]
    flagger.change(CANARY, analysis=hooks)
    with pytest.raises(RefusedError, match="does not ask before it raises the traffic"):
        controller.tell(Verb.PAUSE, revision=2)


@pytest.mark.parametrize(
    "wrong", [lambda: ArgoRollouts.Settings("../x"), lambda: Flagger.Settings(""), lambda: Flagger.Settings("A" * 70)]
)
def test_names_that_are_none_are_refused(wrong: Callable[[], object]) -> None:
    with pytest.raises(ConfigurationError):
        wrong()
