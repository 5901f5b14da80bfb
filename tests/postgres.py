"""A PostgreSQL server of the tests' own: on loopback, on a free port, in a temporary folder, ended with the tests.

`initdb` refuses root, so as root the server runs as an unprivileged user.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any, LiteralString

import psycopg
from psycopg import sql

USER = "shipline"
START_S = 60
USERS = ("postgres", "nobody")


class PostgreSQLMissing(Exception):
    """PostgreSQL cannot be had here; the text says why."""


class PostgreSQLServer:
    """A running server. `create_database` gives the URL of a new database."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._numbers = count(1)

    def url(self, database: str) -> str:
        """The URL of a database of this server."""
        return f"postgresql://{USER}@127.0.0.1:{self.port}/{database}"

    def create_database(self, template: str = "template0") -> str:
        """The name of a fresh database, a copy of `template`."""
        name = f"test_{next(self._numbers)}"
        self._execute("CREATE DATABASE {} TEMPLATE {}", name, template)
        return name

    def drop_database(self, name: str) -> None:
        """Drop a database, cutting whoever is still connected."""
        self._execute("DROP DATABASE {} WITH (FORCE)", name)

    def _execute(self, statement: LiteralString, *names: str) -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


@contextlib.contextmanager
def running_server() -> Iterator[PostgreSQLServer]:
    """Start a server, and end it by its process id when the block ends. Raises PostgreSQLMissing."""
    initdb, postgres = _program("initdb"), _program("postgres")
    user = _unprivileged_user()
    folder = Path(tempfile.mkdtemp(prefix="shipline-pg-"))
    try:
        if user is not None:
            os.chown(folder, user.pw_uid, user.pw_gid)
        data = folder / "data"
        arguments = [initdb, "-D", str(data), "-U", USER, "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]
        subprocess.run(arguments, check=True, capture_output=True, cwd=folder, **_as(user))
        with _serving(postgres, data, user) as server:
            yield server
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def _serving(postgres: str, data: Path, user: pwd.struct_passwd | None) -> Iterator[PostgreSQLServer]:
    log = data / "server.log"
    port = _free_port()
    settings = {
        "listen_addresses": "127.0.0.1",
        "port": port,
        "unix_socket_directories": data.parent,
        "fsync": "off",
        "full_page_writes": "off",
        "max_connections": 60,
        "shared_buffers": "32MB",
    }
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [postgres, "-D", data, *options], stdout=output, stderr=output, cwd=data, **_as(user)
        )
    try:
        _await(process, port, log)
        yield PostgreSQLServer(port)
    finally:
        process.send_signal(signal.SIGINT)  # "fast shutdown": open connections are cut.
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _await(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    for _ in range(START_S * 20):
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=0.05)
            raise RuntimeError(f"PostgreSQL did not start:\n{log.read_text()[-2000:]}")
        with contextlib.suppress(psycopg.OperationalError):
            psycopg.connect(f"postgresql://{USER}@127.0.0.1:{port}/postgres", connect_timeout=5).close()
            return
    raise RuntimeError(f"PostgreSQL did not answer within {START_S} s:\n{log.read_text()[-2000:]}")


def _program(name: str) -> str:
    folders = [str(folder) for folder in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)]
    found = shutil.which(name, path=os.pathsep.join([*folders, os.environ.get("PATH", ""), "/usr/local/bin"]))
    if found is None:
        raise PostgreSQLMissing(f"the program {name!r} is not installed (Debian, Ubuntu: apt-get install postgresql)")
    return found


def _unprivileged_user() -> pwd.struct_passwd | None:
    """Who runs the server: None for whoever runs the tests, if that is not root."""
    if os.geteuid() != 0:
        return None
    for name in USERS:
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise PostgreSQLMissing("PostgreSQL refuses to run as root, and there is no user " + " or ".join(USERS))


def _as(user: pwd.struct_passwd | None) -> dict[str, Any]:
    return {} if user is None else {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
