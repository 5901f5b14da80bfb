"""The step of a command's run, and what becomes of words that came too late for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from shipline.capabilities.automation.rules import Command
from shipline.capabilities.automation.usecases import start_look, subject_of
from shipline.capabilities.automation.workflow import LOOK
from shipline.domain.codec import from_json
from shipline.domain.errors import NothingToDo, ShiplineError
from shipline.engine import journal
from shipline.engine.engine import Engine
from shipline.engine.journal import Run
from shipline.engine.rules import ENDED
from shipline.engine.workflow import Again, Done, Outcome, StepContext
from shipline.store.event_writer import EventWriter
from shipline.store.transaction import Transaction

# How long to wait after trouble that passes: longer each time, and never so long that an outage is noticed late.
PAUSE_MIN_S, PAUSE_MAX_S = 5.0, 300.0


@dataclass(frozen=True, slots=True)
class Carried:
    """How a look ended. `words` say what was done or found, `changed` whether anything was done.

    `again_s` None: there is nothing left to do. Else it is looked again after so many seconds, with `memory` (JSON).
    """

    words: str
    changed: bool = False
    again_s: float | None = None
    memory: dict[str, Any] = field(default_factory=dict)


Hand: TypeAlias = Callable[[Command, dict[str, Any]], Carried]
"""Looks what is due of a command and does what is missing: safe to call again at any time, and with what an earlier
look remembered, {} at first. Raises ShiplineError; a retryable one is waited out."""


class LookStep:
    """The action of `automation_workflow`. `hands` are by the kind of command."""

    def __init__(self, hands: Mapping[str, Hand], events: EventWriter) -> None:
        self.hands = hands
        self.events = events

    def __call__(self, context: StepContext) -> Outcome:
        """One look. Trouble that does not pass by itself ends the run and is told: the next event begins another."""
        command = from_json(Command, context.input["command"])
        memory = dict(context.memory or {})
        failures = int(memory.pop("failures", 0))
        try:
            carried = self.hands[command.kind](command, memory)
        except NothingToDo as error:
            return Done({"words": error.sentence()}, idle=error.sentence())
        except ShiplineError as error:
            if error.retryable:
                pause_s = min(PAUSE_MAX_S, PAUSE_MIN_S * 2 ** min(failures, 10))
                return Again(pause_s, memory | {"failures": failures + 1}, f"Tried again later: {error.sentence()}.")
            words = error.sentence()
            return Done({"words": words}, save=self._telling("AutomationHeldUp", command, words, error.todo))
        if carried.again_s is not None:
            return Again(carried.again_s, carried.memory, carried.words)
        if carried.changed:
            return Done({"words": carried.words}, save=self._telling("AutomationActed", command, carried.words))
        return Done({"words": carried.words}, idle=carried.words)

    def _telling(self, kind: str, command: Command, words: str, todo: str = "") -> Callable[[Transaction], None]:
        body = {"command": command.kind, "about": command.about, "words": words, "todo": todo}

        def save(tx: Transaction) -> None:
            self.events.append(tx, subject_of(command), kind, body)

        return save


def follow_command(tx: Transaction, engine: Engine, run: Run) -> None:
    """What was said to a run too late for its last look is ordered anew, in the transaction that ends the run.

    Whoever wants to say something to it meanwhile waits for its row, and finds the new one after that.
    """
    if run.state.status not in ENDED:
        return
    if any(signal.kind == LOOK for signal in journal.pending_signals(tx, run.id)):
        start_look(tx, engine, from_json(Command, run.input["command"]))
