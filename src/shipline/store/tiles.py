"""The log as a folder of static files that anybody can check without Shipline (https://c2sp.org/tlog-tiles, v1.0.0).

    checkpoint                   the signed tree head, written last: what it speaks of is there already
    tile/L/N[.p/W]               256 hashes of level L (of 8 levels of the tree each), or the first W of them
    tile/entries/N[.p/W]         the leaves of level 0's tile N, each after its length in two bytes

A later export goes on where the earlier one ended, and a folder whose checkpoint the log does not begin with is
refused: so it is a witness, too. One that was cut off is begun again; what it has written is compared, not trusted.
Leaves are those of all projects in the store. They hold no contents, only salted hashes of them.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Connection, select

from shipline.domain.errors import NothingToDo, RefusedError, ShiplineError
from shipline.store import merkle
from shipline.store.checkpoints import Checkpoint, open_checkpoint
from shipline.store.database import Store
from shipline.store.errors import CorruptStore
from shipline.store.notes import NOTE_BYTES_MAX, InvalidNote, NotePublicKey
from shipline.store.tables import checkpoint, merkle_node
from shipline.store.tables import event as event_table
from shipline.store.tree import StoredNodes, leaf_data, leaf_document

WIDTH = 256
HEIGHT = 8
ENTRY_BYTES_MAX = 0xFFFF
CHECKPOINT = "checkpoint"
ENTRIES = "entries"


@dataclass(frozen=True, slots=True)
class TileExport:
    """What an export did: the log has `size` leaves there now, and had `before` when it began; `files` were written."""

    size: int
    before: int
    files: int


def export_tiles(store: Store, key: NotePublicKey, folder: Path) -> TileExport:
    """Bring the tiles in `folder` up to the log's latest checkpoint.

    NothingToDo where they are there, or nothing is sequenced yet. RefusedError where the folder holds another log, or
    something else than this log under a tile's name. CorruptStore where the log does not fit its own checkpoint.
    """
    with store.snapshot() as connection:
        head = connection.execute(select(checkpoint).order_by(checkpoint.c.size.desc()).limit(1)).one_or_none()
        if head is None:
            raise NothingToDo("the log has no checkpoint yet", todo="`shipline up` and `shipline release` seal events")
        signed = open_checkpoint(head.note, key)
        before = _known(connection, signed, key, folder)
        writing = _Writing(connection, folder, before, signed)
        files = writing.run()
    _put(folder / CHECKPOINT, head.note.encode(), replace=True)
    _remove_outgrown(folder, before, signed.size)
    return TileExport(signed.size, before, files + 1)


def tile_path(kind: str, index: int, width: int) -> str:
    """Where a tile lies: `kind` is its level or ENTRIES; 1234067 is `x001/x234/067`."""
    parts = [f"{index % 1000:03d}"]
    while index >= 1000:
        index //= 1000
        parts.append(f"x{index % 1000:03d}")
    partial = "" if width == WIDTH else f".p/{width}"
    return f"tile/{kind}/{'/'.join(reversed(parts))}{partial}"


def _known(connection: Connection, signed: Checkpoint, key: NotePublicKey, folder: Path) -> int:
    """How many leaves the folder has already; 0 for a new one."""
    try:
        with (folder / CHECKPOINT).open("rb") as file:
            note = file.read(NOTE_BYTES_MAX + 1).decode("utf-8", "replace")
    except FileNotFoundError:
        return 0
    except OSError as error:
        raise _unusable(folder, error) from error
    try:
        known = open_checkpoint(note, key)
    except InvalidNote as error:
        todo = "export into another folder"
        raise RefusedError(f"{folder} holds the tiles of another log", why=error.what, todo=todo) from None
    if known.size > signed.size:
        raise _rewritten(folder, f"it has seen {known.size} events, and the log has {signed.size}")
    if merkle.root(known.size, StoredNodes(connection, merkle.peaks(known.size))) != known.root:
        raise _rewritten(folder, f"the first {known.size} events are others than those that were exported")
    if known.size == signed.size:
        raise NothingToDo(f"{folder} has all {known.size} events already")
    return known.size


def _rewritten(folder: Path, why: str) -> RefusedError:
    todo = "keep that folder: it is a witness. `shipline log verify --checkpoint` with its checkpoint tells more"
    return RefusedError(f"the log does not go on from what {folder} holds", why=why, todo=todo)


@dataclass(slots=True)
class _Writing:
    """One export: the tiles that hold something of the leaves from `before` on."""

    connection: Connection
    folder: Path
    before: int
    signed: Checkpoint
    files: int = 0
    # The last, partial tile of each level; the tree's root is made of them.
    partial: list[Sequence[bytes]] = field(default_factory=list)

    def run(self) -> int:
        """Write them, lower levels first; returns how many there were."""
        level = 0
        while count := self.signed.size >> level * HEIGHT:
            self.partial.append(())
            for index in range((self.before >> level * HEIGHT) // WIDTH, -(-count // WIDTH)):
                self._tile(level, index, min(WIDTH, count - index * WIDTH))
            level += 1
        if _root(self.partial) != self.signed.root:
            raise CorruptStore("the event log", why="its checkpoint has signed another tree than it holds")
        return self.files

    def _tile(self, level: int, index: int, width: int) -> None:
        hashes = self._hashes(level, index, width)
        if width < WIDTH:
            self.partial[level] = hashes
        elif StoredNodes(self.connection, ())((level + 1) * HEIGHT, index) != _folded(hashes):
            raise CorruptStore("the event log", why=f"its tree does not fit above the tile {level}/{index}")
        if level == 0:
            self._write(tile_path(ENTRIES, index, width), b"".join(self._entries(index, hashes)))
        self._write(tile_path(str(level), index, width), b"".join(hashes))

    def _hashes(self, level: int, index: int, width: int) -> tuple[bytes, ...]:
        columns, first = merkle_node.c, index * WIDTH
        query = select(columns.hash).where(
            columns.level == level * HEIGHT, columns.index >= first, columns.index < first + width
        )
        found = tuple(bytes.fromhex(one) for one in self.connection.scalars(query.order_by(columns.index)))
        if len(found) != width:
            raise CorruptStore("the event log", why=f"its tree lacks nodes of the tile {level}/{index}")
        return found

    def _entries(self, index: int, hashes: Sequence[bytes]) -> Iterator[bytes]:
        first = index * WIDTH
        query = select(event_table).where(event_table.c.place >= first, event_table.c.place < first + len(hashes))
        rows = self.connection.execute(query.order_by(event_table.c.place)).mappings().all()
        if len(rows) != len(hashes):
            raise CorruptStore("the event log", why=f"events are missing between the places {first} and {first + 255}")
        for row, sealed in zip(rows, hashes, strict=True):
            data = leaf_data(leaf_document(row))
            if merkle.leaf_hash(data) != sealed:
                raise CorruptStore("the event log", why=f"{row['id']} is not what was sealed at its place")
            if len(data) > ENTRY_BYTES_MAX:
                raise ShiplineError(f"the leaf of {row['id']} is too long for a tile")
            yield len(data).to_bytes(2, "big") + data

    def _write(self, name: str, data: bytes) -> None:
        path = self.folder / name
        if _put(path, data, replace=False):
            self.files += 1


def _folded(hashes: Sequence[bytes]) -> bytes:
    """The root of a complete subtree over so many nodes of one level, a power of two."""
    level = list(hashes)
    while len(level) > 1:
        level = [merkle.node_hash(level[at], level[at + 1]) for at in range(0, len(level), 2)]
    return level[0]


def _root(partial: Sequence[Sequence[bytes]]) -> bytes:
    """The tree's root from the partial tiles of its levels, the lowest first; a level that ends with a full tile has
    none."""
    value = b""
    for hashes in partial:
        end = len(hashes)
        for size in (1 << bit for bit in range(HEIGHT) if len(hashes) >> bit & 1):
            complete = _folded(hashes[end - size : end])
            value, end = merkle.node_hash(complete, value) if value else complete, end - size
    return value


def _put(path: Path, data: bytes, *, replace: bool) -> bool:
    """Write a file whole or not at all; False where it was there. RefusedError for one with another content, unless it
    may be replaced."""
    try:
        if not replace and path.exists():
            if path.read_bytes() == data:
                return False
            todo = "see who wrote it, or export into another folder"
            raise RefusedError(f"{path} is not what the log holds there", todo=todo)
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, draft = tempfile.mkstemp(dir=path.parent, prefix=".draft-")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            Path(draft).chmod(0o644)
            Path(draft).replace(path)
        finally:
            Path(draft).unlink(missing_ok=True)
    except OSError as error:
        raise _unusable(path, error) from error
    return True


def _remove_outgrown(folder: Path, before: int, size: int) -> None:
    """Partial tiles whose full one is there now."""
    level = 0
    while count := before >> level * HEIGHT:
        index, width = divmod(count, WIDTH)
        if width and size >> level * HEIGHT >= (index + 1) * WIDTH:
            for kind in (str(level), *((ENTRIES,) if level == 0 else ())):
                shutil.rmtree((folder / tile_path(kind, index, 1)).parent, ignore_errors=True)
        level += 1


def _unusable(path: Path, error: OSError) -> ShiplineError:
    todo = "check the path and its permissions, and whether there is room; what was written is not lost"
    return ShiplineError(f"{path} cannot be used for the export", why=error.strerror or "", todo=todo)
