"""The Kubernetes target over a working model of a cluster: the suite, and what only a cluster does."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from shipline.domain.errors import ConfigurationError, ConflictError, RefusedError, ShiplineError, UnavailableError
from shipline.ports.target import Group, GroupSpec, Role, Target
from shipline.ports.variables import Variables
from shipline.providers.target.kubernetes import KubernetesTarget
from shipline.providers.target.kubernetes_manifest import check_strictly
from shipline.testing.conformance.target import BETTER, GOOD, PACKAGE, TargetConformance, found
from shipline.testing.fakes.clock import FakeClock
from shipline.testing.fakes.secrets import MemorySecrets
from tests.clusters import FakeCluster, digests_of, fake_cluster

PATIENCE_S = 3600
ONE = GroupSpec("one", Role.STABLE, PACKAGE, GOOD, 2, digests_of(GOOD))
DEPLOYMENT = ("deployments", "default", "s-one")


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeCluster]:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))
    with fake_cluster(tmp_path) as made:
        yield made


@pytest.fixture
def clock(cluster: FakeCluster) -> FakeClock:
    assert isinstance(cluster.clock, FakeClock)
    return cluster.clock


@pytest.fixture
def target(cluster: FakeCluster) -> KubernetesTarget:
    """A target where GOOD is prepared."""
    target = cluster.target()
    target.prepare(PACKAGE, GOOD, digests_of(GOOD))
    return target


class TestKubernetesTarget(TargetConformance):
    @pytest.fixture
    def open_target(self, cluster: FakeCluster) -> Callable[[], Target]:
        return cluster.target

    @pytest.fixture
    def digests_of(self) -> Callable[[str], tuple[str, ...]]:
        return digests_of

    @pytest.fixture
    def wait(self, clock: FakeClock) -> Callable[[Callable[[], bool], str], None]:
        def wait(condition: Callable[[], bool], what: str) -> None:
            for _ in range(PATIENCE_S):
                if condition():
                    return
                clock.sleep(1.0)
            pytest.fail(f"waited in vain: {what}")

        return wait

    @pytest.fixture
    def kill_copy(self, cluster: FakeCluster) -> Callable[[Target, str], None]:
        return lambda _target, group_id: cluster.world.crash(group_id)


def whole(target: Target, group_id: str = "one") -> Group:
    """The group, whose copies are ready."""
    group = found(target, group_id)
    assert group.is_whole
    return group


def replicas(cluster: FakeCluster, name: str = "s-one") -> int:
    """How many pods its Deployment wants."""
    return int(cluster.world.objects.must_get(("deployments", "default", name))["spec"]["replicas"])


def test_what_is_sent_is_what_kubernetes_knows(cluster: FakeCluster, target: KubernetesTarget) -> None:
    """Both objects hold to the strict schemas, run the released bytes, and go together."""
    target.run(ONE, revision=1)
    objects = cluster.world.objects
    deployment, service = objects.must_get(DEPLOYMENT), objects.must_get(("services", "default", "s-one"))
    for sent in (deployment, service):
        check_strictly(sent, "the object")
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    assert container["image"].endswith(f"/team/quotes@{digests_of(GOOD)[0]}")
    assert deployment["spec"]["template"]["metadata"]["labels"]["app"] == "quotes"
    assert service["spec"]["selector"] == deployment["spec"]["selector"]["matchLabels"]
    target.stop("one", revision=2)
    assert cluster.world.pods("one") == []
    assert objects.get(("services", "default", "s-one")) is None


def test_a_group_has_what_the_environment_gives_for_as_long_as_it_lives(cluster: FakeCluster) -> None:
    """Variables in the Deployment, over the manifest's; secrets in a Secret of its own, which goes with it. What was
    begun keeps what it had, and needs no secret manager any more."""
    manager = MemorySecrets({"DB": "hunter2"})
    given = Variables({"COLOUR": "blue"}, {"DB_PASSWORD": partial(manager.read, "DB")})
    manifest, env = cluster.root / "deploy" / "quotes.yaml", "env: [{name: TZ, value: UTC}, {name: COLOUR, value: red}]"
    manifest.write_text(manifest.read_text().replace("lifecycle:", f"{env}\n          lifecycle:"))
    target = cluster.target(variables=given)
    target.prepare(PACKAGE, GOOD, digests_of(GOOD))
    assert cluster.world.objects.get(("secrets", "default", "s-rehearsal")) is None
    manager.is_down = True
    with pytest.raises(ShiplineError, match="the secret DB_PASSWORD cannot be had"):
        target.run(ONE, revision=1)
    assert cluster.world.objects.get(DEPLOYMENT) is None
    manager.is_down = False
    target.run(ONE, revision=1)
    deployment, secret = (cluster.world.objects.must_get(key) for key in (DEPLOYMENT, ("secrets", "default", "s-one")))
    for sent in (deployment, secret):
        check_strictly(sent, "the object")
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    assert container["env"] == [
        {"name": "TZ", "value": "UTC"},
        {"name": "COLOUR", "value": "blue"},
        {"name": "DB_PASSWORD", "valueFrom": {"secretKeyRef": {"name": "s-one", "key": "DB_PASSWORD"}}},
    ]
    assert {name: base64.b64decode(data) for name, data in secret["data"].items()} == {"DB_PASSWORD": b"hunter2"}
    manager.is_down = True
    target.run(replace(ONE, size=3), revision=2)
    assert whole(target).size == 3
    target.stop("one", revision=3)
    assert target.groups() == ()
    assert cluster.world.objects.get(("secrets", "default", "s-one")) is None


def test_an_image_that_no_node_can_pull_is_said_at_once_and_hopeless_at_the_deadline(
    cluster: FakeCluster, clock: FakeClock, target: KubernetesTarget
) -> None:
    """Until then somebody may mend the node's access."""
    cluster.world.unpullable.update(digests_of(GOOD))
    target.run(ONE, revision=1)
    (group,) = target.groups()
    assert "ImagePullBackOff: no such image" in group.trouble
    assert not group.hopeless
    clock.sleep(60)
    assert found(target, "one").hopeless
    cluster.world.unpullable.clear()
    assert whole(target).trouble == ""


