"""The traffic `alb` on moto's server, which keeps rules and weights as it is told, and sends no request anywhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from shipline.clients.aws_marks import short_name
from shipline.domain.errors import ConfigurationError, ConflictError, InvalidValue, RefusedError, ShiplineError
from shipline.ports.traffic import Traffic
from shipline.testing.conformance.traffic import OLD, TrafficConformance, shares, split
from shipline.testing.fakes.clock import FakeClock
from tests.aws import AWSWorld
from tests.ecs_states import ECSStates


@pytest.fixture
def world(moto_port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[AWSWorld]:
    """What a user has made, and the target groups of two groups, which give requests no time."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "made-up")
    clock = FakeClock()
    with ECSStates(moto_port, clock) as states:
        world = AWSWorld(states, clock, tmp_path, "registry.example")
        for name in ("old", "new"):
            world.add_target_group(name)
        world.delay(0, "old", "new")
        yield world


@pytest.fixture
def traffic(world: AWSWorld) -> Traffic:
    """An open splitter without routes."""
    traffic = world.traffic()
    traffic.open(revision=0)
    return traffic


class TestALBTraffic(TrafficConformance):
    @pytest.fixture
    def open_traffic(self, world: AWSWorld) -> Callable[[], Traffic]:
        return world.traffic


def test_weights_and_conditions_are_those_of_the_rule_alone(world: AWSWorld, traffic: Traffic) -> None:
    """Small whole numbers; the preview has the rule's own conditions, and the header beside them."""
    before = world.balancing.rule(world.rule)["Conditions"]
    old, new = split(0.25)
    traffic.apply((old, replace(new, preview=True)), revision=1)
    rule = world.balancing.rule(world.rule)
    groups = rule["Actions"][0]["ForwardConfig"]["TargetGroups"]
    assert sorted(each["Weight"] for each in groups) == ["1", "3"]
    assert rule["Conditions"] == before
    (preview,) = (each for each in world.balancing.rules(world.listener) if each["Priority"] == "50")
    fields = [each["Field"] for each in preview["Conditions"]]
    assert fields == ["path-pattern", "http-header"]
    assert preview["Conditions"][1]["HttpHeaderConfig"] == {"HttpHeaderName": "X-Preview", "Values": ["yes"]}


def test_a_group_is_drained_when_its_deregistration_delay_is_over(world: AWSWorld, traffic: Traffic) -> None:
    """How many requests are open a load balancer does not tell."""
    world.delay(300, "new")
    traffic.apply(split(0.5), revision=1)
    assert traffic.open_requests("new") == 1
    traffic.apply((OLD,), revision=2)
    world.clock.sleep(299)
    assert traffic.open_requests("new") == 1
    with pytest.raises(RefusedError, match="may still have open requests"):
        traffic.forget("new", revision=3)
    world.clock.sleep(1)
    traffic.apply((OLD,), revision=3)
    assert traffic.open_requests("new") == 0
    traffic.forget("new", revision=4)


def test_weights_that_somebody_else_has_set_are_told_and_set_right(world: AWSWorld, traffic: Traffic) -> None:
    """What is in effect is read from the rule."""
    traffic.apply(split(0.5), revision=1)
    groups = world.balancing.rule(world.rule)["Actions"][0]["ForwardConfig"]["TargetGroups"]
    world.balancing.change_rule(world.rule, [{"Type": "forward", "ForwardConfig": {"TargetGroups": groups[:1]}}])
    assert set(shares(traffic).values()) == {0.0, 1.0}
    traffic.apply(split(0.5), revision=1)
    assert shares(traffic) == {"old": 0.5, "new": 0.5}


def test_a_rule_that_leads_to_somebody_else_is_refused(world: AWSWorld, traffic: Traffic) -> None:
    """The shares of a rollout are those of all requests."""
    template = world.balancing.target_group("template")
    assert template is not None
    world.balancing.change_rule(world.rule, [{"Type": "forward", "TargetGroupArn": template["TargetGroupArn"]}])
    with pytest.raises(RefusedError, match="template"):
        traffic.apply((OLD,), revision=1)


def test_a_default_rule_is_refused(world: AWSWorld) -> None:
    """It cannot be changed as others are."""
    world.rule = next(
        each["RuleArn"] for each in world.balancing.rules(world.listener) if each["Priority"] == "default"
    )
    with pytest.raises(ConfigurationError, match="default rule"):
        world.traffic().open(revision=0)


def test_a_rule_that_is_missing_is_an_error_in_words(world: AWSWorld) -> None:
    world.rule = world.rule[:-16] + "0" * 16
    with pytest.raises(ConfigurationError, match="no such rule"):
        world.traffic().open(revision=0)


