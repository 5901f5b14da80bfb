"""Proofs that an event is in the log: for people who have the public key and no access to the store."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from shipline.domain.errors import InvalidValue, ShiplineError
from shipline.store import merkle
from shipline.store.checkpoints import Checkpoint, open_checkpoint
from shipline.store.database import Store
from shipline.store.notes import NotePublicKey
from shipline.store.tables import checkpoint
from shipline.store.tables import event as event_table
from shipline.store.tree import LEAF, StoredNodes, leaf_data, leaf_document

SCHEMA = "shipline.log.proof/1"
TOGETHER = 500
"""So many are read at once: with their nodes they stay below what a database takes as parameters of one query."""


@dataclass(frozen=True, slots=True)
class Proof:
    """The event's leaf stands at `place` in the tree of `size` that the checkpoint signs. `domain.codec` gives its
    JSON form. `hashes` is the inclusion proof in base64, from the leaf up; the leaf holds the content's hash only."""

    schema: str
    leaf: dict[str, Any]
    place: int
    size: int
    hashes: tuple[str, ...]
    checkpoint: str


def prove(store: Store, event_id: str) -> Proof:
    """The proof for an event of the store's project under the latest checkpoint.

    Raises InvalidValue for an unknown event, ShiplineError (retryable) for one that is not sequenced yet.
    """
    return prove_all(store, (event_id,))[0]


def prove_all(store: Store, event_ids: Sequence[str]) -> tuple[Proof, ...]:
    """A proof for each event, in their order, all under one checkpoint. Raises as `prove`."""
    with store.snapshot() as connection:
        head = connection.execute(select(checkpoint).order_by(checkpoint.c.size.desc()).limit(1)).one_or_none()
        parts = (event_ids[at : at + TOGETHER] for at in range(0, len(event_ids), TOGETHER))
        return tuple(proof for part in parts for proof in _proofs(store, connection, head, part))


def _proofs(store: Store, connection: Connection, head: Any, event_ids: Sequence[str]) -> Iterator[Proof]:
    wanted = event_table.c.id.in_(event_ids) & (event_table.c.project_id == store.project.id)
    rows = {row["id"]: row for row in connection.execute(select(event_table).where(wanted)).mappings()}
    for event_id in event_ids:
        if event_id not in rows:
            raise InvalidValue(f"the log has no event {event_id[:80]!r}", todo="`shipline log show` lists the events")
        if rows[event_id]["place"] is None or head is None or rows[event_id]["place"] >= head.size:
            raise ShiplineError(f"the event {event_id} is not sequenced yet", todo="try again later", retryable=True)
    nodes = StoredNodes(
        connection, {node for row in rows.values() for node in merkle.inclusion_nodes(row["place"], head.size)}
    )
    for row in map(rows.__getitem__, event_ids):
        yield Proof(
            schema=SCHEMA,
            leaf=leaf_document(row),
            place=row["place"],
            size=head.size,
            hashes=tuple(
                base64.b64encode(value).decode() for value in merkle.inclusion_proof(row["place"], head.size, nodes)
            ),
            checkpoint=head.note,
        )


def check_proof(proof: Proof, key: NotePublicKey) -> Checkpoint:
    """The checkpoint that the proof leads to. All of the proof may be hostile. Raises InvalidValue."""
    if proof.schema != SCHEMA:
        raise InvalidValue("this is no proof of an event", todo=f"its schema is {SCHEMA}")
    signed = open_checkpoint(proof.checkpoint, key)
    if signed.size != proof.size:
        raise InvalidValue("the proof and its checkpoint are of different sizes")
    check_inclusion(proof.leaf, proof.place, proof.hashes, signed)
    return signed


def check_inclusion(leaf: dict[str, Any], place: int, hashes: tuple[str, ...], signed: Checkpoint) -> None:
    """See that a leaf stands at a place of the log that a checkpoint has signed. Raises InvalidValue."""
    if set(leaf) != set(LEAF):
        raise InvalidValue("this is no event's leaf", todo=f"it has exactly {', '.join(LEAF)}")
    try:
        merkle.verify_inclusion(
            merkle.leaf_hash(leaf_data(leaf)),
            place=place,
            size=signed.size,
            proof=[_hash(value) for value in hashes[: merkle.PROOF_LENGTH_MAX + 1]],
            root_hash=signed.root,
        )
    except ValueError as error:
        raise InvalidValue("the event is not proven", why=str(error)[:200]) from error


def _hash(text: str) -> bytes:
    """A hash from its one form in base64: with other bits behind the last byte, two texts would say the same."""
    value = base64.b64decode(text, validate=True)
    if base64.b64encode(value).decode() != text:
        raise ValueError("a hash is not in the canonical base64 of its bytes")
    return value
