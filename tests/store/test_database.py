"""Opening the store, and what happens when the database is not as it should be."""

from __future__ import annotations

import os
import resource
import socket
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import insert, select, text

from shipline.domain.errors import ConfigurationError, ConflictError, ShiplineError, UnavailableError
from shipline.store.database import CorruptStore, Store
from shipline.store.log import read, sequence
from shipline.store.migrations import HEAD, REVISIONS
from shipline.store.tables import metadata
from shipline.store.tables import node as node_table
from shipline.store.verification import verify
from tests.store.logs import KEY, PUBLIC, append, event

OPEN = "import sys; from shipline.store.database import Store; Store(sys.argv[1]).open().close()"
OPEN_TOGETHER = """
import sys
from shipline.store.database import Store
print("ready", flush=True)
sys.stdin.read(1)
Store(sys.argv[1]).open().close()
"""
FILL_UP = """
import resource, signal, sys
from shipline.store.database import FullDisk, Store
from tests.store.logs import append, event
store = Store(sys.argv[1]).open()
append(store, [event(number) for number in range(3)])
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))
for number in range(3, 10_000):
    try:
        append(store, [event(number, text="x" * 20_000)])
    except FullDisk as error:
        print(number, error.diagnosis())
        break
"""


def run(program: str, url: str) -> subprocess.CompletedProcess[str]:
    arguments = [sys.executable, "-c", program, url]
    return subprocess.run(arguments, capture_output=True, text=True, check=False, timeout=100, env=environment())


def environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}


def test_a_fresh_store_opens_with_the_newest_schema(empty_store_url: str) -> None:
    """And its folder, where it is a file, is for its owner alone."""
    store = Store(empty_store_url).open()
    with store.snapshot() as connection:
        assert connection.scalar(text("SELECT version_num FROM alembic_version")) == HEAD
    if store.path is not None:
        assert store.path.parent.stat().st_mode & 0o077 == 0
    store.close()


def test_a_current_store_opens_without_alembic(store_url: str) -> None:
    """Loading it takes many times as long as all else that opening does."""
    program = OPEN + "; assert not [name for name in sys.modules if name.startswith('alembic')]"
    assert run(program, store_url).stderr == ""


def test_processes_that_open_a_fresh_store_at_once_agree(empty_store_url: str) -> None:
    """One migrates, the others wait for it."""
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", OPEN_TOGETHER, empty_store_url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment(),
        )
        for _ in range(4)
    ]
    try:
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
        for process in processes:
            assert process.stdin is not None
            process.stdin.write(b"x")
            process.stdin.flush()
        results = [process.communicate(timeout=100)[1] for process in processes]
    finally:
        for process in processes:
            process.kill()  # Does nothing to those that have ended.
            process.wait()
    assert results == [b""] * 4
    assert [process.returncode for process in processes] == [0] * 4
    store = Store(empty_store_url).open()
    append(store, [event(1)])
    store.close()


def test_the_migrations_make_exactly_the_tables(store: Store) -> None:
    """Alembic finds nothing to generate."""
    with store.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_the_revisions_are_listed_in_order() -> None:
    configuration = Config()
    configuration.set_main_option("script_location", "shipline.store:migrations")
    scripts = ScriptDirectory.from_config(configuration)
    assert tuple(script.revision for script in scripts.walk_revisions())[::-1] == REVISIONS


def test_a_schema_newer_than_the_code_is_refused(store_url: str) -> None:
    """And stays as it was."""
    store = Store(store_url).open()
    with store.begin() as tx:
        tx.connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    store.close()
    with pytest.raises(ShiplineError, match="newer Shipline") as caught:
        Store(store_url).open()
    assert "upgrade Shipline" in caught.value.diagnosis()


def test_another_programs_database_is_refused(empty_store_url: str) -> None:
    """One that has a table of our name, but no record of our schema. Nothing is created in it."""
    url = empty_store_url.replace("/new/", "/")
    store = Store(url)
    store.open()
    with store.begin() as tx:
        tx.connection.execute(text("DROP TABLE alembic_version"))
        tx.connection.execute(text("DROP TABLE run"))
    store.close()
    with pytest.raises(CorruptStore, match="not one of Shipline's"):
        Store(url).open()


@pytest.mark.parametrize(
    "url", ["mysql://u:hunter2@h/d", "nonsense", "", "sqlite://", "sqlite:///:memory:", "postgresql://h", "://"]
)
def test_an_unknown_database_is_a_configuration_error(url: str) -> None:
    """That says what is known, and shows no password."""
    with pytest.raises(ConfigurationError, match="no database that Shipline can use") as caught:
        Store(url).open()
    assert "sqlite:///PATH or postgresql://" in caught.value.diagnosis()
    assert "hunter2" not in caught.value.diagnosis()


