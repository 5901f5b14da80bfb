"""Whatever is done to the log's rows behind its back is found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, delete, insert, select, update

from shipline.store import merkle
from shipline.store.checkpoints import Checkpoint
from shipline.store.database import Store
from shipline.store.log import erase, latest_checkpoint, sequence
from shipline.store.notes import NoteSigningKey
from shipline.store.tables import checkpoint, log_head, merkle_node
from shipline.store.tables import event as event_table
from shipline.store.transaction import content_hash
from shipline.store.verification import PROBLEMS_MAX, verify
from tests.store.logs import KEY, PERSON, PUBLIC, append, event

COLUMNS = [column.name for column in event_table.columns]
NULLABLE = [column.name for column in event_table.columns if column.nullable]


def filled(store: Store, count: int, *, batch: int = 1000, streams: int = 2) -> Store:
    """A log of `count` events, sequenced."""
    with store.begin() as tx:
        for number in range(count):
            tx.append(event(number, f"s:{number % streams}"))
    sequence(store, KEY, batch=batch)
    return store


def empty(store: Store) -> None:
    with store.begin() as tx:
        for table in (event_table, merkle_node, checkpoint):
            tx.connection.execute(delete(table))
        tx.connection.execute(delete(log_head))
        tx.connection.execute(insert(log_head).values(id=1, size=0, key=None))


@dataclass
class Tamper:
    """What an attacker with access to the database may do to one or two events."""

    connection: Connection
    draw: Callable[[st.SearchStrategy[Any]], Any]

    def rows(self, count: int) -> list[dict[str, Any]]:
        query = select(event_table).where(event_table.c.place.is_not(None)).order_by(event_table.c.place)
        found = [dict(row) for row in self.connection.execute(query).mappings()]
        return [found[index] for index in self.draw(st.lists(
            st.integers(0, len(found) - 1), min_size=count, max_size=count, unique=True
        ))]  # fmt: skip

    def set(self, row: dict[str, Any], **values: object) -> None:
        self.connection.execute(update(event_table).where(event_table.c.number == row["number"]).values(**values))

    def delete(self) -> None:
        self.connection.execute(delete(event_table).where(event_table.c.number == self.rows(1)[0]["number"]))

    def change(self) -> None:
        """Any column, to another value that the column takes."""
        row = self.rows(1)[0]
        name = self.draw(st.sampled_from(COLUMNS))
        old = row[name]
        if name in NULLABLE and old is not None and self.draw(st.booleans()):
            new: object = None
        elif isinstance(old, int):
            new = old + self.draw(st.integers(-3, 1000).filter(bool)) + (1000 if name in ("number", "place") else 0)
        else:
            new = self.draw(st.text("abcdef0123456789", min_size=1, max_size=32).filter(lambda text: text != old))
        self.set(row, **{name: new})

    def swap(self) -> None:
        """Two rows exchange some columns, in which they differ."""
        one, two = self.rows(2)
        names = self.draw(st.sampled_from([
            ["place"], ["content", "salt", "content_hash"], ["content", "salt"], ["time_us"], ["content_hash"],
            ["id"], ["id", "cause", "time_us", "content", "salt", "content_hash"],
        ]))  # fmt: skip
        parked = {"id": "evt_parked", "place": -1}
        self.set(one, **{name: parked.get(name, one[name]) for name in names})
        self.set(two, **{name: one[name] for name in names})
        self.set(one, **{name: two[name] for name in names})

    def rewrite(self) -> None:
        """A new content with a hash that fits it: found because the leaf does not."""
        row = self.rows(1)[0]
        self.set(row, content="{}", content_hash=content_hash(row["salt"], "{}"))

    def rewrite_with_leaf(self) -> None:
        """A stored leaf is replaced, and so would be the event: found because the tree above does not fit."""
        place = self.rows(1)[0]["place"]
        leaf = (merkle_node.c.level == 0) & (merkle_node.c.index == place)
        self.connection.execute(update(merkle_node).where(leaf).values(hash="ab" * 32))

    def insert(self) -> None:
        """An event of one's own at the end, or in the middle where another was."""
        row = self.rows(1)[0]
        if self.draw(st.booleans()):
            self.connection.execute(delete(event_table).where(event_table.c.number == row["number"]))
        else:
            row["place"] = 1000
            row["position"] = 1000
            row["number"] += 1000
        self.connection.execute(insert(event_table).values(**row | {"id": "evt_mine"}))

    def node(self) -> None:
        """Any node of the tree: changed, gone, or one too many."""
        nodes = self.connection.execute(select(merkle_node).order_by(merkle_node.c.level, merkle_node.c.index)).all()
        node = self.draw(st.sampled_from(nodes))
        chosen = (merkle_node.c.level == node.level) & (merkle_node.c.index == node.index)
        action = self.draw(st.sampled_from(["change", "delete", "insert"]))
        if action == "change":
            self.connection.execute(update(merkle_node).where(chosen).values(hash="zz"))
        elif action == "delete":
            self.connection.execute(delete(merkle_node).where(chosen))
        else:
            self.connection.execute(insert(merkle_node).values(level=node.level, index=node.index + 1000, hash="00"))

    def head(self) -> None:
        """The head's size or key."""
        values = self.draw(st.sampled_from([{"size": 0}, {"size": 1000}, {"size": -1}, {"key": "other"}]))
        self.connection.execute(update(log_head).values(**values))

    def behead(self) -> None:
        self.connection.execute(delete(log_head))

    def forge(self) -> None:
        """The latest checkpoint: gone, signed by another key, for another root, of another size."""
        size, note = self.connection.execute(select(checkpoint.c.size, checkpoint.c.note).order_by(
            checkpoint.c.size.desc()
        )).all()[0]  # fmt: skip
        chosen = checkpoint.c.size == size
        other = NoteSigningKey(name=KEY.name, seed=bytes(32))
        action = self.draw(st.sampled_from(["delete", "key", "root", "size", "row"]))
        if action == "delete":
            self.connection.execute(delete(checkpoint).where(chosen))
        elif action == "row":
            self.connection.execute(update(checkpoint).where(chosen).values(size=size + 1, note=note))
        else:
            claim = Checkpoint(KEY.name, size + (action == "size"), merkle.EMPTY_ROOT)
            forged = claim.signed(other if action == "key" else KEY)
            self.connection.execute(update(checkpoint).where(chosen).values(note=forged))


