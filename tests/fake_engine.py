"""A working model of a container engine: the slice of the Docker Engine API that the target speaks, on a unix socket.

Containers are small HTTP servers on the ports that they are published on. Real engines pass the same tests; this one
is for machines without any, and for what a real one does not do on purpose.
"""

from __future__ import annotations

import json
import re
import socketserver
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit


@dataclass
class Image:
    """What an image's containers do: say something, then serve (`status` to GET), or end with `exit_code`."""

    says: str = "serving"
    status: int = 200
    exit_code: int | None = None


@dataclass
class FakeContainer:
    """A container; `server` is there while it runs."""

    id: str
    name: str
    body: dict[str, Any]
    image: Image
    server: ThreadingHTTPServer | None = None
    exit_code: int = 0
    output: str = ""
    stops: list[str] = field(default_factory=list)
    health: str = ""


@dataclass
class EngineWorld:
    """`images` are there by reference, `registry` are to be pulled. `logins` notes who pulled. `trouble` answers every
    request with a status."""

    images: dict[str, Image] = field(default_factory=dict)
    registry: dict[str, Image] = field(default_factory=dict)
    containers: dict[str, FakeContainer] = field(default_factory=dict)
    logins: list[str | None] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    trouble: int = 0
    api_version: str = "1.41"
    made: int = 0

    def kill(self, name: str) -> None:
        """The container dies by itself."""
        self.end(self.containers[name], 137)

    def end(self, container: FakeContainer, code: int) -> None:
        if container.server is not None:
            container.server.shutdown()
            container.server.server_close()
            container.server, container.exit_code = None, code

    def find(self, name: str) -> FakeContainer | None:
        known = (one for one in self.containers.values() if name in (one.name, one.id))
        return next(known, None)


class _UnixServer(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """Waits for the ends of its connections when it is closed."""


def _handler(world: EngineWorld) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._answer("GET")

        def do_POST(self) -> None:
            self._answer("POST")

        def do_DELETE(self) -> None:
            self._answer("DELETE")

        def _answer(self, method: str) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            parts = urlsplit(self.path)
            world.paths.append(f"{method} {parts.path}")
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            path = re.sub(r"^/v\d+\.\d+", "", unquote(parts.path))
            if path == "/images/create":
                world.logins.append(self.headers.get("X-Registry-Auth"))
            code, answer = _answer(world, method, path, query, body)
            self.send_response(code)
            self.send_header("Api-Version", world.api_version)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def address_string(self) -> str:
            return "unix"

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as in the base class
            pass

    return Handler


def _message(text: str) -> bytes:
    return json.dumps({"message": text}).encode()


def _pull(world: EngineWorld, reference: str) -> tuple[int, bytes]:
    """Progress as JSON lines; trouble stands in one of them, and the status is 200 all the same."""
    lines: list[dict[str, str]] = [{"status": "Pulling"}]
    if reference in world.registry:
        world.images[reference] = world.registry[reference]
        lines.append({"status": "Done"})
    else:
        lines.append({"error": f"manifest unknown: {reference}"})
    return 200, b"".join(json.dumps(line).encode() + b"\r\n" for line in lines)


def _answer(world: EngineWorld, method: str, path: str, query: dict[str, str], body: bytes) -> tuple[int, bytes]:
    if path == "/_ping":
        return 200, b"OK"
    if world.trouble:
        return world.trouble, _message("the engine is not well")
    if path == "/images/create":
        return _pull(world, f"{query['fromImage']}@{query['tag']}")
    if path == "/containers/create":
        return _create(world, query["name"], json.loads(body))
    image = re.fullmatch(r"/images/(.+)/json", path)
    if image is not None:
        there = image[1] in world.images
        return (200, b'{"Id": "sha256:x"}') if there else (404, _message(f"no such image: {image[1]}"))
    return _act(world, method, path, query)


def _act(world: EngineWorld, method: str, path: str, query: dict[str, str]) -> tuple[int, bytes]:
    """What is done with one container."""
    found = re.fullmatch(r"/containers/([^/]+)(?:/(json|start|stop|logs))?", path)
    container = None if found is None else world.find(found[1])
    if found is None or container is None:
        return 404, _message("no such container")
    match found[2]:
        case "json":
            code, answer = 200, json.dumps(_told(container)).encode()
        case "logs":
            text = container.output.encode()
            code, answer = 200, struct.pack(">BxxxL", 1, len(text)) + text
        case "start":
            code, answer = _start(world, container)
        case "stop":
            container.stops.append(query["t"])
            code, answer = (304, b"") if container.server is None else (204, b"")
            world.end(container, 0)
        case _:
            assert method == "DELETE"
            world.end(container, 0)
            del world.containers[container.name]
            code, answer = 204, b""
    return code, answer


def _create(world: EngineWorld, name: str, body: dict[str, Any]) -> tuple[int, bytes]:
    if name in world.containers:
        return 409, _message(f"the name {name} is in use")
    image = world.images.get(body["Image"])
    if image is None:
        return 404, _message("no such image")
    world.made += 1
    world.containers[name] = FakeContainer(f"{world.made:064x}", name, body, image)
    return 201, json.dumps({"Id": world.containers[name].id, "Warnings": []}).encode()


def _start(world: EngineWorld, container: FakeContainer) -> tuple[int, bytes]:
    if container.server is not None:
        return 304, b""
    container.output += container.image.says + "\n"
    if container.image.exit_code is not None:
        container.exit_code = container.image.exit_code
        return 204, b""
    bindings = container.body["HostConfig"]["PortBindings"]
    port = int(next(iter(bindings.values()))[0]["HostPort"])
    status = container.image.status

    class Service(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as in the base class
            pass

    try:
        container.server = ThreadingHTTPServer(("127.0.0.1", port), Service)
    except OSError as error:
        return 500, _message(f"the port {port} is not free: {error}")
    container.server.daemon_threads = False
    threading.Thread(target=container.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    assert world.find(container.id) is container
    return 204, b""


def _told(container: FakeContainer) -> dict[str, Any]:
    running = container.server is not None
    health = {"Health": {"Status": container.health}} if container.health else {}
    return {
        "Id": container.id,
        "Name": f"/{container.name}",
        "State": {"Status": "running" if running else "exited", "Running": running, "ExitCode": container.exit_code}
        | health,
        "Config": {"Labels": container.body["Labels"], "Image": container.body["Image"]},
    }


@contextmanager
def fake_engine(socket: Path) -> Iterator[EngineWorld]:
    """An engine that answers on the socket; all of its containers end with the block."""
    world = EngineWorld()
    server = _UnixServer(str(socket), _handler(world))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield world
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        for container in world.containers.values():
            world.end(container, 0)
