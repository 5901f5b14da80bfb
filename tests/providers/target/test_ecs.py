"""The target `ecs` on moto's server, whose tasks a simulated state machine moves (`tests/ecs_states.py`)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from shipline.clients.aws_marks import service_name, short_name
from shipline.domain.errors import ConfigurationError, ConflictError, RefusedError, ShiplineError, UnavailableError
from shipline.ports.target import GroupSpec, Role, Target
from shipline.providers.target.ecs import ECSTarget
from shipline.testing.conformance.target import BETTER, BROKEN, GOOD, PACKAGE, TargetConformance, found
from shipline.testing.fakes.clock import FakeClock
from tests.aws import CLUSTER, AWSWorld
from tests.clusters import digests_of, registry_with
from tests.ecs_states import ECSStates

PATIENCE_S = 120
ONE = GroupSpec("one", Role.STABLE, PACKAGE, GOOD, 2, digests_of(GOOD))
NAME = service_name("staging", "one")


@pytest.fixture
def world(moto_port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[AWSWorld]:
    """What a user has made, with images of the versions of the conformance suite."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "made-up")
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    clock = FakeClock()
    images = [digest for version in (GOOD, BETTER, BROKEN) for digest in digests_of(version)]
    with ECSStates(moto_port, clock) as states, registry_with(*images) as host:
        states.broken.update(digests_of(BROKEN))
        yield AWSWorld(states, clock, tmp_path, host)


@pytest.fixture
def target(world: AWSWorld) -> ECSTarget:
    """A target where GOOD is prepared."""
    target = world.target()
    target.prepare(PACKAGE, GOOD, digests_of(GOOD))
    return target


class TestECSTarget(TargetConformance):
    @pytest.fixture
    def open_target(self, world: AWSWorld) -> Callable[[], Target]:
        return world.target

    @pytest.fixture
    def digests_of(self) -> Callable[[str], tuple[str, ...]]:
        return digests_of

    @pytest.fixture
    def wait(self, world: AWSWorld) -> Callable[[Callable[[], bool], str], None]:
        def wait(condition: Callable[[], bool], what: str) -> None:
            for _ in range(PATIENCE_S):
                if condition():
                    return
                world.clock.sleep(1.0)
            pytest.fail(f"waited in vain: {what}")

        return wait

    @pytest.fixture
    def kill_copy(self, world: AWSWorld) -> Callable[[Target, str], None]:
        return lambda _target, group_id: world.states.crash(service_name("staging", group_id))


def test_what_is_asked_for_runs_the_released_bytes(world: AWSWorld, target: ECSTarget) -> None:
    """In the container that is named, behind a target group like the template, and given up by ECS when it fails."""
    world.delay(17)
    target.run(ONE, revision=1)
    (service,) = world.ecs("DescribeServices", {"cluster": CLUSTER, "services": [NAME], "include": ["TAGS"]})[
        "services"
    ]
    made = world.ecs("DescribeTaskDefinition", {"taskDefinition": service["taskDefinition"]})["taskDefinition"]
    web, logs = made["containerDefinitions"]
    assert web["image"] == f"{world.host}/team/quotes@{digests_of(GOOD)[0]}"
    assert logs["image"] == "registry.example/team/logs:1"
    own = world.balancing.target_group(short_name("staging", "one"))
    assert own is not None
    assert (own["HealthCheckPath"], own["HealthCheckIntervalSeconds"], own["TargetType"]) == ("/healthz", "7", "ip")
    assert world.balancing.delay_s(own["TargetGroupArn"]) == 17
    assert service["loadBalancers"] == [
        {"targetGroupArn": own["TargetGroupArn"], "containerName": "web", "containerPort": 8080}
    ]


