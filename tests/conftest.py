"""Fixtures for everything that needs a store: the same tests run on SQLite and on PostgreSQL."""

from __future__ import annotations

import gc
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from shipline.store.database import Store
from tests.moto_server import MotoMissing, moto_server
from tests.postgres import PostgreSQLMissing, PostgreSQLServer, running_server

# Thousands of tests stay in memory, and looking for circles among them takes a tenth of the tests' time.
gc.disable()


def pytest_collection_finish() -> None:
    """What was collected is looked at no more."""
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)
    gc.enable()


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQLServer]:
    """A PostgreSQL server on loopback, one a test process; skips where there is none."""
    try:
        with running_server() as server:
            yield server
    except PostgreSQLMissing as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="session")
def moto_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A server of moto's, one a test process: each test lets it forget all first. Skips where it is not to be had."""
    try:
        with moto_server(tmp_path_factory.mktemp("moto")) as port:
            yield port
    except MotoMissing as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="session")
def postgresql_template(postgresql: PostgreSQLServer) -> str:
    """The name of a database with the current schema."""
    name = postgresql.create_database()
    Store(postgresql.url(name)).open().close()
    return name


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database file with the current schema."""
    path = tmp_path_factory.mktemp("template") / "store.db"
    Store(f"sqlite:///{path}").open().close()
    return path


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """The URL of a fresh SQLite database with the current schema."""
    path = tmp_path / "store.db"
    shutil.copyfile(sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture
def postgresql_url(postgresql: PostgreSQLServer, postgresql_template: str) -> Iterator[str]:
    """The URL of a fresh PostgreSQL database with the current schema."""
    name = postgresql.create_database(postgresql_template)
    yield postgresql.url(name)
    postgresql.drop_database(name)


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest) -> str:
    """The URL of a fresh database with the current schema, of each kind."""
    return str(request.getfixturevalue(f"{request.param}_url"))


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_store_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database that nobody has opened yet, of each kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'new' / 'store.db'}"
    else:
        server: PostgreSQLServer = request.getfixturevalue("postgresql")
        name = server.create_database()
        yield server.url(name)
        server.drop_database(name)


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    """An open store, empty, of each kind."""
    opened = Store(store_url).open()
    yield opened
    opened.close()


@pytest.fixture
def postgresql_store(postgresql_url: str) -> Iterator[Store]:
    """An open store on PostgreSQL, for what SQLite's single writer rules out."""
    opened = Store(postgresql_url).open()
    yield opened
    opened.close()
