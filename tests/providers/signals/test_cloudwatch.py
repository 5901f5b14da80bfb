"""Counts of a load balancer's target groups, from moto's server: it keeps groups, rules and what is put into metrics.

Nothing routes requests here, so the metrics are put in as the load balancer's reference says that it does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from shipline.clients.aws_api import AWSService
from shipline.clients.aws_marks import short_name
from shipline.domain.errors import ConfigurationError, RefusedError, UnavailableError
from shipline.ports.metrics import IncompleteAnswer, WrongType
from shipline.ports.signals import Signals
from shipline.ports.target import Role
from shipline.providers.signals.cloudwatch import CloudWatchSignals, CloudWatchSignalsSettings
from shipline.testing.conformance.signals import GROUPS, Serve, SignalsConformance, totals
from shipline.testing.fakes.clock import FakeClock
from tests.aws import REGION, AWSWorld
from tests.ecs_states import ECSStates

MINUTE_US = 60_000_000
TARGET = "GraniteServiceVersion20100801.PutMetricData"


class Balanced:
    """A target group a role, to each of which a rule leads, and the metrics of their load balancer."""

    def __init__(self, world: AWSWorld) -> None:
        self.world = world
        for at, group in enumerate(GROUPS):
            world.add_target_group(group.group_id)
            self._lead_to(group.group_id, priority=200 + at)

    def _lead_to(self, name: str, *, priority: int) -> None:
        actions = [{"Type": "forward", "TargetGroupArn": self.arn(name)}]
        conditions = [{"Field": "path-pattern", "Values": [f"/{name}"]}]
        rule = {"ListenerArn": self.world.listener, "Priority": priority, "Conditions": conditions, "Actions": actions}
        self.world.elb("CreateRule", rule)

    def arn(self, name: str) -> str:
        found = self.world.balancing.target_group(short_name("staging", name))
        assert found is not None
        return str(found["TargetGroupArn"])

    def signals(self, **settings: Any) -> CloudWatchSignals:
        made = CloudWatchSignalsSettings(region=REGION, endpoint_url=self.world.states.url, **settings)
        return CloudWatchSignals(made, self.world.context("staging"))

    def put(self, name: str, metric: str, value: float) -> None:
        """What the load balancer would tell of this minute."""
        load_balancer = self.world.listener.partition(":listener/")[2].rpartition("/")[0]
        dimensions = {"TargetGroup": self.arn(name).rpartition(":")[2], "LoadBalancer": load_balancer}
        datum = {
            "MetricName": metric,
            "Dimensions": [{"Name": key, "Value": text} for key, text in dimensions.items()],
            "Timestamp": self.world.clock.now_us() // MINUTE_US * 60,
            "Value": value,
        }
        service = AWSService("monitoring", "CloudWatch", self.world.place, self.world.clock)
        service.json(TARGET, {"Namespace": "AWS/ApplicationELB", "MetricData": [datum]}, version="1.0")

    def serve(self, role: Role, *, requests: int, errors: int) -> None:
        """In the next minute; returns once it is in."""
        self.world.clock.jump_to(-(-self.world.clock.now_us() // MINUTE_US) * MINUTE_US)
        self.put(role.value, "RequestCount", requests)
        if requests > errors:
            self.put(role.value, "HTTPCode_Target_2XX_Count", requests - errors)
        self.world.clock.sleep(60 + 180 + 60)


@pytest.fixture
def balanced(moto_port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Balanced]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "made-up")
    clock = FakeClock()
    with ECSStates(moto_port, clock) as states:
        yield Balanced(AWSWorld(states, clock, tmp_path, "registry.example"))


class TestCloudWatchSignals(SignalsConformance):
    tells_latency = False

    @pytest.fixture
    def open_signals(self, balanced: Balanced) -> Callable[[], Signals]:
        return balanced.signals

    @pytest.fixture
    def serve(self, balanced: Balanced) -> Serve:
        return balanced.serve


def test_what_no_target_answered_is_a_failure(balanced: Balanced) -> None:
    """A target that breaks off, or answers too late, makes the load balancer's own 502 or 504, which no target group
    counts."""
    signals = balanced.signals()
    start = signals.cursor()
    balanced.world.clock.sleep(60)
    for status, count in (("3XX", 2), ("4XX", 1), ("5XX", 1)):
        balanced.put("canary", f"HTTPCode_Target_{status}_Count", count)
    balanced.put("canary", "RequestCount", 10)
    balanced.world.clock.sleep(300)
    assert totals(signals.read(start, GROUPS[:1]).roles[Role.CANARY]) == (10, 7)


def test_an_answer_in_the_minute_after_its_request_is_in_doubt(balanced: Balanced) -> None:
    """It is no failure, and might be one; that a minute has more answers than requests never is fewer failures."""
    signals = balanced.signals()
    start = signals.cursor()
    for answers in (7, 12, 10):
        balanced.world.clock.jump_to(-(-(balanced.world.clock.now_us() + 1) // MINUTE_US) * MINUTE_US)
        balanced.put("canary", "RequestCount", 10)
        balanced.put("canary", "HTTPCode_Target_2XX_Count", answers)
    balanced.world.clock.sleep(300)
    reading = signals.read(start, GROUPS[:1])
    assert reading.window is not None
    ways = (reading.window.least, reading.roles, reading.window.most)
    assert [totals(each[Role.CANARY])[1] for each in ways] == [1, 1, 3]


def test_only_minutes_that_are_closed_and_in_are_asked_for(balanced: Balanced) -> None:
    """The minute in which the reading began holds requests from before it, and is left out."""
    signals = balanced.signals()
    start = signals.cursor()
    balanced.put("canary", "RequestCount", 5)
    balanced.world.states.requests.clear()
    balanced.world.clock.jump_to(int(start) * 1000 + (60 + 180 + 60) * 1_000_000 - 1)
    assert signals.read(start, GROUPS).cursor == start
    assert balanced.world.states.requests == []
    balanced.world.clock.sleep(1.0)
    reading = signals.read(start, GROUPS)
    assert (reading.cursor, totals(reading.roles[Role.CANARY])) == (str(int(start) + 60_000), (0, 0))
    assert signals.delay_s == 360.0


def test_a_group_without_a_target_group_is_counted_by_nobody(balanced: Balanced) -> None:
    signals, stranger = balanced.signals(), replace(GROUPS[0], group_id="nobody")
    start = signals.cursor()
    balanced.world.clock.sleep(600)
    with pytest.raises(UnavailableError, match="nobody has no target group"):
        signals.read(start, (stranger,))
    balanced.world.add_target_group("idle")
    with pytest.raises(UnavailableError, match="no rule"):
        signals.read(start, (replace(stranger, group_id="idle"),))
    assert "nobody has no target group" in signals.trouble((stranger,))
    assert "no request of quotes 1.0.0" in signals.trouble(GROUPS[2:])


def answered(**changes: Any) -> dict[str, Any]:
    """CloudWatch's answer to the first of four metrics of one group, and nothing for the others."""
    first = {"Id": "m0", "StatusCode": "Complete", "Timestamps": [], "Values": [], **changes}
    return {"MetricDataResults": [first, *(answered_nothing(f"m{index}") for index in (1, 2, 3))]}


