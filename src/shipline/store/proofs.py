"""Proofs that an event is in the log: for people who have the public key and no access to the store."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from shipline.domain.errors import InvalidValue, ShiplineError
from shipline.store import merkle
from shipline.store.checkpoints import Checkpoint, open_checkpoint
from shipline.store.database import Store
from shipline.store.notes import NotePublicKey
from shipline.store.tables import checkpoint
from shipline.store.tables import event as event_table
from shipline.store.tree import LEAF, StoredNodes, leaf_data, leaf_document

SCHEMA = "shipline.log.proof/1"


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
    wanted = (event_table.c.id == event_id) & (event_table.c.project_id == store.project.id)
    with store.snapshot() as connection:
        row = connection.execute(select(event_table).where(wanted)).mappings().one_or_none()
        if row is None:
            raise InvalidValue(f"the log has no event {event_id[:80]!r}", todo="`shipline log show` lists the events")
        head = connection.execute(select(checkpoint).order_by(checkpoint.c.size.desc()).limit(1)).one_or_none()
        if row["place"] is None or head is None or row["place"] >= head.size:
            raise ShiplineError(f"the event {event_id} is not sequenced yet", todo="try again later", retryable=True)
        hashes = merkle.inclusion_proof(row["place"], head.size, StoredNodes(connection, ()))
    return Proof(
        schema=SCHEMA,
        leaf=leaf_document(row),
        place=row["place"],
        size=head.size,
        hashes=tuple(base64.b64encode(value).decode() for value in hashes),
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
