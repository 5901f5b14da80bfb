"""Signatures of requests to AWS, version 4.

From: docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html and, for S3, which takes a path
as it is sent, docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

ALGORITHM = "AWS4-HMAC-SHA256"


@dataclass(frozen=True, slots=True)
class AWSCredentials:
    """An access key; `session_token` is "" for keys that live long."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class AWSRequest:
    """What is signed. `headers` are all those to be signed, `Host` among them; `path` begins with a slash, and is
    encoded as it is sent, as is `query`, whose names are in order. `body_sha256` is the body's digest in hex where the
    body itself is not at hand, "" where it is."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    query: str = ""
    body_sha256: str = ""


@dataclass(frozen=True, slots=True)
class Scope:
    """What a signature is good for: `region` and `service`, as in `eu-central-1` and `monitoring`."""

    region: str
    service: str


def signature_headers(request: AWSRequest, credentials: AWSCredentials, scope: Scope, *, now_us: int) -> dict[str, str]:
    """The headers to be sent with those of the request. The signature is good for some minutes around `now_us`."""
    moment = datetime.fromtimestamp(now_us // 1_000_000, UTC).strftime("%Y%m%dT%H%M%SZ")
    added = {"X-Amz-Date": moment}
    if credentials.session_token:
        added["X-Amz-Security-Token"] = credentials.session_token
    headers = _canonical({**request.headers, **added})
    signed = ";".join(headers)
    lines = [
        request.method,
        request.path,
        request.query,
        *(f"{name}:{value}" for name, value in headers.items()),
        "",
        signed,
        request.body_sha256 or hashlib.sha256(request.body).hexdigest(),
    ]
    place = f"{moment[:8]}/{scope.region}/{scope.service}/aws4_request"
    digest = hashlib.sha256("\n".join(lines).encode()).hexdigest()
    signature = hmac.new(
        _key(credentials, scope, moment[:8]), f"{ALGORITHM}\n{moment}\n{place}\n{digest}".encode(), "sha256"
    ).hexdigest()
    credential = f"{credentials.access_key_id}/{place}"
    authorization = f"{ALGORITHM} Credential={credential}, SignedHeaders={signed}, Signature={signature}"
    return {**added, "Authorization": authorization}


def _canonical(headers: Mapping[str, str]) -> dict[str, str]:
    """By name in lower case, sorted; runs of spaces in a value count as one."""
    return {name.lower(): " ".join(value.split()) for name, value in sorted(headers.items(), key=_by_name)}


def _by_name(header: tuple[str, str]) -> str:
    return header[0].lower()


def _key(credentials: AWSCredentials, scope: Scope, day: str) -> bytes:
    key = f"AWS4{credentials.secret_access_key}".encode()
    for part in (day, scope.region, scope.service, "aws4_request"):
        key = hmac.new(key, part.encode(), "sha256").digest()
    return key
