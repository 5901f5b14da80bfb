"""Datadog, by contract: its scalar query, which answers with one number for a window of time.

From: docs.datadoghq.com/api/latest/metrics ("Query scalar data across multiple products", version 2).
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from shipline.clients.confidential import check_confidential
from shipline.clients.metrics_http import (
    Asked,
    MetricsHTTP,
    checked_address,
    checked_timeout,
    checked_variable,
    host_of,
    secret_in,
)
from shipline.domain.errors import ConfigurationError
from shipline.ports.metrics import IncompleteAnswer, Language, QueryRefused, WrongType, checked_expression, one_finite
from shipline.ports.provider import ProviderContext

AGGREGATORS = ("avg", "last", "max", "min", "sum")
WINDOW_S_MAX = 86_400


@dataclass(frozen=True, slots=True)
class DatadogSettings:
    """A check's `metrics` table of the provider `datadog`.

    `url` is the address of the site's API. `api_key_environment` and `application_key_environment` name the environment
    variables that hold the two keys. `window_s` is how far back the query looks, in seconds; `aggregator` makes one
    number of what it finds there: avg, last, max, min or sum. `answer_timeout_s` bounds a query, in seconds.
    """

    url: str = "https://api.datadoghq.com"
    api_key_environment: str = "DD_API_KEY"
    application_key_environment: str = "DD_APP_KEY"
    window_s: int = 300
    aggregator: str = "avg"
    answer_timeout_s: float = 5.0

    def __post_init__(self) -> None:
        """Refuse what can only be a mistake, before anything is done."""
        checked_address(self.url)
        check_confidential(self.url, name="url")
        checked_timeout(self.answer_timeout_s)
        for name in ("api_key_environment", "application_key_environment"):
            checked_variable(getattr(self, name), name=name)
            if getattr(self, name) == "":
                raise ConfigurationError(f"{name} is missing", why="Datadog answers nobody without its two keys")
        if not 1 <= self.window_s <= WINDOW_S_MAX:
            raise ConfigurationError(f"window_s is 1 to {WINDOW_S_MAX} seconds")
        if self.aggregator not in AGGREGATORS:
            raise ConfigurationError(
                f"aggregator = {self.aggregator[:40]!r} is not known", todo=f"known ones: {', '.join(AGGREGATORS)}"
            )


class DatadogMetrics:
    """The Metrics port over Datadog's API."""

    api_version = 1
    language = Language.PLAIN
    Settings = DatadogSettings

    def __init__(self, settings: DatadogSettings, context: ProviderContext) -> None:
        self._settings = settings
        hint = f"check the keys in {settings.api_key_environment} and {settings.application_key_environment}"
        self._url = checked_address(settings.url)
        self._http = MetricsHTTP(f"Datadog at {host_of(self._url)}", settings.answer_timeout_s, hint)

    def query(self, expression: str, *, at_us: int) -> float:
        """The number that the metrics query has over the window that ends at that moment."""
        keys = (secret_in(self._settings.api_key_environment), secret_in(self._settings.application_key_environment))
        asked = Asked(
            url=f"{self._url}/api/v2/query/scalar",
            content=json.dumps(self._body(checked_expression(expression), at_us // 1000)).encode(),
            headers={"Content-Type": "application/json", "DD-API-KEY": keys[0], "DD-APPLICATION-KEY": keys[1]},
            secrets=keys,
        )
        answer = self._http.ask(asked)
        if not answer.taken:
            raise QueryRefused(
                f"{self._http.who} does not take the query",
                why=self._http.complaint(answer.document, asked),
                todo="try the query in Datadog's metrics explorer, and correct it",
            )
        return self._number(answer.document, asked)

    def _body(self, expression: str, at_ms: int) -> dict[str, object]:
        query = {
            "data_source": "metrics",
            "name": "a",
            "query": expression,
            "aggregator": self._settings.aggregator,
        }
        attributes = {
            "from": at_ms - self._settings.window_s * 1000,
            "to": at_ms,
            "formulas": [{"formula": "a"}],
            "queries": [query],
        }
        return {"data": {"type": "scalar_request", "attributes": attributes}}

    def _number(self, document: object, asked: Asked) -> float:
        """The value of the one column of numbers; a query that groups gives it one value a group."""
        match document:
            case {"errors": errors} if errors:
                raise IncompleteAnswer(
                    f"{self._http.who} says that its answer has errors",
                    why=self._http.complaint(errors, asked),
                    todo="try the query in Datadog's metrics explorer",
                )
            case {"data": {"attributes": {"columns": list(columns)}}}:
                found = [column for column in columns if isinstance(column, dict) and column.get("type") == "number"]
                return one_finite([value for column in found for value in self._values(column)], who=self._http.who)
        raise self._unexpected()

    def _values(self, column: dict[str, object]) -> list[float]:
        """A column's values; null stands for nothing where it is alone."""
        values = column.get("values", [])
        if values == [None]:
            return []
        if not isinstance(values, list):
            raise self._unexpected()
        return [self._value(value) for value in values]

    def _value(self, value: object) -> float:
        if value is None:
            return float("nan")
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self._unexpected()
        return float(value)

    def _unexpected(self) -> WrongType:
        return WrongType(
            f"{self._http.who} answered with something that Datadog does not say",
            todo="check the url: something else may answer there",
        )
