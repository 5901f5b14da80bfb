"""Whether the log is what it was: every row against its leaf, every leaf against the tree, the tree against what the
key has signed, and all of it against a witness, where somebody has kept one.

Who holds the signing key and the database can rewrite the log's history, or cut off its end. Only a checkpoint kept
elsewhere shows that. Events that are not sequenced yet are not protected by anything; they are counted.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, RowMapping, and_, func, or_, select

from shipline.store import merkle
from shipline.store.checkpoints import Checkpoint, open_checkpoint
from shipline.store.database import Store
from shipline.store.log import CONTENT_ERASED
from shipline.store.notes import InvalidNote, NotePublicKey
from shipline.store.tables import checkpoint, log_head, merkle_node
from shipline.store.tables import event as event_table
from shipline.store.transaction import content_hash
from shipline.store.tree import leaf_data, leaf_document

CHUNK = 1024
PROBLEMS_MAX = 1000


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that does not fit, in words; `event_id` where one event is meant."""

    what: str
    event_id: str | None = None


@dataclass(frozen=True, slots=True)
class LogVerification:
    """What was looked at and what was wrong. `size` counts sequenced events, `erased` those of them and of the
    `unsequenced` whose content was erased. At most PROBLEMS_MAX problems are kept, `problem_count` counts all."""

    size: int
    unsequenced: int
    erased: int
    checkpoints: int
    problems: tuple[Problem, ...]
    problem_count: int

    @property
    def is_intact(self) -> bool:
        """True if nothing was wrong."""
        return self.problem_count == 0


def verify(store: Store, public_key: NotePublicKey | None, witness: str | None = None) -> LogVerification:
    """Check the whole log of all projects, at one moment. `public_key` is not taken from the store: it says whom to
    believe (None will do for an empty log). `witness` is a checkpoint's note that was kept elsewhere."""
    with store.snapshot() as connection:
        return _Verifier(connection, public_key).run(witness)