def test_a_version_is_registered_once_and_again_where_the_file_has_changed(world: AWSWorld, target: ECSTarget) -> None:
    """A group that runs keeps the one that it was begun with."""
    target.run(ONE, revision=1)
    for _ in range(2):
        target.prepare(PACKAGE, GOOD, digests_of(GOOD))
    assert world.states.requests.count("RegisterTaskDefinition") == 1
    world.write_definition(cpu="512", memory="1024")
    target.prepare(PACKAGE, GOOD, digests_of(GOOD))
    assert world.states.requests.count("RegisterTaskDefinition") == 2
    assert target.run(ONE, revision=2).trouble == ""


def test_running_a_prepared_version_asks_no_registry(world: AWSWorld, target: ECSTarget) -> None:
    """The way back must not hang on one, or on the file."""
    (world.root / "task.json").unlink()
    assert target.run(ONE, revision=1).is_whole


def test_tasks_that_find_no_room_are_hopeless_in_the_end(world: AWSWorld, target: ECSTarget) -> None:
    """ECS says why, and goes on trying."""
    world.states.unplaceable = True
    begun = target.run(ONE, revision=1)
    assert "unable to place a task" in begun.trouble
    assert not begun.hopeless
    world.clock.sleep(60)
    assert found(target, "one").hopeless
    world.states.unplaceable = False
    assert found(target, "one").is_whole


def test_a_slow_start_is_no_trouble(world: AWSWorld, target: ECSTarget) -> None:
    """Until it has had its time."""
    world.states.slow_s[digests_of(GOOD)[0]] = 30
    group = target.run(ONE, revision=1)
    assert (group.ready, group.trouble, group.hopeless) == (0, "", False)
    world.clock.sleep(30)
    assert found(target, "one").is_whole


def test_a_task_that_ends_after_a_long_while_has_its_time_to_come_back(world: AWSWorld, target: ECSTarget) -> None:
    """Counted from when it ended, not from the order."""
    target.run(ONE, revision=1)
    world.clock.sleep(86_400)
    world.states.crash(NAME)
    group = found(target, "one")
    assert (group.ready, group.hopeless) == (1, False)
    assert "web ended with code 1" in group.trouble
    world.clock.sleep(10)
    assert found(target, "one").is_whole
    assert found(target, "one").trouble == ""


def test_what_ecs_has_given_up_is_tried_again_when_it_is_run_again(world: AWSWorld, target: ECSTarget) -> None:
    """Its circuit breaker stays open until somebody says so."""
    world.states.broken.update(digests_of(GOOD))
    assert target.run(ONE, revision=1).hopeless
    world.states.broken.clear()
    assert found(target, "one").hopeless
    assert target.run(ONE, revision=2).is_whole


def test_an_autoscaler_s_copies_stay(world: AWSWorld, target: ECSTarget) -> None:
    """Unless a smaller size is ordered."""
    target.run(ONE, revision=1)
    world.ecs("UpdateService", {"cluster": CLUSTER, "service": NAME, "desiredCount": 7})
    assert target.run(ONE, revision=2).is_whole
    assert world.states.services[NAME].desired == 7
    target.run(replace(ONE, size=1), revision=3)
    assert world.states.services[NAME].desired == 1


def test_without_a_delay_no_copy_is_taken_away(world: AWSWorld, target: ECSTarget) -> None:
    """Its requests would be cut off. The group can be stopped as a whole."""
    world.delay(0)
    target.run(ONE, revision=1)
    with pytest.raises(RefusedError, match="1 cannot be left"):
        target.run(replace(ONE, size=1), revision=2)
    assert found(target, "one").size == 2
    target.stop("one", revision=3)


def test_a_service_that_drains_is_gone_and_its_target_group_goes_later(world: AWSWorld, target: ECSTarget) -> None:
    """ECS takes its tasks out of it first. Until then the id cannot be run."""
    world.states.drain_s = 300
    target.run(ONE, revision=1)
    target.stop("one", revision=2)
    assert target.groups() == ()
    assert world.balancing.target_group(short_name("staging", "one")) is not None
    with pytest.raises(UnavailableError, match="still being stopped"):
        target.run(ONE, revision=3)
    world.clock.sleep(300)
    target.stop("nobody", revision=4)
    assert world.balancing.target_group(short_name("staging", "one")) is None
    assert len(world.balancing.rules(world.listener)) == 2
    assert target.run(ONE, revision=5).is_whole


