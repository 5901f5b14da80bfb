"""HAProxy's runtime API over its unix socket (HAProxy 2.6 management guide, section 9.3).

One connection a command; commands, answers and time are bounded; trouble is an UnavailableError.
"""

from __future__ import annotations

import csv
import re
import socket
import tempfile
from dataclasses import dataclass
from pathlib import Path

from shipline.domain.errors import UnavailableError

COMMAND_BYTES_MAX = 1024
ANSWER_BYTES_MAX = 4 << 20
# sockaddr_un holds 108 bytes on Linux and 104 on macOS, the closing zero included (unix(7), unix(4)).
SOCKET_PATH_BYTES_MAX = 100
PRINTABLE = re.compile(r"[\x20-\x3a\x3c-\x7e]+")  # No line end and no semicolon: one command stays one.


@dataclass(frozen=True, slots=True)
class Server:
    """One server of `backend`. `weight` is 0 to 256, `sessions` counts requests that are served or queued now."""

    name: str
    address: str
    weight: int
    sessions: int
    maintenance: bool
    backend: str


class HAProxyClient:
    """Speaks to the HAProxy behind `socket_path`. `timeout_s` bounds a whole command. No I/O in the constructor."""

    def __init__(self, socket_path: Path, *, timeout_s: float = 5.0) -> None:
        self._path = socket_path
        self._timeout_s = timeout_s

    def ask(self, command: str) -> str:
        """The answer to one command, stripped."""
        if len(command) > COMMAND_BYTES_MAX or not PRINTABLE.fullmatch(command):
            raise ValueError(f"not one bounded HAProxy command: {command[:80]!r}")
        try:
            return self._exchange(command.encode("ascii") + b"\n").decode(errors="replace").strip()
        except OSError as failure:
            raise UnavailableError("HAProxy does not answer on its socket", why=str(failure)) from failure

    def order(self, command: str, *, answers: tuple[str, ...] = ("",)) -> None:
        """Carry out a command whose success is one of `answers` (a prefix; the empty one means silence)."""
        answer = self.ask(command)
        if not any(answer.startswith(known) if known else not answer for known in answers):
            raise UnavailableError(f"HAProxy refused {command!r}", why=answer[:300])

    def servers(self, backend: str) -> tuple[Server, ...]:
        """The servers of one backend, as `show stat` has them (management guide, section 9.1 names the columns)."""
        answer = self.ask(f"show stat {backend} 4 -1")
        if not answer.startswith("# pxname,svname,"):
            # An empty list would read as "nobody is there and all is drained".
            raise UnavailableError("HAProxy gives no statistics", why=answer[:300])
        lines = answer.removeprefix("# ").splitlines()
        try:
            return tuple(_read_server(row) for row in csv.DictReader(lines))
        except (KeyError, ValueError, TypeError, AttributeError) as failure:
            raise UnavailableError("HAProxy's statistics cannot be read", why=repr(failure)) from failure

    def _exchange(self, command: bytes) -> bytes:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(self._timeout_s)
            self._connect(connection)
            connection.sendall(command)
            answer = bytearray()
            while part := connection.recv(1 << 16):
                answer += part
                if len(answer) > ANSWER_BYTES_MAX:
                    raise OSError("its answer is longer than any that it should give")
            return bytes(answer)

    def _connect(self, connection: socket.socket) -> None:
        """Connect; a path that is too long for the kernel is reached through a short symbolic link."""
        if len(str(self._path).encode()) <= SOCKET_PATH_BYTES_MAX:
            connection.connect(str(self._path))
            return
        with tempfile.TemporaryDirectory(prefix="shipline-") as short:
            link = Path(short) / "s"
            link.symlink_to(self._path.parent)
            connection.connect(str(link / self._path.name))


def _read_server(row: dict[str, str]) -> Server:
    return Server(
        name=row["svname"],
        address=row["addr"],
        weight=int(row["uweight"]),
        sessions=int(row["scur"]) + int(row["qcur"]),
        maintenance=row["status"].startswith("MAINT"),
        backend=row["pxname"],
    )
