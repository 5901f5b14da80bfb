"""What the traffic and the signals provider agree on: the state folder, server names and lines of the access log.

A server's name holds role, version, group and copy, and a role that changes gives a new server. So each line of the log
says itself what the request counts for, as it was when the request was served, and no map has to be kept beside it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from shipline.clients.detached import Detached
from shipline.ports.clock import Clock
from shipline.ports.target import Role

BACKEND = "instances"
PREVIEW_BACKEND = "preview"
"""Who serves the requests that ask for a preview. Its servers' names are no `ServerName`: those count for no role."""
CONFIGURATION_NAME = "haproxy.cfg"
SOCKET_NAME = "haproxy.sock"
LOG_BYTES_MAX = 64 << 20
VERSION_CHARACTERS_MAX = 100

# Accept time (s), server, status, termination state, total active time (ms), client: HAProxy 2.6 configuration
# manual, section 8.2.4. Its timers are whole milliseconds, which is the first edge of the latency histogram.
LOG_FORMAT = "%Ts %s %ST %ts %Ta %[var(txn.client)]"
LINE = re.compile(
    rb"[0-9]{1,12} ([A-Za-z0-9_.:-]{3,450}) (-1|[0-9]{3}) ([A-Za-z-])([A-Za-z-]) (-1|[0-9]{1,10})"
    rb" ([0-9a-fA-F.:]{2,45})"
)
NAME = re.compile(r"(stable|baseline|canary):([A-Za-z0-9_.-]{1,300}):([a-z0-9-]{1,60}):([a-z0-9-]{1,60})")


@dataclass(frozen=True, slots=True)
class ServerName:
    """What a server of the proxy stands for."""

    role: Role
    version: str
    group_id: str
    endpoint_id: str

    def encoded(self) -> str:
        """`role:version:group:copy`, where other bytes of the version than letters, digits, `.` and `-` are `_hh`."""
        plain = re.compile(r"[A-Za-z0-9.-]")
        version = "".join(
            chr(byte) if plain.match(chr(byte)) else f"_{byte:02x}" for byte in self.version.encode("utf-8")
        )
        return f"{self.role.value}:{version}:{self.group_id}:{self.endpoint_id}"


@lru_cache(maxsize=256)
def decoded(name: str) -> ServerName | None:
    """The reverse of `ServerName.encoded`; None for a name that is none of ours."""
    found = NAME.fullmatch(name)
    if found is None:
        return None
    version = re.sub(rb"_([0-9a-f]{2})", lambda part: bytes([int(part[1], 16)]), found[2].encode("ascii"))
    return ServerName(Role(found[1]), version.decode(errors="replace"), group_id=found[3], endpoint_id=found[4])


@dataclass(frozen=True, slots=True)
class ServedRequest:
    """One line of the access log. `latency_ms` is None where the request never became complete."""

    server: str
    failed: bool
    latency_ms: int | None
    client: str


def parsed_line(line: bytes) -> ServedRequest | None:
    """Read one line, without its end; None for anything that is not exactly a request's line.

    Failed is: the server's side ended it (termination state S or s: refused, reset, timed out), or the answer was
    5xx. A client that went away before an answer had come is nobody's failure, though HAProxy notes 503 for it;
    once headers have come (phase D or L), the status is the server's own.
    """
    found = LINE.fullmatch(line)
    if found is None:
        return None
    cause, phase, latency_ms = found[3], found[4], int(found[5])
    client_left = cause in b"Cc" and phase not in b"DL"
    return ServedRequest(
        server=found[1].decode("ascii"),
        failed=cause in b"Ss" or (int(found[2]) >= 500 and not client_left),
        latency_ms=None if latency_ms < 0 else latency_ms,
        client=found[6].decode("ascii"),
    )


def proxy_process(state: Path, clock: Clock) -> Detached:
    """The proxy of the environment whose state folder is `state`; its output is the access log."""
    return Detached(state / "haproxy", clock)