def test_a_group_that_still_has_a_share_keeps_its_target_group(world: AWSWorld, target: ECSTarget) -> None:
    """The rule that leads there is not broken; once it is changed, stopping again cleans up."""
    target.run(ONE, revision=1)
    own = world.balancing.target_group(short_name("staging", "one"))
    assert own is not None
    actions = world.balancing.rule(world.rule)["Actions"]
    world.balancing.change_rule(world.rule, [{"Type": "forward", "TargetGroupArn": own["TargetGroupArn"]}])
    with pytest.raises(RefusedError, match="still leads to a group"):
        target.stop("one", revision=2)
    world.balancing.change_rule(
        world.rule, [{"Type": actions[0]["Type"], "FixedResponseConfig": {"StatusCode": "503"}}]
    )
    target.stop("one", revision=2)
    assert world.balancing.target_group(short_name("staging", "one")) is None


@pytest.mark.parametrize("before", ["CreateTargetGroup", "CreateRule", "CreateService"])
def test_a_paused_engine_that_goes_on_late_begins_nothing(world: AWSWorld, target: ECSTarget, before: str) -> None:
    """A newer revision that acts between its requests is found before the next change."""
    _interrupt(world, before, lambda: world.target().stop("one", revision=6))
    with pytest.raises(RefusedError, match="older than 6"):
        target.run(ONE, revision=5)
    assert target.groups() == ()


def test_one_request_that_was_on_its_way_is_carried_out_and_then_refused(world: AWSWorld, target: ECSTarget) -> None:
    """ECS tests nothing that was read: this is the gap that the documentation tells of."""
    target.run(ONE, revision=1)
    _interrupt(world, "UpdateService", lambda: world.target().run(replace(ONE, size=5), revision=6))
    with pytest.raises(RefusedError, match="older than 6"):
        target.run(replace(ONE, size=3), revision=5)
    assert world.states.services[NAME].desired == 3
    assert not found(target, "one").is_whole
    assert target.run(replace(ONE, size=5), revision=7).is_whole


def _interrupt(world: AWSWorld, at: str, act: Callable[[], object]) -> None:
    """Let somebody act right before the first request of that action is carried out."""
    seen: list[str] = []

    def interrupt(action: str) -> None:
        if action == at and not seen:
            seen.append(action)
            act()

    world.states.before = interrupt


@pytest.mark.parametrize("number", range(1, 6))
def test_lost_answers_are_made_good_by_saying_it_again(world: AWSWorld, target: ECSTarget, number: int) -> None:
    """Whichever change was carried out without a word: tag, target group, its attributes, rule or service."""
    world.delay(17)
    _lose(world, number)
    with pytest.raises(UnavailableError):
        target.run(ONE, revision=1)
    assert target.run(ONE, revision=1).is_whole
    _lose(world, 2)
    with pytest.raises(UnavailableError):
        target.stop("one", revision=2)
    target.stop("one", revision=2)
    assert target.groups() == ()
    assert world.balancing.target_group(short_name("staging", "one")) is None


def _lose(world: AWSWorld, number: int) -> None:
    seen: list[str] = []

    def lose(action: str) -> None:
        if not action.startswith(("Describe", "List")):
            seen.append(action)
            world.states.lost_answers = int(len(seen) == number)

    world.states.before = lose


def test_a_cluster_may_be_shared_by_environments(world: AWSWorld, target: ECSTarget) -> None:
    """They see nothing of each other, and their revisions are their own."""
    target.run(ONE, revision=9)
    other = world.target("production")
    other.prepare(PACKAGE, GOOD, digests_of(GOOD))
    other.run(ONE, revision=1)
    assert [group.id for group in other.groups()] == ["one"]
    other.stop("one", revision=2)
    assert found(target, "one").is_whole


