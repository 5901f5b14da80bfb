"""The provider for Prometheus: against a real one, and against answers that a real one gives too seldom to wait for."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from shipline.clients.metrics_http import ANSWER_BYTES_MAX
from shipline.domain.errors import ConfigurationError, RefusedError, UnavailableError
from shipline.ports.metrics import IncompleteAnswer, ManySeries, NotFinite, QueryRefused, WrongType
from shipline.ports.provider import ProviderContext
from shipline.providers.metrics.prometheus import PrometheusMetrics, PrometheusSettings
from shipline.testing.conformance.metrics import Case, MetricsConformance
from shipline.testing.fakes.clock import START_US, FakeClock
from tests.prometheus import PASSWORD, PROGRAM, USER, Prometheus, scraping
from tests.providers.metrics.contract import Contract, Request, keeping

real = pytest.mark.skipif(PROGRAM is None, reason="Prometheus is not installed")
TOKEN = "tok-s3cret"


def made(url: str, **changes: Any) -> PrometheusMetrics:
    return PrometheusMetrics(
        PrometheusSettings(url, **changes), ProviderContext(Path(), Path(), FakeClock(), "production")
    )


@pytest.fixture(scope="module")
def scraped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    with scraping(tmp_path_factory.mktemp("prometheus")) as running:
        yield running


@pytest.fixture
def server(scraped: Prometheus) -> Prometheus:
    scraped.start()  # A test may have stopped it.
    return scraped


@real
class TestPrometheus(MetricsConformance):
    @pytest.fixture
    def metrics(self, server: Prometheus) -> PrometheusMetrics:
        return made(server.url)

    @pytest.fixture
    def expressions(self) -> dict[Case, str]:
        return {
            Case.NUMBER: "service_failing_ratio",
            Case.NOTHING: "service_that_is_not_there",
            Case.NOT_A_NUMBER: "service_idle_total / service_idle_total",
            Case.SEVERAL: "service_requests_total",
            Case.NONSENSE: "sum(",
        }

    @pytest.fixture
    def at_us(self, server: Prometheus) -> int:
        return server.scraped_us

    @pytest.fixture
    def stop(self, server: Prometheus) -> Callable[[], None]:
        return server.stop


@real
@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("scalar(service_failing_ratio)", 0.25),
        ('service_requests_total{version="1.2.0"}', 7.0),
        ("sum(service_requests_total)", 10.0),
        ("1e3", 1000.0),
        (" + ".join(["1"] * 2_000), 2000.0),
    ],
    ids=["scalar", "label", "sum", "constant", "long"],
)
def test_any_promql_that_gives_one_number_will_do(server: Prometheus, expression: str, value: float) -> None:
    """Also one that is longer than an address may be."""
    assert made(server.url).query(expression, at_us=server.scraped_us) == value


@real
@pytest.mark.parametrize(
    ("expression", "error", "told"),
    [
        ('"words"', WrongType, "text"),
        ("service_failing_ratio[5m]", WrongType, "rate"),
        ("service_requests_total > 1", ManySeries, "2 series"),
        ("1 / 0", NotFinite, "inf"),
        ("rate(service_failing_ratio)", QueryRefused, "range vector"),
        ("service_requests_total * on() service_requests_total", QueryRefused, "duplicate series"),
    ],
)
def test_what_is_no_number_is_told_with_what_prometheus_said(
    server: Prometheus, expression: str, error: type[Exception], told: str
) -> None:
    with pytest.raises(error) as caught:
        made(server.url).query(expression, at_us=server.scraped_us)
    assert told in caught.value.diagnosis()  # type: ignore[attr-defined]  # all of them are ShiplineErrors


@real
def test_the_moment_counts(server: Prometheus) -> None:
    """Before anything was scraped there is nothing."""
    with pytest.raises(Exception, match="found nothing"):
        made(server.url).query("service_failing_ratio", at_us=server.scraped_us - 3_600_000_000)


@real
def test_a_real_password_opens_and_a_wrong_one_does_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with scraping(tmp_path, authentication=True) as guarded:
        metrics = made(guarded.url, username=USER, password_environment="PROMETHEUS_PASSWORD")
        monkeypatch.setenv("PROMETHEUS_PASSWORD", PASSWORD)
        assert metrics.query("service_failing_ratio", at_us=guarded.scraped_us) == 0.25
        monkeypatch.setenv("PROMETHEUS_PASSWORD", "something-else")
        with pytest.raises(RefusedError) as caught:
            metrics.query("service_failing_ratio", at_us=guarded.scraped_us)
        assert "something-else" not in caught.value.diagnosis()
        assert "PROMETHEUS_PASSWORD" in caught.value.diagnosis()
        with pytest.raises(RefusedError):
            made(guarded.url).query("service_failing_ratio", at_us=guarded.scraped_us)


# --- answers that no real Prometheus gives on demand -------------------------------------------------------------


def success(kind: str, result: Any, **more: Any) -> dict[str, Any]:
    return {"status": "success", "data": {"resultType": kind, "result": result}, **more}


def sample(value: str) -> dict[str, Any]:
    return {"metric": {}, "value": [1_790_000_000.0, value]}


@contextmanager
def answering(status: int, body: Any) -> Iterator[Contract]:
    with keeping(lambda _: (status, body)) as server:
        yield server


def failure(status: int, body: Any, error: type[Exception], **changes: Any) -> str:
    with answering(status, body) as server:
        with pytest.raises(error) as caught:
            made(server.url, **changes).query("up", at_us=START_US)
        return str(caught.value.diagnosis())  # type: ignore[attr-defined]  # all of them are ShiplineErrors


def test_what_is_sent_is_a_form_with_the_moment_and_the_token(monkeypatch: pytest.MonkeyPatch) -> None:
    """The query is in the body, where proxies do not log it; the token in its header and nowhere else."""
    monkeypatch.setenv("METRICS_TOKEN", TOKEN)

    def answer(request: Request) -> tuple[int, Any]:
        assert request.path == "/api/v1/query"
        assert request.headers["content-type"] == "application/x-www-form-urlencoded"
        assert request.headers["authorization"] == f"Bearer {TOKEN}"
        form = parse_qs(request.body.decode())
        assert form == {"query": ['up{a="b c"}'], "time": ["1790000000.250"], "timeout": ["2"]}
        return 200, success("vector", [sample("0.5")])

    with keeping(answer) as server:
        metrics = made(server.url + "/", token_environment="METRICS_TOKEN", answer_timeout_s=2.0)
        assert metrics.query('up{a="b c"}', at_us=1_790_000_000_250_999) == 0.5


@pytest.mark.parametrize("value", ["NaN", "+Inf", "-Inf"])
def test_a_sample_that_is_not_finite_is_no_number(value: str) -> None:
    assert "traffic" in failure(200, success("vector", [sample(value)]), NotFinite)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>a login page</html>",
        b"\xff",
        b"[" * 100_000,
        b'{"status":"success","status":"success"}',
        b"NaN",
        [],
        {"status": "success"},
        {"status": "error", "data": {}},
        success("vector", {}),
        success("vector", [{"metric": {}}]),
        success("vector", [{"metric": {}, "histogram": [1.0, {"count": "1"}]}]),
        success("vector", [{"metric": {}, "value": [1.0, 5]}]),
        success("vector", [sample("five")]),
        success("scalar", []),
        success("matrix", []),
        success("streams", []),
    ],
    ids=str,
)
def test_rubbish_is_no_number(body: Any) -> None:
    """Whatever answers there, and however."""
    assert "do:" in failure(200, body, WrongType)


def test_an_answer_without_end_is_not_read_to_its_end() -> None:
    told = failure(200, b" " * (ANSWER_BYTES_MAX + 1), ManySeries)
    assert "more than 1 MiB" in told


def test_warnings_are_not_passed_over() -> None:
    """Thanos and remote reads give a part of the data, and say so here; a part is no proof."""
    told = failure(200, success("vector", [sample("0")], warnings=["store gateway is down"]), IncompleteAnswer)
    assert "store gateway is down" in told


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, QueryRefused),
        (422, QueryRefused),
        (401, RefusedError),
        (403, RefusedError),
        (404, ConfigurationError),
        (302, ConfigurationError),
        (429, UnavailableError),
        (500, UnavailableError),
        (503, UnavailableError),
    ],
)
def test_a_status_says_who_has_to_do_something(
    monkeypatch: pytest.MonkeyPatch, status: int, error: type[Exception]
) -> None:
    """And what is echoed of the token is struck out."""
    monkeypatch.setenv("METRICS_TOKEN", TOKEN)
    body = {"status": "error", "errorType": "x", "error": f"we know {TOKEN}\x1b[2J\nnot " + "y" * 1000}
    told = failure(status, body, error, token_environment="METRICS_TOKEN")
    assert TOKEN not in told
    assert "\x1b" not in told
    assert len(told) < 800


def test_a_redirect_is_not_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The token would go along."""
    monkeypatch.setenv("METRICS_TOKEN", TOKEN)
    with answering(307, b"") as elsewhere, answering(307, b"") as server:
        server.headers["Location"] = elsewhere.url
        with pytest.raises(ConfigurationError):
            made(server.url, token_environment="METRICS_TOKEN").query("up", at_us=START_US)
        assert elsewhere.requests == []


