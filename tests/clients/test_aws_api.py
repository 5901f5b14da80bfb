"""Calls to AWS: what goes out, what errors become, and where credentials come from."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from shipline.clients.aws_api import AWSComplaint, AWSPlace, AWSService, flattened
from shipline.clients.aws_credentials import AWSCredentialSource
from shipline.domain.errors import ConfigurationError, RefusedError, ShiplineError, UnavailableError
from shipline.testing.fakes.clock import FakeClock

VARIABLES = ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN", "SHARED_CREDENTIALS_FILE", "PROFILE")
DOCUMENT = {"AccessKeyId": "AKIDROLE", "SecretAccessKey": "role-secret", "Token": "role-token"}


class Peer:
    """A server that answers what it is told to; `seen` are method, path, headers and content of what came."""

    def __init__(self) -> None:
        self.answers: dict[str, tuple[int, bytes]] = {}
        self.seen: list[tuple[str, str, dict[str, str], bytes]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def _serve(self) -> None:
                content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                outer.seen.append((self.command, self.path, dict(self.headers), content))
                status, body = outer.answers.get(self.path, (404, b""))
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = do_PUT = _serve  # noqa: N815 - the names of http.server

            def log_message(self, *_: object) -> None:
                """Quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"


@pytest.fixture
def peer() -> Iterator[Peer]:
    """One on loopback."""
    peer = Peer()
    thread = threading.Thread(target=peer.server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield peer
    peer.server.shutdown()
    peer.server.server_close()
    thread.join()


@pytest.fixture(autouse=True)
def _no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(f"AWS_{name}", raising=False)
    for name in ("RELATIVE_URI", "FULL_URI"):
        monkeypatch.delenv(f"AWS_CONTAINER_CREDENTIALS_{name}", raising=False)


@pytest.fixture
def service(peer: Peer, monkeypatch: pytest.MonkeyPatch) -> AWSService:
    """Something to be asked, with keys in the environment."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "made-up-secret")
    return AWSService("ecs", "ECS", AWSPlace("eu-central-1", peer.url), FakeClock())


def test_a_form_is_flattened_as_the_protocol_says() -> None:
    given: dict[str, Any] = {"A": [{"B": "x", "C": [1, 2]}], "D": None, "E": True}
    assert dict(flattened(given)) == {
        "A.member.1.B": "x",
        "A.member.1.C.member.1": "1",
        "A.member.1.C.member.2": "2",
        "E": "true",
    }


def test_a_call_is_signed_for_the_service(peer: Peer, service: AWSService) -> None:
    peer.answers["/"] = (200, b'{"a": 1}')
    assert service.json("X.Do", {}) == {"a": 1}
    ((_, _, headers, _),) = peer.seen
    assert "/eu-central-1/ecs/aws4_request" in headers["Authorization"]
    assert headers["X-Amz-Target"] == "X.Do"


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, "com.amazonaws#AccessDeniedException", RefusedError),
        (400, "ThrottlingException", UnavailableError),
        (400, "ServerException", UnavailableError),
        (403, "Whatever", RefusedError),
        (400, "ClusterNotFoundException", AWSComplaint),
        (503, "", UnavailableError),
    ],
)
def test_errors_are_told_apart_by_their_codes(
    peer: Peer, service: AWSService, status: int, code: str, kind: type[ShiplineError]
) -> None:
    peer.answers["/"] = (status, json.dumps({"__type": code, "message": "so\nit is"}).encode())
    with pytest.raises(kind) as caught:
        service.json("X.Do", {})
    assert caught.value.why == "so it is"
    body = f"<R><Error><Code>{code.rpartition('#')[2]}</Code><Message>so it is</Message></Error></R>"
    peer.answers["/"] = (status, body.encode())
    with pytest.raises(kind):
        service.query("Do", "1", {})


BOMB = b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'


@pytest.mark.parametrize(("status", "content"), [(200, b"<html>"), (200, b"[]"), (302, b"x"), (200, BOMB)])
def test_what_is_no_answer_is_an_error_in_words(peer: Peer, service: AWSService, status: int, content: bytes) -> None:
    peer.answers["/"] = (status, content)
    with pytest.raises(ShiplineError, match="answered with something"):
        service.json("X.Do", {})
    with pytest.raises(ShiplineError, match="answered with something"):
        service.query("Do", "1", {})


@pytest.mark.parametrize("url", ["http://aws.example", "https://a/b", "https://user@a", "ftp://a", "https://", "x"])
def test_credentials_go_nowhere_in_plain_text(url: str) -> None:
    with pytest.raises(ConfigurationError):
        AWSPlace("eu-central-1", url)


def test_addresses_are_those_of_the_region() -> None:
    assert AWSPlace("eu-central-1").url("ecs") == "https://ecs.eu-central-1.amazonaws.com/"
    assert AWSPlace("cn-north-1").url("ecs") == "https://ecs.cn-north-1.amazonaws.com.cn/"


def test_credentials_come_from_the_file_that_the_environment_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And an error does not show what is in it."""
    path = tmp_path / "credentials"
    path.write_text("[ci]\naws_access_key_id = AKIDFILE\naws_secret_access_key = file-secret\n")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(path))
    source = AWSCredentialSource("", FakeClock())
    with pytest.raises(ConfigurationError, match="'default'"):
        source.find()
    monkeypatch.setenv("AWS_PROFILE", "ci")
    assert (source.find().access_key_id, source.find().secret_access_key) == ("AKIDFILE", "file-secret")
    path.write_text("file-secret")
    with pytest.raises(ConfigurationError) as caught:
        source.find()
    assert "file-secret" not in caught.value.diagnosis()


