"""The instant query of Prometheus' HTTP API, which others speak too: Thanos, Mimir, VictoriaMetrics, Google's.

From: prometheus.io/docs/prometheus/latest/querying/api ("Instant queries", "Format overview").
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode

from shipline.clients.metrics_http import Asked, MetricsHTTP
from shipline.ports.metrics import IncompleteAnswer, QueryRefused, WrongType, checked_expression, one_finite

WARNINGS_SHOWN_MAX = 3
# What an answer may be besides one number or several.
OTHER_KINDS = {"matrix": "a range of values", "string": "text"}


@dataclass(frozen=True, slots=True)
class Credentials:
    """The headers that let us in, and what of them no error may show."""

    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Series:
    """The samples of one series, oldest first: UTC milliseconds and a number."""

    labels: Mapping[str, str]
    samples: tuple[tuple[int, float], ...]


@dataclass(frozen=True, slots=True)
class PrometheusAPI:
    """The API at `url`, which ends before `/api/v1`."""

    http: MetricsHTTP
    url: str

    def query(self, expression: str, *, at_us: int, credentials: Credentials) -> float:
        """The number that the expression has at that moment. Raises as `Metrics.query` says."""
        return self._number(*self._asked(expression, at_us, credentials))

    def series(self, expression: str, *, at_us: int, credentials: Credentials) -> tuple[Series, ...]:
        """The series that the expression has at that moment: with one sample each or, for a selector with a range such
        as `requests_total[90s]`, with all samples in it, as they were scraped. Raises as `Metrics.query` says."""
        kind, result = self._result(*self._asked(expression, at_us, credentials))
        if kind not in ("vector", "matrix") or not isinstance(result, list):
            raise WrongType(
                f"{self.http.who} answered with something that is no series",
                todo="name a metric, with labels in braces",
            )
        return tuple(self._series(item) for item in result)

    def _asked(self, expression: str, at_us: int, credentials: Credentials) -> tuple[object, Asked]:
        """What it answers, and to what.

        It is a form in the body of a POST, so that a long query is no problem of address lengths, nor stands in logs.
        """
        form = {
            "query": checked_expression(expression),
            "time": f"{at_us // 1_000_000}.{at_us % 1_000_000 // 1000:03d}",
            "timeout": f"{self.http.timeout_s:g}",
        }
        asked = Asked(
            url=f"{self.url}/api/v1/query",
            content=urlencode(form).encode(),
            headers={"Content-Type": "application/x-www-form-urlencoded", **credentials.headers},
            secrets=credentials.secrets,
        )
        answer = self.http.ask(asked)
        if not answer.taken:
            raise QueryRefused(
                f"{self.http.who} does not take the query",
                why=self.http.complaint(answer.document, asked),
                todo="try the query in its own web page, and correct it",
            )
        return answer.document, asked

    def _result(self, document: object, asked: Asked) -> tuple[str, object]:
        """What a success holds, and what kind of thing that is; warnings tell that data was left out."""
        match document:
            case {"status": "success", "data": {"resultType": str(kind), "result": result}, **rest}:
                self._check_warnings(rest.get("warnings"), asked)
                return kind, result
        raise WrongType(
            f"{self.http.who} answered with something that Prometheus does not say",
            todo="check the url: something else may answer there",
        )

    def _series(self, item: object) -> Series:
        match item:
            case {"histograms": _} | {"histogram": _}:
                raise WrongType(
                    f"{self.http.who} answered with a native histogram",
                    todo="name a counter, or the `_bucket` series of a classic histogram",
                )
            case {"metric": dict(labels), "values": list(samples)}:
                return Series(_labels(labels), tuple(self._timed(each) for each in samples))
            case {"metric": dict(labels), "value": sample}:
                return Series(_labels(labels), (self._timed(sample),))
        raise WrongType(
            f"{self.http.who} answered with a series that is none",
            todo="check the url: something else may answer there",
        )

    def _timed(self, sample: object) -> tuple[int, float]:
        match sample:
            case [bool(), _]:
                pass
            case [int() | float() as time_s, str(value)] if math.isfinite(time_s):
                return round(time_s * 1000), self._float(value)
        raise WrongType(
            f"{self.http.who} answered with a sample that is none",
            todo="check the url: something else may answer there",
        )

    def _number(self, document: object, asked: Asked) -> float:
        """The one number in a success. A vector of one series counts as one."""
        kind, result = self._result(document, asked)
        match kind, result:
            case "scalar", [_, str(value)]:
                return one_finite([self._float(value)], who=self.http.who)
            case "vector", list(series):
                # The length alone decides about several: what they are does not matter then.
                values = [self._sample(item) for item in series[:1]]
                return one_finite(values * len(series), who=self.http.who)
        raise WrongType(
            f"{self.http.who} answered with {OTHER_KINDS.get(kind, 'something')} that is no number",
            todo="write a query that gives one number; a range such as [5m] needs a function like rate(...) around it",
        )

    def _check_warnings(self, warnings: object, asked: Asked) -> None:
        if warnings:
            shown = warnings[:WARNINGS_SHOWN_MAX] if isinstance(warnings, list) else warnings
            raise IncompleteAnswer(
                f"{self.http.who} warns that its answer cannot be relied on",
                why=self.http.complaint(shown, asked),
                todo="see that all it reads from is there, and that the query is as it should be",
            )

    def _sample(self, item: object) -> float:
        match item:
            case {"value": [_, str(value)]}:
                return self._float(value)
        raise WrongType(
            f"{self.http.who} answered with a histogram, no number",
            todo="take a number from it, with histogram_quantile(...) for instance",
        )

    def _float(self, text: str) -> float:
        """A sample's value: a decimal number, NaN, +Inf or -Inf."""
        try:
            return float(text)
        except ValueError:
            raise WrongType(
                f"{self.http.who} answered with {text[:20]!r}, no number",
                todo="check the url: something else may answer",
            ) from None


def _labels(labels: dict[str, object]) -> dict[str, str]:
    return {name: str(value) for name, value in labels.items()}
