"""Deliveries as rows: what forges sent, kept until it was handled and for a while after that.

Promises: what `keep_deliveries` has returned for is on the disk. The same delivery again (its name for the event, and
its bytes) is no second row. Handled ones are forgotten after KEPT_US, and the oldest of more than KEPT_MAX before that.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Row, Select, bindparam, delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from shipline.domain.errors import UnknownName
from shipline.store.database import Store
from shipline.store.tables import delivery, forge_seen
from shipline.store.transaction import Transaction

KEPT_US = 30 * 86_400_000_000
KEPT_MAX = 100_000
FORGOTTEN_AT_ONCE = 1000
IDENTITY_MAX = 200
PULLS_MAX = 100
RECONCILIATION = "reconciliation"


class DeliveryStatus(StrEnum):
    """Where a delivery stands. Only WAITING ones are taken up; `replay` makes any wait again."""

    WAITING = "waiting"
    HANDLED = "handled"  # Commands were given.
    IGNORED = "ignored"  # Nobody waits for such an event, or it leads to nothing here.
    UNREADABLE = "unreadable"  # A known event that lacks what it is about.


@dataclass(frozen=True, slots=True)
class NewDelivery:
    """What came, once it is known who sent it. `identity` is the forge's name for the event, the same in each attempt
    to deliver it; `payload` is JSON in UTF-8."""

    hook: str
    identity: str
    event: str
    payload: bytes

    @property
    def payload_hash(self) -> str:
        """The sha256 of its bytes."""
        return hashlib.sha256(self.payload).hexdigest()


@dataclass(frozen=True, slots=True)
class Delivery:
    """A row. `repeats` is how often it came again. `said` and `commands` say what came of it; "" and none before that.

    `payload` is "" where it was not asked for.
    """

    number: int
    hook: str
    identity: str
    payload_hash: str
    event: str
    received_us: int
    status: DeliveryStatus
    handled_us: int | None
    repeats: int
    said: str
    commands: tuple[str, ...]
    payload: str = ""


def _adding(insert: Callable[..., sqlite.Insert | postgresql.Insert]) -> sqlite.Insert | postgresql.Insert:
    known = ["project_id", "hook", "delivery", "payload_hash"]
    return insert(delivery).on_conflict_do_update(index_elements=known, set_={"repeats": delivery.c.repeats + 1})


# Made once: there may be hundreds a second.
_ADD = {"sqlite": _adding(sqlite.insert), "postgresql": _adding(postgresql.insert)}


def keep_deliveries(store: Store, new: Sequence[NewDelivery], now_us: int) -> None:
    """Write all of them down, in one transaction: whoever waits for the disk waits together with the others."""
    with store.begin() as tx:
        add_deliveries(tx, new, now_us)


def add_deliveries(tx: Transaction, new: Sequence[NewDelivery], now_us: int) -> None:
    """The same in the caller's transaction. One that is known is counted, and nothing else changes."""
    if not new:
        return
    rows = [
        {
            "organisation_id": tx.project.organisation_id,
            "project_id": tx.project.id,
            "hook": each.hook,
            "delivery": each.identity[:IDENTITY_MAX],
            "payload_hash": each.payload_hash,
            "event": each.event,
            "received_us": now_us,
            "status": DeliveryStatus.WAITING.value,
            "repeats": 0,
            "said": "",
            "commands": "[]",
            "payload": each.payload.decode("utf-8", "replace"),
        }
        for each in new
    ]
    tx.connection.execute(_ADD[tx.connection.dialect.name], rows)


@dataclass(frozen=True, slots=True)
class Handled:
    """What came of a delivery: see Delivery."""

    number: int
    status: DeliveryStatus
    said: str
    commands: tuple[str, ...] = ()


def waiting_deliveries(tx: Transaction, *, limit: int) -> tuple[Delivery, ...]:
    """The first that wait, in the order in which they came, with what they hold."""
    query = _own(tx, select(delivery)).where(delivery.c.status == DeliveryStatus.WAITING.value)
    return tuple(_read(row) for row in tx.connection.execute(query.order_by(delivery.c.number).limit(limit)))


def lock_waiting(tx: Transaction, numbers: Sequence[int]) -> frozenset[int]:
    """Those of them that still wait, and that nobody else takes up until the transaction ends."""
    query = _own(tx, select(delivery.c.number)).where(
        delivery.c.number.in_(numbers), delivery.c.status == DeliveryStatus.WAITING.value
    )
    return frozenset(tx.connection.scalars(query.with_for_update(skip_locked=True)))


_FINISH = (
    update(delivery)
    .where(delivery.c.number == bindparam("this_number"))
    .values(
        status=bindparam("new_status"),
        handled_us=bindparam("now_us"),
        said=bindparam("new_said"),
        commands=bindparam("new_commands"),
    )
)


def finish_deliveries(tx: Transaction, handled: Sequence[Handled], now_us: int) -> None:
    """Note what came of them."""
    if not handled:
        return
    rows = [
        {
            "this_number": each.number,
            "new_status": each.status.value,
            "now_us": now_us,
            "new_said": each.said[:2000],
            "new_commands": json.dumps(each.commands),
        }
        for each in handled
    ]
    tx.connection.execute(_FINISH, rows)


