"""The client of the Kubernetes API: errors in words, bounds, and what it sends."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from shipline.clients.kubeconfig import Access, read_access
from shipline.clients.kubernetes import CONFIG_MAPS, HTTP_ROUTES, PODS, KubernetesClient
from shipline.domain.errors import ConflictError, InvalidValue, RefusedError, ShiplineError, UnavailableError
from shipline.testing.fakes.clock import FakeClock
from shipline.testing.fakes.kubernetes import KubernetesServer, KubernetesWorld

ONE = CONFIG_MAPS.path("default", "one")
TOKEN = "the-token"
STATUS = {"kind": "Status", "message": "said", "details": {"causes": [{"message": "because\n\x1bof this"}]}}


@pytest.fixture
def server() -> Iterator[KubernetesServer]:
    with KubernetesServer(KubernetesWorld(FakeClock())) as running:
        yield running


@pytest.fixture
def client(server: KubernetesServer, tmp_path: Path) -> KubernetesClient:
    return KubernetesClient(read_access(server.write_kubeconfig(tmp_path / "config"), ""), timeout_s=10.0)


def body(**data: str) -> dict[str, Any]:
    """A ConfigMap."""
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "one"}, "data": data}


def test_an_object_s_life(client: KubernetesClient) -> None:
    """Applied, found, listed, changed, removed, gone."""
    assert client.find(ONE) is None
    made = client.apply(ONE, body(x="1"))
    assert client.find(ONE) == made
    assert client.list(CONFIG_MAPS.path("default")) == (made,)
    changed = client.change(ONE, made, ({"op": "add", "path": "/data/y", "value": "2"},))
    assert changed["data"] == {"x": "1", "y": "2"}
    client.remove(ONE, changed)
    client.remove(ONE, changed)
    assert client.list(CONFIG_MAPS.path("default")) == ()


def test_what_was_read_before_is_not_changed_and_not_removed(client: KubernetesClient) -> None:
    """Nor is what is there under the same name since."""
    made = client.apply(ONE, body(x="1"))
    now = client.change(ONE, made, ({"op": "add", "path": "/data/y", "value": "2"},))
    with pytest.raises(ConflictError, match="configmaps/one was changed by somebody else"):
        client.change(ONE, made, ({"op": "remove", "path": "/data/y"},))
    with pytest.raises(ConflictError):
        client.remove(ONE, made)
    client.remove(ONE, now)
    client.apply(ONE, body(x="1", y="2"))
    with pytest.raises(ConflictError):
        client.change(ONE, now, ({"op": "remove", "path": "/data/y"},))


def test_an_operation_that_is_wrong_is_no_conflict(client: KubernetesClient) -> None:
    """Saying it again would not help."""
    made = client.apply(ONE, body(x="1"))
    with pytest.raises(ShiplineError, match="HTTP 422") as caught:
        client.change(ONE, made, ({"op": "remove", "path": "/data/nothing"},))
    assert not caught.value.retryable


def test_long_lists_are_read_page_by_page(client: KubernetesClient, server: KubernetesServer) -> None:
    """To their end."""
    for number in range(600):
        body_of = {"apiVersion": "v1", "kind": "Pod", "metadata": {}, "spec": {}}
        server.world.objects.put(("pods", "default", f"p{number}"), body_of, now=server.world.now())
    assert len(client.list(PODS.path("default"))) == 600
    assert len(server.requests) == 3


@pytest.mark.parametrize("names", [("../x",), ("a", "b/c"), ("",), ("a", "B"), ("a", "x" * 300)])
def test_no_name_leads_elsewhere(names: tuple[str, ...]) -> None:
    """Paths are made of names alone."""
    with pytest.raises(InvalidValue):
        HTTP_ROUTES.path(*names)


@contextmanager
def answering(status: int, content: bytes, *, silent: bool = False) -> Iterator[tuple[KubernetesClient, list[Any]]]:
    """A client of a server that always says the same, and what came."""
    came: list[Any] = []
    released = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            """Answer."""
            came.append((self.path, dict(self.headers)))
            if silent:
                self.wfile.write(b"HTTP/1.1 200 OK\r\n")
                released.wait()
                return
            self.send_response(status)
            self.send_header("Location", "http://127.0.0.1:9/elsewhere")
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    access = Access(f"http://127.0.0.1:{server.server_address[1]}", "default", token=TOKEN)
    try:
        yield KubernetesClient(access, timeout_s=0.3 if silent else 10.0), came
    finally:
        released.set()
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.mark.parametrize(
    ("status", "kind", "words"),
    [
        (401, RefusedError, "does not know who asks"),
        (403, RefusedError, "does not allow"),
        (409, ConflictError, "somebody else"),
        (412, ConflictError, "somebody else"),
        (422, ShiplineError, "does not take this"),
        (400, ShiplineError, "does not take this"),
        (429, UnavailableError, "trouble of its own"),
        (503, UnavailableError, "trouble of its own"),
        (302, ShiplineError, "not followed"),
    ],
)
def test_every_status_has_its_words(status: int, kind: type[ShiplineError], words: str) -> None:
    """With what the server said, on one line and printable."""
    with answering(status, json.dumps(STATUS).encode()) as (client, _), pytest.raises(kind, match=words) as caught:
        client.find(ONE)
    assert caught.value.why in ("said; because of this", "")
    assert TOKEN not in caught.value.diagnosis()


@pytest.mark.parametrize(
    "content", [b"<html>", b"[]", b"{}", b'{"metadata": {"name": "x"}}', b'{"a": NaN}', b"[" * 5000]
)
def test_an_answer_that_is_no_object_is_an_error(content: bytes) -> None:
    """Never an empty object."""
    with answering(200, content) as (client, _), pytest.raises(ShiplineError):
        client.find(ONE)


def test_an_answer_without_end_is_cut_off() -> None:
    """By size and by time."""
    with answering(200, b" " * (17 << 20)) as (client, _), pytest.raises(ShiplineError, match="more than 16 MiB"):
        client.find(ONE)
    with answering(200, b"", silent=True) as (client, _), pytest.raises(UnavailableError):
        client.find(ONE)


def test_a_server_that_is_not_there_is_unavailable() -> None:
    """Named without its path and the token."""
    client = KubernetesClient(Access("http://127.0.0.1:9", "default", token=TOKEN), timeout_s=5.0)
    with pytest.raises(UnavailableError, match=r"127\.0\.0\.1"):
        client.find(ONE)