@dataclass(slots=True)
class _Verifier:
    connection: Connection
    key: NotePublicKey | None
    problems: list[Problem] = field(default_factory=list)
    problem_count: int = 0
    sequenced: int = 0
    unsequenced: int = 0
    checkpoints: int = 0
    streams: dict[tuple[str, str], int] = field(default_factory=dict)
    erased: dict[tuple[str, str], None] = field(default_factory=dict)
    erasures: set[tuple[str, str]] = field(default_factory=set)

    def run(self, witness: str | None) -> LogVerification:
        size = self._head_size()
        self._check_sequenced(size)
        self._check_unsequenced()
        self._check_erasures()
        self._check_tree(size, self._witnessed(witness, size))
        self._check_strays(size)
        return LogVerification(
            size=self.sequenced,
            unsequenced=self.unsequenced,
            erased=len(self.erased),
            checkpoints=self.checkpoints,
            problems=tuple(self.problems),
            problem_count=self.problem_count,
        )

    def _report(self, what: str, event_id: object = None) -> None:
        self.problem_count += 1
        if len(self.problems) < PROBLEMS_MAX:
            self.problems.append(Problem(what, None if event_id is None else str(event_id)))

    def _head_size(self) -> int:
        heads = self.connection.execute(select(log_head)).all()
        if len(heads) != 1 or not isinstance(heads[0].size, int):
            self._report("the head of the log is gone, or there are several")
            return 0
        head = heads[0]
        if self.key is None and head.size:
            self._report("there is no public key to check the log with")
        if head.size and self.key is not None and head.key != str(self.key):
            self._report("the log says that it is signed by another key than the one to check it with")
        return int(head.size)

    # --- events ----------------------------------------------------------------------------------------------------

    def _check_sequenced(self, size: int) -> None:
        expected = 0
        for row in self._rows(is_sequenced=True):
            self.sequenced += 1
            self._check_row(row)
            if row["place"] != expected:
                self._report(f"place {expected} of the log is empty: an event is missing or was moved", row["id"])
            expected = row["place"] + 1 if isinstance(row["place"], int) else expected + 1
            self._check_leaf(row)
        if expected != size:
            self._report(f"the log has {size} places, its last event is at place {expected - 1}")

    def _check_unsequenced(self) -> None:
        for row in self._rows(is_sequenced=False):
            self.unsequenced += 1
            self._check_row(row)

    def _rows(self, *, is_sequenced: bool) -> Iterator[RowMapping]:
        leaf = and_(merkle_node.c.level == 0, merkle_node.c.index == event_table.c.place)
        query = select(event_table, merkle_node.c.hash.label("leaf")).outerjoin(merkle_node, leaf)
        if is_sequenced:
            query = query.where(event_table.c.place.is_not(None)).order_by(event_table.c.place)
        else:
            query = query.where(event_table.c.place.is_(None)).order_by(event_table.c.number)
        return iter(self.connection.execute(query.execution_options(yield_per=CHUNK)).mappings())

    def _check_row(self, row: RowMapping) -> None:
        stream = (row["project_id"], row["stream"])
        last = self.streams.get(stream, 0)
        if row["position"] != last + 1:
            self._report(f"position {row['position']} follows {last} in the stream {row['stream']}", row["id"])
        self.streams[stream] = row["position"] if isinstance(row["position"], int) else last + 1
        if row["content"] is None and row["salt"] is None:
            self.erased[row["project_id"], row["id"]] = None
        elif not _content_fits(row):
            self._report("the content is not what was recorded", row["id"])
        elif row["kind"] == CONTENT_ERASED:
            self.erasures.add((row["project_id"], json.loads(row["content"])["body"].get("event")))

    def _check_leaf(self, row: RowMapping) -> None:
        try:
            leaf = merkle.leaf_hash(leaf_data(leaf_document(row))).hex()
        except ValueError:
            leaf = ""
        if leaf != row["leaf"]:
            self._report(f"the event at place {row['place']} is not the one that was sealed there", row["id"])

    def _check_erasures(self) -> None:
        for erased in self.erased:
            if erased not in self.erasures:
                self._report("the content is gone, and no event says that it was erased", erased[1])

    # --- the tree --------------------------------------------------------------------------------------------------

    def _witnessed(self, note: str | None, size: int) -> Checkpoint | None:
        if note is None or self.key is None:
            return None
        try:
            seen = open_checkpoint(note, self.key)
        except InvalidNote as error:
            self._report(f"the witness cannot be used: {error.what}")
            return None
        if seen.size > size:
            self._report(f"the log was cut: the witness has seen {seen.size} events, the log has {size}")
        if seen.size == 0 and seen.root != merkle.EMPTY_ROOT:
            self._report("the witness gives an empty log another root")
        return seen

    def _check_tree(self, size: int, witness: Checkpoint | None) -> None:
        peaks: dict[int, bytes] = {}
        for start in range(0, size, CHUNK):
            end = min(start + CHUNK, size)
            stored = self._nodes(start, end)
            signed = self._checkpoints(start, end)
            for place in range(start, end):
                leaf = stored.get((0, place))
                if leaf is None or len(leaf) != merkle.HASH_SIZE:
                    self._report(f"the tree has no leaf for place {place}: nothing above it can be checked")
                    return
                self._grow(peaks, place, leaf, stored)
                for claim in signed.get(place + 1, []):
                    self._check_root(claim, peaks, "a checkpoint in the store")
                if witness is not None and witness.size == place + 1:
                    self._check_root(witness, peaks, "the witness")

    def _grow(self, peaks: dict[int, bytes], place: int, leaf: bytes, stored: dict[merkle.Node, bytes]) -> None:
        # As a list: every left sibling is read before it is replaced below.
        for level, index, value in list(merkle.appended_nodes(place, leaf, lambda level, _: peaks[level])):
            if stored.get((level, index)) != value:
                first, last = index << level, ((index + 1) << level) - 1
                self._report(f"the tree's node over the places {first} to {last} does not fit its leaves")
            peaks[level] = value

    def _check_root(self, claim: Checkpoint, peaks: dict[int, bytes], whose: str) -> None:
        if merkle.root(claim.size, lambda level, _: peaks[level]) != claim.root:
            self._report(f"{whose} has signed another log of {claim.size} events")

    def _nodes(self, start: int, end: int) -> dict[merkle.Node, bytes]:
        """The stored nodes that the leaves [start, end) complete."""
        columns = merkle_node.c
        ranges = [
            and_(columns.level == level, columns.index >= start >> level, columns.index < end >> level)
            for level in range(end.bit_length())
        ]
        rows = self.connection.execute(select(columns.level, columns.index, columns.hash).where(or_(*ranges)))
        return {(level, index): _unhex(value) for level, index, value in rows}

    def _checkpoints(self, start: int, end: int) -> dict[int, list[Checkpoint]]:
        """The stored checkpoints of sizes in (start, end], as far as they are signed and say what their row says."""
        query = select(checkpoint).where(checkpoint.c.size > start, checkpoint.c.size <= end)
        found: dict[int, list[Checkpoint]] = {}
        for row in self.connection.execute(query):
            self.checkpoints += 1
            if self.key is None:
                continue
            try:
                claim = open_checkpoint(row.note, self.key)
            except InvalidNote as error:
                self._report(f"the checkpoint of {row.size} events cannot be believed: {error.what}")
                continue
            if claim.size != row.size:
                self._report(f"the checkpoint of {row.size} events speaks of {claim.size}")
            else:
                found.setdefault(claim.size, []).append(claim)
        return found

    def _check_strays(self, size: int) -> None:
        """What is there beyond the head, and whether the head itself is signed."""
        columns = merkle_node.c
        beyond = [and_(columns.level == level, columns.index >= size >> level) for level in range(size.bit_length())]
        stray = or_(columns.level >= size.bit_length(), columns.level < 0, columns.index < 0, *beyond)
        count = self._count(select(func.count()).select_from(merkle_node).where(stray))
        if count:
            self._report(f"the tree has {count} nodes that belong to no event of the log")
        outside = or_(checkpoint.c.size > size, checkpoint.c.size < 1)
        for claimed in self.connection.scalars(select(checkpoint.c.size).where(outside).limit(PROBLEMS_MAX)):
            self._report(f"the log was cut: a checkpoint has {claimed} events, the log has {size}")
        if size and not self._count(select(func.count()).select_from(checkpoint).where(checkpoint.c.size == size)):
            self._report(f"the checkpoint of the log's {size} events is gone")

    def _count(self, query: Any) -> int:
        return int(self.connection.scalar(query) or 0)


def _content_fits(row: RowMapping) -> bool:
    try:
        return bool(content_hash(row["salt"], row["content"]) == row["content_hash"])
    except (TypeError, ValueError, AttributeError):
        return False


def _unhex(value: str) -> bytes:
    try:
        return bytes.fromhex(value)
    except (TypeError, ValueError):
        return b""
