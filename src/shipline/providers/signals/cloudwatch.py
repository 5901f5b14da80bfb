"""Counts from CloudWatch: those that an application load balancer keeps for each of its target groups.

Nothing is typed: a group's target group has the name that the traffic `alb` knows it by, and its load balancer is told
with it. Each node of the load balancer counts the requests of all groups, by one clock, so no period of one group is
another one than that of the next.

What has failed is what no answer below 500 was counted of: what the load balancer answers in a target's place, because
it broke off or took too long, is in no metric of a target group. Nothing says that a request and its answer are counted
in the same minute. So answers that a minute has more than requests are taken for those that the minute before it lacks,
and whether they are is in doubt.

From: docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-cloudwatch-metrics.html
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shipline.clients.aws_api import AWSPlace
from shipline.clients.aws_marks import short_name
from shipline.clients.cloudwatch import PERIOD_S, CloudWatch, Metric
from shipline.clients.elastic_load_balancing import LoadBalancing
from shipline.domain.errors import ShiplineError, UnavailableError
from shipline.ports.provider import ProviderContext
from shipline.ports.signals import CountedGroup, Reading
from shipline.providers.signals.periods import Pace, Served, whole_count
from shipline.providers.signals.readings import moment_ms, nothing_yet

NAMESPACE = "AWS/ApplicationELB"
REQUESTS = "RequestCount"
ANSWERS = ("HTTPCode_Target_2XX_Count", "HTTPCode_Target_3XX_Count", "HTTPCode_Target_4XX_Count")
LOOKED_BACK_S = 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudWatchSignalsSettings:
    """An environment's `signals` table of the provider `cloudwatch`.

    `region` is where the load balancer is. `lag_s` is how far behind now counts are read, in whole seconds, so that all
    of a minute are in. `endpoint_url` stands in for AWS. `metadata` is "ecs" or "ec2" where credentials come from this
    machine's role.
    """

    region: str
    lag_s: int = 180
    endpoint_url: str = ""
    metadata: str = ""

    def __post_init__(self) -> None:
        """Refuse what can only be a mistake, before anything is done."""
        self.place.url("monitoring")
        self.pace.check()

    @property
    def place(self) -> AWSPlace:
        """Which AWS is asked."""
        return AWSPlace(self.region, self.endpoint_url, self.metadata)

    @property
    def pace(self) -> Pace:
        """Minutes, as soon as they and the ones after them are in."""
        return Pace(period_s=PERIOD_S, lag_s=self.lag_s, window_s=PERIOD_S, doubt=0, after=1)


class CloudWatchSignals:
    """The Signals port over the counts of what the traffic `alb` routes."""

    api_version = 2
    traffic = "alb"
    Settings = CloudWatchSignalsSettings

    def __init__(self, settings: CloudWatchSignalsSettings, context: ProviderContext) -> None:
        self._pace = settings.pace
        self.delay_s = self._pace.delay_s
        self._environment = context.environment or "default"
        self._clock = context.clock
        self._balancing = LoadBalancing(settings.place, context.clock)
        self._cloudwatch = CloudWatch(settings.place, context.clock)

    def cursor(self) -> str:
        """The next full minute: what comes before it counts with what was before."""
        return str(self._pace.begin_ms(self._clock.now_us()))

    def read(self, cursor: str, groups: tuple[CountedGroup, ...]) -> Reading:
        """All minutes that are in. UnavailableError for a group that has no target group: nobody counts it."""
        since_ms = moment_ms(cursor)
        until_ms = self._pace.end_ms(since_ms, self._clock.now_us())
        if not groups or until_ms is None:
            return nothing_yet(since_ms)
        asked_s = (moment // 1000 for moment in self._pace.asked(since_ms, until_ms))
        return self._pace.reading(since_ms, until_ms, self._counted(groups, *asked_s))

    def trouble(self, groups: tuple[CountedGroup, ...]) -> str:
        """Why the requests of a group could not be counted, which also is that it has had none for an hour."""
        return "\n".join(filter(None, map(self._trouble_of, groups)))

    def _trouble_of(self, group: CountedGroup) -> str:
        until_s = self._clock.now_us() // 1_000_000 // PERIOD_S * PERIOD_S
        try:
            served = self._counted((group,), until_s - LOOKED_BACK_S, until_s)[group]
        except ShiplineError as error:
            return " ".join(filter(None, (f"Requests could not be counted: {error.what}.", error.why, error.todo)))
        if served.requests:
            return ""
        return (
            f"CloudWatch has counted no request of {group.package} {group.version}, which serves now, for an hour, so a"
            " canary could not be compared with it.\nWhat to do: see that the rule leads users there, and send a"
            " request; it is counted within some minutes."
        )

    def _counted(self, groups: tuple[CountedGroup, ...], since_s: int, until_s: int) -> dict[CountedGroup, Served]:
        names = {group: short_name(self._environment, group.group_id) for group in groups}
        found = self._balancing.target_groups(list(dict.fromkeys(names.values())))
        placed = {group: self._dimensions(group, found.get(name)) for group, name in names.items()}
        metrics = [Metric(NAMESPACE, name, each) for each in placed.values() for name in (REQUESTS, *ANSWERS)]
        sums = self._cloudwatch.sums(tuple(dict.fromkeys(metrics)), since_s=since_s, until_s=until_s)

        def served(dimensions: tuple[tuple[str, str], ...]) -> Served:
            answers: Counter[int] = Counter()
            for name in ANSWERS:
                answers.update(self._whole(sums[Metric(NAMESPACE, name, dimensions)]))
            return served_of(self._whole(sums[Metric(NAMESPACE, REQUESTS, dimensions)]), answers)

        return {group: served(each) for group, each in placed.items()}

    def _whole(self, sums: Mapping[int, Any]) -> dict[int, int]:
        return {time_s * 1000: whole_count(value, who=self._cloudwatch.who) for time_s, value in sums.items()}

    def _dimensions(self, group: CountedGroup, found: Mapping[str, Any] | None) -> tuple[tuple[str, str], ...]:
        if found is None:
            raise UnavailableError(
                f"group {group.group_id} has no target group, so no load balancer counts its requests",
                todo="see that the environment's traffic is that of the provider alb",
            )
        balancers = found.get("LoadBalancerArns") or []
        if len(balancers) != 1:
            raise UnavailableError(f"no rule of a load balancer leads to the target group of {group.group_id}")
        suffix = str(balancers[0]).partition(":loadbalancer/")[2]
        return ("TargetGroup", str(found["TargetGroupArn"]).rpartition(":")[2]), ("LoadBalancer", suffix)


def served_of(requests: Mapping[int, int], answers: Mapping[int, int]) -> Served:
    """What has failed, by the minute: requests without an answer, neither in their own minute nor, as far as that has
    answers to spare, in the next one. Both by the start of the minute in UTC milliseconds."""
    errors, unsure = {}, {}
    for start_ms, count in requests.items():
        after_ms = start_ms + PERIOD_S * 1000
        lacking = max(0, count - answers.get(start_ms, 0))
        late = max(0, answers.get(after_ms, 0) - requests.get(after_ms, 0))
        errors[start_ms] = max(0, lacking - late)
        unsure[start_ms] = min(lacking, late)
    return Served(requests, errors, unsure)
