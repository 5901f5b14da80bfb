"""Counts from Prometheus: from a real one that scrapes a service, and from answers that one gives too seldom."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from shipline.domain.errors import ConfigurationError, InvalidValue, UnavailableError
from shipline.ports.metrics import ManySeries, QueryRefused, WrongType
from shipline.ports.provider import ProviderContext
from shipline.ports.signals import Signals
from shipline.ports.target import Role
from shipline.providers.signals.prometheus import (
    ANSWER_BYTES_MAX,
    CloudMonitoringSignals,
    CloudMonitoringSignalsSettings,
    PrometheusSignals,
    PrometheusSignalsSettings,
)
from shipline.testing.conformance.signals import GROUPS, Serve, SignalsConformance, totals
from shipline.testing.fakes.clock import START_US, FakeClock
from tests.exporter import SCRAPE_S, Exporter, scraped
from tests.machine import SystemClock, wait_until
from tests.prometheus import PROGRAM
from tests.providers.metrics.contract import Answer, Contract, Request, keeping

real = pytest.mark.skipif(PROGRAM is None, reason="Prometheus is not installed")
SELECTORS: dict[str, Any] = {
    "requests": 'http_requests_total{group="{group}"}',
    "errors": 'http_requests_total{group="{group}", code=~"5.."}',
    "latency": 'http_request_seconds_bucket{group="{group}"}',
}
START_MS = START_US // 1000


def context(clock: Any) -> ProviderContext:
    return ProviderContext(Path(), Path(), clock, "production")


class Site:
    """An exporter a role, which a Prometheus scrapes."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.exporters = {role: stack.enter_context(Exporter()) for role in Role}
        targets = {role.value: exporter.address for role, exporter in self.exporters.items()}
        self.url = stack.enter_context(scraped(folder, targets))

    def signals(self) -> PrometheusSignals:
        settings = PrometheusSignalsSettings(url=self.url, lag_s=3 * SCRAPE_S, window_s=SCRAPE_S, **SELECTORS)
        return PrometheusSignals(settings, context(SystemClock()))

    def serve(self, role: Role, *, requests: int, errors: int) -> None:
        signals = self.signals()
        start = signals.cursor()
        self.exporters[role].serve(requests=requests, errors=errors)
        wait_until(lambda: signals.read(start, GROUPS).roles[role].requests >= requests, "the scrape")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with ExitStack() as stack:
        yield Site(tmp_path_factory.mktemp("prometheus"), stack)


@real
class TestPrometheusSignals(SignalsConformance):
    @pytest.fixture
    def open_signals(self, site: Site) -> Callable[[], Signals]:
        return site.signals

    @pytest.fixture
    def serve(self, site: Site) -> Serve:
        return site.serve


@real
def test_a_process_that_begins_anew_is_counted_from_nothing(site: Site) -> None:
    """Also where its failures have no series any more."""
    signals = site.signals()
    start = signals.cursor()
    site.serve(Role.CANARY, requests=40, errors=10)
    site.exporters[Role.CANARY].restart()
    site.serve(Role.CANARY, requests=7, errors=3)
    assert totals(signals.read(start, GROUPS).roles[Role.CANARY]) == (47, 13)


@real
def test_a_selector_that_finds_nothing_is_told_before_a_rollout(site: Site) -> None:
    stranger = replace(GROUPS[2], group_id="nobody")
    told = site.signals().trouble((stranger,))
    assert 'http_requests_total{group="nobody"}' in told
    assert "What to do" in told


# --- by contract -----------------------------------------------------------------------------------------------------


def matrix(*series: dict[str, Any], kind: str = "matrix") -> Answer:
    return 200, {"status": "success", "data": {"resultType": kind, "result": list(series)}}


def one(*samples: tuple[float, str], **labels: str) -> dict[str, Any]:
    """Samples at seconds from the start."""
    return {"metric": labels, "values": [[START_MS / 1000 + second, value] for second, value in samples]}


def made(url: str, clock: FakeClock, **changes: Any) -> PrometheusSignals:
    settings = PrometheusSignalsSettings(**{"url": url, **SELECTORS, "latency": "", **changes})
    return PrometheusSignals(settings, context(clock))