def test_a_service_of_somebody_else_is_left_alone(world: AWSWorld, target: ECSTarget) -> None:
    """Even under a name that Shipline would give."""
    target.run(ONE, revision=1)
    arn = world.states.services[NAME].arn
    world.ecs("TagResource", {"resourceArn": arn, "tags": [{"key": "shipline:environment", "value": "other"}]})
    for call in (lambda: target.run(ONE, revision=2), lambda: target.stop("one", revision=2)):
        with pytest.raises(ConflictError, match="not made by Shipline"):
            call()
    assert target.groups() == ()


def test_a_task_definition_that_was_changed_by_hand_is_noticed(world: AWSWorld, target: ECSTarget) -> None:
    """Nothing is built upon it."""
    target.run(ONE, revision=1)
    image = f"other@{digests_of(BETTER)[0]}"
    body = {"family": "other", "containerDefinitions": [{"name": "web", "image": image, "memory": 64}]}
    world.ecs("RegisterTaskDefinition", body)
    world.ecs("UpdateService", {"cluster": CLUSTER, "service": NAME, "taskDefinition": "other:1"})
    assert "changed by somebody else" in found(target, "one").trouble
    with pytest.raises(ConflictError, match="another task definition"):
        target.run(ONE, revision=2)


def test_tags_that_were_changed_by_hand_are_an_error(world: AWSWorld, target: ECSTarget) -> None:
    """Not another group."""
    target.run(ONE, revision=1)
    arn = world.states.services[NAME].arn
    world.ecs("TagResource", {"resourceArn": arn, "tags": [{"key": "shipline:birth-1", "value": "e30="}]})
    with pytest.raises(ShiplineError, match="not what Shipline wrote"):
        target.groups()


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"containerDefinitions": []}, "not clear which container"),
        ({"containerDefinitions": [{"name": "web", "image": "quotes"}]}, "not named with its registry"),
        ({"containerDefinitions": [{"name": "web", "image": "a.example/b"}]}, "no portMapping"),
        ({"containerDefinitions": "web"}, "no containerDefinitions"),
        ({"memoryReservation": 1}, "'memoryReservation'"),
        ({"revision": 3}, "'revision'"),
    ],
)
def test_a_task_definition_that_is_wrong_is_refused_before_anything_is_asked(
    world: AWSWorld, changes: dict[str, Any], why: str
) -> None:
    """In words that name the place."""
    world.states.requests.clear()
    world.write_definition(**changes)
    with pytest.raises(ConfigurationError) as caught:
        world.target().prepare(PACKAGE, GOOD, digests_of(GOOD))
    assert why in caught.value.diagnosis()
    assert world.states.requests == []


def test_a_task_definition_is_a_file_of_the_repository(world: AWSWorld) -> None:
    """And of nowhere else."""
    settings = world.target()._settings
    for path in ("../task.json", "missing.json", "."):
        with pytest.raises(ConfigurationError):
            ECSTarget(replace(settings, task_definition=path), world.context("staging")).prepare(
                PACKAGE, GOOD, digests_of(GOOD)
            )


@pytest.mark.parametrize(
    "changes",
    [
        {"region": "Frankfurt"},
        {"cluster": "a b"},
        {"listener": "arn:aws:elasticloadbalancing:eu-central-1:123456789012:listener/net/a/b/c"},
        {"port": 0},
        {"launch_type": "fargate"},
        {"endpoint_url": "http://aws.example"},
        {"metadata": "ec3"},
        {"ready_timeout_s": 0},
    ],
)
def test_settings_that_can_only_be_a_mistake_are_refused(world: AWSWorld, changes: dict[str, Any]) -> None:
    """Before anything is done."""
    with pytest.raises(ConfigurationError):
        replace(world.target()._settings, **changes)


def test_a_cluster_or_template_that_is_missing_is_named(world: AWSWorld, target: ECSTarget) -> None:
    """With what to do."""
    known = target._settings
    for settings in (replace(known, cluster="other"), replace(known, target_group="other")):
        with pytest.raises(ConfigurationError, match="other"):
            ECSTarget(settings, world.context("staging")).run(ONE, revision=1)
