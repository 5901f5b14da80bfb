"""Stores for these tests: the same ones on SQLite and on a PostgreSQL server of their own."""

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
from typing import Any

import psycopg
import pytest
from psycopg import sql

from shipline.store.database import Store

START_LOOKS = 600


class PostgreSQL:
    """A running server on loopback."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._numbers = count(1)

    def url(self, database: str) -> str:
        return f"postgresql://shipline@127.0.0.1:{self.port}/{database}"

    def create_database(self) -> str:
        name = f"engine_{next(self._numbers)}"
        self._execute("CREATE DATABASE {}", name)
        return name

    def drop_database(self, name: str) -> None:
        self._execute("DROP DATABASE {} WITH (FORCE)", name)

    def _execute(self, statement: str, name: str) -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(sql.SQL(statement).format(sql.Identifier(name)))


def _program(name: str) -> str | None:
    folders = [str(folder) for folder in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)]
    return shutil.which(name, path=os.pathsep.join([*folders, os.environ.get("PATH", "")]))


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    """A server in a temporary folder; skips where PostgreSQL is not installed."""
    initdb, postgres = _program("initdb"), _program("postgres")
    if initdb is None or postgres is None:
        pytest.skip("PostgreSQL is not installed (Debian, Ubuntu: apt-get install postgresql)")
    user = pwd.getpwnam("nobody") if os.geteuid() == 0 else None
    who: dict[str, Any] = {} if user is None else {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    with tempfile.TemporaryDirectory(prefix="shipline-pg-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        if user is not None:
            os.chown(folder, user.pw_uid, user.pw_gid)
        create: list[str | Path] = [
            initdb,
            "-D",
            folder / "data",
            "-U",
            "shipline",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--no-sync",
        ]
        subprocess.run(create, check=True, capture_output=True, cwd=folder, **who)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = int(free.getsockname()[1])
        settings = f"-c port={port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} -c fsync=off"
        with (folder / "log").open("wb") as log:
            run: list[str | Path] = [postgres, "-D", folder / "data", *settings.split()]
            process = subprocess.Popen(run, stdout=log, stderr=log, cwd=folder, **who)
        try:
            _await(process, port)
            yield PostgreSQL(port)
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(timeout=30)


def _await(process: subprocess.Popen[bytes], port: int) -> None:
    for _ in range(START_LOOKS):
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=0.05)
            raise RuntimeError("PostgreSQL did not start")
        with contextlib.suppress(psycopg.OperationalError):
            psycopg.connect(f"postgresql://shipline@127.0.0.1:{port}/postgres", connect_timeout=5).close()
            return
    raise RuntimeError("PostgreSQL did not answer")


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a fresh database with the current schema."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'store.db'}"
        Store(url).open().close()
        yield url
    else:
        server: PostgreSQL = request.getfixturevalue("postgresql")
        name = server.create_database()
        Store(server.url(name)).open().close()
        yield server.url(name)
        server.drop_database(name)


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    """An open store, empty."""
    opened = Store(store_url).open()
    yield opened
    opened.close()
