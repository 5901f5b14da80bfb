"""Reactors handle each event exactly once, in order, whoever runs them, on both databases."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import insert, select

from shipline.domain.event import Event
from shipline.domain.package import Project
from shipline.store.database import Store
from shipline.store.log import sequence
from shipline.store.reactors import react
from shipline.store.tables import node as node_table
from shipline.store.transaction import Transaction
from tests.store.logs import KEY, append, event


def note(tx: Transaction, event: Event) -> None:
    """Write a row; the same event twice would be a conflict."""
    tx.connection.execute(insert(node_table).values(id=event.id, beat_us=event.time_us))


def noted(store: Store) -> list[str]:
    with store.snapshot() as connection:
        return list(connection.scalars(select(node_table.c.id).order_by(node_table.c.id)))


def ids(*numbers: int) -> list[str]:
    return [event(number).id for number in numbers]


def test_each_event_is_handled_once(store: Store) -> None:
    """Those of the kinds asked for, in order, from the first on; a second round finds only what is new."""
    append(store, [event(number, kind=f"K{number % 2}") for number in range(6)])
    sequence(store, KEY)
    assert react(store, "noting", ["K0"], note) == 3
    assert noted(store) == ids(0, 2, 4)
    assert react(store, "noting", ["K0"], note) == 0
    append(store, [event(8, kind="K0")])
    assert react(store, "noting", ["K0"], note) == 0  # Not sequenced yet.
    sequence(store, KEY)
    assert react(store, "noting", ["K0"], note) == 1
    assert noted(store) == ids(0, 2, 4, 8)


def test_a_round_has_a_limit(store: Store) -> None:
    append(store, [event(number) for number in range(5)])
    sequence(store, KEY)
    assert [react(store, "noting", ["ReleasePublished"], note, limit=2) for _ in range(4)] == [2, 2, 1, 0]


def test_reactors_have_cursors_of_their_own(store: Store) -> None:
    """By name and by project."""
    append(store, [event(1)])
    other = Store(store.url, Project(id="prj_other", organisation_id="org_other", name="other")).open()
    append(other, [event(2)])
    sequence(store, KEY)
    seen: list[str] = []
    for name in ("one", "two"):
        assert react(store, name, ["ReleasePublished"], lambda _, event: seen.append(event.id)) == 1
    assert react(other, "one", ["ReleasePublished"], lambda _, event: seen.append(event.id)) == 1
    assert seen == ids(1, 1, 2)
    other.close()


def test_what_a_failing_handler_wrote_is_not_kept(store: Store) -> None:
    """The events before stay handled, and the next round begins with the one that failed."""
    append(store, [event(number) for number in range(3)])
    sequence(store, KEY)
    failing = [True]

    def handler(tx: Transaction, event: Event) -> None:
        note(tx, event)
        if event.body["number"] == 1 and failing:
            raise ValueError(failing.pop())

    with pytest.raises(ValueError, match="True"):
        react(store, "noting", ["ReleasePublished"], handler)
    assert noted(store) == ids(0)
    assert react(store, "noting", ["ReleasePublished"], handler) == 2
    assert noted(store) == ids(0, 1, 2)


def test_a_reaction_may_append_events(store: Store) -> None:
    """They are seen by a later round, once they are sequenced."""
    append(store, [event(1)])
    sequence(store, KEY)

    def answer(tx: Transaction, trigger: Event) -> None:
        tx.append(event(2, kind="Answered", cause=trigger.id))

    assert react(store, "answering", ["ReleasePublished"], answer) == 1
    sequence(store, KEY)
    assert react(store, "noting", ["Answered"], note) == 1


def test_two_nodes_at_once_do_not_both_handle(store: Store) -> None:
    """Several threads with the same reactor: every event is handled by one of them."""
    append(store, [event(number) for number in range(30)])
    sequence(store, KEY)
    seen: list[str] = []

    def handler(tx: Transaction, event: Event) -> None:
        note(tx, event)
        seen.append(event.id)

    def work() -> None:
        while len(noted(store)) < 30:
            react(store, "noting", ["ReleasePublished"], handler)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == ids(*range(30))


def test_a_node_does_not_wait_for_another(postgresql_store: Store) -> None:
    """On PostgreSQL it returns at once while the other one handles."""
    store = postgresql_store
    append(store, [event(1)])
    sequence(store, KEY)
    react(store, "noting", ["Other"], note)
    append(store, [event(2)])
    sequence(store, KEY)
    inner: list[int] = []

    def handler(_: Transaction, __: Event) -> None:
        inner.append(react(store, "noting", ["ReleasePublished"], note))

    assert react(store, "noting", ["ReleasePublished"], handler) == 1
    assert inner == [0]


def test_a_late_commit_is_not_skipped(postgresql_store: Store) -> None:
    """On PostgreSQL an event with a lower number appears after higher ones were handled: it is handled then."""
    store = postgresql_store
    with store.begin() as late:
        late.append(event(1, "slow"))
        append(store, [event(2, "quick")])
        sequence(store, KEY)
        assert react(store, "noting", ["ReleasePublished"], note) == 1
    sequence(store, KEY)
    assert react(store, "noting", ["ReleasePublished"], note) == 1
    assert noted(store) == ids(1, 2)