def test_a_container_that_ends_shows_its_last_words(
    cluster: FakeCluster, clock: FakeClock, target: KubernetesTarget
) -> None:
    """Kubernetes starts it again; the group is hopeless when it has had its time."""
    target.run(ONE, revision=1)
    clock.sleep(3600)
    cluster.world.crash("one")
    group = found(target, "one")
    assert (group.ready, group.lives, group.hopeless) == (1, True, False)
    assert "CrashLoopBackOff" in group.trouble
    assert "it is broken" in group.trouble
    clock.sleep(10)
    assert whole(target).trouble == ""


def test_pods_that_are_never_made_are_hopeless_too(
    cluster: FakeCluster, clock: FakeClock, target: KubernetesTarget
) -> None:
    """The controller says why: a quota, for instance."""
    cluster.world.quota = 1
    target.run(ONE, revision=1)
    group = found(target, "one")
    assert "exceeded quota" in group.trouble
    clock.sleep(60)
    assert found(target, "one").hopeless


def test_a_slow_start_is_no_trouble(cluster: FakeCluster, clock: FakeClock, target: KubernetesTarget) -> None:
    """Containers that are being created are waited for."""
    cluster.world.slow_s[digests_of(GOOD)[0]] = 30
    target.run(ONE, revision=1)
    assert (found(target, "one").ready, found(target, "one").trouble) == (0, "")
    clock.sleep(30)
    whole(target)


def test_an_autoscaler_s_copies_stay(cluster: FakeCluster, target: KubernetesTarget) -> None:
    """Whether the group is run again or made smaller: 2 were ordered, 7 are needed."""
    target.run(ONE, revision=1)
    scale(cluster, "s-one", 7)
    target.run(ONE, revision=2)
    assert replicas(cluster) == 7
    target.run(replace(ONE, size=1), revision=3)
    assert replicas(cluster) == 1
    autoscaler = {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "s-one"}}
    body = {"apiVersion": "autoscaling/v1", "kind": "HorizontalPodAutoscaler", "spec": autoscaler}
    cluster.world.objects.put(("horizontalpodautoscalers", "default", "one"), body, now=cluster.world.now())
    target.run(ONE, revision=4)
    scale(cluster, "s-one", 7)
    target.run(replace(ONE, size=1), revision=5)
    assert (replicas(cluster), found(target, "one").size, found(target, "one").ready) == (7, 1, 1)


