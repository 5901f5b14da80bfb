"""The slice of the Docker Engine API that running containers takes, which Podman serves as well.

Source: Docker Engine API v1.40 to v1.44, docs.docker.com/reference/api/engine. Over a unix socket, or http on loopback:
whoever reaches an engine is root there, so another machine's is reached through a tunnel that knows who asks.
"""

from __future__ import annotations

import base64
import json
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

import httpx

from shipline.clients.deadlines import deadline
from shipline.domain.codec import from_json
from shipline.domain.errors import ConfigurationError, ConflictError, InvalidValue, ShiplineError, UnavailableError
from shipline.domain.strict_json import read_json

API_MAX = (1, 44)  # The newest that this was written for; engines of 2026 have dropped those before it.
ANSWER_TIMEOUT_S = 30.0
PULL_TIMEOUT_S = 1800.0
ANSWER_BYTES_MAX = 4 << 20
LOG_LINES, LOG_BYTES_MAX = 50, 64 << 10
SAID_CHARACTERS_MAX = 500
# No TLS is spoken here: trusts nobody, since reading the machine's authorities takes longer than most answers.
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


@dataclass(frozen=True, slots=True)
class Container:
    """A container as it stands. `exit_code` is that of one that has ended. `is_ill` is True where a health check of its
    own has failed too often."""

    id: str
    labels: dict[str, str]
    is_running: bool
    exit_code: int
    is_ill: bool


@dataclass(frozen=True, slots=True)
class Login:
    """Who pulls an image."""

    username: str
    password: str

    def header(self) -> dict[str, str]:
        """As the engine hands it on to the registry (X-Registry-Auth)."""
        said = json.dumps({"username": self.username, "password": self.password}).encode()
        return {"X-Registry-Auth": base64.urlsafe_b64encode(said).decode()}


def checked_engine_address(address: str) -> str:
    """`address` if it is `unix:///…` or http on loopback; ConfigurationError otherwise."""
    parts = urlsplit(address)
    if parts.scheme == "unix" and parts.path.startswith("/") and not parts.netloc:
        return address
    if parts.scheme == "http" and parts.hostname in ("127.0.0.1", "localhost", "::1") and "@" not in parts.netloc:
        return address
    raise ConfigurationError(
        f"engine: {address[:80]!r} is neither unix:///… nor http on this machine's loopback",
        why="whoever reaches an engine over the network is root on its machine",
        todo="reach another machine's engine through a tunnel: ssh -L 2375:/var/run/docker.sock HOST",
    )


class ContainerEngine:
    """One engine. UnavailableError where it does not answer, ShiplineError with its words where it says no."""

    def __init__(self, address: str, client: httpx.Client) -> None:
        self._address = address
        self._client = client
        self._prefix = ""

    def has_image(self, reference: str) -> bool:
        """True if the engine has the image `repository@digest`."""
        return self._json("GET", f"/images/{quote(reference, safe='/:@')}/json") is not None

    def pull(self, repository: str, digest: str, login: Login | None) -> None:
        """Have the engine fetch an image by its digest; it checks the bytes itself."""
        headers = {} if login is None else login.header()
        query = {"fromImage": repository, "tag": digest}
        data = self._bytes("POST", "/images/create", params=query, headers=headers, timeout_s=PULL_TIMEOUT_S)
        for line in data.splitlines():
            said = _object(line, "the engine's word about a pull") if line.strip() else {}
            if "error" in said:
                raise ShiplineError(
                    f"the image {repository}@{digest} cannot be had", why=str(said["error"])[:SAID_CHARACTERS_MAX]
                )

    def find(self, name: str) -> Container | None:
        """The container of this name, None where there is none."""
        found = self._json("GET", f"/containers/{name}/json")
        if found is None:
            return None
        try:
            return _container(found)
        except InvalidValue as error:
            raise ShiplineError(f"the container engine told of {name} what is not understood", why=error.what) from None

    def create(self, name: str, body: dict[str, Any]) -> None:
        """Make a container. ConflictError where the name is taken."""
        self._bytes("POST", "/containers/create", params={"name": name}, body=body)

    def start(self, name: str) -> None:
        """Idempotent."""
        self._bytes("POST", f"/containers/{name}/start", expected=(304,))

    def stop(self, name: str, *, timeout_s: int) -> None:
        """SIGTERM, then SIGKILL after `timeout_s`; nothing where it does not run, or is not there."""
        query = {"t": str(timeout_s)}
        self._bytes(
            "POST",
            f"/containers/{name}/stop",
            params=query,
            expected=(304, 404),
            timeout_s=timeout_s + ANSWER_TIMEOUT_S,
        )

    def remove(self, name: str) -> None:
        """With its own anonymous volumes; nothing where it is not there."""
        self._bytes("DELETE", f"/containers/{name}", params={"force": "true", "v": "true"}, expected=(404,))

    def output_end(self, name: str) -> str:
        """The last lines of what it wrote to both streams; "" where it is not there."""
        query = {"stdout": "true", "stderr": "true", "tail": str(LOG_LINES)}
        data = self._bytes("GET", f"/containers/{name}/logs", params=query, expected=(404, 409))
        return _demultiplexed(data)[-LOG_BYTES_MAX:].decode(errors="replace").strip()

    def _json(self, method: str, path: str) -> dict[str, Any] | None:
        """What is there; None where nothing is."""
        data = self._bytes(method, path, expected=(404,))
        return _object(data, "the container engine's answer") if data else None

    def _bytes(  # noqa: PLR0913 - what a request is
        self,
        method: str,
        path: str,
        *,
        params: dict[str, str] | None = None,
        body: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
        expected: tuple[int, ...] = (),
        timeout_s: float = ANSWER_TIMEOUT_S,
    ) -> bytes:
        """What the engine answers, nothing for a status among `expected`. ShiplineError for others than success."""
        code, data = self._exchange(method, self._version() + path, params, body, headers, timeout_s)
        if 200 <= code < 300 or code in expected:
            return b"" if code in expected else data
        why = _said(data)
        if code == httpx.codes.CONFLICT:
            raise ConflictError(f"the container engine has it otherwise ({method} {path})", why=why)
        if code in (httpx.codes.SERVICE_UNAVAILABLE, httpx.codes.TOO_MANY_REQUESTS):
            raise UnavailableError(f"the container engine is in trouble (HTTP {code})", why=why)
        raise ShiplineError(f"the container engine says no (HTTP {code}, {method} {path})", why=why)

    def _exchange(  # noqa: PLR0913, PLR0917 - the same, in order
        self,
        method: str,
        path: str,
        params: dict[str, str] | None,
        body: dict[str, Any] | None,
        headers: dict[str, str] | None,
        timeout_s: float,
    ) -> tuple[int, bytes]:
        content = bytearray()
        try:
            with (
                deadline(timeout_s) as extensions,
                self._client.stream(
                    method, path, params=params, json=body, headers=headers, timeout=timeout_s, extensions=extensions
                ) as answer,
            ):
                for chunk in answer.iter_bytes():
                    content += chunk
                    if len(content) > ANSWER_BYTES_MAX:
                        raise ShiplineError(f"the container engine answers with more than {ANSWER_BYTES_MAX} bytes")
                return answer.status_code, bytes(content)
        except httpx.HTTPError as error:
            raise UnavailableError(
                f"the container engine does not answer at {self._address}",
                why=str(error)[:200] or type(error).__name__,
                todo="start it (Podman: systemctl start podman.socket), and see that this user may reach it",
            ) from None

    def _version(self) -> str:
        """The prefix of paths: what the engine speaks, and not newer than what this was written for."""
        if not self._prefix:
            try:
                said = self._client.get("/_ping", timeout=ANSWER_TIMEOUT_S).headers.get("Api-Version", "")
            except httpx.HTTPError as error:
                why = str(error)[:200] or type(error).__name__
                raise UnavailableError(f"the container engine does not answer at {self._address}", why=why) from None
            parts = said.split(".")
            if len(parts) != 2 or not all(part.isascii() and part.isdigit() for part in parts):
                raise ShiplineError(f"what answers at {self._address} is no container engine")
            major, minor = min((int(parts[0]), int(parts[1])), API_MAX)
            self._prefix = f"/v{major}.{minor}"
        return self._prefix


