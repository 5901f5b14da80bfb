"""The Merkle tree as it lies in the tables: what a leaf says of an event, and nodes read back."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

import rfc8785
from sqlalchemy import Connection, RowMapping, and_, or_, select

from shipline.store.errors import CorruptStore
from shipline.store.merkle import Node
from shipline.store.tables import merkle_node

# What the leaf commits to. The content stands there as its salted hash, so that it can be erased. `number` is among
# them because readers go by it.
LEAF = (
    "number",
    "id",
    "organisation_id",
    "project_id",
    "stream",
    "position",
    "kind",
    "version",
    "time_us",
    "cause",
    "content_hash",
)


def leaf_document(row: RowMapping) -> dict[str, Any]:
    """The leaf of an event's row, as JSON data."""
    return {name: row[name] for name in LEAF}


def leaf_data(leaf: Mapping[str, Any]) -> bytes:
    """The bytes that are hashed: canonical JSON (RFC 8785). Raises ValueError for what no leaf can say."""
    if all(map(_is_simple, leaf.values())):
        return _encode(dict(leaf)).encode()
    return rfc8785.dumps(dict(leaf))


def _is_simple(value: object) -> bool:
    """What the standard library writes as RFC 8785 does, in a fifth of the time: no fractions, nothing nested."""
    return value is None or type(value) is str or (type(value) is int and -(2**53) < value < 2**53)


_encode = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode


class StoredNodes:
    """Nodes of the tree as `store.merkle` asks for them. Raises CorruptStore for one that is not there."""

    def __init__(self, connection: Connection, nodes: Iterable[Node]) -> None:
        """Read the given nodes; others are read when they are asked for."""
        self._connection = connection
        self._known = self._read(nodes)

    def __call__(self, level: int, index: int) -> bytes:
        """The hash of a node."""
        if (level, index) not in self._known:
            self._known |= self._read([(level, index)])
        try:
            return self._known[level, index]
        except KeyError:
            raise CorruptStore("the event log", why=f"its tree has no node {level}/{index}") from None

    def add(self, level: int, index: int, value: bytes) -> None:
        """Remember a node that is about to be written."""
        self._known[level, index] = value

    def _read(self, nodes: Iterable[Node]) -> dict[Node, bytes]:
        levels: dict[int, list[int]] = {}
        for level, index in nodes:
            levels.setdefault(level, []).append(index)
        if not levels:
            return {}
        wanted = [
            and_(merkle_node.c.level == level, merkle_node.c.index.in_(indexes)) for level, indexes in levels.items()
        ]
        rows = self._connection.execute(
            select(merkle_node.c.level, merkle_node.c.index, merkle_node.c.hash).where(or_(*wanted))
        )
        return {(level, index): bytes.fromhex(value) for level, index, value in rows}