def test_a_promoted_group_gets_as_many_copies_as_it_follows(cluster: FakeCluster, target: KubernetesTarget) -> None:
    """What serves may have grown since the settings were written; a small canary stays small."""
    target.prepare(PACKAGE, BETTER, digests_of(BETTER))
    target.run(ONE, revision=1)
    scale(cluster, "s-one", 7)
    canary = GroupSpec("two", Role.CANARY, PACKAGE, BETTER, 1, digests_of(BETTER))
    target.run(canary, revision=2)
    assert replicas(cluster, "s-two") == 1
    target.run(replace(canary, size=2), revision=3)
    assert replicas(cluster, "s-two") == 7
    assert whole(target, "two").size == 2


def scale(cluster: FakeCluster, name: str, count: int) -> None:
    """What an autoscaler or a person does."""
    operations = [{"op": "replace", "path": "/spec/replicas", "value": count}]
    cluster.world.objects.patch(("deployments", "default", name), operations, manager="autoscaler")
    cluster.world.settle()


def test_without_a_stop_hook_no_copy_is_taken_away(cluster: FakeCluster) -> None:
    """Its requests would be cut off. The group can be stopped as a whole."""
    host = (cluster.root / "deploy" / "quotes.yaml").read_text().split("image: ")[1].split("/")[0]
    cluster.write_manifest(host, old="preStop", new="postStart")
    target = cluster.target()
    target.prepare(PACKAGE, GOOD, digests_of(GOOD))
    target.run(ONE, revision=1)
    with pytest.raises(RefusedError, match="1 cannot be left"):
        target.run(replace(ONE, size=1), revision=2)
    assert whole(target).size == 2
    target.stop("one", revision=3)


@pytest.mark.parametrize("change", ["PATCH /services/", "PATCH /deployments/", "GET /configmaps/"])
def test_a_paused_engine_that_goes_on_late_brings_nothing_back(
    cluster: FakeCluster, target: KubernetesTarget, change: str
) -> None:
    """Between any two requests of an older call, a newer one has stopped the group."""
    method, _, plural = change.partition(" ")
    newer = cluster.target()
    seen: list[str] = []

    def interrupt(asked: str, path: str) -> None:
        if asked == method and plural in path and not seen and cluster.world.objects.get(DEPLOYMENT) is not None:
            seen.append(path)
            newer.stop("one", revision=6)

    cluster.server.before = interrupt  # type: ignore[union-attr] # it has one
    with pytest.raises(RefusedError, match="older than 6"):
        target.run(ONE, revision=5)
    assert seen
    assert newer.groups() == ()
    assert cluster.world.pods("one") == []


def test_a_paused_engine_does_not_undo_a_newer_size(cluster: FakeCluster, target: KubernetesTarget) -> None:
    """Its patch tests the version of the object that it has read."""
    target.run(ONE, revision=1)
    newer = cluster.target()
    seen: list[str] = []

    def interrupt(method: str, path: str) -> None:
        if (method, path) == ("PATCH", "/apis/apps/v1/namespaces/default/deployments/s-one") and not seen:
            seen.append(path)
            newer.run(replace(ONE, size=5), revision=9)

    cluster.server.before = interrupt  # type: ignore[union-attr] # it has one
    with pytest.raises(RefusedError):
        target.run(replace(ONE, size=3), revision=8)
    assert replicas(cluster) == 5


def test_a_controller_that_writes_in_between_is_no_hindrance(cluster: FakeCluster, target: KubernetesTarget) -> None:
    """Status changes move the resource version: the patch is made anew from what is there."""
    target.run(ONE, revision=1)
    seen: list[str] = []

    def interrupt(method: str, path: str) -> None:
        if method == "PATCH" and "/deployments/" in path and not seen:
            seen.append(path)
            scale(cluster, "s-one", 4)

    cluster.server.before = interrupt  # type: ignore[union-attr] # it has one
    target.run(replace(ONE, size=3), revision=2)
    assert (replicas(cluster), whole(target).size) == (4, 3)