TAMPERS = [name for name, value in vars(Tamper).items() if callable(value) and name[0] != "_"]
TAMPERS = [name for name in TAMPERS if name not in ("rows", "set", "connection", "draw")]


@settings(
    max_examples=15,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data(), shape=st.tuples(st.integers(2, 12), st.integers(1, 12), st.integers(0, 2)))
@pytest.mark.parametrize("tamper", TAMPERS)
def test_tampering_is_found(store: Store, tamper: str, data: st.DataObject, shape: tuple[int, int, int]) -> None:
    """Deleting, changing, moving, swapping, inserting rows, of the events, the tree, the head and the checkpoints, in
    logs of random lengths and batches, each with random victims and values."""
    count, batch, unsequenced = shape
    empty(store)
    filled(store, count, batch=batch)
    append(store, [event(100 + number, "s:0") for number in range(unsequenced)])
    before = verify(store, PUBLIC)
    assert (before.problems, before.size, before.unsequenced) == ((), count, unsequenced)
    with store.begin() as tx:
        getattr(Tamper(tx.connection, data.draw), tamper)()
    assert not verify(store, PUBLIC).is_intact


def test_an_intact_log_is_found_intact(store: Store) -> None:
    """Over more than one chunk, with events that are not sequenced yet counted apart."""
    filled(store, 1500, batch=400, streams=7)
    append(store, [event(5000, "s:1"), event(5001, "new")])
    found = verify(store, PUBLIC, latest_checkpoint(store))
    assert found.problems == ()
    assert (found.size, found.unsequenced, found.checkpoints, found.erased) == (1500, 2, 4, 0)


def test_an_empty_log_is_intact(store: Store) -> None:
    """With a key or without one."""
    assert verify(store, None).is_intact
    assert verify(store, PUBLIC).is_intact


def test_a_log_is_not_believed_without_a_key(store: Store) -> None:
    filled(store, 2)
    assert [problem.what for problem in verify(store, None).problems] == [
        "there is no public key to check the log with"
    ]