def test_an_unreachable_postgresql_says_so() -> None:
    """Without the password."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        with pytest.raises(UnavailableError) as caught:
            Store(f"postgresql://u:hunter2@127.0.0.1:{port}/d").open()
    assert "check that it runs" in caught.value.diagnosis()
    assert "hunter2" not in caught.value.diagnosis()


def test_a_file_that_is_no_database_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    path.write_bytes(b"a letter to somebody\n" * 100)
    store = Store(f"sqlite:///{path}")
    with pytest.raises(CorruptStore) as caught:
        store.open()
    assert "move it away" in caught.value.diagnosis()
    assert path.read_bytes() == b"a letter to somebody\n" * 100
    with pytest.raises(RuntimeError, match="not open"):
        _ = store.engine


def test_a_damaged_database_is_named(sqlite_url: str) -> None:
    """Whichever page is hit: opening or reading it says that it is damaged."""
    store = Store(sqlite_url).open()
    append(store, [event(number, text="x" * 3000) for number in range(50)])
    store.close()
    path = store.path
    assert path is not None
    whole = path.read_bytes()
    path.write_bytes(whole[:4096] + b"\xff" * (len(whole) - 4096))
    with pytest.raises(CorruptStore, match=str(path)):
        read(Store(sqlite_url).open(), 0, 1000)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ShiplineError, match="cannot be made"):
        Store(f"sqlite:///{tmp_path}/file/store.db").open()


def test_a_folder_in_the_files_place_is_named(tmp_path: Path) -> None:
    with pytest.raises(ShiplineError, match="cannot be written") as caught:
        Store(f"sqlite:///{tmp_path}").open()
    assert "permissions" in caught.value.diagnosis()


@pytest.mark.skipif(not hasattr(resource, "RLIMIT_FSIZE"), reason="this system has no limit on file sizes")
def test_a_full_disk_keeps_what_was_committed(sqlite_url: str) -> None:
    """The event that did not fit is gone whole, all before it are there, and the log goes on once there is room."""
    result = run(FILL_UP, sqlite_url)
    assert result.stderr == ""
    number = int(result.stdout.split()[0])
    assert "free disk space" in result.stdout
    store = Store(sqlite_url).open()
    assert [entry.event.body["number"] for entry in read(store, 0, 10_000)] == list(range(number))
    append(store, [event(number)])
    sequence(store, KEY)
    assert verify(store, PUBLIC).problems == ()
    store.close()


def test_a_database_held_by_another_process_is_named(sqlite_url: str) -> None:
    """Once the wait is over."""
    store = Store(sqlite_url).open()
    other = sqlite3.connect(str(store.path), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with store.engine.connect() as connection:
        raw = connection.connection.driver_connection
        assert raw is not None
        raw.execute("PRAGMA busy_timeout=0")
    with pytest.raises(UnavailableError, match="held by another process"), store.begin():
        pass
    other.close()
    store.close()


def test_a_snapshot_sees_one_moment(store: Store) -> None:
    """And holds up no writer."""
    with store.snapshot() as connection:
        assert connection.execute(select(node_table)).all() == []
        with store.begin() as tx:
            tx.connection.execute(insert(node_table).values(id="n", beat_us=1))
        assert connection.execute(select(node_table)).all() == []
    with store.snapshot() as connection:
        assert len(connection.execute(select(node_table)).all()) == 1


def test_errors_roll_back(store: Store) -> None:
    rows = [{"id": "n", "beat_us": 1}, {"id": "n", "beat_us": 2}]
    with pytest.raises(ConflictError), store.begin() as tx:
        tx.connection.execute(insert(node_table), rows)
    with store.snapshot() as connection:
        assert connection.execute(select(node_table)).all() == []


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")
def test_a_new_database_is_its_owners_alone(tmp_path: Path) -> None:
    """Also in a folder that others may enter: names and reasons stand in it."""
    tmp_path.chmod(0o755)
    store = Store(f"sqlite:///{tmp_path / 'store.db'}").open()
    append(store, [event(0)])
    modes = {path.name: path.stat().st_mode & 0o077 for path in tmp_path.iterdir()}
    store.close()
    assert set(modes) >= {"store.db", "store.db-wal"}
    assert set(modes.values()) == {0}