def test_a_priority_that_is_taken_is_not_overwritten(world: AWSWorld, traffic: Traffic) -> None:
    """Another rule of the listener stays as it is."""
    conditions = [{"Field": "path-pattern", "PathPatternConfig": {"Values": ["/mine"]}}]
    actions = world.balancing.rule(world.rule)["Actions"]
    world.balancing.create_rule(world.listener, 50, conditions, actions, {})
    with pytest.raises(ConflictError, match="priority 50"):
        traffic.apply((OLD,), revision=1)
    late = world.traffic(preview_priority=200)
    with pytest.raises(ConfigurationError, match="not before the rule"):
        late.apply((OLD,), revision=2)


def test_a_group_without_a_target_group_gets_no_traffic(traffic: Traffic) -> None:
    """It has to run first."""
    with pytest.raises(ShiplineError, match="has no target group"):
        traffic.apply((replace(OLD, group_id="nobody"),), revision=1)


def test_a_group_whose_target_group_is_gone_hides_no_other(world: AWSWorld, traffic: Traffic) -> None:
    """Asked for all at once, the load balancer tells of none where one is missing."""
    traffic.apply(split(0.5), revision=1)
    traffic.apply((OLD,), revision=2)
    gone = world.balancing.target_group(short_name("staging", "new"))
    assert gone is not None
    world.balancing.remove_target_group(gone["TargetGroupArn"])
    assert shares(traffic) == {"old": 1.0, "new": 0.0}


def test_looking_costs_one_question_a_kind(world: AWSWorld, traffic: Traffic) -> None:
    """However many groups there are: a rollout looks at each of its steps."""
    traffic.apply(split(0.5), revision=1)
    world.states.requests.clear()
    traffic.open(revision=1)
    assert shares(traffic) == {"old": 0.5, "new": 0.5}
    assert world.states.requests == ["DescribeTags", "DescribeTags", "DescribeTargetGroups", "DescribeRules"]


def test_a_rule_splits_among_five_at_most(world: AWSWorld, traffic: Traffic) -> None:
    """As the load balancer does."""
    names = [f"g{number}" for number in range(6)]
    for name in names:
        world.add_target_group(name)
    routes = tuple(replace(OLD, group_id=name, share=1 / 6) for name in names)
    with pytest.raises(InvalidValue, match="5 groups"):
        traffic.apply(routes, revision=1)


def test_a_rule_is_one_environment_s(world: AWSWorld, traffic: Traffic) -> None:
    """Another one is refused."""
    traffic.apply((OLD,), revision=1)
    with pytest.raises(ConflictError, match="belongs to the environment staging"):
        world.traffic("production").open(revision=2)


def test_the_way_back_is_not_held_up_by_who_the_rule_leads_to_meanwhile(world: AWSWorld, traffic: Traffic) -> None:
    """What somebody has led elsewhere stays as much as it is; nobody but the stable version gets a share beside it."""
    traffic.apply((OLD,), revision=1)
    traffic.apply(split(0.25), revision=2)
    template = world.balancing.target_group("template")
    assert template is not None
    (action,) = world.balancing.rule(world.rule)["Actions"]
    groups = [*action["ForwardConfig"]["TargetGroups"], {"TargetGroupArn": template["TargetGroupArn"], "Weight": 1}]
    world.balancing.change_rule(world.rule, [{"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}])
    with pytest.raises(RefusedError, match="leads to template"):
        traffic.apply(split(0.5), revision=3)
    traffic.apply((OLD,), revision=4)
    assert shares(traffic) == {"old": 0.8, "new": 0.0}
    traffic.forget("new", revision=5)
    assert shares(traffic) == {"old": 0.8}


def test_a_late_call_that_is_overtaken_changes_no_weight(world: AWSWorld, traffic: Traffic) -> None:
    """Right before the change the newest revision is asked for."""
    traffic.apply((OLD,), revision=1)
    seen: list[str] = []

    def interrupt(action: str) -> None:
        seen.append(action)
        if action == "AddTags" and seen.count(action) == 2:
            world.traffic().apply((OLD,), revision=9)

    world.states.before = interrupt
    with pytest.raises(RefusedError, match="older than 9"):
        world.traffic().apply(split(0.5), revision=8)
    world.states.before = lambda _action: None
    assert shares(traffic)["old"] == 1.0


def test_users_are_served_at_the_load_balancer_s_name(world: AWSWorld) -> None:
    """Unless the settings name another."""
    assert world.traffic().address().endswith(".elb.amazonaws.com:80")
    assert world.traffic(address="quotes.example:443").address() == "quotes.example:443"


@pytest.mark.parametrize(
    "changes",
    [{"preview_header": "X-Preview"}, {"preview_priority": 0}, {"rule": "arn:aws:ecs:x"}, {"region": "nowhere"}],
)
def test_settings_that_can_only_be_a_mistake_are_refused(world: AWSWorld, changes: dict[str, object]) -> None:
    """Before anything is done."""
    with pytest.raises(ConfigurationError):
        replace(world.traffic()._settings, **changes)  # type: ignore[arg-type] # texts and numbers
