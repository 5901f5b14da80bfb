"""Taking deliveries up: what they say is read and decided without holding anybody up, then written in one commit."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from shipline.capabilities.automation.deliveries import (
    RECONCILIATION,
    Delivery,
    DeliveryStatus,
    Handled,
    add_deliveries,
    finish_deliveries,
    lock_waiting,
    see,
    seen_of,
    waiting_deliveries,
)
from shipline.capabilities.automation.events import ForgeEvent, PullRequestChanged, PushReceived, ThingState
from shipline.capabilities.automation.reading import Unknown, read_event
from shipline.capabilities.automation.reconciling import (
    Looked,
    branch_name,
    difference_delivery,
    differences,
    known_after,
    pull_name,
    read_difference,
    signature,
)
from shipline.capabilities.automation.rules import Command, Duties, decide
from shipline.capabilities.automation.workflow import AUTOMATION_WORKFLOW, LOOK
from shipline.domain.codec import to_json
from shipline.domain.errors import InvalidValue, UnavailableError
from shipline.engine import journal
from shipline.engine.engine import Engine
from shipline.engine.journal import Run
from shipline.engine.rules import ENDED, RunStatus
from shipline.store.database import Store
from shipline.store.transaction import Transaction

BATCH_MAX = 50
TURNS_MAX = 10

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Reading:
    """What a delivery says and leads to. `seen` is what it tells of the forge, as `forge_seen` names it."""

    handled: Handled
    commands: tuple[Command, ...] = ()
    seen: tuple[tuple[str, str], ...] = ()


def handle_deliveries(store: Store, engine: Engine, duties: Callable[[], Duties], *, limit: int = BATCH_MAX) -> int:
    """Take up what waits, `limit` deliveries at most, by the duties of this moment; returns how many were taken up.

    Commands, and that their deliveries are handled, are one commit: whoever dies before it has done nothing, and two
    who do this at once do not take the same. An event that cannot be understood is set aside and holds nothing up.
    """
    with store.snapshot() as connection:
        waiting = waiting_deliveries(Transaction(connection, store.project, _nothing_is_appended), limit=limit)
    if not waiting:
        return 0
    asked = duties()
    readings = {each.number: read_delivery(each, asked) for each in waiting}
    now_us = engine.clock.now_us()
    with store.begin() as tx:
        mine = [readings[number] for number in sorted(lock_waiting(tx, tuple(readings)))]
        for command in dict.fromkeys(command for each in mine for command in each.commands):
            order_look(tx, engine, command)
        see(tx, dict(pair for each in mine for pair in each.seen), now_us)
        finish_deliveries(tx, [each.handled for each in mine], now_us)
    return len(mine)


def read_delivery(delivery: Delivery, duties: Duties) -> Reading:
    """What it says, and what is to be done by these duties. Pure, and never raises."""
    try:
        event = _event_of(delivery)
    except InvalidValue as error:
        return Reading(Handled(delivery.number, DeliveryStatus.UNREADABLE, error.sentence()))
    except Exception:  # A payload of a kind that nobody thought of must not be in the way of all others.
        log.exception("delivery %d could not be read", delivery.number)
        return Reading(Handled(delivery.number, DeliveryStatus.UNREADABLE, "it is unlike all that is known"))
    if isinstance(event, Unknown):
        return Reading(Handled(delivery.number, DeliveryStatus.IGNORED, event.sentence))
    commands = decide(event, duties)
    status = DeliveryStatus.HANDLED if commands else DeliveryStatus.IGNORED
    keys = tuple(command.key for command in commands)
    return Reading(Handled(delivery.number, status, event.sentence, keys), commands, tuple(_seen(event)))


def _event_of(delivery: Delivery) -> ForgeEvent | Unknown:
    document = json.loads(delivery.payload)  # It was read strictly before it was kept.
    if delivery.hook == RECONCILIATION:
        return read_difference(delivery.event, document)
    return read_event(delivery.hook, delivery.event, document)


def _seen(event: ForgeEvent) -> Iterable[tuple[str, str]]:
    """What an event tells of branches and open pull requests, so that the next look finds no news in it."""
    match event:
        case PushReceived():
            yield branch_name(event.branch), event.after
        case PullRequestChanged() if not event.from_fork:
            is_open = event.state is ThingState.OPEN
            yield pull_name(event.base, event.number), signature(event.title, event.head) if is_open else ""
        case _:
            return


def order_look(tx: Transaction, engine: Engine, command: Command) -> str:
    """Have a command carried out once more, by the run that is about it or by a new one; returns the run's id.

    There is one run of a key at a time. One that is looking just now may have passed what is new: it is told, and looks
    again. So however many orders come meanwhile, each is followed by at least one whole look, and all by one more.
    """
    subject = subject_of(command)
    tx.lock(subject)
    for _ in range(TURNS_MAX):
        held = journal.holder_of(tx, subject)
        if held is None:
            return start_look(tx, engine, command)
        run = journal.load_run(tx, held.id, lock=True)
        if run is not None and run.state.status not in ENDED:
            _tell(tx, engine, run)
            return run.id
        # It ended while its row was waited for, and may have begun another.
    raise UnavailableError(f"the runs of {subject} end faster than they can be told anything")


def start_look(tx: Transaction, engine: Engine, command: Command) -> str:
    """Begin a run of a command that has none; returns its id."""
    given, subject = {"command": to_json(command)}, subject_of(command)
    return engine.start(tx, AUTOMATION_WORKFLOW, subject=subject, given=given, exclusive_key=subject)


def subject_of(command: Command) -> str:
    """What the runs of a command are about, and the key that one of them holds."""
    return f"automation:{command.key}"


def _tell(tx: Transaction, engine: Engine, run: Run) -> None:
    # The revision changes with every look: until then one word is as good as a thousand.
    word = hashlib.sha256(f"{run.id} {run.revision}".encode()).hexdigest()[:32]
    engine.send(tx, run.id, LOOK, {}, signal_id=f"sig_{word}")
    if run.state.status is RunStatus.STOPPED:
        engine.send(tx, run.id, "retry", {})


def reconcile(tx: Transaction, engine: Engine, looked: Looked) -> int:
    """Keep what a look found that no hook has told, as deliveries that are taken up like those of hooks; returns how
    many."""
    tx.lock("automation reconciliation")
    now_us, after = engine.clock.now_us(), known_after(looked)
    found = tuple(differences(looked, seen_of(tx, tuple(after))))
    identity = engine.ids.new("look")
    new = [difference_delivery(event, f"{identity}-{number}") for number, event in enumerate(found)]
    add_deliveries(tx, new, now_us)
    see(tx, after, now_us)
    return len(new)


def _nothing_is_appended() -> str:
    raise RuntimeError("who only reads has appended an event")
