"""Calls to AWS: JSON 1.1 for services like ECS, 1.0 for CloudWatch, the Query protocol for Elastic Load Balancing.

From: smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html, smithy.io/2.0/aws/protocols/aws-json-1_0-protocol.html and
smithy.io/2.0/aws/protocols/aws-query-protocol.html
One exchange a call, bounded and signed. Nothing is retried and no redirect is followed.
"""

from __future__ import annotations

import functools
import json
import re
import ssl
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit
from xml.etree.ElementTree import Element, ParseError

import httpx
from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from shipline.clients.aws_credentials import SOURCES, AWSCredentialSource
from shipline.clients.aws_signature import AWSCredentials, AWSRequest, Scope, signature_headers
from shipline.clients.confidential import is_confidential
from shipline.clients.deadlines import deadline
from shipline.domain.errors import ConfigurationError, InvalidValue, RefusedError, ShiplineError, UnavailableError
from shipline.domain.strict_json import read_json
from shipline.ports.clock import Clock

ANSWER_BYTES_MAX = 8 << 20
ANSWER_TIMEOUT_S = 10.0
PAGES_MAX = 100
COMPLAINT_LENGTH_MAX = 400
REGION = re.compile(r"[a-z]{2}(?:-[a-z0-9]{1,12}){1,3}")
# What begins the codes of errors, whatever the status; from the "Common Errors" of the API references.
REFUSALS = (
    "AccessDenied",
    "ExpiredToken",
    "IncompleteSignature",
    "InvalidClientTokenId",
    "InvalidSignature",
    "MissingAuthenticationToken",
    "NotAuthorized",
    "OptInRequired",
    "OperationNotPermitted",
    "RequestExpired",
    "SignatureDoesNotMatch",
    "UnauthorizedOperation",
    "UnrecognizedClient",
)
TROUBLE = ("InternalFailure", "InternalServer", "Server", "ServiceUnavailable", "Throttling", "RequestLimitExceeded")


class AWSComplaint(ShiplineError):
    """A call was understood and not carried out. `code` is AWS's own: `ServiceNotFoundException`."""

    def __init__(self, who: str, code: str, why: str) -> None:
        super().__init__(f"{who} does not take this ({code[:80]})", why=why)
        self.code = code


@dataclass(frozen=True, slots=True)
class AWSPlace:
    """Which AWS is asked. `region` is its name, `endpoint_url` "" or the origin of something that stands in for it,
    `metadata` where credentials may be asked for on the network: see `aws_credentials`."""

    region: str
    endpoint_url: str = ""
    metadata: str = ""

    def __post_init__(self) -> None:
        """Refuse what cannot be a region, an origin or a place of credentials (ConfigurationError)."""
        if not REGION.fullmatch(self.region):
            raise ConfigurationError(f"region: {self.region[:40]!r} is no region's name")
        if self.metadata not in SOURCES:
            raise ConfigurationError(f"metadata: {self.metadata[:40]!r} is not known", todo='it is "", "ecs" or "ec2"')
        if self.endpoint_url and not is_origin(self.endpoint_url):
            raise ConfigurationError(
                "endpoint_url is not the origin of a server: https://host:port, or http on this machine"
            )

    def url(self, service: str) -> str:
        """The address of a service."""
        suffix = "amazonaws.com.cn" if self.region.startswith("cn-") else "amazonaws.com"
        return (self.endpoint_url or f"https://{service}.{self.region}.{suffix}").rstrip("/") + "/"


def is_origin(url: str) -> bool:
    """True for `https://host:port`, and for `http` on this machine: credentials go nowhere in plain text."""
    try:
        parts = urlsplit(url)
        host, _ = (parts.hostname or "").encode("idna"), parts.port
    except ValueError:
        return False
    rest = parts.path.rstrip("/") or parts.query or parts.fragment or "@" in parts.netloc
    return bool(host) and is_confidential(url) and not rest and url.isprintable() and " " not in url


