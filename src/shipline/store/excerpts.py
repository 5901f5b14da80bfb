"""Excerpts of the log: the events of a few streams with the proofs that they are in it, for who has no access to it.

An event's leaf holds a salted hash of its content. What Shipline itself has done is handed out with its content, which
the hash proves; of what a person did the leaf alone, since a copy that was given away cannot be erased.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import RowMapping, select

from shipline.domain.actor import ActorKind
from shipline.domain.errors import InvalidValue
from shipline.store import merkle
from shipline.store.checkpoints import Checkpoint, open_checkpoint
from shipline.store.database import Store
from shipline.store.notes import NotePublicKey
from shipline.store.proofs import check_inclusion
from shipline.store.tables import checkpoint, log_head
from shipline.store.tables import event as event_table
from shipline.store.transaction import content_hash
from shipline.store.tree import StoredNodes, leaf_document

SCHEMA = "shipline.log.excerpt/1"
EVENTS_MAX = 5_000


@dataclass(frozen=True, slots=True)
class ProvenEvent:
    """One event's leaf, its place, and the inclusion proof (base64, from the leaf up). `content` is the canonical JSON
    of actor and body, and `salt` what its hash begins with; "" both where they are not handed out."""

    leaf: dict[str, Any]
    place: int
    hashes: tuple[str, ...]
    content: str = ""
    salt: str = ""


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Events under the checkpoint of the first `size` events. `key` says whose the checkpoint is; `left_out` is how
    many events of the streams are not among them, having no place in it yet or being too many."""

    schema: str
    key: str
    size: int
    checkpoint: str
    events: tuple[ProvenEvent, ...]
    left_out: int = 0


def excerpt(store: Store, streams: Sequence[str]) -> Excerpt | None:
    """The events of these streams under the latest checkpoint, the first EVENTS_MAX; None while there is none."""
    columns = event_table.c
    mine = select(event_table).where(columns.project_id == store.project.id, columns.stream.in_(streams))
    with store.snapshot() as connection:
        head = connection.execute(select(checkpoint).order_by(checkpoint.c.size.desc()).limit(1)).one_or_none()
        if head is None:
            return None
        key = connection.scalar(select(log_head.c.key))
        rows = connection.execute(mine.order_by(columns.number)).mappings().all()
        placed = [row for row in rows if row["place"] is not None and row["place"] < head.size][:EVENTS_MAX]
        nodes = StoredNodes(connection, merkle.peaks(head.size))
        events = tuple(_proven(row, merkle.inclusion_proof(row["place"], head.size, nodes)) for row in placed)
    return Excerpt(SCHEMA, str(key), head.size, head.note, events, len(rows) - len(placed))


def _proven(row: RowMapping, proof: Iterable[bytes]) -> ProvenEvent:
    hashes = tuple(base64.b64encode(value).decode() for value in proof)
    known = row["content"] is not None and _by_shipline(row["content"])
    said = {"content": row["content"], "salt": row["salt"]} if known else {}
    return ProvenEvent(leaf_document(row), row["place"], hashes, **said)


def _by_shipline(content: str) -> bool:
    return bool(json.loads(content)["actor"]["kind"] == ActorKind.SYSTEM.value)


def check_excerpt(found: Excerpt, key: NotePublicKey) -> Checkpoint:
    """The checkpoint that all events are proven under. All of the excerpt may be hostile. Raises InvalidValue."""
    if found.schema != SCHEMA or len(found.events) > EVENTS_MAX:
        raise InvalidValue(
            f"this is no excerpt of a log of at most {EVENTS_MAX} events", todo=f"its schema is {SCHEMA}"
        )
    signed = open_checkpoint(found.checkpoint, key)
    if signed.size != found.size:
        raise InvalidValue("the excerpt and its checkpoint are of different sizes")
    for one in found.events:
        check_inclusion(one.leaf, one.place, one.hashes, signed)
        if one.content and not _fits(one):
            raise InvalidValue("the content of an event is not what was recorded")
    return signed


def _fits(one: ProvenEvent) -> bool:
    try:
        is_salt = bytes.fromhex(one.salt).hex() == one.salt  # Else two texts would say the same.
        return is_salt and content_hash(one.salt, one.content) == one.leaf["content_hash"]
    except ValueError:
        return False
