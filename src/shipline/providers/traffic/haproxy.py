"""Traffic split by an HAProxy of our own (2.6 or later) on this machine. An instance is a copy of a group: a server.

The proxy outlives the engine. Routes are saved, with the newest revision, before they are applied; a proxy that is
started anew begins with them. Decisions, and why:

- No retry and no redispatch. A request that a canary fails to answer fails, and is logged as the canary's: healed by
  another instance it would hide what the analysis is there to find, and not every request may be sent twice.
- A connection to an instance serves one request (`http-server-close`, no idle pool). An instance that closes a kept
  connection just when a request is sent on it would cost that request; on one machine a new one costs microseconds.
- No health checks by the proxy. The engine decides who gets traffic, with its reasons on record; two deciders would
  disagree at the worst moment.

An instance has 60 s to answer; a request that takes longer is answered with 504 and has failed.

One thread: lines of the access log then never compete, so none is dropped; it serves tens of thousands of requests
a second, more than the instances of one machine.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import shutil
import signal
import socket
from dataclasses import dataclass, replace

from shipline.clients.detached import Program
from shipline.clients.detached_launcher import write_durably
from shipline.clients.durable_state import DurableState, check_fence
from shipline.clients.haproxy import HAProxyClient, Server
from shipline.clients.haproxy_files import (
    BACKEND,
    CONFIGURATION_NAME,
    LOG_BYTES_MAX,
    LOG_FORMAT,
    PREVIEW_BACKEND,
    SOCKET_NAME,
    ServerName,
    decoded,
    proxy_process,
)
from shipline.domain.errors import (
    ConfigurationError,
    InvalidValue,
    MissingProgram,
    RefusedError,
    ShiplineError,
    UnavailableError,
)
from shipline.ports.provider import ProviderContext
from shipline.ports.target import Endpoint
from shipline.ports.traffic import InjectedFault, Route
from shipline.providers.traffic.haproxy_faults import (
    DELAYS_MAP,
    ERRORS_MAP,
    FAULTS,
    LOADS,
    LUA,
    LUA_NAME,
    RULES,
    entries,
    read_entries,
    read_faults,
)
from shipline.providers.traffic.haproxy_faults import commands as commands_of_map
from shipline.providers.traffic.haproxy_plan import (
    WeightedServer,
    checked_address,
    commands,
    merged,
    mismatches,
    previewing,
    removals,
    weighted,
)

STATE_SCHEMA = 3
START_TIMEOUT_S = 10.0
# Longer than any request is waited for.
STOP_TIMEOUT_S = 65.0
POLL_S = 0.02
PREVIEW_HEADER = re.compile(r"[A-Za-z0-9-]{1,64}: [A-Za-z0-9._-]{1,64}")
HEADER_NAME = re.compile(r"[A-Za-z0-9-]{1,64}")
# An unprivileged user's PATH lacks the folder where Debian puts the program.
SEARCH_PATH = os.pathsep.join(("/usr/sbin", "/usr/local/sbin", "/opt/homebrew/sbin"))

CONFIGURATION = """\
global
    nbthread 1
    noreuseport
    fd-hard-limit 16384
    hard-stop-after 60s
    stats socket unix@{socket} mode 600 level admin
    log stdout format raw local0 info
{loads}
defaults
    mode http
    timeout connect 5s
    timeout client 60s
    timeout server 60s
    timeout http-request 30s
    retries 0
    no option redispatch
    option http-server-close
    option forwardfor

frontend users
    bind {host}:{port}
    log global
    http-request set-var(txn.client) src
{client}    log-format "{log_format}"
{preview}    default_backend {backend}

backend {backend}
    balance roundrobin
{faults}{servers}
backend {preview_backend}
    balance roundrobin
{preview_servers}"""


@dataclass(frozen=True, slots=True)
class SavedTraffic:
    """What the environment's state file holds: the newest revision, where users are served, and who serves them."""

    revision: int = 0
    listen: str = ""
    servers: tuple[WeightedServer, ...] = ()


