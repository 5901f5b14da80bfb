"""CloudWatch of AWS: sums of a metric in periods of a minute.

From: docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html and, for the protocol,
smithy.io/2.0/aws/protocols/aws-json-1_0-protocol.html
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from shipline.clients.aws_api import AWSPlace, AWSService
from shipline.domain.errors import RefusedError
from shipline.ports.clock import Clock
from shipline.ports.metrics import IncompleteAnswer, WrongType

TARGET = "GraniteServiceVersion20100801.GetMetricData"
PERIOD_S = 60


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric: its namespace (`AWS/ApplicationELB`), its name, and all of its dimensions."""

    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...]


class CloudWatch:
    """The one call that is needed."""

    def __init__(self, place: AWSPlace, clock: Clock) -> None:
        self.who = f"CloudWatch in {place.region}"
        self._service = AWSService("monitoring", "CloudWatch", place, clock)

    def sums(self, metrics: tuple[Metric, ...], *, since_s: int, until_s: int) -> dict[Metric, dict[int, Any]]:
        """What each metric sums up to in each minute from `since_s` up to `until_s` (whole minutes, UTC seconds), by
        the minute's start; minutes without any are not there. Values are as they came. 500 metrics are taken at once.

        Raises as `AWSService.json` does, and NoNumber by its subclass for what is no such answer.
        """
        named = {f"m{index}": metric for index, metric in enumerate(metrics)}
        body = {
            "StartTime": since_s,
            "EndTime": until_s,
            "ScanBy": "TimestampAscending",
            "MetricDataQueries": [_query(name, metric) for name, metric in named.items()],
        }
        answer = self._service.json(TARGET, body, version="1.0")
        match answer:
            case {"NextToken": str(token)} if token:
                raise IncompleteAnswer(f"{self.who} has only a part of the answer")
            case {"MetricDataResults": list(results)}:
                found = [self._values(result) for result in results]
                made = {named[name]: values for name, values in found if name in named}
                if len(made) == len(found) == len(named):
                    return made
        raise self._unexpected()

    def _values(self, result: object) -> tuple[str, dict[int, Any]]:
        match result:
            case {"Id": str(name), "StatusCode": "Complete", "Timestamps": list(times), "Values": list(values)}:
                if len(times) == len(values) and all(_is_minute(time_s) for time_s in times):
                    return name, {int(time_s): value for time_s, value in zip(times, values, strict=True)}
            case {"StatusCode": "Forbidden"}:
                raise RefusedError(f"{self.who} does not let Shipline read this", todo="allow cloudwatch:GetMetricData")
            case {"StatusCode": "PartialData" | "InternalError" as status}:
                raise IncompleteAnswer(f"{self.who} has only a part of the answer ({status})")
        raise self._unexpected()

    def _unexpected(self) -> WrongType:
        return WrongType(
            f"{self.who} answered with something that CloudWatch does not say",
            todo="check region and endpoint_url: something else may answer there",
        )


def _is_minute(time_s: object) -> bool:
    return isinstance(time_s, int | float) and not isinstance(time_s, bool) and time_s % PERIOD_S == 0


def _query(name: str, metric: Metric) -> dict[str, Any]:
    dimensions = [{"Name": key, "Value": value} for key, value in metric.dimensions]
    asked = {"Namespace": metric.namespace, "MetricName": metric.name, "Dimensions": dimensions}
    return {"Id": name, "MetricStat": {"Metric": asked, "Period": PERIOD_S, "Stat": "Sum"}, "ReturnData": True}