def test_an_answer_that_drips_is_cut_off() -> None:
    """The limit is for the whole exchange: each byte comes in time, and the answer does not."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        ended = threading.Event()

        def drip() -> None:
            connection, _ = listening.accept()
            with connection:
                try:
                    while not ended.wait(0.02):
                        connection.sendall(b"H")
                except OSError:
                    return

        thread = threading.Thread(target=drip)
        thread.start()
        try:
            with pytest.raises(UnavailableError, match=r"within 0\.3 s"):
                made(f"http://127.0.0.1:{listening.getsockname()[1]}", answer_timeout_s=0.3).query("up", at_us=START_US)
        finally:
            ended.set()
            thread.join()


def test_a_name_that_no_host_has_is_a_source_that_is_not_there() -> None:
    """It looks like a name in another script, and is none."""
    with pytest.raises(UnavailableError, match="cannot be reached"):
        made("http://xn--/").query("up", at_us=START_US)


def test_a_token_that_is_not_there_is_told_before_anything_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    with answering(200, success("scalar", [1, "1"])) as server:
        metrics = made(server.url, token_environment="METRICS_TOKEN")
        for value in ("", "  ", "tök\nen"):
            monkeypatch.setenv("METRICS_TOKEN", value)
            with pytest.raises(ConfigurationError, match="METRICS_TOKEN"):
                metrics.query("up", at_us=START_US)
        assert server.requests == []


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"url": "prometheus:9090"}, "not an http or https address"),
        ({"url": "file:///etc/passwd"}, "not an http or https address"),
        ({"url": "http://ann:secret@127.0.0.1"}, "plain address"),
        ({"url": "http://127.0.0.1/?token=secret"}, "plain address"),
        ({"url": "http://127.0.0.1:99999"}, "not an http or https address"),
        ({"url": "http://127.0.0.1/a b"}, "not an http or https address"),
        ({"url": "http://prometheus..local"}, "not an http or https address"),
        ({"url": "http://" + "a" * 64 + ".local"}, "not an http or https address"),
        ({"url": "http://[::1"}, "not an http or https address"),
        ({"answer_timeout_s": 0.0}, "answer_timeout_s"),
        ({"answer_timeout_s": float("nan")}, "answer_timeout_s"),
        ({"answer_timeout_s": 61.0}, "answer_timeout_s"),
        ({"token_environment": "eyJhbGciOi.J9"}, "name of an environment variable"),
        ({"username": "ann"}, "go together"),
        ({"password_environment": "P"}, "go together"),
        ({"username": "a:b", "password_environment": "P"}, "username"),
        ({"username": "a", "password_environment": "P", "token_environment": "T"}, "two ways"),
    ],
)
def test_settings_that_can_only_be_a_mistake_are_refused(changes: dict[str, Any], told: str) -> None:
    """And the secret that some hold is not repeated."""
    with pytest.raises(ConfigurationError) as caught:
        PrometheusSettings(**{"url": "http://127.0.0.1:9090", **changes})
    assert told in caught.value.diagnosis()
    assert "secret" not in caught.value.what