def query_of(request: Request) -> str:
    return parse_qs(request.body.decode())["query"][0]


def answering(answer: Answer) -> Callable[[Request], Answer]:
    """That to each question about a range, and nothing to what was before."""
    return lambda request: matrix(kind="vector") if "last_over_time" in query_of(request) else answer


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def test_samples_as_they_were_scraped_are_asked_for(clock: FakeClock) -> None:
    """Of a window that has been over for as long as scrapes may take, up to now; and what was said before it."""
    asked: list[tuple[str, str]] = []

    def answer(request: Request) -> Answer:
        form = parse_qs(request.body.decode())
        asked.append((form["query"][0], form["time"][0]))
        return matrix(kind="vector" if "last_over_time" in form["query"][0] else "matrix")

    with keeping(answer) as server:
        signals = made(server.url, clock)
        start = signals.cursor()
        clock.sleep(90.0)
        reading = signals.read(start, GROUPS[:1])
    start_s, now_s = f"{START_MS // 1000}.000", f"{START_MS // 1000 + 90}.000"
    requests, errors = 'http_requests_total{group="canary"}', 'http_requests_total{group="canary", code=~"5.."}'
    assert sorted(asked) == sorted(
        [
            (f"{requests}[90001ms]", now_s),
            (f"last_over_time({requests}[1h])", start_s),
            (f"{errors}[90001ms]", now_s),
            (f"last_over_time({errors}[1h])", start_s),
        ]
    )
    assert (reading.cursor, totals(reading.roles[Role.CANARY])) == (str(START_MS + 60_000), (0, 0))


def test_nothing_is_asked_before_a_window_is_in(clock: FakeClock) -> None:
    """Nor when the clock was set back; the cursor stays where it is."""
    with keeping(lambda _: matrix()) as server:
        signals = made(server.url, clock)
        start = signals.cursor()
        clock.sleep(89.9)
        assert signals.read(start, GROUPS).cursor == start
        ahead = str(int(start) + 3_600_000)
        reading = signals.read(ahead, GROUPS)
        assert reading.cursor == ahead
        assert reading.window is not None
        assert reading.window.since_us == reading.window.until_us
        assert server.requests == []


def test_a_window_ends_with_a_scrape_of_the_first_group(clock: FakeClock) -> None:
    """So that nothing of the canary is in doubt, and of the others what lies between two scrapes is."""

    def answer(request: Request) -> Answer:
        query = query_of(request)
        if "last_over_time" in query or "5.." in query:
            return matrix(kind="matrix")
        if "canary" in query:
            return matrix(one((7, "10"), (22, "20"), (37, "30"), (52, "40"), (67, "50"), (82, "60")))
        return matrix(one((14, "10"), (29, "20"), (44, "30"), (59, "40"), (74, "50"), (89, "60")))

    with keeping(answer) as server:
        signals = made(server.url, clock)
        start = signals.cursor()
        clock.sleep(90.0)
        reading = signals.read(start, GROUPS[:2])
    assert reading.cursor == str(START_MS + 52_000)
    assert reading.window is not None
    least, most = reading.window.least, reading.window.most
    assert [each[Role.CANARY].requests for each in (reading.roles, most)] == [40, 40]
    assert [each[Role.BASELINE].requests for each in (least, reading.roles, most)] == [20, 30, 40]


def test_a_reading_is_bounded_and_the_next_one_goes_on(clock: FakeClock) -> None:
    """After an engine was away for an hour."""
    with keeping(answering(matrix())) as server:
        signals = made(server.url, clock)
        start = signals.cursor()
        clock.sleep(3600.0)
        assert signals.read(start, GROUPS).cursor == str(int(start) + 900_000)


def failure(clock: FakeClock, answer: Answer, error: type[Exception], **changes: Any) -> str:
    with keeping(answering(answer)) as server:
        signals = made(server.url, clock, **changes)
        start = signals.cursor()
        clock.sleep(90.0)
        with pytest.raises(error) as caught:
            signals.read(start, GROUPS[:1])
    return str(caught.value.diagnosis())  # type: ignore[attr-defined]  # all of them are ShiplineErrors