class HAProxyTraffic:
    """The splitter of one environment. Shares are exact to HAProxy's weights; see `haproxy_plan.weights`."""

    api_version = 4
    splits = True
    mirrors = False
    faults: tuple[str, ...] = FAULTS

    @dataclass(frozen=True, slots=True)
    class Settings:
        """`port` is where users are served, 1 to 65535, on the IP address `host`.

        `client_header` names the request header whose last address tells one client from another, for a proxy that
        stands behind another one; "" takes the peer's address. Name it only if that other proxy sets it.
        `preview_header` is what a request that asks for a preview has, as `Name: value`; "" means that none can.
        """

        port: int
        host: str = "127.0.0.1"
        client_header: str = ""
        preview_header: str = ""

        def __post_init__(self) -> None:
            """Refuse what could not be bound, or would not stay one word of the proxy's configuration."""
            checked_address(f"{self.host}:{self.port}")
            if self.client_header and not HEADER_NAME.fullmatch(self.client_header):
                raise ConfigurationError(f"client_header: {self.client_header[:80]!r} is not the name of a header")
            if self.preview_header and not PREVIEW_HEADER.fullmatch(self.preview_header):
                raise ConfigurationError(
                    f"preview_header: {self.preview_header[:80]!r} is no header", todo="write it as `Name: value`"
                )

    def __init__(self, settings: Settings, context: ProviderContext) -> None:
        self._settings = settings
        self.previews = bool(settings.preview_header)
        self._clock = context.clock
        self._process = proxy_process(context.state, context.clock)
        self._client = HAProxyClient(self._process.folder / SOCKET_NAME)
        path = context.state / "traffic.json"
        self._state = DurableState(path, SavedTraffic(), context.clock, schema=STATE_SCHEMA)

    def claim(self, *, revision: int) -> None:
        """Note the number in the state file."""
        with self._state.locked():
            self._state.write(replace(self._fenced(revision), revision=revision))

    def open(self, *, revision: int) -> None:
        """Find the proxy, or start it with the routes that it had last. Raises ShiplineError for a port in use."""
        with self._state.locked():
            saved = self._fenced(revision)
            program = Program(self._argv(), {"PATH": os.defpath}, LOG_BYTES_MAX)
            if self._process.pid() is None:
                self._configure(saved)
                self._check_port()
                self._state.write(replace(saved, revision=revision, listen=self.address()))
            elif saved.listen != self.address():
                raise ConfigurationError(
                    f"the proxy of this environment still serves on {saved.listen}, not on {self.address()}",
                    todo="set port and host back, or stop the environment first, then start it again",
                )
            self._process.start(program)
            self._await_answer()

    def address(self) -> str:
        """host:port on which users are served."""
        return checked_address(f"{self._settings.host}:{self._settings.port}")

    def apply(self, routes: tuple[Route, ...], *, revision: int) -> None:
        """Save the routes, make them hold, and read them back. UnavailableError: they may hold in part, call again."""
        wanted = weighted(routes)
        if not self.previews and any(route.preview for route in routes):
            raise InvalidValue("no request can ask for a preview", todo="name a `preview_header` for the traffic")
        with self._state.locked():
            saved = self._fenced(revision)
            wanted = merged(saved.servers, wanted)
            self._state.write(replace(saved, revision=revision, servers=wanted))
            for command in commands(wanted, self._servers()):
                self._order(command)
            self._remove_superseded(wanted)
            wrong = mismatches(wanted, self._servers())
            if wrong:
                raise UnavailableError("the proxy does not hold the routes that it was given", why="; ".join(wrong))

    def routes(self) -> tuple[Route, ...]:
        """What the proxy does now, by group; a group whose old role still drains is named once."""
        saved = {server.server_name() for server in self._state.read().servers}
        servers = self._servers()
        named = [(server, name) for server in servers if (name := decoded(server.name)) is not None]
        total = sum(server.weight for server, _ in named if not server.maintenance)
        ids = sorted({name.group_id for _, name in named})
        groups = {each: [pair for pair in named if pair[1].group_id == each] for each in ids}
        previewed = {one[0] for server in servers if server.weight and (one := previewing(server.name)) is not None}
        return tuple(
            replace(_route(group_id, groups[group_id], saved, total), preview=group_id in previewed) for group_id in ids
        )

    def open_requests(self, group_id: str, endpoint_id: str | None = None) -> int:
        """Requests of this group, or copy, that are served or queued now, in whichever of its roles they came."""
        return sum(server.sessions for server in self._servers_of(group_id, endpoint_id))

    def forget(self, group_id: str, *, revision: int) -> None:
        """Remove a group from the proxy. RefusedError while it has a share or an open request."""
        with self._state.locked():
            saved = self._fenced(revision)
            self._state.write(replace(saved, revision=revision))
            if any(server.group_id == group_id and server.weight for server in saved.servers):
                raise RefusedError(f"group {group_id} still has a share of the traffic")
            servers = self._servers_of(group_id)
            if any(server.weight or server.sessions for server in servers):
                raise RefusedError(f"group {group_id} still has traffic or open requests")
            for server in servers:
                self._remove(server)
            kept = tuple(server for server in saved.servers if server.group_id != group_id)
            self._state.write(replace(saved, revision=revision, servers=kept))

    def inject(self, faults: tuple[InjectedFault, ...]) -> None:
        """Have the proxy hold these faults and no others, read back. UnavailableError: they may hold in part."""
        if len({fault.group_id for fault in faults}) != len(faults):
            raise InvalidValue("a group has one fault at most")
        every = entries(faults)
        # All are read before one is written: a proxy that cannot do a part of it does nothing.
        held = {name: self._map(name, is_needed=bool(wanted)) for name, wanted in every.items()}
        for name, wanted in every.items():
            for command in commands_of_map(wanted, held[name], name):
                self._client.order(command)
            if self._map(name, is_needed=bool(wanted)) != wanted:
                raise UnavailableError("the proxy does not hold the faults that it was given")

    def injected(self, now_us: int) -> tuple[InjectedFault, ...]:
        """The faults whose time is not over."""
        errors, delays = (self._map(name, is_needed=False) for name in (ERRORS_MAP, DELAYS_MAP))
        return read_faults(errors, delays, now_us)

    def _map(self, name: str, *, is_needed: bool) -> dict[str, str]:
        """What a map of the running proxy holds. One that it does not have is empty, or InvalidValue if needed."""
        if self._process.pid() is None:
            raise UnavailableError("the proxy does not run", todo="open the environment's traffic again")
        answer = self._client.ask(f"show map {name}")
        if not answer.startswith("Unknown map"):
            return read_entries(answer)
        if not is_needed:
            return {}
        raise InvalidValue(
            "this proxy cannot do that",
            why="it was started before faults could be injected, or HAProxy was built without Lua, which delays need",
            todo="take the environment down and deploy again, or inject errors only",
        )

    def close(self, *, revision: int) -> None:
        """Stop the proxy: no new connection, and open requests have 60 s to end. The routes stay saved."""
        with self._state.locked():
            self._state.write(replace(self._fenced(revision), revision=revision))
            self._process.stop(first=signal.SIGUSR1, timeout_s=STOP_TIMEOUT_S)

    def _fenced(self, revision: int) -> SavedTraffic:
        saved = self._state.read()
        check_fence(saved.revision, revision)
        return saved

    def _servers(self) -> tuple[Server, ...]:
        if self._process.pid() is None:
            raise UnavailableError("the proxy does not run", todo="open the environment's traffic again")
        return self._client.servers(BACKEND) + self._client.servers(PREVIEW_BACKEND)

    def _servers_of(self, group_id: str, endpoint_id: str | None = None) -> tuple[Server, ...]:
        return tuple(server for server in self._servers() if _is_of(server.name, group_id, endpoint_id))

    def _order(self, command: str) -> None:
        self._client.order(command, answers=("", "New server registered", "Server deleted", "no need to change", "IP"))

    def _remove_superseded(self, wanted: tuple[WeightedServer, ...]) -> None:
        """Remove the idle servers of roles, and of copies, that a group has no more.

        HAProxy may refuse while a connection is closing: the server then waits, without weight, for the next call.
        """
        names = {route.server_name() for route in wanted}
        for server in self._servers():
            if server.name not in names and not server.sessions:
                with contextlib.suppress(UnavailableError):
                    self._remove(server)

    def _remove(self, server: Server) -> None:
        for command in removals(server):
            self._order(command)

    def _argv(self) -> tuple[str, ...]:
        found = shutil.which("haproxy") or shutil.which("haproxy", path=SEARCH_PATH)
        if found is None:
            raise MissingProgram("haproxy", package="haproxy")
        return (found, "-db", "-f", CONFIGURATION_NAME)

    def _check_port(self) -> None:
        host, port = self._settings.host, self._settings.port
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host.strip("[]"), port))
            except OSError as failure:
                if self._process.pid() is not None:
                    return  # An engine that was killed while it opened had started the proxy: it is ours.
                used = failure.errno == errno.EADDRINUSE
                raise ShiplineError(
                    f"port {port} on {host} is in use by another program"
                    if used
                    else f"cannot listen on {host}:{port}",
                    why=str(failure),
                    todo="stop that program, or set another `port` for the environment's traffic",
                ) from failure

    def _configure(self, saved: SavedTraffic) -> None:
        header = self._settings.client_header
        address = f"req.hdr_ip({header},-1)"
        client = f"    http-request set-var(txn.client) {address} if {{ {address} -m found }}\n" if header else ""
        text = CONFIGURATION.format(
            socket=SOCKET_NAME,
            loads=LOADS,
            faults=RULES,
            host=self._settings.host,
            port=self._settings.port,
            client=client,
            log_format=LOG_FORMAT,
            backend=BACKEND,
            servers="".join(_server_line(server) for server in saved.servers if not server.preview),
            preview=_preview_lines(self._settings.preview_header),
            preview_backend=PREVIEW_BACKEND,
            preview_servers="".join(_server_line(server) for server in saved.servers if server.preview),
        )
        self._process.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name, content in ((ERRORS_MAP, ""), (DELAYS_MAP, ""), (LUA_NAME, LUA), (CONFIGURATION_NAME, text)):
            write_durably(self._process.folder / name, content)

    def _await_answer(self) -> None:
        deadline_us = self._clock.now_us() + int(START_TIMEOUT_S * 1_000_000)
        while self._process.pid() is not None and self._clock.now_us() < deadline_us:
            try:
                self._client.ask("show info")
            except UnavailableError:
                self._clock.sleep(POLL_S)
            else:
                return
        if self._process.pid() is not None:
            raise UnavailableError("HAProxy runs, and does not answer on its socket")
        raise ShiplineError("HAProxy ended when it was started", why=self._process.output_end()[-1500:])


