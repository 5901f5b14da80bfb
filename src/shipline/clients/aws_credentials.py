"""Credentials for AWS, found where its own tools look: the environment, the shared file that it names, or metadata.

Nothing asks the network unless the settings say so: `ecs` is the endpoint that a task's agent offers, `ec2` the
metadata service of an instance, version 2. From: docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html,
docs.aws.amazon.com/AmazonECS/latest/developerguide/task-iam-roles.html and
docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html
"""

from __future__ import annotations

import configparser
import os
import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from shipline.clients.aws_signature import AWSCredentials
from shipline.clients.deadlines import deadline
from shipline.domain.errors import ConfigurationError, InvalidValue, RefusedError, UnavailableError
from shipline.domain.strict_json import read_json
from shipline.ports.clock import Clock

SOURCES = ("", "ecs", "ec2")
FILE_BYTES_MAX = 1 << 20
ANSWER_BYTES_MAX = 64 << 10
METADATA_TIMEOUT_S = 5.0
RENEWED_BEFORE_US = 300 * 1_000_000
TASK_ENDPOINT, INSTANCE_ENDPOINT = "http://169.254.170.2", "http://169.254.169.254"
ROLES_PATH = "/latest/meta-data/iam/security-credentials/"
# Where a task may be sent for credentials in plain text; from the guide's "Container credential provider".
PLAIN_HOSTS = frozenset({"127.0.0.1", "localhost", "::1", "169.254.170.2", "169.254.170.23"})
ROLE = re.compile(r"[\w+=,.@-]{1,128}", re.ASCII)


@dataclass(slots=True)
class AWSCredentialSource:
    """Finds the credentials of each request. `metadata` is one of SOURCES; those from there are kept until they are
    about to expire."""

    metadata: str
    clock: Clock
    _kept: AWSCredentials | None = None
    _until_us: int = 0

    def find(self) -> AWSCredentials:
        """From the environment, else the shared file, else the metadata. ConfigurationError where there are none."""
        found = _from_environment() or _from_file() or (self._from_metadata() if self.metadata else None)
        if found is None:
            raise ConfigurationError(
                "there are no credentials for AWS",
                why="AWS_ACCESS_KEY_ID and AWS_SHARED_CREDENTIALS_FILE are not set"
                + ("" if self.metadata else ", and `metadata` names no other place"),
                todo="set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (in CI: from its secret store)",
            )
        if not all(" " < char <= "~" for char in f"{found.access_key_id}{found.session_token}"):
            raise ConfigurationError("the credentials for AWS hold characters that no credential has")
        return found

    def _from_metadata(self) -> AWSCredentials:
        if self._kept is None or self.clock.now_us() >= self._until_us:
            document = _task_document() if self.metadata == "ecs" else _instance_document()
            self._kept, self._until_us = _read_document(document)
        return self._kept


def _from_environment() -> AWSCredentials | None:
    key, secret = os.environ.get("AWS_ACCESS_KEY_ID", ""), os.environ.get("AWS_SECRET_ACCESS_KEY", "")
    if not key:
        return None
    if not secret:
        raise ConfigurationError("AWS_ACCESS_KEY_ID is set, and AWS_SECRET_ACCESS_KEY is not")
    return AWSCredentials(key, secret, os.environ.get("AWS_SESSION_TOKEN", ""))


def _from_file() -> AWSCredentials | None:
    path = os.environ.get("AWS_SHARED_CREDENTIALS_FILE", "")
    if not path:
        return None
    profile = os.environ.get("AWS_PROFILE", "") or "default"
    parser = configparser.RawConfigParser()
    try:
        with Path(path).open("rb") as stream:
            parser.read_string(stream.read(FILE_BYTES_MAX).decode())
        table = parser[profile]
        return AWSCredentials(
            table["aws_access_key_id"], table["aws_secret_access_key"], table.get("aws_session_token", "")
        )
    except (OSError, UnicodeError, configparser.Error, KeyError):
        # What a parser complains of may quote the line, which may be the secret.
        raise ConfigurationError(
            f"the file that AWS_SHARED_CREDENTIALS_FILE names holds no keys of the profile {profile[:60]!r}",
            todo="set AWS_PROFILE, or give the profile aws_access_key_id and aws_secret_access_key",
        ) from None


def _task_document() -> bytes:
    relative, full = (os.environ.get(f"AWS_CONTAINER_CREDENTIALS_{kind}_URI", "") for kind in ("RELATIVE", "FULL"))
    url = f"{TASK_ENDPOINT}{relative}" if relative.startswith("/") else full
    try:
        parts = urlsplit(url)
        is_safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in PLAIN_HOSTS)
    except ValueError:
        is_safe = False
    if not is_safe:
        raise ConfigurationError(
            "metadata = 'ecs' needs what the agent of a task sets",
            why="AWS_CONTAINER_CREDENTIALS_RELATIVE_URI is not set, and AWS_CONTAINER_CREDENTIALS_FULL_URI is no "
            "address that credentials may be asked from",
        )
    token = os.environ.get("AWS_CONTAINER_AUTHORIZATION_TOKEN", "")
    return _ask("GET", url, {"Authorization": token} if token else {})


def _instance_document() -> bytes:
    base = (os.environ.get("AWS_EC2_METADATA_SERVICE_ENDPOINT", "") or INSTANCE_ENDPOINT).rstrip("/")
    asked = {"X-aws-ec2-metadata-token-ttl-seconds": "300"}
    token = _ask("PUT", f"{base}/latest/api/token", asked).decode("ascii", "replace").strip()
    headers = {"X-aws-ec2-metadata-token": token}
    role = _ask("GET", f"{base}{ROLES_PATH}", headers).decode("ascii", "replace").strip()
    if not ROLE.fullmatch(role):
        raise RefusedError("this instance has no role", todo="give the instance a profile with a role")
    return _ask("GET", f"{base}{ROLES_PATH}{role}", headers)


def _ask(method: str, url: str, headers: dict[str, str]) -> bytes:
    """One exchange, past any proxy: the address means this machine."""
    got = bytearray()
    try:
        with (
            deadline(METADATA_TIMEOUT_S) as limit,
            httpx.Client(timeout=METADATA_TIMEOUT_S, trust_env=False) as client,
            client.stream(method, url, headers=headers, extensions=limit) as answer,
        ):
            for chunk in answer.iter_bytes():
                got += chunk
                if len(got) > ANSWER_BYTES_MAX:
                    raise UnavailableError("the metadata of this machine answers with too much")
    except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
        raise UnavailableError("the metadata of this machine do not answer", why=type(error).__name__) from None
    if answer.status_code != httpx.codes.OK:
        raise UnavailableError(f"the metadata of this machine answer HTTP {answer.status_code}")
    return bytes(got)


def _read_document(data: bytes) -> tuple[AWSCredentials, int]:
    """The credentials, and until when they may be kept."""
    try:
        found: Any = read_json(data, what="the metadata", limit_bytes=ANSWER_BYTES_MAX)
        expires = datetime.fromisoformat(found["Expiration"])
        keys = AWSCredentials(str(found["AccessKeyId"]), str(found["SecretAccessKey"]), str(found.get("Token") or ""))
    except (InvalidValue, KeyError, TypeError, ValueError):
        raise UnavailableError("the metadata of this machine hold no credentials") from None
    return keys, int(expires.timestamp() * 1_000_000) - RENEWED_BEFORE_US
