"""Crossroads: what dies with the process stays behind, what outlives it goes on, and neither world sees the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from shipline.store.database import Store
from shipline.store.transaction import Transaction
from shipline.testing.crossroads import Crossroads, Trouble
from shipline.testing.kills import MortalStore

MANY = 5_000


@dataclass
class Room:
    """A store with a table of words, a file and a memory; `tell` is what is there."""

    folder: Path
    store: Store
    memory: list[str] = field(default_factory=list)

    @property
    def file(self) -> Path:
        return self.folder / "file"

    def write(self, tx: Transaction, word: str) -> None:
        tx.connection.execute(text("INSERT INTO word VALUES (:word)"), {"word": word})

    def tell(self) -> tuple[list[str], str, list[str]]:
        with self.store.begin() as tx:
            words = list(tx.connection.execute(text("SELECT word FROM word ORDER BY rowid")).scalars())
        return words, self.file.read_text(), list(self.memory)

    def crossroads(self, afterwards: Callable[[], Any] | None = None, *, every: int = 1) -> Crossroads:
        return Crossroads(
            self.folder,
            self.store,
            self.memory,
            afterwards=afterwards if afterwards is not None else self.tell,
            chosen=lambda number, _name: number % every == 0,
        )


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    (tmp_path / "room").mkdir()
    store = Store(f"sqlite:///{tmp_path / 'room' / 'store.db'}").open()
    with store.begin() as tx:
        tx.connection.execute(text("CREATE TABLE word (word TEXT)"))
    made = Room(tmp_path / "room", store)
    made.file.write_text("nothing")
    yield made
    store.close()


def test_a_transaction_that_was_open_is_gone_and_one_that_was_committed_is_there(room: Room) -> None:
    crossroads = room.crossroads()
    mortal = MortalStore(room.store, crossroads)
    with mortal.begin() as tx:
        room.write(tx, "first")
    with mortal.begin() as tx:
        room.write(tx, "second")
    assert crossroads.passed == ["before commit", "after commit"] * 2
    words = [told[0] for told in crossroads.ways.values()]
    assert words == [[], ["first"], ["first"], ["first", "second"]]
    assert room.tell()[0] == ["first", "second"]


def test_a_transaction_that_outgrew_memory_and_stands_in_the_file_is_gone_too(room: Room) -> None:
    """SQLite writes pages of it before it is committed, and no reader of the copy may believe them."""
    crossroads = room.crossroads()
    wal = room.folder / "store.db-wal"
    with MortalStore(room.store, crossroads).begin() as tx:
        tx.connection.execute(text("PRAGMA cache_size=5"))
        size = wal.stat().st_size
        for number in range(MANY):
            room.write(tx, f"word {number:0100}")
        assert wal.stat().st_size > size + 100_000, "the rows are on the disk, uncommitted"
    assert [len(told[0]) for told in crossroads.ways.values()] == [0, MANY]
    assert len(room.tell()[0]) == MANY


def test_neither_world_sees_what_the_other_does(room: Room) -> None:
    def afterwards() -> Any:
        with room.store.begin() as tx:
            room.write(tx, "of the other")
        room.file.write_text("of the other")
        room.memory.append("of the other")
        return room.tell()

    crossroads = room.crossroads(afterwards)
    with MortalStore(room.store, crossroads).begin() as tx:
        room.memory.append("own")
        room.write(tx, "own")
    assert list(crossroads.ways.values()) == [
        (["of the other"], "of the other", ["own", "of the other"]),
        (["own", "of the other"], "of the other", ["own", "of the other"]),
    ]
    assert room.tell() == (["own"], "nothing", ["own"])
    assert [path.name for path in room.folder.parent.iterdir()] == ["room"]


def test_what_the_dead_process_had_in_hand_is_never_unwound(room: Room) -> None:
    crossroads = room.crossroads()
    try:
        crossroads.pass_point("inside")
    finally:
        room.memory.append("swept up")
    assert crossroads.ways[1] == ([], "nothing", [])


def test_a_world_is_told_again_where_anything_that_outlives_the_process_has_changed(room: Room) -> None:
    crossroads = room.crossroads()
    changes: list[Callable[[], object]] = [
        lambda: room.file.write_text("another!"),  # As many bytes as in the next one, and in the same moment.
        lambda: room.file.write_text("again!!!"),
        lambda: (room.folder / "link").symlink_to("here"),
        lambda: (room.folder / "link").rename(room.folder / "other"),
        lambda: room.memory.append("a word"),
    ]
    for number, change in enumerate(changes, start=1):
        crossroads.pass_point("before")
        assert crossroads.worlds == number
        change()
        crossroads.pass_point("after")
        assert crossroads.worlds == number + 1
    with room.store.begin() as tx:
        room.write(tx, "a row")
    crossroads.pass_point("in the end")
    assert crossroads.worlds == len(changes) + 2


def test_a_world_that_is_the_same_to_the_byte_is_told_once(room: Room) -> None:
    crossroads = room.crossroads()
    for name in ("one", "two"):
        crossroads.pass_point(name)
        room.tell()
    assert crossroads.worlds == 1
    assert crossroads.ways[1] == crossroads.ways[2] == room.tell()


def test_what_a_function_holds_is_memory_as_well(room: Room) -> None:
    held = ["one"]
    crossroads = Crossroads(
        room.folder, room.store, {"held": lambda: held}, afterwards=lambda: list(held), chosen=lambda *_: True
    )
    crossroads.pass_point("before")
    held.append("two")
    crossroads.pass_point("after")
    assert crossroads.ways == {1: ["one"], 2: ["one", "two"]}


def test_points_that_were_not_chosen_are_passed_all_the_same(room: Room) -> None:
    crossroads = room.crossroads(every=2)
    for number in range(5):
        crossroads.pass_point(str(number))
    assert len(crossroads.passed) == 5
    assert sorted(crossroads.ways) == [2, 4]


def test_where_nothing_comes_of_it_the_reason_is_told(room: Room) -> None:
    def afterwards() -> None:
        raise RuntimeError("the next process cannot go on")

    crossroads = room.crossroads(afterwards)
    crossroads.pass_point("a point")
    way = crossroads.ways[1]
    assert isinstance(way, Trouble)
    assert "the next process cannot go on" in way