def replay_delivery(tx: Transaction, number: int) -> Delivery:
    """Have it taken up once more. UnknownName where there is none."""
    found = find_delivery(tx, number)
    if found is None:
        raise UnknownName(f"there is no delivery {number}", todo="`shipline hooks list` shows those that there are")
    query = update(delivery).where(delivery.c.number == number, delivery.c.project_id == tx.project.id)
    tx.connection.execute(query.values(status=DeliveryStatus.WAITING.value))
    return found


def find_delivery(tx: Transaction, number: int) -> Delivery | None:
    """One by its number, with its payload."""
    row = tx.connection.execute(_own(tx, select(delivery)).where(delivery.c.number == number)).one_or_none()
    return None if row is None else _read(row)


def latest_deliveries(tx: Transaction, *, limit: int, before: int | None = None) -> tuple[Delivery, ...]:
    """The newest, the newest first, those with numbers below `before`; without payloads."""
    columns = [column for column in delivery.c if column.name != "payload"]
    query = _own(tx, select(*columns))
    if before is not None:
        query = query.where(delivery.c.number < before)
    return tuple(_read(row) for row in tx.connection.execute(query.order_by(delivery.c.number.desc()).limit(limit)))


def count_deliveries(tx: Transaction) -> dict[str, int]:
    """How many there are by status, and how often one came again as `repeats`."""
    by_status = _own(tx, select(delivery.c.status, func.count(), func.sum(delivery.c.repeats)))
    rows = tx.connection.execute(by_status.group_by(delivery.c.status)).all()
    return {str(row[0]): int(row[1]) for row in rows} | {"repeats": sum(int(row[2]) for row in rows)}


def forget_deliveries(tx: Transaction, now_us: int) -> int:
    """Delete handled ones that are too old, or too many, FORGOTTEN_AT_ONCE at most; returns how many."""
    newest = _own(tx, select(delivery.c.number)).order_by(delivery.c.number.desc()).offset(KEPT_MAX).limit(1)
    beyond = tx.connection.scalar(newest)
    too_old = delivery.c.received_us < now_us - KEPT_US
    query = _own(tx, select(delivery.c.number)).where(
        delivery.c.status != DeliveryStatus.WAITING.value,
        too_old if beyond is None else too_old | (delivery.c.number <= beyond),
    )
    numbers = tx.connection.scalars(query.order_by(delivery.c.number).limit(FORGOTTEN_AT_ONCE)).all()
    if numbers:
        tx.connection.execute(delete(delivery).where(delivery.c.number.in_(numbers)))
    return len(numbers)


# --- what is known of the forge ------------------------------------------------------------------------------------


def seen_of(tx: Transaction, names: Sequence[str]) -> dict[str, str]:
    """What is known under these names."""
    query = select(forge_seen.c.name, forge_seen.c.value).where(
        forge_seen.c.project_id == tx.project.id, forge_seen.c.name.in_(names)
    )
    return {row.name: row.value for row in tx.connection.execute(query)}


def names_seen(tx: Transaction, prefix: str) -> tuple[str, ...]:
    """The names that begin so and are known."""
    query = select(forge_seen.c.name).where(
        forge_seen.c.project_id == tx.project.id, forge_seen.c.name.startswith(prefix, autoescape=True)
    )
    return tuple(tx.connection.scalars(query.order_by(forge_seen.c.name)))


def open_pulls_of(tx: Transaction, base: str) -> tuple[int, ...]:
    """The numbers of the pull requests to `base` that are known as open; PULLS_MAX at most."""
    prefix = f"pull:{base}:"
    names = forge_seen.c.name.startswith(prefix, autoescape=True)
    query = select(forge_seen.c.name).where(forge_seen.c.project_id == tx.project.id, names)
    found = (
        name.removeprefix(prefix) for name in tx.connection.scalars(query.order_by(forge_seen.c.name).limit(PULLS_MAX))
    )
    return tuple(int(number) for number in found if number.isdigit())


def see(tx: Transaction, seen: dict[str, str], now_us: int) -> None:
    """Note what is known now; "" forgets a name."""
    gone = [name for name, value in seen.items() if not value]
    if gone:
        there = (forge_seen.c.project_id == tx.project.id) & forge_seen.c.name.in_(gone)
        tx.connection.execute(delete(forge_seen).where(there))
    rows = [
        {
            "organisation_id": tx.project.organisation_id,
            "project_id": tx.project.id,
            "name": name,
            "value": value[:200],
            "seen_us": now_us,
        }
        for name, value in sorted(seen.items())
        if value
    ]
    if rows:
        statement = _insert_for(tx)(forge_seen)
        changed = {"value": statement.excluded.value, "seen_us": statement.excluded.seen_us}
        tx.connection.execute(
            statement.on_conflict_do_update(index_elements=["project_id", "name"], set_=changed), rows
        )


def _own(tx: Transaction, query: Select[Any]) -> Select[Any]:
    return query.where(delivery.c.project_id == tx.project.id)


def _insert_for(tx: Transaction) -> Callable[..., sqlite.Insert | postgresql.Insert]:
    return postgresql.insert if tx.connection.dialect.name == "postgresql" else sqlite.insert


def _read(row: Row[Any]) -> Delivery:
    return Delivery(
        number=row.number,
        hook=row.hook,
        identity=row.delivery,
        payload_hash=row.payload_hash,
        event=row.event,
        received_us=row.received_us,
        status=DeliveryStatus(row.status),
        handled_us=row.handled_us,
        repeats=row.repeats,
        said=row.said,
        commands=tuple(json.loads(row.commands)),
        payload=getattr(row, "payload", ""),
    )