def _server_line(server: WeightedServer) -> str:
    return f"    server {server.server_name()} {server.address} weight {server.weight} pool-max-conn 0\n"


def _preview_lines(header: str) -> str:
    """Requests that ask for the preview get it while there is one; otherwise they are requests like all others."""
    if not header:
        return ""
    name, _, value = header.partition(": ")
    asked = f"req.hdr({name}) -m str {value}"
    return f"    use_backend {PREVIEW_BACKEND} if {{ {asked} }} {{ nbsrv({PREVIEW_BACKEND}) gt 0 }}\n"


def _is_of(name: str, group_id: str, endpoint_id: str | None) -> bool:
    serving, preview = decoded(name), previewing(name)
    found = preview if serving is None else (serving.group_id, serving.endpoint_id)
    return found is not None and found[0] == group_id and endpoint_id in (None, found[1])


def _route(group_id: str, servers: list[tuple[Server, ServerName]], saved: set[str], total: int) -> Route:
    """A group's route: of the servers of several roles those that have weight count, then those that are meant to."""
    serving = [(server, name) for server, name in servers if server.weight and not server.maintenance]
    meant = [(server, name) for server, name in servers if server.name in saved]
    chosen = serving or meant or servers
    _, newest = max(chosen, key=lambda pair: (pair[0].weight, pair[0].name in saved))
    return Route(
        group_id=group_id,
        role=newest.role,
        version=newest.version,
        share=sum(server.weight for server, _ in serving) / total if total else 0.0,
        endpoints=tuple(
            Endpoint(name.endpoint_id, server.address)
            for server, name in sorted(chosen, key=lambda pair: pair[1].endpoint_id)
            if (name.role, name.version) == (newest.role, newest.version)
        ),
    )
