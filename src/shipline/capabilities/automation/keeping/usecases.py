"""Look, compare, carry out, and tell of what has drifted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from shipline.capabilities.automation.keeping.keepers import Keeper
from shipline.capabilities.automation.keeping.rules import (
    Action,
    Difference,
    Kind,
    Plan,
    Thing,
    Unread,
    compare,
    kinds_to_read,
    without,
)
from shipline.domain.errors import ShiplineError
from shipline.store.event_writer import EventWriter
from shipline.store.log import last_of
from shipline.store.transaction import Transaction

STREAM = "repository:settings"
DRIFTED, SETTLED = "RepositoryDrifted", "RepositorySettled"
TOLD_MAX = 100


@dataclass(frozen=True, slots=True)
class Kept:
    """What came of a difference: `trouble` is "" where it was carried out."""

    difference: Difference
    trouble: str = ""
    todo: str = ""


def look(
    keepers: Mapping[Kind, Keeper], wanted: Iterable[Thing], pruned: frozenset[Kind], lacking: frozenset[str]
) -> Plan:
    """What has to be done. Changes nothing.

    A kind that cannot be read is named and left alone; what passes by itself (a forge that is down) is raised.
    """
    said, left_out = without(wanted, lacking)
    found: dict[Kind, tuple[Thing, ...]] = {}
    unread = []
    for kind in kinds_to_read(said, pruned):
        try:
            found[kind] = keepers[kind].read()
        except ShiplineError as error:
            if error.retryable:
                raise
            unread.append(Unread(kind, error.sentence() + (f"; {error.todo}" if error.todo else "")))
    changes, removals, strangers = compare(said, found, pruned)
    return Plan(changes, removals, strangers, left_out, tuple(unread))


def carry_out(keepers: Mapping[Kind, Keeper], plan: Plan) -> tuple[Kept, ...]:
    """Each difference in turn. What is refused is named, and the others are carried out; what passes by itself is
    raised, and the next call does what is missing then."""
    done = []
    for each in plan.differences:
        try:
            _carry_out(keepers[each.kind], each)
        except ShiplineError as error:
            if error.retryable:
                raise
            done.append(Kept(each, error.sentence(), error.todo))
        else:
            done.append(Kept(each))
    return tuple(done)


def _carry_out(keeper: Keeper, difference: Difference) -> None:
    if difference.action is Action.REMOVE:
        keeper.remove(difference.name)
    else:
        assert difference.wanted is not None  # noqa: S101 - what is added or changed is said
        keeper.put(difference.wanted)


def tell_drift(tx: Transaction, events: EventWriter, plan: Plan) -> bool:
    """Append an event if what differs is not what was told last; True if one was appended. At most 100 are named."""
    tx.lock(STREAM)
    words = [each.words for each in plan.differences][:TOLD_MAX]
    unread = [each.kind.value for each in plan.unread]
    told = last_of(tx, STREAM)
    before = (told.body["differences"], told.body["unread"]) if told is not None and told.kind == DRIFTED else ([], [])
    if (words, unread) == before:
        return False
    body = {"differences": words, "unread": unread, "count": len(plan.differences)}
    events.append(tx, STREAM, DRIFTED if words or unread else SETTLED, body)
    return True