class AWSService:
    """One service of AWS. `service` is its name in addresses and signatures, `who` its name in sentences."""

    def __init__(self, service: str, who: str, place: AWSPlace, clock: Clock) -> None:
        self._who = f"{who} in {place.region}"
        self._scope = Scope(place.region, service)
        self._url = place.url(service)
        self._clock = clock
        self._credentials = AWSCredentialSource(place.metadata, clock)

    def json(self, target: str, body: Mapping[str, Any], *, version: str = "1.1") -> dict[str, Any]:
        """The answer to `target`, as in `AmazonEC2ContainerServiceV20141113.ListServices`. `version` is that of the
        protocol."""
        headers = {"Content-Type": f"application/x-amz-json-{version}", "X-Amz-Target": target}
        status, content = self._exchange(headers, json.dumps(body).encode())
        found = self._json_document(content, status)
        if status >= httpx.codes.MULTIPLE_CHOICES:
            code = str(found.get("__type") or f"HTTP {status}").rpartition("#")[2]
            raise self._complaint(status, code, str(found.get("message") or found.get("Message") or ""))
        return found

    def query(self, action: str, version: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """The result of an action of the API `version`. `parameters` hold lists and tables, which the form flattens."""
        form = {"Action": action, "Version": version, **dict(flattened(parameters))}
        headers = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
        status, content = self._exchange(headers, urlencode(form).encode())
        root = self._xml_document(content, status)
        if status >= httpx.codes.MULTIPLE_CHOICES:
            error = next((each for each in root.iter() if _name(each) == "Error"), root)
            said = plain(error)
            table = said if isinstance(said, dict) else {}
            raise self._complaint(status, str(table.get("Code") or f"HTTP {status}"), str(table.get("Message") or ""))
        result = plain(next((each for each in root if _name(each) == f"{action}Result"), Element("none")))
        return result if isinstance(result, dict) else {}

    def _exchange(self, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
        keys = self._credentials.find()
        sent = {"Host": urlsplit(self._url).netloc, **headers}
        signed = signature_headers(AWSRequest("POST", "/", sent, body), keys, self._scope, now_us=self._clock.now_us())
        # A compressed answer is not asked for, since it may unpack to any size.
        others = {"User-Agent": "shipline", "Accept-Encoding": "identity"}
        got = bytearray()
        try:
            with (
                deadline(ANSWER_TIMEOUT_S) as limit,
                httpx.Client(timeout=ANSWER_TIMEOUT_S, verify=tls()) as client,
                client.stream(
                    "POST", self._url, content=body, headers={**others, **sent, **signed}, extensions=limit
                ) as answer,
            ):
                for chunk in answer.iter_raw():
                    got += chunk
                    if len(got) > ANSWER_BYTES_MAX:
                        raise ShiplineError(f"{self._who} answered with more than {ANSWER_BYTES_MAX >> 20} MiB")
                return answer.status_code, bytes(got)
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
            raise UnavailableError(
                f"{self._who} cannot be reached, or did not answer within {ANSWER_TIMEOUT_S:g} s",
                why=without_secrets(str(error) or type(error).__name__, keys),
                todo="when it is back, run this again: only what is missing will be done",
            ) from None

    def _complaint(self, status: int, code: str, message: str) -> ShiplineError:
        return complaint_of(self._who, status, code, message)

    def _json_document(self, content: bytes, status: int) -> dict[str, Any]:
        try:
            found: Any = read_json(content or b"{}", what=f"the answer of {self._who}", limit_bytes=ANSWER_BYTES_MAX)
        except InvalidValue:
            found = None
        if not isinstance(found, dict):
            raise self._unexpected(status)
        return found

    def _xml_document(self, content: bytes, status: int) -> Element:
        try:
            root: Element = fromstring(content, forbid_dtd=True)
        except (ParseError, DefusedXmlException, ValueError, RecursionError):
            raise self._unexpected(status) from None
        return root

    def _unexpected(self, status: int) -> ShiplineError:
        if status >= httpx.codes.INTERNAL_SERVER_ERROR:
            return UnavailableError(f"{self._who} has trouble of its own (HTTP {status})")
        return ShiplineError(
            f"{self._who} answered with something that it does not say (HTTP {status})",
            todo="check region and endpoint_url: something else may answer there",
        )


def complaint_of(who: str, status: int, code: str, message: str) -> ShiplineError:
    """What an error of AWS means: RefusedError, UnavailableError, or AWSComplaint for all that the caller may know."""
    why = " ".join("".join(char if char.isprintable() else " " for char in message).split())[:COMPLAINT_LENGTH_MAX]
    if code.startswith(REFUSALS) or status in (401, 403):
        return RefusedError(
            f"{who} does not let Shipline do this ({code[:80]})",
            why=why,
            todo="check the credentials, and allow what the how-to of this provider lists",
        )
    if code.startswith(TROUBLE) or status >= httpx.codes.INTERNAL_SERVER_ERROR or status in (408, 425, 429):
        return UnavailableError(f"{who} has trouble of its own, or is too busy ({code[:80]})", why=why)
    return AWSComplaint(who, code, why)


def flattened(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Names and texts of a form: `Actions.member.1.Type`. What is None is left out."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from flattened(inner, f"{name}.{key}" if name else key)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for index, inner in enumerate(value, start=1):
            yield from flattened(inner, f"{name}.member.{index}")
    elif value is not None:
        yield name, str(value).lower() if isinstance(value, bool) else str(value)


def plain(element: Element) -> Any:
    """An element as lists (of `member`), tables and texts; an empty one is ""."""
    children = list(element)
    if not children:
        return element.text or ""
    if all(_name(child) == "member" for child in children):
        return [plain(child) for child in children]
    return {_name(child): plain(child) for child in children}


def _name(element: Element) -> str:
    return element.tag.rpartition("}")[2]


def without_secrets(text: str, keys: AWSCredentials) -> str:
    """The text, bounded, with what lets us in struck out."""
    for secret in (keys.secret_access_key, keys.session_token):
        text = text.replace(secret, "***") if secret else text
    return text[:COMPLAINT_LENGTH_MAX]


@functools.cache
def tls() -> ssl.SSLContext:
    """Made once: reading all authorities takes longer than most exchanges."""
    return httpx.create_ssl_context()