def test_time_that_goes_by_between_requests_is_no_change(
    cluster: FakeCluster, clock: FakeClock, target: KubernetesTarget
) -> None:
    """What is applied again is the same. Its controller writes about what has changed, and only then."""
    seen: list[str] = []

    def control(_method: str, _path: str) -> None:
        clock.sleep(0.1)
        there = cluster.world.objects.get(DEPLOYMENT)
        started = there["metadata"]["annotations"]["shipline.dev/started-us"] if there is not None else ""
        if started and started not in seen:
            seen.append(started)
            noted = {"op": "add", "path": "/metadata/annotations/seen", "value": started}
            cluster.world.objects.patch(DEPLOYMENT, [noted], manager="controller")

    assert cluster.server is not None
    cluster.server.before = control
    target.run(ONE, revision=1)
    assert len(seen) == 1
    assert whole(target).started_us < clock.now_us()


def test_what_a_crash_left_half_done_is_completed(cluster: FakeCluster, target: KubernetesTarget) -> None:
    """A Deployment that was begun and given no copies is no group yet."""
    cluster.server.forbidden = {("PATCH", "services")}  # type: ignore[union-attr] # it has one
    with pytest.raises(RefusedError, match="does not allow"):
        target.run(ONE, revision=1)
    assert replicas(cluster) == 0
    assert target.groups() == ()
    cluster.server.forbidden = set()  # type: ignore[union-attr] # it has one
    target.run(ONE, revision=1)
    whole(target)


def test_lost_answers_are_made_good_by_saying_it_again(cluster: FakeCluster, target: KubernetesTarget) -> None:
    """Whichever of the changes it was that was carried out without a word."""
    for lost in range(1, 6):
        cluster.server.lost_answers = 1  # type: ignore[union-attr] # it has one
        with pytest.raises(UnavailableError):
            target.run(replace(ONE, size=lost), revision=lost)
        target.run(replace(ONE, size=lost), revision=lost)
        assert whole(target).size == lost
    cluster.server.lost_answers = 1  # type: ignore[union-attr] # it has one
    with pytest.raises(UnavailableError):
        target.stop("one", revision=9)
    target.stop("one", revision=9)
    assert target.groups() == ()


def test_a_namespace_is_one_environment_s(cluster: FakeCluster, target: KubernetesTarget) -> None:
    """Another one is refused, and sees nothing of it."""
    target.run(ONE, revision=1)
    other = cluster.target("production")
    assert other.groups() == ()
    with pytest.raises(ConflictError, match="belongs to the environment staging"):
        other.prepare(PACKAGE, GOOD, digests_of(GOOD))
    with pytest.raises(ConflictError, match="belongs to the environment staging"):
        other.stop("one", revision=2)
    whole(target)


def test_an_object_of_somebody_else_is_left_alone(cluster: FakeCluster, target: KubernetesTarget) -> None:
    """Even under a name that Shipline would give."""
    body = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {}}
    spec = {"replicas": 1, "selector": {"matchLabels": {"a": "b"}}, "progressDeadlineSeconds": 60}
    spec["template"] = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "x", "image": "y"}]}}
    cluster.world.objects.put(DEPLOYMENT, body | {"spec": spec}, now=cluster.world.now())
    for call in (lambda: target.run(ONE, revision=1), lambda: target.stop("one", revision=1)):
        with pytest.raises(ConflictError, match="not made by Shipline"):
            call()
    assert cluster.world.objects.must_get(DEPLOYMENT)["spec"] == spec


def test_an_image_that_was_changed_by_hand_is_noticed(cluster: FakeCluster, target: KubernetesTarget) -> None:
    """The record says another version than what runs: nothing is built upon that."""
    target.run(ONE, revision=1)
    place = "/spec/template/spec/containers/0/image"
    operations = [{"op": "replace", "path": place, "value": "example/other:1"}]
    cluster.world.objects.patch(DEPLOYMENT, operations, manager="kubectl")
    assert "it runs example/other:1" in found(target, "one").trouble
    with pytest.raises(ConflictError, match="somebody has changed the image"):
        target.run(ONE, revision=2)


def test_marks_that_were_changed_by_hand_are_an_error(cluster: FakeCluster, target: KubernetesTarget) -> None:
    """Not another group."""
    target.run(ONE, revision=1)
    operations = [{"op": "replace", "path": "/metadata/annotations/shipline.dev~1digests", "value": "[1]"}]
    cluster.world.objects.patch(DEPLOYMENT, operations, manager="kubectl")
    with pytest.raises(ShiplineError, match="is not what Shipline wrote"):
        target.groups()


