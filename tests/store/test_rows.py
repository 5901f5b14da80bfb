"""Nouns as rows: what is written is read back, whole, by whoever may."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest
from sqlalchemy import insert

from shipline.domain.codec import to_json
from shipline.domain.errors import ConflictError, ShiplineError
from shipline.domain.incident import Incident, IncidentStatus
from shipline.domain.package import Project
from shipline.store import tables
from shipline.store.database import Store
from shipline.store.rows import ROWS_MAX, Rows

INCIDENTS = Rows("incident", Incident)
INCIDENT = Incident("inc_1", "quotes is slow", "production", IncidentStatus.OPEN, opened_us=1)


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    store = Store(store_url).open()
    yield store
    store.close()


def test_a_row_is_read_back_and_changed_in_its_place(store: Store) -> None:
    with store.begin() as tx:
        INCIDENTS.save(tx, INCIDENT)
    with store.begin() as tx:
        INCIDENTS.save(tx, replace(INCIDENT, failed_requests=7))
    with store.begin() as tx:
        assert INCIDENTS.where(tx) == (replace(INCIDENT, failed_requests=7),)
        assert INCIDENTS.find(tx, "inc_2") is None


def test_a_row_of_another_project_is_neither_seen_nor_overwritten(store: Store, store_url: str) -> None:
    with store.begin() as tx:
        INCIDENTS.save(tx, INCIDENT)
    other = Store(store_url, Project(id="other")).open()
    with other.begin() as tx:
        assert INCIDENTS.find(tx, INCIDENT.id) is None
    with pytest.raises(ConflictError), other.begin() as tx:
        INCIDENTS.save(tx, replace(INCIDENT, title="theirs"))
    other.close()
    with store.begin() as tx:
        assert INCIDENTS.find(tx, INCIDENT.id) == INCIDENT


def test_who_waits_for_a_locked_row_finds_what_was_written_meanwhile(store: Store) -> None:
    """Two processes that count in one row lose no count, on PostgreSQL as on SQLite."""
    with store.begin() as tx:
        INCIDENTS.save(tx, replace(INCIDENT, failed_requests=0))

    def count() -> None:
        for _ in range(20):
            with store.begin() as tx:
                found = INCIDENTS.find(tx, INCIDENT.id, lock=True)
                assert found is not None
                assert found.failed_requests is not None
                INCIDENTS.save(tx, replace(found, failed_requests=found.failed_requests + 1))

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with store.begin() as tx:
        assert INCIDENTS.find(tx, INCIDENT.id) == replace(INCIDENT, failed_requests=80)


def test_who_waits_for_a_name_finds_the_rows_that_came_meanwhile(store: Store) -> None:
    """Where there is no row to lock yet: each takes the first number that nobody has, and no two take one."""

    def take() -> None:
        for _ in range(10):
            with store.begin() as tx:
                tx.lock("numbers")
                INCIDENTS.save(tx, replace(INCIDENT, id=f"inc_{len(INCIDENTS.where(tx))}"))

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with store.begin() as tx:
        assert len(INCIDENTS.where(tx)) == 40


def test_a_page_is_cut_and_all_rows_are_never_silently_fewer(store: Store) -> None:
    """A gate that saw a part of the evidence would answer wrongly: it hears of it instead."""
    body = json.dumps(to_json(INCIDENT))
    same = {"organisation_id": store.project.organisation_id, "project_id": store.project.id, "body": body}
    same |= {"environment": "production", "status": "open"}
    many = [same | {"id": f"inc_{number}", "opened_us": number} for number in range(ROWS_MAX + 1)]
    with store.begin() as tx:
        tx.connection.execute(insert(tables.incident), many)
        assert len(INCIDENTS.where(tx, order="opened_us", newest_first=True, limit=2)) == 2
        with pytest.raises(ShiplineError, match="too many to read"):
            INCIDENTS.where(tx)
        assert len(INCIDENTS.where(tx, opened_us=1)) == 1