def test_nothing_is_asked_that_the_settings_do_not_name(peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", peer.url)
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{peer.url}/task")
    with pytest.raises(ConfigurationError, match="no credentials"):
        AWSCredentialSource("", FakeClock()).find()
    assert peer.seen == []


def test_a_task_s_role_is_kept_until_it_is_about_to_expire(peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = FakeClock(0)
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{peer.url}/task")
    monkeypatch.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "task-token")
    peer.answers["/task"] = (200, json.dumps(DOCUMENT | {"Expiration": "1970-01-01T01:00:00Z"}).encode())
    source = AWSCredentialSource("ecs", clock)
    assert (source.find().access_key_id, source.find().session_token) == ("AKIDROLE", "role-token")
    assert len(peer.seen) == 1
    assert peer.seen[0][2]["Authorization"] == "task-token"
    clock.sleep(3301)
    source.find()
    assert len(peer.seen) == 2
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://elsewhere.example/task")
    with pytest.raises(ConfigurationError, match="what the agent of a task sets"):
        AWSCredentialSource("ecs", clock).find()


def test_an_instance_s_role_is_asked_for_with_a_token(peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The metadata service in its version 2."""
    monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", peer.url)
    roles = "/latest/meta-data/iam/security-credentials/"
    peer.answers["/latest/api/token"] = (200, b"instance-token")
    peer.answers[roles] = (200, b"shipline")
    peer.answers[f"{roles}shipline"] = (200, json.dumps(DOCUMENT | {"Expiration": "2099-01-01T00:00:00Z"}).encode())
    source = AWSCredentialSource("ec2", FakeClock())
    assert source.find().access_key_id == "AKIDROLE"
    assert [row[0] for row in peer.seen] == ["PUT", "GET", "GET"]
    peer.answers[roles] = (200, b"../x")
    with pytest.raises(RefusedError, match="no role"):
        AWSCredentialSource("ec2", FakeClock()).find()
    peer.answers["/latest/api/token"] = (403, b"")
    with pytest.raises(UnavailableError):
        AWSCredentialSource("ec2", FakeClock()).find()
