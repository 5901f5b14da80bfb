"""Datadog by contract: requests are checked, and answered as its API reference shows.

From: docs.datadoghq.com/api/latest/metrics, "Query scalar data across multiple products", version 2.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from shipline.domain.errors import ConfigurationError, RefusedError, UnavailableError
from shipline.ports.metrics import IncompleteAnswer, NoData, QueryRefused, WrongType
from shipline.ports.provider import ProviderContext
from shipline.providers.metrics.datadog import DatadogMetrics, DatadogSettings
from shipline.testing.conformance.metrics import NUMBER, Case, MetricsConformance
from shipline.testing.fakes.clock import START_US, FakeClock
from tests.providers.metrics.contract import Answer, Contract, Request, keeping

GOOD = "avg:trace.http.request.errors{service:quotes,version:1.2.0}"
KEYS = ("api-key-s3cret", "app-key-s3cret")


def column(*values: float | None) -> dict[str, Any]:
    return {"meta": {"unit": [None, None]}, "name": "a", "type": "number", "values": list(values)}


def answer_of(*columns: dict[str, Any], **more: Any) -> Answer:
    return 200, {"data": {"attributes": {"columns": list(columns)}, "type": "scalar_response"}, **more}


ANSWERS: dict[str, Answer] = {
    GOOD: answer_of(column(NUMBER)),
    "avg:not.there{*}": answer_of(),
    "avg:trace.hits{*} by {host}": answer_of(
        {"name": "host", "type": "group", "values": [["a"], ["b"]]}, column(1.0, None)
    ),
    "avg:(": (400, {"errors": ["Error parsing query: avg:("]}),
}


def answer(request: Request) -> Answer:
    """What Datadog would say to a request that is in order."""
    assert request.path == "/api/v2/query/scalar"
    assert request.headers["content-type"] == "application/json"
    if (request.headers["dd-api-key"], request.headers["dd-application-key"]) != KEYS:
        return 403, {"errors": ["Forbidden"]}
    data = request.json["data"]
    assert data["type"] == "scalar_request"
    attributes = data["attributes"]
    assert set(attributes) == {"from", "to", "formulas", "queries"}
    assert attributes["to"] - attributes["from"] == 300_000
    assert attributes["to"] == START_US // 1000
    assert attributes["formulas"] == [{"formula": "a"}]
    (query,) = attributes["queries"]
    assert set(query) == {"data_source", "name", "query", "aggregator"}
    assert (query["data_source"], query["name"], query["aggregator"]) == ("metrics", "a", "avg")
    return ANSWERS[query["query"]]


def made(url: str, **changes: Any) -> DatadogMetrics:
    return DatadogMetrics(DatadogSettings(url, **changes), ProviderContext(Path(), Path(), FakeClock(), "production"))


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DD_API_KEY", KEYS[0])
    monkeypatch.setenv("DD_APP_KEY", KEYS[1])


@pytest.fixture
def server() -> Iterator[Contract]:
    with keeping(answer) as running:
        yield running


class TestDatadog(MetricsConformance):
    @pytest.fixture
    def metrics(self, server: Contract) -> DatadogMetrics:
        return made(server.url)

    @pytest.fixture
    def expressions(self) -> dict[Case, str]:
        """JSON has no NaN, so there is none to be found."""
        nothing, several, nonsense = list(ANSWERS)[1:]
        return {Case.NUMBER: GOOD, Case.NOTHING: nothing, Case.SEVERAL: several, Case.NONSENSE: nonsense}

    @pytest.fixture
    def at_us(self) -> int:
        return START_US

    @pytest.fixture
    def stop(self, server: Contract) -> Callable[[], None]:
        return server.stop


@pytest.mark.parametrize(
    ("said", "error"),
    [
        (answer_of(column(None)), NoData),
        (answer_of(column(0.0), errors="a part timed out"), IncompleteAnswer),
        (answer_of({"name": "a", "type": "number", "values": "1"}), WrongType),
        (answer_of(column(True)), WrongType),
        (answer_of({"name": "a", "type": "number", "values": ["1"]}), WrongType),
        ((200, {"data": []}), WrongType),
        ((200, b'{"data": NaN}'), WrongType),
        ((400, {"errors": ["no such function"]}), QueryRefused),
        ((403, {"errors": ["Forbidden"]}), RefusedError),
        ((429, {"errors": ["Rate limit"]}), UnavailableError),
        ((500, b"oops"), UnavailableError),
    ],
    ids=str,
)
def test_what_is_no_number_is_told_apart(said: Answer, error: type[Exception]) -> None:
    with keeping(lambda _: said) as server, pytest.raises(error) as caught:
        made(server.url).query(GOOD, at_us=START_US)
    assert not any(key in caught.value.diagnosis() for key in KEYS)  # type: ignore[attr-defined]  # all are ShiplineErrors


def test_a_key_that_is_not_there_is_told_before_anything_is_sent(
    server: Contract, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DD_APP_KEY")
    with pytest.raises(ConfigurationError, match="DD_APP_KEY"):
        made(server.url).query(GOOD, at_us=START_US)
    assert server.requests == []


@pytest.mark.parametrize(
    "changes",
    [
        {"url": "api.datadoghq.com"},
        {"api_key_environment": ""},
        {"application_key_environment": "0123456789abcdef"},
        {"window_s": 0},
        {"window_s": 86_401},
        {"aggregator": "p99"},
        {"answer_timeout_s": -1.0},
    ],
    ids=str,
)
def test_settings_that_can_only_be_a_mistake_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        DatadogSettings(**changes)
