"""A canary on ECS, judged by what its load balancer tells CloudWatch: engine and providers over moto's server."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from shipline.capabilities.rollouts import Ground, StrategyKind
from shipline.clients.aws_api import AWSService
from shipline.clients.aws_marks import short_name
from shipline.domain.rollout import RolloutStatus
from shipline.ports.signals import CountedGroup, Reading
from shipline.ports.traffic import Route
from shipline.providers.signals.cloudwatch import CloudWatchSignals, CloudWatchSignalsSettings
from shipline.store.database import Store
from shipline.testing.conformance.target import BETTER, GOOD
from shipline.testing.kills import Countdown
from shipline.testing.world import World
from tests.aws import REGION, AWSWorld
from tests.capabilities.rollouts.rollout_world import PLACE
from tests.clusters import digests_of, registry_with
from tests.e2e.test_clouds import CloudPlace
from tests.ecs_states import ECSStates

MINUTE_US = 60_000_000
REQUESTS_PER_MINUTE = 30_000
RATES = {GOOD: 0.01, BETTER: 0.2}


class ServedSignals(CloudWatchSignals):
    """The provider, before whose readings users have been served by the shares of the rule: moto routes nobody."""

    def __init__(self, aws: AWSWorld) -> None:
        settings = CloudWatchSignalsSettings(region=REGION, endpoint_url=aws.states.url, lag_s=60)
        super().__init__(settings, aws.context(PLACE))
        self.aws = aws
        self.served_until = aws.clock.now_us() // MINUTE_US
        self.rates = dict(RATES)

    def read(self, cursor: str, groups: tuple[CountedGroup, ...]) -> Reading:
        self.serve()
        return super().read(cursor, groups)

    def serve(self) -> None:
        """Tell CloudWatch of all minutes that have gone by."""
        since, self.served_until = self.served_until, self.aws.clock.now_us() // MINUTE_US
        if since == self.served_until:
            return
        routes = [route for route in self.aws.traffic(PLACE).routes() if route.share]
        data = [
            datum for minute in range(since, self.served_until) for one in routes for datum in self.data(one, minute)
        ]
        if data:
            service = AWSService("monitoring", "CloudWatch", self.aws.place, self.aws.clock)
            target = "GraniteServiceVersion20100801.PutMetricData"
            service.json(target, {"Namespace": "AWS/ApplicationELB", "MetricData": data}, version="1.0")

    def data(self, route: Route, minute: int) -> Iterator[dict[str, Any]]:
        """What the load balancer would say of a group."""
        found = self.aws.balancing.target_group(short_name(PLACE, route.group_id))
        assert found is not None
        balancer = self.aws.listener.partition(":listener/")[2].rpartition("/")[0]
        dimensions = {"TargetGroup": found["TargetGroupArn"].rpartition(":")[2], "LoadBalancer": balancer}
        requests = round(REQUESTS_PER_MINUTE * route.share)
        failed = round(requests * self.rates[route.version])
        for name, value in (("RequestCount", requests), ("HTTPCode_Target_2XX_Count", requests - failed)):
            named = [{"Name": key, "Value": text} for key, text in dimensions.items()]
            yield {"MetricName": name, "Dimensions": named, "Timestamp": minute * 60, "Value": value}


class CanaryPlace(CloudPlace):
    """An environment in ECS, counted by its load balancer."""

    def __init__(self, world: World, aws: AWSWorld) -> None:
        self.signals = ServedSignals(aws)
        super().__init__(world, aws)

    def ground(self, store: Store, countdown: Countdown | None = None) -> Ground:
        return replace(super().ground(store), signals=self.signals)


@pytest.fixture
def place(moto_port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[CanaryPlace]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "made-up")
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))
    world = World(7, tmp_path)
    images = [digest for version in (GOOD, BETTER) for digest in digests_of(version)]
    try:
        with ECSStates(moto_port, world.clock) as states, registry_with(*images) as host:
            aws = AWSWorld(states, world.clock, tmp_path, host)
            aws.delay(2)
            yield CanaryPlace(world, aws)
    finally:
        world.close()


def test_a_version_that_fails_more_is_found_by_the_load_balancer_s_counts(place: CanaryPlace) -> None:
    """Within the minutes that they are late. Before anything has been counted no canary begins."""
    assert place.ended(GOOD, StrategyKind.ALL_AT_ONCE).status is RolloutStatus.PROMOTED
    assert "has counted no request" in place.ended(BETTER, StrategyKind.CANARY).reason
    place.world.clock.sleep(120)
    place.signals.serve()
    began_us = place.world.clock.now_us()
    ended = place.ended(BETTER, StrategyKind.CANARY)
    assert ended.status is RolloutStatus.ROLLED_BACK
    assert "fails more often" in ended.reason
    assert place.shares() == {GOOD: 1.0}
    assert 120.0 <= (place.world.clock.now_us() - began_us) / 1e6 <= 240.0


def test_a_version_that_fails_no_more_is_promoted_by_them(place: CanaryPlace) -> None:
    """Its weight in the load balancer's rule grows until it has all."""
    place.signals.rates[BETTER] = RATES[GOOD]
    assert place.ended(GOOD, StrategyKind.ALL_AT_ONCE).status is RolloutStatus.PROMOTED
    place.world.clock.sleep(120)
    place.signals.serve()
    ended = place.ended(BETTER, StrategyKind.CANARY)
    assert (ended.status, ended.strategy) == (RolloutStatus.PROMOTED, "canary"), ended.reason
    assert (place.shares(), place.running()) == ({BETTER: 1.0}, [BETTER])