def test_running_a_prepared_version_asks_no_registry(cluster: FakeCluster, target: KubernetesTarget) -> None:
    """The way back must not hang on one."""
    cluster.write_manifest("127.0.0.1:9")
    target.run(ONE, revision=1)
    whole(target)


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("progressDeadlineSeconds", "progressDeadline", "progressDeadline"),
        ("apps/v1", "apps/v1beta1", "one Deployment of apps/v1"),
        ("kind: Deployment", "kind: Deployment\nkind: Pod", "stands twice"),
        ("readinessProbe", "livenessProbe", "no readinessProbe"),
        (":latest", ": latest", "YAML"),
        ("/team/quotes:latest", "", "not named with its registry"),
        ("containerPort: 8080", "containerPort: http", "containerPort"),
        ("labels: {app: quotes}\nspec", "labels: &a {app: quotes}\n  annotations: *a\nspec", "alias"),
        ("name: web", "name: web\n          image: a/b\n        - name: more", "not clear which container"),
    ],
)
def test_a_manifest_that_is_wrong_is_refused_before_anything_is_sent(
    cluster: FakeCluster, old: str, new: str, why: str
) -> None:
    """In words that name the place."""
    cluster.write_manifest("registry.example", old=old, new=new)
    with pytest.raises(ConfigurationError) as caught:
        cluster.target().prepare(PACKAGE, GOOD, digests_of(GOOD))
    assert why in caught.value.diagnosis()
    assert cluster.server is not None
    assert cluster.server.requests == []


@pytest.mark.parametrize("path", ["../outside.yaml", "deploy/missing.yaml", "deploy"])
def test_a_manifest_is_a_file_of_the_repository(cluster: FakeCluster, path: str) -> None:
    """And of nowhere else."""
    (cluster.root.parent / "outside.yaml").write_text("kind: Deployment")
    settings = KubernetesTarget.Settings(path, 8080, kubeconfig=str(cluster.kubeconfig))
    with pytest.raises(ConfigurationError):
        KubernetesTarget(settings, cluster.context()).prepare(PACKAGE, GOOD, digests_of(GOOD))


@pytest.mark.parametrize("settings", [{"manifest": "", "port": 1}, {"manifest": "a", "port": 0}])
def test_settings_that_mean_nothing_are_refused(settings: dict[str, object]) -> None:
    """Before anything is done."""
    with pytest.raises(ConfigurationError):
        KubernetesTarget.Settings(**settings)  # type: ignore[arg-type] # wrong on purpose


def test_an_api_server_that_is_away_is_unavailable(cluster: FakeCluster, target: KubernetesTarget) -> None:
    """The same call may succeed later."""
    assert cluster.server is not None
    cluster.server.down = True
    with pytest.raises(UnavailableError):
        target.groups()


@pytest.mark.parametrize(
    ("kind", "name", "spec"),
    [
        ("Rollout", "other", {"workloadRef": {"kind": "Deployment", "name": "quotes"}}),
        ("Rollout", "other", {"template": {"spec": {"containers": [{"image": "HOST/team/quotes:1.0"}]}}}),
        ("Canary", "other", {"targetRef": {"kind": "Deployment", "name": "quotes"}}),
    ],
)
def test_what_a_controller_drives_is_left_to_it(cluster: FakeCluster, kind: str, name: str, spec: object) -> None:
    """It says which provider is for that. An account that may not ask goes on as before."""
    assert cluster.server is not None
    host = (cluster.root / "deploy" / "quotes.yaml").read_text().partition("image: ")[2].partition("/")[0]
    plural = {"Rollout": "rollouts", "Canary": "canaries"}[kind]
    told = json.loads(json.dumps(spec).replace("HOST", host))
    cluster.world.objects.put(
        (plural, "default", name), {"apiVersion": "x/v1", "kind": kind, "spec": told}, now=cluster.world.now()
    )
    with pytest.raises(RefusedError, match="brings quotes to its users") as refused:
        cluster.target().prepare(PACKAGE, GOOD, digests_of(GOOD))
    assert "[environment.controller]" in refused.value.todo
    cluster.server.forbidden.add(("GET", plural))
    cluster.target().prepare(PACKAGE, GOOD, digests_of(GOOD))