def answered_nothing(name: str) -> dict[str, Any]:
    return {"Id": name, "StatusCode": "Complete", "Timestamps": [], "Values": []}


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (answered(Timestamps=[0], Values=[0.5]), WrongType),
        (answered(Timestamps=[0], Values=["1"]), WrongType),
        (answered(Timestamps=[30], Values=[1]), WrongType),
        (answered(Timestamps=[0], Values=[]), WrongType),
        (answered(StatusCode="PartialData"), IncompleteAnswer),
        (answered(StatusCode="Forbidden"), RefusedError),
        (answered() | {"NextToken": "more"}, IncompleteAnswer),
        ({"MetricDataResults": [answered_nothing("m0")]}, WrongType),
        ({"MetricDataResults": [answered_nothing("other")] * 4}, WrongType),
        ({}, WrongType),
    ],
    ids=["half", "text", "no minute", "no value", "a part", "forbidden", "pages", "too few", "unknown", "empty"],
)
def test_what_are_no_counts_is_told_apart(
    balanced: Balanced, monkeypatch: pytest.MonkeyPatch, answer: dict[str, Any], error: type[Exception]
) -> None:
    signals = balanced.signals()
    start = signals.cursor()
    balanced.world.clock.sleep(600)
    monkeypatch.setattr(AWSService, "json", lambda *_, **__: answer)
    with pytest.raises(error):
        signals.read(start, GROUPS[:1])


@pytest.mark.parametrize("changes", [{"region": "moon"}, {"lag_s": 0}, {"metadata": "x"}, {"endpoint_url": "http://x"}])
def test_settings_that_can_only_be_a_mistake_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        CloudWatchSignalsSettings(**{"region": REGION, **changes})
