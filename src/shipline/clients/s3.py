"""A bucket of S3, or of what speaks as it does: objects that are put, read, listed and deleted.

From: docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html, and for conditional
writes docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
Addresses have the bucket in their path, which others than AWS understand, too. One exchange a call, signed; nothing is
retried and no redirect is followed. What is put is checked by S3 against the digest that comes with it.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlencode, urlsplit
from xml.etree.ElementTree import Element, ParseError
from xml.sax.saxutils import escape

import httpx
from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from shipline.clients.aws_api import AWSPlace, complaint_of, tls, without_secrets
from shipline.clients.aws_credentials import AWSCredentialSource
from shipline.clients.aws_signature import AWSRequest, Scope, signature_headers
from shipline.clients.deadlines import paced
from shipline.domain.errors import ConfigurationError, ShiplineError, UnavailableError
from shipline.ports.clock import Clock

ANSWER_BYTES_MAX = 8 << 20
ANSWER_TIMEOUT_S = 30.0
KEY_BYTES_MAX = 1024
PAGES_MAX = 1000
DELETED_AT_ONCE = 1000
CHUNK_BYTES = 1 << 18
METADATA = "x-amz-meta-"
# Names as in docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html ("General purpose buckets").
BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")


class ObjectChanged(UnavailableError):
    """An object is not any more what was read of it: somebody else was faster."""


@dataclass(frozen=True, slots=True)
class Stored:
    """An object as it was read. `etag` tells its states apart; `metadata` are its own, by name in lower case."""

    content: bytes
    etag: str
    metadata: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Listed:
    """An object in a list. `modified` is when it was put, in RFC 3339, UTC."""

    key: str
    size: int
    modified: str


@dataclass(frozen=True, slots=True)
class Content:
    """What is put: bytes, or a file. `cache_control` is "" where nothing is said of that."""

    body: bytes | Path
    content_type: str
    cache_control: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)

    def sha256(self) -> bytes:
        """Its digest."""
        if isinstance(self.body, bytes):
            return hashlib.sha256(self.body).digest()
        with self.body.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").digest()

    def size(self) -> int:
        """Its bytes."""
        return len(self.body) if isinstance(self.body, bytes) else self.body.stat().st_size

    def chunks(self) -> Iterator[bytes]:
        """It, piece by piece."""
        if isinstance(self.body, bytes):
            yield self.body
            return
        with self.body.open("rb") as stream:
            while chunk := stream.read(CHUNK_BYTES):
                yield chunk


NONE = Content(b"", "")


@dataclass(frozen=True, slots=True)
class _Call:
    """One request. Without a key it is about the bucket."""

    method: str
    key: str = ""
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    content: Content = NONE


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    headers: Mapping[str, str]
    content: bytes


class Bucket:
    """The calls. Keys are as users see them; UnavailableError for trouble that may pass, RefusedError where the
    credentials do not allow it, ConfigurationError where there is no such bucket."""

    def __init__(self, place: AWSPlace, name: str, clock: Clock) -> None:
        self.name = name
        self.who = f"the bucket {name} in {place.region}"
        self._scope = Scope(place.region, "s3")
        self._url = f"{place.url('s3')}{name}"
        self._clock = clock
        self._credentials = AWSCredentialSource(place.metadata, clock)

    def get(self, key: str) -> Stored | None:
        """An object; None where there is none. ShiplineError for one that is larger than ANSWER_BYTES_MAX."""
        answer = self._found(_Call("GET", key))
        if answer is None:
            return None
        own = {name.removeprefix(METADATA): text for name, text in answer.headers.items() if name.startswith(METADATA)}
        return Stored(answer.content, answer.headers.get("etag", ""), own)

    def has(self, key: str) -> bool:
        """Whether there is such an object."""
        return self._found(_Call("HEAD", key)) is not None

    def put(self, key: str, content: Content, *, replaces: str | None = "") -> str:
        """Put an object in one piece and return its etag: whoever reads finds the old one or this.

        `replaces` is the etag of the one that is replaced, None where there must be none, "" for whatever is there.
        ObjectChanged where that is not so.
        """
        headers = {"Content-Type": content.content_type}
        headers |= {f"{METADATA}{name}": text for name, text in content.metadata.items()}
        headers |= {"Cache-Control": content.cache_control} if content.cache_control else {}
        if replaces != "":
            headers |= {"If-None-Match": "*"} if replaces is None else {"If-Match": replaces}
        answer = self._answered(_Call("PUT", key, headers=headers, content=content))
        return answer.headers.get("etag", "")

    def list(self, prefix: str, *, at_most: int | None = None) -> Iterator[Listed]:
        """The objects whose keys begin so, by key; `at_most` the first of them."""
        token, left = "", at_most
        for _ in range(PAGES_MAX):
            form = {"encoding-type": "url", "list-type": "2", "prefix": prefix}
            form |= {"continuation-token": token} if token else {}
            form |= {"max-keys": str(min(left, DELETED_AT_ONCE))} if left is not None else {}
            root = self._document(self._answered(_Call("GET", query=form)))
            found = [_listed(each) for each in _children(root, "Contents")]
            yield from found
            left = None if left is None else left - len(found)
            token = _text(root, "NextContinuationToken")
            if not token or left == 0:
                return
        raise ShiplineError(f"{self.who} has more than {PAGES_MAX * DELETED_AT_ONCE} objects under {prefix[:80]}")

    def delete(self, keys: Sequence[str]) -> None:
        """Delete objects; nothing where there are none. ShiplineError for one that could not be."""
        for at in range(0, len(keys), DELETED_AT_ONCE):
            named = "".join(f"<Object><Key>{escape(key)}</Key></Object>" for key in keys[at : at + DELETED_AT_ONCE])
            body = f'<Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Quiet>true</Quiet>{named}</Delete>'
            content = Content(body.encode(), "application/xml")
            answer = self._answered(_Call("POST", query={"delete": ""}, content=content))
            for error in _children(self._document(answer), "Error"):
                raise complaint_of(self.who, 200, _text(error, "Code"), _text(error, "Message"))

    def _found(self, call: _Call) -> _Answer | None:
        """The answer; None where there is no such object."""
        answer = self._exchange(call)
        if answer.status == httpx.codes.NOT_FOUND and self._said(answer)[0] in ("NoSuchKey", "HTTP 404"):
            return None
        return self._checked(call, answer)

    def _answered(self, call: _Call) -> _Answer:
        return self._checked(call, self._exchange(call))

    def _checked(self, call: _Call, answer: _Answer) -> _Answer:
        if answer.status < httpx.codes.MULTIPLE_CHOICES:
            return answer
        code, message = self._said(answer)
        is_gone = code == "NoSuchKey" and "If-Match" in call.headers
        if is_gone or code in ("PreconditionFailed", "ConditionalRequestConflict"):
            raise ObjectChanged(
                f"{call.key[:200]} in {self.who} has just been changed by somebody else", todo="it is tried again"
            )
        if code in ("NoSuchBucket", "PermanentRedirect", "AuthorizationHeaderMalformed"):
            raise ConfigurationError(
                f"{self.who} is not there ({code})", why=message[:400], todo="create it, and check bucket and region"
            )
        raise complaint_of(self.who, answer.status, code, message)

    def _exchange(self, call: _Call) -> _Answer:
        method, content = call.method, call.content
        key = checked_key(call.key)
        digest = content.sha256()
        asked = urlencode(sorted(call.query.items()), quote_via=quote)
        path = f"{urlsplit(self._url).path}{'/' if key else ''}{quote(key, safe='/-._~')}"
        sent = {**call.headers, "Host": urlsplit(self._url).netloc, "x-amz-content-sha256": digest.hex()}
        if method in ("PUT", "POST"):
            sent["x-amz-checksum-sha256"] = base64.b64encode(digest).decode()
        keys = self._credentials.find()
        request = AWSRequest(method, path, sent, b"", query=asked, body_sha256=digest.hex())
        signed = signature_headers(request, keys, self._scope, now_us=self._clock.now_us())
        others = {"User-Agent": "shipline", "Accept-Encoding": "identity", "Content-Length": str(content.size())}
        url = f"{urlsplit(self._url)._replace(path=path, query=asked).geturl()}"
        got = bytearray()
        try:
            with (
                paced(ANSWER_TIMEOUT_S) as pace,
                httpx.Client(timeout=ANSWER_TIMEOUT_S, verify=tls()) as client,
                client.stream(
                    method,
                    url,
                    content=pace.counted(content.chunks()),
                    headers={**others, **sent, **signed},
                    extensions=pace.extensions,
                ) as answer,
            ):
                for chunk in answer.iter_raw():
                    pace.moved(len(chunk))
                    got += chunk
                    if len(got) > ANSWER_BYTES_MAX:
                        raise ShiplineError(f"{self.who} answered with more than {ANSWER_BYTES_MAX >> 20} MiB")
                return _Answer(answer.status_code, {**answer.headers}, bytes(got))
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
            raise UnavailableError(
                f"{self.who} cannot be reached, or did not answer in time",
                why=without_secrets(str(error) or type(error).__name__, keys),
                todo="when it is back, run this again: only what is missing will be done",
            ) from None

    def _said(self, answer: _Answer) -> tuple[str, str]:
        """Code and message of an error; a HEAD has neither."""
        if not answer.content:
            return f"HTTP {answer.status}", ""
        root = self._document(answer)
        return _text(root, "Code") or f"HTTP {answer.status}", _text(root, "Message")

    def _document(self, answer: _Answer) -> Element:
        try:
            root: Element = fromstring(answer.content, forbid_dtd=True)
        except (ParseError, DefusedXmlException, ValueError, RecursionError):
            raise complaint_of(
                self.who, answer.status, f"HTTP {answer.status}", "it answered with something that S3 does not say"
            ) from None
        return root


def checked_key(key: str) -> str:
    """The key, if S3 can have it; ShiplineError else."""
    if len(key.encode()) > KEY_BYTES_MAX:
        raise ShiplineError(f"{key[:80]!r}... is too long for a key: {KEY_BYTES_MAX} bytes are taken")
    return key


def checked_bucket(name: str) -> None:
    """ConfigurationError for what cannot be a bucket's name."""
    if not BUCKET.fullmatch(name) or ".." in name:
        raise ConfigurationError(f"bucket: {name[:80]!r} is no bucket's name")


def _children(element: Element, name: str) -> list[Element]:
    return [each for each in element if each.tag.rpartition("}")[2] == name]


def _text(element: Element, name: str) -> str:
    found = _children(element, name)
    return (found[0].text or "") if found else ""


def _listed(element: Element) -> Listed:
    size: Any = _text(element, "Size")
    if not (size.isascii() and size.isdecimal() and len(size) < 20):
        raise ShiplineError(
            "a list of objects says no sizes", todo="check endpoint_url: something else may answer there"
        )
    # Spaces come as a plus from some, and as %20 from others; a plus itself is always encoded.
    return Listed(unquote(_text(element, "Key").replace("+", " ")), int(size), _text(element, "LastModified"))
