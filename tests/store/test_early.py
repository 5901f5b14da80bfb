"""Transactions that begin before SQLAlchemy is there go on when it comes, as the same transactions."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from shipline.domain.actor import SYSTEM
from shipline.domain.errors import UnavailableError
from shipline.domain.event import Event
from shipline.domain.incident import Incident, IncidentStatus
from shipline.store import sqlite
from shipline.store.database import Store
from shipline.store.rows import Rows

INCIDENTS = Rows("incident", Incident)
INCIDENT = Incident("inc_1", "quotes is slow", "production", IncidentStatus.OPEN, opened_us=1)


@pytest.fixture
def url(sqlite_url: str) -> str:
    Store(sqlite_url).open().close()
    return sqlite_url


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    store = Store(url).open()
    yield store
    store.close()


def test_reading_brings_no_sqlalchemy(url: str) -> None:
    program = (
        "import sys\nfrom shipline.store.database import Store\nfrom shipline.store.rows import Rows\n"
        "from shipline.domain.incident import Incident\n"
        "with Store(sys.argv[1]).open().begin() as tx:\n"
        "    assert Rows('incident', Incident).where(tx, status=('open', 'closed'), rollout_id=None) == ()\n"
        "assert 'sqlalchemy' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program, url], check=True)


def test_what_was_locked_before_stays_so_and_is_committed_or_rolled_back_as_a_whole(
    store: Store, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "BUSY_TIMEOUT_MS", 50)
    other = Store(url).open()
    with store.begin() as tx:
        assert INCIDENTS.where(tx) == ()
        INCIDENTS.save(tx, INCIDENT)
        with pytest.raises(UnavailableError), other.begin():
            pass
    with pytest.raises(ZeroDivisionError), other.begin() as tx:  # noqa: PT012 - the transaction is what is tested
        assert INCIDENTS.where(tx, id=("inc_0", "inc_1")) == (INCIDENT,)
        tx.append(Event("evt_1", "incident:inc_1", "IncidentOpened", 0, SYSTEM, {}))
        raise ZeroDivisionError
    with other.begin() as tx:
        assert tx.rows("SELECT count(*) FROM event", {})[0][0] == 0
    other.close()


def test_an_error_while_only_reading_leaves_the_store_usable(store: Store) -> None:
    for _ in range(2):
        with pytest.raises(ZeroDivisionError), store.begin() as tx:  # noqa: PT012 - the same
            INCIDENTS.find(tx, "inc_1")
            raise ZeroDivisionError
    with store.begin() as tx:
        assert INCIDENTS.where(tx, id=()) == ()


def test_only_addresses_of_plain_files_are_read_so() -> None:
    urls = ("sqlite:////a/b.db", "sqlite:///b.db", "sqlite:///b.db?mode=ro", "sqlite://", "sqlite:///:memory:")
    assert [sqlite.plain_file(url) for url in (*urls, "postgresql://a/b")] == ["/a/b.db", "b.db", *[None] * 4]
    assert Store("sqlite:///b.db?timeout=1").path == Path("b.db")
