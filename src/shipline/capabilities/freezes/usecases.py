"""Declaring and lifting freezes: load, decide, save and append, in the caller's transaction."""

from __future__ import annotations

from dataclasses import replace

from shipline.capabilities.freezes.queries import FREEZES, freezes_in_force
from shipline.capabilities.freezes.rules import MINUTE_US, FreezeOrder, FreezeRules, declared, to_lift
from shipline.domain.actor import Actor
from shipline.domain.errors import RefusedError
from shipline.domain.freeze import Freeze
from shipline.store.event_writer import EventWriter
from shipline.store.transaction import Transaction

LOCK = "freezes"


def declare_freeze(tx: Transaction, events: EventWriter, order: FreezeOrder, actor: Actor, held: FreezeRules) -> Freeze:
    """The freeze that is ordered, from now on; the one of the same key, or the same that is in force, where it is one.

    UsageError and RefusedError as `declared` says, and RefusedError where the key came with another order.
    """
    tx.lock(LOCK)
    now_us = events.clock.now_us()
    for known in FREEZES.where(tx, key=order.key, limit=1) if order.key else ():
        if (known.stage, known.reason) != (order.stage, order.reason):
            raise RefusedError("this key was sent with another request", todo="send each request with a key of its own")
        return known
    same = declared(order, freezes_in_force(tx, now_us), held, now_us=now_us)
    if same is not None:
        return same
    # The calendar knows minutes: it begins with the one that this is.
    freeze = Freeze(
        id=events.ids.new("frz"),
        stage=order.stage,
        reason=order.reason,
        declared_by=str(actor),
        begins_us=now_us // MINUTE_US * MINUTE_US,
        ends_us=order.ends_us,
        key=order.key,
    )
    FREEZES.save(tx, freeze)
    body = {"freeze_id": freeze.id, "stage": freeze.stage, "reason": freeze.reason, "ends_us": freeze.ends_us}
    replace(events, actor=actor).append(tx, f"freeze:{freeze.id}", "FreezeDeclared", body)
    return freeze


def foreseen_lift(tx: Transaction, stage: str | None, now_us: int) -> tuple[Freeze, ...]:
    """What would be lifted. Errors as `to_lift` says."""
    return to_lift(stage, freezes_in_force(tx, now_us))


def lift_freezes(tx: Transaction, events: EventWriter, ids: tuple[str, ...], actor: Actor) -> tuple[Freeze, ...]:
    """End these now; those of them that were in force are returned, and what has ended already is left as it is."""
    tx.lock(LOCK)
    now_us = events.clock.now_us()
    ended = []
    for one in freezes_in_force(tx, now_us):
        if one.id in ids:
            FREEZES.save(tx, one.lifted(now_us, str(actor)))
            body = {"freeze_id": one.id, "stage": one.stage, "ends_us": one.ends_us}
            replace(events, actor=actor).append(tx, f"freeze:{one.id}", "FreezeLifted", body)
            ended.append(one)
    return tuple(ended)