@contextmanager
def engine_at(address: str) -> Iterator[ContainerEngine]:
    """The engine at an address that was checked; its connections end with the block."""
    parts = urlsplit(address)
    is_socket = parts.scheme == "unix"
    if is_socket:
        _check_listening(parts.path, address)
    transport = httpx.HTTPTransport(verify=NO_TLS, uds=parts.path if is_socket else None)
    with httpx.Client(transport=transport, base_url="http://engine" if is_socket else address) as client:
        yield ContainerEngine(address, client)


def _check_listening(path: str, address: str) -> None:
    """Before httpcore tries: where nobody listens it forgets to close its socket (1.0.9)."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(ANSWER_TIMEOUT_S)
        try:
            probe.connect(path)
        except OSError as error:
            raise UnavailableError(
                f"the container engine does not answer at {address}",
                why=error.strerror or str(error),
                todo="start it (Podman: systemctl start podman.socket), and see that this user may reach it",
            ) from None


def _container(found: dict[str, Any]) -> Container:
    """From the few fields that are needed of many. InvalidValue where one is missing, or something else."""
    state, configuration = from_json(dict[str, Any], found.get("State")), from_json(dict[str, Any], found.get("Config"))
    return Container(
        id=from_json(str, found.get("Id")),
        labels=from_json(dict[str, str], configuration.get("Labels") or {}),
        is_running=from_json(bool, state.get("Running")),
        exit_code=from_json(int, state.get("ExitCode", 0)),
        # Absent without a health check; Podman has it with an empty status.
        is_ill=from_json(dict[str, Any], state.get("Health") or {}).get("Status") == "unhealthy",
    )


def _object(data: bytes, what: str) -> dict[str, Any]:
    try:
        found = read_json(data, what=what, limit_bytes=ANSWER_BYTES_MAX)
    except InvalidValue as error:
        raise ShiplineError(error.what, why=error.why) from None
    if not isinstance(found, dict):
        raise ShiplineError(f"{what} is not understood")
    return found


def _said(data: bytes) -> str:
    try:
        said = _object(data, "its answer").get("message", "")
    except ShiplineError:
        said = data.decode(errors="replace")
    return str(said)[:SAID_CHARACTERS_MAX]


def _demultiplexed(data: bytes) -> bytes:
    """The text of both streams: frames of 8 bytes (stream, three zeros, length) and that many bytes of text."""
    text, place = bytearray(), 0
    while len(data) - place >= 8 and data[place] in (0, 1, 2) and data[place + 1 : place + 4] == b"\0\0\0":
        size = int.from_bytes(data[place + 4 : place + 8], "big")
        text += data[place + 8 : place + 8 + size]
        place += 8 + size
    return bytes(text) if text else data