def test_problems_name_the_event(store: Store) -> None:
    """On both databases a changed event is named, and nothing else is accused."""
    filled(store, 9)
    with store.begin() as tx:
        tx.connection.execute(update(event_table).where(event_table.c.id == event(4).id).values(time_us=1))
    (problem,) = verify(store, PUBLIC).problems
    assert (problem.event_id, problem.what) == (
        event(4).id,
        "the event at place 4 is not the one that was sealed there",
    )


def test_a_lost_last_event_is_found_without_a_witness(store: Store) -> None:
    """The head and the checkpoint remember it."""
    filled(store, 5)
    with store.begin() as tx:
        tx.connection.execute(delete(event_table).where(event_table.c.place == 4))
    assert "the log has 5 places, its last event is at place 3" in [
        problem.what for problem in verify(store, PUBLIC).problems
    ]


def test_a_log_cut_whole_is_found_by_a_witness(store: Store) -> None:
    """Who owns the database can take the end off everything in it; a checkpoint kept elsewhere shows that."""
    filled(store, 3)
    filled_note = latest_checkpoint(store)
    append(store, [event(number, "later") for number in range(10, 14)])
    sequence(store, KEY)
    witness = latest_checkpoint(store)
    cut(store, 3)
    assert verify(store, PUBLIC).is_intact
    assert verify(store, PUBLIC, filled_note).is_intact
    assert "the log was cut: the witness has seen 7 events, the log has 3" in [
        problem.what for problem in verify(store, PUBLIC, witness).problems
    ]


def test_a_log_written_anew_by_the_keys_owner_is_found_by_a_witness(store: Store) -> None:
    filled(store, 4)
    witness = latest_checkpoint(store)
    empty(store)
    filled(store, 6, streams=3)
    assert verify(store, PUBLIC).is_intact
    assert [problem.what for problem in verify(store, PUBLIC, witness).problems] == [
        "the witness has signed another log of 4 events"
    ]


@pytest.mark.parametrize("witness", ["", "nonsense", "other key", "empty log, other root"])
def test_a_witness_that_proves_nothing_is_a_problem(store: Store, witness: str) -> None:
    """It is never passed over in silence."""
    filled(store, 2)
    if witness == "other key":
        witness = Checkpoint(KEY.name, 2, bytes(32)).signed(NoteSigningKey(name=KEY.name, seed=bytes(32)))
    if witness.startswith("empty"):
        witness = Checkpoint(KEY.name, 0, bytes(32)).signed(KEY)
    assert verify(store, PUBLIC, witness).problem_count == 1


def test_content_that_was_deleted_is_not_taken_for_erased(store: Store) -> None:
    """Only an event of the log that says so makes it an erasure."""
    filled(store, 3)
    with store.begin() as tx:
        tx.connection.execute(update(event_table).where(event_table.c.place == 1).values(content=None, salt=None))
    (problem,) = verify(store, PUBLIC).problems
    assert problem.event_id == event(1).id
    assert "no event says that it was erased" in problem.what


def test_an_erasure_in_another_stream_of_the_same_log_is_found_with_the_event(store: Store) -> None:
    """Before and after its record is sequenced."""
    filled(store, 3)
    with store.begin() as tx:
        erase(tx, event(1).id, erasure_id=event(7).id, actor=PERSON, time_us=9)
    assert verify(store, PUBLIC).is_intact
    sequence(store, KEY)
    assert verify(store, PUBLIC).is_intact


def test_a_wreck_is_reported_within_bounds(store: Store) -> None:
    """All are counted, and no more than a thousand are listed."""
    filled(store, PROBLEMS_MAX + 50)
    with store.begin() as tx:
        tx.connection.execute(update(event_table).values(version=7))
    found = verify(store, PUBLIC)
    assert (found.problem_count, len(found.problems)) == (PROBLEMS_MAX + 50, PROBLEMS_MAX)


def cut(store: Store, size: int) -> None:
    """Take everything beyond `size` off the events, the tree, the checkpoints and the head."""
    with store.begin() as tx:
        tx.connection.execute(delete(event_table).where(event_table.c.place >= size))
        tx.connection.execute(delete(checkpoint).where(checkpoint.c.size > size))
        tx.connection.execute(update(log_head).values(size=size))
        for level in range(5):
            beyond = (merkle_node.c.level == level) & (merkle_node.c.index >= size >> level)
            tx.connection.execute(delete(merkle_node).where(beyond))
