"""Amazon CloudWatch, by contract: GetMetricData with one expression, over the AWS JSON 1.0 protocol.

From: docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html and, for the protocol,
smithy.io/2.0/aws/protocols/aws-json-1_0-protocol.html
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from shipline.clients.aws_signature import AWSCredentials, AWSRequest, Scope, signature_headers
from shipline.clients.confidential import check_confidential
from shipline.clients.metrics_http import (
    Answered,
    Asked,
    MetricsHTTP,
    checked_address,
    checked_timeout,
    checked_variable,
    secret_in,
)
from shipline.domain.errors import ConfigurationError, RefusedError, ShiplineError, UnavailableError
from shipline.ports.metrics import IncompleteAnswer, Language, QueryRefused, WrongType, checked_expression, one_finite
from shipline.ports.provider import ProviderContext

TARGET = "GraniteServiceVersion20100801.GetMetricData"
CONTENT_TYPE = "application/x-amz-json-1.0"
WINDOW_S_MAX = 86_400
_REGION = re.compile(r"[a-z]{2}(?:-[a-z0-9]{1,12}){1,3}")
# The protocol answers all of these with 400; from: the API reference's "Common Errors".
_CREDENTIALS = (
    "AccessDenied",
    "ExpiredToken",
    "IncompleteSignature",
    "InvalidClientTokenId",
    "InvalidSignature",
    "MissingAuthenticationToken",
    "NotAuthorized",
    "OptInRequired",
    "RequestExpired",
    "SignatureDoesNotMatch",
    "UnrecognizedClient",
)
_TROUBLE = ("InternalFailure", "InternalService", "ServiceUnavailable", "Throttling", "LimitExceeded")


@dataclass(frozen=True, slots=True)
class CloudWatchSettings:
    """A check's `metrics` table of the provider `cloudwatch`.

    `region` is where the metrics are, as in `eu-central-1`. `url` is the service's address, "" for that of the region.
    `access_key_id_environment`, `secret_access_key_environment` and `session_token_environment` name the environment
    variables that hold the credentials; the third may be empty there. `period_s` is the length of one data point, in
    seconds, a multiple of 60 or one of 1, 5, 10, 30; `window_s` is how far back the newest is looked for.
    `answer_timeout_s` bounds a query, in seconds.
    """

    region: str
    url: str = ""
    access_key_id_environment: str = "AWS_ACCESS_KEY_ID"
    secret_access_key_environment: str = "AWS_SECRET_ACCESS_KEY"  # noqa: S105 - the name of a variable
    session_token_environment: str = "AWS_SESSION_TOKEN"  # noqa: S105 - the same
    period_s: int = 60
    window_s: int = 300
    answer_timeout_s: float = 5.0

    def __post_init__(self) -> None:
        """Refuse what can only be a mistake, before anything is done."""
        if not _REGION.fullmatch(self.region):
            raise ConfigurationError(f"region = {self.region[:40]!r} is no region's name")
        if self.url:
            checked_address(self.url)
            check_confidential(self.url, name="url")
        checked_timeout(self.answer_timeout_s)
        for name in ("access_key_id_environment", "secret_access_key_environment", "session_token_environment"):
            checked_variable(getattr(self, name), name=name)
        if "" in (self.access_key_id_environment, self.secret_access_key_environment):
            raise ConfigurationError("the names of the variables with the access key are missing")
        if self.period_s not in (1, 5, 10, 30) and (self.period_s < 1 or self.period_s % 60):
            raise ConfigurationError("period_s is 1, 5, 10, 30 or a multiple of 60")
        if not self.period_s <= self.window_s <= WINDOW_S_MAX:
            raise ConfigurationError(f"window_s is period_s or more, and {WINDOW_S_MAX} at most")


class CloudWatchMetrics:
    """The Metrics port over CloudWatch: metric math with SEARCH(...), or a SELECT of Metrics Insights."""

    api_version = 1
    language = Language.PLAIN
    Settings = CloudWatchSettings

    def __init__(self, settings: CloudWatchSettings, context: ProviderContext) -> None:
        self._settings = settings
        self._clock = context.clock
        self._url = checked_address(settings.url or f"https://monitoring.{settings.region}.amazonaws.com")
        hint = f"check the keys in {settings.access_key_id_environment} and {settings.secret_access_key_environment}"
        self._http = MetricsHTTP(f"CloudWatch in {settings.region}", settings.answer_timeout_s, hint)

    def query(self, expression: str, *, at_us: int) -> float:
        """The newest whole data point of the expression at that moment."""
        body = json.dumps(self._body(checked_expression(expression), at_us // 1_000_000)).encode()
        asked = self._signed(body, self._credentials())
        answer = self._http.ask(asked)
        if not answer.taken:
            raise self._refusal(answer, asked)
        return self._number(answer.document, asked)

    def _body(self, expression: str, at_s: int) -> dict[str, object]:
        """The window ends where a period does: of the one that has not ended only a part is known."""
        period_s = self._settings.period_s
        end_s = at_s - at_s % period_s
        query = {"Id": "q", "Expression": expression, "Period": period_s, "ReturnData": True}
        return {
            "StartTime": end_s - self._settings.window_s,
            "EndTime": end_s,
            "ScanBy": "TimestampDescending",
            "MetricDataQueries": [query],
        }

    def _credentials(self) -> AWSCredentials:
        """Read for each query and never kept, so that those that were renewed are taken."""
        variable = self._settings.session_token_environment
        return AWSCredentials(
            secret_in(self._settings.access_key_id_environment),
            secret_in(self._settings.secret_access_key_environment),
            secret_in(variable, optional=True) if variable else "",
        )

    def _signed(self, body: bytes, credentials: AWSCredentials) -> Asked:
        parts = urlsplit(self._url)
        headers = {"Host": parts.netloc, "Content-Type": CONTENT_TYPE, "X-Amz-Target": TARGET}
        request = AWSRequest("POST", parts.path or "/", headers, body)
        scope = Scope(self._settings.region, "monitoring")
        signed = signature_headers(request, credentials, scope, now_us=self._clock.now_us())
        return Asked(
            url=self._url if parts.path else f"{self._url}/",
            content=body,
            headers={**headers, **signed},
            secrets=(credentials.secret_access_key, credentials.session_token),
        )

    def _refusal(self, answer: Answered, asked: Asked) -> ShiplineError:
        """What a 400 means is in its type: `com.amazonaws.cloudwatch#ThrottlingException`."""
        kind = answer.document.get("__type", "") if isinstance(answer.document, dict) else ""
        name = str(kind).rpartition("#")[2]
        why = self._http.complaint(answer.document, asked) or name[:80]
        if name.startswith(_CREDENTIALS):
            return RefusedError(f"{self._http.who} does not let Shipline in", why=why, todo=self._http.credentials_hint)
        if name.startswith(_TROUBLE):
            return UnavailableError(
                f"{self._http.who} has trouble of its own, or is too busy", why=why, todo="it is asked again later"
            )
        return QueryRefused(
            f"{self._http.who} does not take the query",
            why=why,
            todo="try the expression in CloudWatch's console, and correct it",
        )

    def _number(self, document: object, asked: Asked) -> float:
        """The newest value of the one result; an expression with several series has a result for each."""
        match document:
            case {"MetricDataResults": list(results)}:
                newest = [value for result in results for value in self._newest(result, asked)]
                return one_finite(newest, who=self._http.who)
        raise self._unexpected()

    def _newest(self, result: object, asked: Asked) -> list[float]:
        match result:
            case {"StatusCode": "Complete", "Values": []}:
                return []
            case {"StatusCode": "Complete", "Values": [bool(), *_]}:
                raise self._unexpected()
            case {"StatusCode": "Complete", "Values": [int() | float() as value, *_]}:
                return [float(value)]
            case {"StatusCode": "Forbidden"}:
                raise RefusedError(
                    f"{self._http.who} does not let Shipline read this",
                    why=self._http.complaint(result, asked),
                    todo="allow cloudwatch:GetMetricData",
                )
            case {"StatusCode": "PartialData" | "InternalError" as status}:
                raise IncompleteAnswer(
                    f"{self._http.who} has only a part of the answer ({status})",
                    why=self._http.complaint(result, asked),
                    todo="make window_s smaller, or the query narrower",
                )
        raise self._unexpected()

    def _unexpected(self) -> WrongType:
        return WrongType(
            f"{self._http.who} answered with something that CloudWatch does not say",
            todo="check the url: something else may answer there",
        )
