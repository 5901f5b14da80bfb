"""Google's Cloud Monitoring by contract: requests are checked, and answered as its reference shows.

From: cloud.google.com/monitoring/api/ref_v3/rest/v1/projects.location.prometheus.api.v1/query, and for errors
cloud.google.com/apis/design/errors
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from shipline.domain.errors import ConfigurationError, RefusedError
from shipline.ports.provider import ProviderContext
from shipline.providers.metrics.cloud_monitoring import CloudMonitoringMetrics, CloudMonitoringSettings
from shipline.testing.conformance.metrics import NUMBER, Case, MetricsConformance
from shipline.testing.fakes.clock import START_US, FakeClock
from tests.providers.metrics.contract import Answer, Contract, Request, keeping

TOKEN = "ya29.s3cret"


def vector(*values: str) -> Answer:
    result = [{"metric": {}, "value": [START_US / 1e6, value]} for value in values]
    return 200, {"status": "success", "data": {"resultType": "vector", "result": result}}


ANSWERS: dict[str, Answer] = {
    "sum(rate(run_googleapis_com:request_count[1m]))": vector(str(NUMBER)),
    "nothing": vector(),
    "0 / 0": vector("NaN"),
    "each": vector("1", "2"),
    "sum(": (400, {"status": "error", "errorType": "bad_data", "error": "unclosed left parenthesis"}),
}


def answer(request: Request) -> Answer:
    """What Google would say to a request that is in order."""
    assert request.path == "/v1/projects/quotes-prod/location/global/prometheus/api/v1/query"
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"
    if request.headers["authorization"] != f"Bearer {TOKEN}":
        return 401, {"error": {"code": 401, "message": f"no: {TOKEN}", "status": "UNAUTHENTICATED"}}
    form = parse_qs(request.body.decode())
    assert set(form) == {"query", "time", "timeout"}
    return ANSWERS[form["query"][0]]


def made(url: str) -> CloudMonitoringMetrics:
    settings = CloudMonitoringSettings("quotes-prod", url=url)
    return CloudMonitoringMetrics(settings, ProviderContext(Path(), Path(), FakeClock(), "production"))


@pytest.fixture(autouse=True)
def token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_OAUTH_ACCESS_TOKEN", TOKEN)


@pytest.fixture
def server() -> Iterator[Contract]:
    with keeping(answer) as running:
        yield running


class TestCloudMonitoring(MetricsConformance):
    @pytest.fixture
    def metrics(self, server: Contract) -> CloudMonitoringMetrics:
        return made(server.url)

    @pytest.fixture
    def expressions(self) -> dict[Case, str]:
        return dict(zip(Case, ANSWERS, strict=True))

    @pytest.fixture
    def at_us(self) -> int:
        return START_US

    @pytest.fixture
    def stop(self, server: Contract) -> Callable[[], None]:
        return server.stop


def test_a_token_that_has_expired_is_told_with_what_to_do(server: Contract, monkeypatch: pytest.MonkeyPatch) -> None:
    """Google's own errors have another form than Prometheus'."""
    monkeypatch.setenv("GOOGLE_OAUTH_ACCESS_TOKEN", "ya29.expired")
    with pytest.raises(RefusedError) as caught:
        made(server.url).query("nothing", at_us=START_US)
    assert "why: no: " in caught.value.diagnosis()
    assert "GOOGLE_OAUTH_ACCESS_TOKEN" in caught.value.diagnosis()
    assert "ya29.expired" not in caught.value.diagnosis()


@pytest.mark.parametrize(
    "changes",
    [
        {"project": "../other"},
        {"project": "Quotes"},
        {"url": "monitoring.googleapis.com"},
        {"token_environment": ""},
        {"token_environment": "ya29.token"},
        {"answer_timeout_s": 100.0},
    ],
    ids=str,
)
def test_settings_that_can_only_be_a_mistake_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        CloudMonitoringSettings(**{"project": "quotes-prod", **changes})
