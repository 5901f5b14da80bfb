"""CloudWatch by contract: requests are checked, their signatures too, and answered as its API reference shows.

From: docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html, and for the protocol
smithy.io/2.0/aws/protocols/aws-json-1_0-protocol.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from shipline.clients.aws_signature import AWSCredentials, AWSRequest, Scope, signature_headers
from shipline.domain.errors import ConfigurationError, RefusedError, UnavailableError
from shipline.ports.metrics import IncompleteAnswer, NoData, QueryRefused, WrongType
from shipline.ports.provider import ProviderContext
from shipline.providers.metrics.cloudwatch import CloudWatchMetrics, CloudWatchSettings
from shipline.testing.conformance.metrics import NUMBER, Case, MetricsConformance
from shipline.testing.fakes.clock import START_US, FakeClock
from tests.providers.metrics.contract import Answer, Contract, Request, keeping

GOOD = "SELECT MAX(Latency) FROM \"Quotes\" WHERE Version = '1.2.0'"
CREDENTIALS = AWSCredentials("AKIDEXAMPLE", "key-s3cret", "session-s3cret")
AT_S = START_US // 1_000_000
ERROR = "com.amazonaws.cloudwatch.v2010_08_01#"


def result(*values: Any, status: str = "Complete", **more: Any) -> dict[str, Any]:
    stamps = [float(AT_S - 60 * number) for number in range(len(values))]
    return {"Id": "q", "Label": "Latency", "Timestamps": stamps, "Values": list(values), "StatusCode": status, **more}


def answer_of(*results: dict[str, Any]) -> Answer:
    return 200, {"MetricDataResults": list(results), "Messages": []}


def error_of(kind: str, message: str = "it says why") -> Answer:
    return 400, {"__type": ERROR + kind, "message": message}


ANSWERS: dict[str, Answer] = {
    GOOD: answer_of(result(NUMBER, 9.0)),
    "SEARCH('nothing', 'Sum', 60)": answer_of(result()),
    "SEARCH('each', 'Sum', 60)": answer_of(result(1.0), result(2.0)),
    "SELECT": error_of("ValidationError", "Invalid metrics expression"),
}


def answer(request: Request) -> Answer:
    """What CloudWatch would say to a request that is in order."""
    assert request.path == "/"
    assert request.headers["x-amz-target"] == "GraniteServiceVersion20100801.GetMetricData"
    assert request.headers["content-type"] == "application/x-amz-json-1.0"
    assert request.headers["x-amz-security-token"] == CREDENTIALS.session_token
    signed = {name: request.headers[name] for name in ("host", "content-type", "x-amz-target")}
    again = signature_headers(
        AWSRequest("POST", "/", signed, request.body), CREDENTIALS, Scope("eu-central-1", "monitoring"), now_us=START_US
    )
    if request.headers["authorization"] != again["Authorization"]:
        return error_of("InvalidSignatureException")
    body = request.json
    assert set(body) == {"StartTime", "EndTime", "ScanBy", "MetricDataQueries"}
    assert body["EndTime"] % 60 == 0
    assert AT_S - 60 < body["EndTime"] <= AT_S
    assert body["EndTime"] - body["StartTime"] == 300
    assert body["ScanBy"] == "TimestampDescending"
    (query,) = body["MetricDataQueries"]
    assert set(query) == {"Id", "Expression", "Period", "ReturnData"}
    return ANSWERS[query["Expression"]]


def made(url: str, **changes: Any) -> CloudWatchMetrics:
    settings = CloudWatchSettings("eu-central-1", url, **changes)
    return CloudWatchMetrics(settings, ProviderContext(Path(), Path(), FakeClock(), "production"))


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", CREDENTIALS.access_key_id)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", CREDENTIALS.secret_access_key)
    monkeypatch.setenv("AWS_SESSION_TOKEN", CREDENTIALS.session_token)


@pytest.fixture
def server() -> Iterator[Contract]:
    with keeping(answer) as running:
        yield running


class TestCloudWatch(MetricsConformance):
    @pytest.fixture
    def metrics(self, server: Contract) -> CloudWatchMetrics:
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
        (answer_of(), NoData),
        (answer_of(result(0.0, status="PartialData")), IncompleteAnswer),
        (answer_of(result(status="InternalError")), IncompleteAnswer),
        (answer_of(result(status="Forbidden")), RefusedError),
        (answer_of(result("1")), WrongType),
        (answer_of(result(True)), WrongType),
        (answer_of(result(1.0, status="Done")), WrongType),
        ((200, {"MetricDataResults": {}}), WrongType),
        ((200, b"<ErrorResponse/>"), WrongType),
        (error_of("InvalidParameterValueException"), QueryRefused),
        (error_of("ThrottlingException"), UnavailableError),
        (error_of("ExpiredTokenException"), RefusedError),
        (error_of("AccessDeniedException"), RefusedError),
        ((400, b"what?"), QueryRefused),
        ((503, b""), UnavailableError),
    ],
    ids=str,
)
def test_what_is_no_number_is_told_apart(said: Answer, error: type[Exception]) -> None:
    """Most of it comes with the status 400, and differs by the type that it names."""
    with keeping(lambda _: said) as server, pytest.raises(error) as caught:
        made(server.url).query(GOOD, at_us=START_US)
    assert type(caught.value) is error


def test_a_key_that_is_echoed_is_struck_out() -> None:
    echo = error_of("SignatureDoesNotMatch", f"{CREDENTIALS.secret_access_key} and {CREDENTIALS.session_token}")
    with keeping(lambda _: echo) as server, pytest.raises(RefusedError) as caught:
        made(server.url).query(GOOD, at_us=START_US)
    assert "*** and ***" in caught.value.diagnosis()


def test_keys_that_live_long_have_no_session(monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty variable is none, and so is the name of none."""
    monkeypatch.setenv("AWS_SESSION_TOKEN", "")

    def without_session(request: Request) -> Answer:
        assert "x-amz-security-token" not in request.headers
        return ANSWERS[GOOD]

    with keeping(without_session) as server:
        assert made(server.url).query(GOOD, at_us=START_US) == NUMBER
        assert made(server.url, session_token_environment="").query(GOOD, at_us=START_US) == NUMBER


def test_a_key_that_is_not_there_is_told_before_anything_is_sent(
    server: Contract, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(ConfigurationError, match="AWS_SECRET_ACCESS_KEY"):
        made(server.url).query(GOOD, at_us=START_US)
    assert server.requests == []


@pytest.mark.parametrize(
    "changes",
    [
        {"region": "eu-central-1.evil.example"},
        {"region": ""},
        {"url": "monitoring.local"},
        {"access_key_id_environment": ""},
        {"secret_access_key_environment": "wJalr/K7MDENG+bPx"},
        {"period_s": 0},
        {"period_s": 90},
        {"window_s": 30},
        {"window_s": 86_460},
        {"answer_timeout_s": 0.0},
    ],
    ids=str,
)
def test_settings_that_can_only_be_a_mistake_are_refused(changes: dict[str, Any]) -> None:
    """A region is a part of the address that the keys are sent for."""
    with pytest.raises(ConfigurationError):
        CloudWatchSettings(**{"region": "eu-central-1", **changes})