@pytest.mark.parametrize(
    ("answer", "error", "told"),
    [
        (matrix({"metric": {}, "histograms": [[1.0, {"count": "5"}]]}), WrongType, "native histogram"),
        (matrix({"metric": {}, "values": [], "histograms": []}), WrongType, "native histogram"),
        (matrix(one((5, "0.5"))), WrongType, "counter"),
        (matrix({"metric": {}, "values": [[True, "1"]]}), WrongType, "sample"),
        (matrix({"metric": {}, "values": [[1.0]]}), WrongType, "sample"),
        (matrix({"metric": [], "values": []}), WrongType, "series"),
        (matrix(kind="scalar"), WrongType, "no series"),
        ((200, b" " * (ANSWER_BYTES_MAX + 1)), ManySeries, "8 MiB"),
        ((400, {"status": "error", "error": "parse error"}), QueryRefused, "parse error"),
        ((503, b""), UnavailableError, "trouble"),
    ],
    ids=["histogram", "both", "half", "no time", "no value", "no labels", "scalar", "long", "nonsense", "busy"],
)
def test_what_are_no_counts_is_told(clock: FakeClock, answer: Answer, error: type[Exception], told: str) -> None:
    assert told in failure(clock, answer, error)


def test_versions_that_count_latency_in_different_buckets_are_not_compared(clock: FakeClock) -> None:
    """One of them would seem slower by that alone."""

    def answer(request: Request) -> Answer:
        query = query_of(request)
        if "last_over_time" in query or "bucket" not in query:
            return matrix()
        return matrix(one((5, "1"), le="0.2" if "canary" in query else "0.1"), one((5, "1"), le="+Inf"))

    with keeping(answer) as server:
        signals = made(server.url, clock, latency=SELECTORS["latency"])
        start = signals.cursor()
        clock.sleep(90.0)
        with pytest.raises(InvalidValue, match=r"1\.0\.0 and 1\.1\.0 count latency in different buckets"):
            signals.read(start, GROUPS)


def test_a_source_that_is_away_is_told_before_a_rollout(clock: FakeClock) -> None:
    with keeping(lambda _: (503, b"")) as server:
        assert "trouble" in made(server.url, clock).trouble(GROUPS[2:])


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"requests": "rate(a[5m])"}, "requests"),
        ({"errors": "sum(a)"}, "errors"),
        ({"latency": "histogram_quantile(0.9, a)"}, "latency"),
        ({"errors": ""}, "errors"),
        ({"lag_s": 0.0}, "lag_s"),
        ({"window_s": 901.0}, "window_s"),
        ({"window_s": float("nan")}, "window_s"),
        ({"url": "prometheus"}, "address"),
        ({"username": "ann"}, "go together"),
    ],
)
def test_settings_that_can_only_be_a_mistake_are_refused(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigurationError, match=told):
        PrometheusSignalsSettings(**{"url": "http://127.0.0.1:9090", **SELECTORS, **changes})


# --- Google's --------------------------------------------------------------------------------------------------------


def test_google_is_asked_with_a_token_in_its_own_place(clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """By contract: cloud.google.com/monitoring/api/ref_v3/rest/v1/projects.location.prometheus.api.v1/query."""
    monkeypatch.setenv("GOOGLE_OAUTH_ACCESS_TOKEN", "ya29.s3cret")

    def answer(request: Request) -> Answer:
        assert request.path == "/v1/projects/quotes-prod/location/global/prometheus/api/v1/query"
        assert request.headers["authorization"] == "Bearer ya29.s3cret"
        return matrix(one((60, "3"), (120, "9"))) if "last_over_time" not in query_of(request) else matrix()

    def signals_of(server: Contract) -> CloudMonitoringSignals:
        settings = CloudMonitoringSignalsSettings(project="quotes-prod", url=server.url, requests="a", errors="b")
        return CloudMonitoringSignals(settings, context(clock))

    with keeping(answer) as server:
        signals = signals_of(server)
        start = signals.cursor()
        clock.sleep(540.0)
        assert totals(signals.read(start, GROUPS[:1]).roles[Role.CANARY]) == (9, 9)
    with pytest.raises(ConfigurationError, match="project"):
        CloudMonitoringSignalsSettings(project="Q", requests="a", errors="b")
