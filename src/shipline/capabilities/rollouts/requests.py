"""Requests of programs that may come twice: the answer was lost on its way, and the program sends it again.

A program gives each request a key of its own (draft-ietf-httpapi-idempotency-key-header-07, section 2). Promises: what
came with a key is done once, however often and by how many at once it is sent; the key is taken in the transaction that
does it; a key that comes with something else is refused.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from shipline.capabilities.rollouts.queries import ROLLOUTS
from shipline.domain.actor import Actor
from shipline.domain.errors import RefusedError
from shipline.domain.rollout import Rollout
from shipline.engine.engine import Engine
from shipline.store.event_writer import EventWriter
from shipline.store.log import first_of
from shipline.store.transaction import Transaction


@dataclass(frozen=True, slots=True)
class KeyedRequest:
    """A request as it came. `key` is the program's own, "" where it sent none; `what` says all that was asked for."""

    key: str
    what: str

    @property
    def stream(self) -> str:
        """Where it is on record. The key itself may tell something about who sent it, so only its hash is kept."""
        return f"request:{hashlib.sha256(self.key.encode()).hexdigest()}"


NO_KEY = KeyedRequest("", "")


def ordered_with(tx: Transaction, request: KeyedRequest) -> Rollout | None:
    """The rollout that came of this request when it was sent before, as it is now; None where it is new.

    RefusedError where its key came with something else.
    """
    if not request.key:
        return None
    tx.lock(request.stream)
    before = first_of(tx, request.stream)
    if before is None:
        return None
    if before.body.get("what") != request.what:
        raise RefusedError(
            "this Idempotency-Key was sent with another request",
            why=f"it was: {str(before.body.get('what'))[:300]}",
            todo="send each request with a key of its own, and the same one only to try that request again",
        )
    return ROLLOUTS.find(tx, str(before.body["rollout_id"]))


def ordered_once(
    tx: Transaction, engine: Engine, request: KeyedRequest, actor: Actor, do: Callable[[], Rollout]
) -> Rollout:
    """What `do` gives, or what it gave when the request was sent before."""
    known = ordered_with(tx, request)
    if known is not None:
        return known
    rollout = do()
    if request.key:
        body = {"what": request.what, "rollout_id": rollout.id}
        EventWriter(engine.ids, engine.clock, actor).append(tx, request.stream, "RequestTaken", body)
    return rollout
