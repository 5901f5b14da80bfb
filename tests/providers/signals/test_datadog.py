"""Counts from Datadog, by contract: a model that checks what it is asked, and sums up as its reference says."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from shipline.domain.errors import ConfigurationError, RefusedError, UnavailableError
from shipline.ports.metrics import IncompleteAnswer, ManySeries, QueryRefused, WrongType
from shipline.ports.provider import ProviderContext
from shipline.ports.signals import Signals
from shipline.ports.target import Role
from shipline.providers.signals.datadog import DatadogSignals, DatadogSignalsSettings, ungrouped
from shipline.testing.conformance.signals import GROUPS, Serve, SignalsConformance, totals
from shipline.testing.fakes.clock import FakeClock
from tests.providers.metrics.contract import Answer, Request, keeping

KEYS = ("api-key-s3cret", "app-key-s3cret")
SELECTORS = {
    "requests": "web.hits{service:{package},group:{group}}",
    "errors": "web.errors{service:{package},group:{group}}",
}
QUERY = re.compile(r"sum:(web\.hits|web\.errors)\{service:quotes,group:([a-z]+)\}\.as_count\(\)\.rollup\(sum, 10\)")
DAY_MS = 86_400_000
OF_ALL = "sum:web.errors{service:quotes}.as_count().rollup(sum, 86400)"


class Site:
    """What agents have sent: by metric, group and moment in milliseconds, how many."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.sent: dict[tuple[str, str], dict[int, int]] = {}
        self.url = ""

    def __call__(self, request: Request) -> Answer:
        """What Datadog would say to a request that is in order; its own intervals begin at full ones."""
        assert request.path == "/api/v2/query/timeseries"
        assert request.headers["content-type"] == "application/json"
        if (request.headers["dd-api-key"], request.headers["dd-application-key"]) != KEYS:
            return 403, {"errors": ["Forbidden"]}
        data = request.json["data"]
        assert data["type"] == "timeseries_request"
        asked = data["attributes"]
        assert set(asked) == {"from", "to", "interval", "formulas", "queries"}
        step_ms = asked["interval"]
        assert step_ms in (10_000, DAY_MS)
        assert [one["formula"] for one in asked["formulas"]] == [one["name"] for one in asked["queries"]]
        times = list(range(asked["from"] // step_ms * step_ms, asked["to"] + 1, step_ms))
        rows = [self._row(one, times, step_ms) for one in asked["queries"]]
        kept = [(index, row) for index, row in enumerate(rows) if any(value is not None for value in row)]
        series: list[dict[str, Any]] = [{"group_tags": [], "query_index": index, "unit": None} for index, _ in kept]
        attributes = {"series": series, "times": times, "values": [row for _, row in kept]}
        return 200, {"data": {"type": "timeseries_response", "attributes": attributes}}

    def _row(self, query: dict[str, str], times: list[int], step_ms: int) -> list[float | None]:
        assert set(query) == {"data_source", "name", "query"}
        sent = [one for name in self._chosen(query["query"], step_ms) for one in self.sent.get(name, {}).items()]
        each = [[count for at, count in sent if start <= at < start + step_ms] for start in times]
        return [float(sum(counts)) if counts else None for counts in each]

    def _chosen(self, query: str, step_ms: int) -> list[tuple[str, str]]:
        """What a query selects. That of all groups is asked for by the day."""
        if step_ms == DAY_MS:
            assert query == OF_ALL
            return [name for name in self.sent if name[0] == "web.errors"]
        found = QUERY.fullmatch(query)
        assert found is not None, query
        return [(found[1], found[2])]

    def serve(self, role: Role, *, requests: int, errors: int) -> None:
        """Returns once it has been counted, in the middle of a window."""
        self.clock.sleep(30)
        now_ms = self.clock.now_us() // 1000
        self.sent.setdefault(("web.hits", role.value), {})[now_ms] = requests
        if errors:
            self.sent.setdefault(("web.errors", role.value), {})[now_ms] = errors
        self.clock.sleep(60 + 120 + 20)

    def signals(self, **changes: Any) -> DatadogSignals:
        settings = DatadogSignalsSettings(**{"url": self.url, **SELECTORS, **changes})
        return DatadogSignals(settings, ProviderContext(Path(), Path(), self.clock, "production"))


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DD_API_KEY", KEYS[0])
    monkeypatch.setenv("DD_APP_KEY", KEYS[1])


@pytest.fixture
def site() -> Iterator[Site]:
    made = Site()
    with keeping(made) as server:
        made.url = server.url
        yield made


class TestDatadogSignals(SignalsConformance):
    tells_latency = False

    @pytest.fixture
    def open_signals(self, site: Site) -> Callable[[], Signals]:
        return site.signals

    @pytest.fixture
    def serve(self, site: Site) -> Serve:
        return site.serve


def test_an_incident_at_the_end_of_a_window_is_on_both_sides(site: Site) -> None:
    """The baseline's agent puts its half into the interval after the window: it may be of the same time."""
    signals = site.signals()
    start = signals.cursor()
    end_ms = int(start) + 120_000
    site.sent = {
        ("web.hits", "canary"): {int(start): 50, end_ms - 1: 50},
        ("web.errors", "canary"): {end_ms - 1: 20},
        ("web.hits", "baseline"): {int(start) + 50_000: 50, end_ms: 50},
        ("web.errors", "baseline"): {end_ms: 20},
    }
    site.clock.jump_to((end_ms + 70_000) * 1000)
    reading = signals.read(start, GROUPS[:2])
    assert reading.window is not None
    ways = (reading.window.least, reading.roles, reading.window.most)
    assert [totals(each[Role.CANARY]) for each in ways] == [(100, 20)] * 3
    assert [totals(each[Role.BASELINE]) for each in ways] == [(50, 0), (50, 0), (100, 20)]


def test_a_selector_that_finds_nothing_is_told_before_a_rollout(site: Site) -> None:
    assert "web.hits{service:quotes,group:stable}" in site.signals().trouble(GROUPS[2:])


def test_a_selector_of_errors_that_never_found_any_is_refused_before_a_rollout(site: Site) -> None:
    """It may be mistyped, and then no canary is ever worse. Failures of any group show that it is not."""
    site.serve(Role.STABLE, requests=10, errors=0)
    trouble = site.signals().trouble(GROUPS[2:])
    assert "web.errors{service:quotes}" in trouble
    assert "let one request fail" in trouble
    site.sent["web.errors", "before"] = {site.clock.now_us() // 1000 - 28 * DAY_MS: 1}
    assert site.signals().trouble(GROUPS[2:]) == ""


@pytest.mark.parametrize(
    ("selector", "of_all"),
    [
        ("web.errors{env:{environment},version:{version},role:{role}}", "web.errors{env:{environment}}"),
        ("web.errors{version:v{version}}", "web.errors{*}"),
        ("{package}.errors{service:quotes AND group:{group}}", "{package}.errors{*}"),
        ("web.errors{*}", "web.errors{*}"),
    ],
    ids=str,
)
def test_of_all_groups_is_without_what_tells_them_apart(selector: str, of_all: str) -> None:
    assert ungrouped(selector) == of_all


@pytest.mark.parametrize(("version", "tag"), [("1.0.0-RC1", "1.0.0-rc1"), ("1.0.0+Build,{x}", "1.0.0_build__x_")])
def test_tags_are_what_datadog_makes_of_them(site: Site, version: str, tag: str) -> None:
    signals = site.signals(requests="web.hits{version:{version}}")
    group = replace(GROUPS[0], version=version)
    assert signals._query("web.hits{version:{version}}", group) == (
        f"sum:web.hits{{version:{tag}}}.as_count().rollup(sum, 10)"
    )


def attributes(*rows: Any, times: Any = (10_000,), index: Any = 0, **more: Any) -> Answer:
    series = [{"query_index": index} for _ in rows]
    return 200, {"data": {"attributes": {"series": series, "times": list(times), "values": list(rows)}}, **more}


@pytest.mark.parametrize(
    ("said", "error"),
    [
        (attributes([1], [2]), ManySeries),
        (attributes([0.5]), WrongType),
        (attributes([-1]), WrongType),
        (attributes([True]), WrongType),
        (attributes(["1"]), WrongType),
        (attributes([1, 2]), WrongType),
        (attributes([1], times=[15_000]), WrongType),
        (attributes([1], times=["x"]), WrongType),
        (attributes([1], index=9), WrongType),
        (attributes("x"), WrongType),
        (attributes([1], errors="a part timed out"), IncompleteAnswer),
        ((200, {"data": {"attributes": []}}), WrongType),
        ((200, b'{"data": NaN}'), WrongType),
        ((400, {"errors": ["no such metric"]}), QueryRefused),
        ((403, {"errors": ["Forbidden"]}), RefusedError),
        ((429, {"errors": ["Rate limit"]}), UnavailableError),
    ],
    ids=str,
)
def test_what_are_no_counts_is_told_apart(site: Site, said: Answer, error: type[Exception]) -> None:
    with keeping(lambda _: said) as server:
        signals = site.signals(url=server.url)
        start = signals.cursor()
        site.clock.sleep(300)
        with pytest.raises(error) as caught:
            signals.read(start, GROUPS[:1])
    assert not any(key in caught.value.diagnosis() for key in KEYS)  # type: ignore[attr-defined]  # all are ShiplineErrors


def test_nothing_is_asked_before_a_window_is_in() -> None:
    with keeping(lambda _: (500, b"")) as server:
        site = Site()
        site.url = server.url
        signals = site.signals()
        start = signals.cursor()
        site.clock.jump_to((int(start) + 189_999) * 1000)
        assert signals.read(start, GROUPS).cursor == start
        assert server.requests == []
        assert signals.delay_s == 200.0


@pytest.mark.parametrize(
    "changes",
    [
        {"requests": "sum:web.hits{*}"},
        {"requests": "web.hits"},
        {"requests": "web.hits{*}.as_rate()"},
        {"requests": "web.hits{*} by {host}"},
        {"errors": "web.errors{group:{nobody}}"},
        {"errors": ""},
        {"interval_s": 0},
        {"window_s": 20},
        {"window_s": 125},
        {"url": "http://datadog.example"},
    ],
    ids=str,
)
def test_settings_that_can_only_be_a_mistake_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        DatadogSignalsSettings(**{**SELECTORS, **changes})
