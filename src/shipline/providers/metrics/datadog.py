"""Datadog, by contract: its scalar query, which answers with one number for a window of time.

From: docs.datadoghq.com/api/latest/metrics ("Query scalar data across multiple products", version 2).
"""

from __future__ import annotations

from dataclasses import dataclass

from shipline.clients.datadog import DatadogAccess
from shipline.domain.errors import ConfigurationError
from shipline.ports.metrics import Language, checked_expression, one_finite
from shipline.ports.provider import ProviderContext

AGGREGATORS = ("avg", "last", "max", "min", "sum")
WINDOW_S_MAX = 86_400


@dataclass(frozen=True, slots=True)
class DatadogSettings(DatadogAccess):
    """A check's `metrics` table of the provider `datadog`.

    `url` is the address of the site's API. `api_key_environment` and `application_key_environment` name the environment
    variables that hold the two keys. `answer_timeout_s` bounds a query, in seconds. `window_s` is how far back the
    query looks, in seconds; `aggregator` makes one number of what it finds there: avg, last, max, min or sum.
    """

    window_s: int = 300
    aggregator: str = "avg"

    def __post_init__(self) -> None:
        """Refuse what can only be a mistake, before anything is done."""
        DatadogAccess.__post_init__(self)
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
        self._api = settings.api()

    def query(self, expression: str, *, at_us: int) -> float:
        """The number that the metrics query has over the window that ends at that moment."""
        at_ms = at_us // 1000
        query = {
            "data_source": "metrics",
            "name": "a",
            "query": checked_expression(expression),
            "aggregator": self._settings.aggregator,
        }
        attributes = {
            "from": at_ms - self._settings.window_s * 1000,
            "to": at_ms,
            "formulas": [{"formula": "a"}],
            "queries": [query],
        }
        return self._number(self._api.ask("api/v2/query/scalar", "scalar_request", attributes))

    def _number(self, attributes: object) -> float:
        """The value of the one column of numbers; a query that groups gives it one value a group."""
        match attributes:
            case {"columns": list(columns)}:
                found = [column for column in columns if isinstance(column, dict) and column.get("type") == "number"]
                return one_finite([value for column in found for value in self._values(column)], who=self._api.http.who)
        raise self._api.unexpected()

    def _values(self, column: dict[str, object]) -> list[float]:
        """A column's values; null stands for nothing where it is alone."""
        values = column.get("values", [])
        if values == [None]:
            return []
        if not isinstance(values, list):
            raise self._api.unexpected()
        return [self._value(value) for value in values]

    def _value(self, value: object) -> float:
        if value is None:
            return float("nan")
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self._api.unexpected()
        return float(value)
