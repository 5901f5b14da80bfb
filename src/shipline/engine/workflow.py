"""A workflow as data: it can be listed, drawn, checked and dry-run before it is started."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol, TypeAlias

from shipline.store.transaction import Transaction


class Recovery(StrEnum):
    """What to do with a step that is found started but unfinished. There is no default: each step declares it."""

    LOOK = "look"  # The action is called with `recovering` and finds out from the world what has happened.
    REPEAT = "repeat"  # The action is called again; doing it twice is doing it once.
    ASK = "ask"  # A person has to say `retry` or `skip`.


NO_UNDO = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One step.

    `name` is unique in its workflow and names the action; `title` is shown to people. `undo` names the action that
    takes the step back, NO_UNDO where there is nothing to take back. `timeout_s` bounds the step from its first start
    over all attempts and polls. `attempts_max` bounds attempts after retryable errors, `retry_after_s` is the pause
    before the second and doubles from there up to 60 s. `listens` names the kinds
    of signals that are handed to the action; others stay pending for the step that listens for them.
    `undo_title` is shown while the step is taken back; "" shows `title`.
    """

    name: str
    title: str
    recovery: Recovery
    undo: str
    timeout_s: int
    attempts_max: int = 5
    retry_after_s: int = 1
    listens: tuple[str, ...] = ()
    undo_title: str = ""


class OnFailure(StrEnum):
    """What a run does when a step has failed for good."""

    STOP = "stop"  # Stay where it is; `retry` goes on from the failed step.
    UNDO = "undo"  # Take back, in reverse order, what was done.


@dataclass(frozen=True, slots=True)
class Workflow:
    """A named list of steps. `closing` steps run after the last step, or after the last undo, whatever came before.

    `beside` names the workflows that change the same part of the world: a run's revisions begin above theirs too.
    """

    name: str
    steps: tuple[Step, ...]
    on_failure: OnFailure
    closing: tuple[Step, ...] = ()
    beside: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse two steps of one name, and empty workflows."""
        names = [step.name for step in self.steps + self.closing]
        if len(set(names)) != len(names) or not self.steps:
            raise ValueError(f"workflow {self.name}: step names must be unique, and there must be one")

    def actions(self) -> tuple[str, ...]:
        """The names of all actions that the workflow needs, undos included."""
        every = self.steps + self.closing
        return tuple(step.name for step in every) + tuple(step.undo for step in every if step.undo != NO_UNDO)


def nothing(_tx: Transaction) -> None:
    """Save nothing."""


Save: TypeAlias = Callable[[Transaction], None]


@dataclass(frozen=True, slots=True)
class Done:
    """The step has succeeded. `result` is JSON that later steps see; `save` writes rows and events in the same
    transaction as the journal; it must not touch anything else. `idle` says to people why there was nothing to do,
    "" where something was done."""

    result: dict[str, Any] = field(default_factory=dict)
    save: Save = nothing
    idle: str = ""


@dataclass(frozen=True, slots=True)
class Again:
    """The step goes on: call it again after `after_s`, with `memory` (JSON). `waiting_for` is a sentence."""

    after_s: float
    memory: dict[str, Any]
    waiting_for: str
    save: Save = nothing


@dataclass(frozen=True, slots=True)
class Failed:
    """The step has failed for good, or (`retryable`) for now. `reason` is for people and holds no secret."""

    reason: str
    retryable: bool = False
    save: Save = nothing


Outcome: TypeAlias = Done | Again | Failed


@dataclass(frozen=True, slots=True)
class Signal:
    """Something said to a run: by a person, a webhook, another room."""

    id: str
    kind: str
    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class StepContext:
    """What an action is given.

    `key` is the step's idempotency key, the same in every attempt. `revision` grows with every tick of the run, begins
    above all that earlier runs of the workflow have used, and fences effects: targets refuse older ones. `results` are
    those of the steps before, by step name. `memory` is what the last Again of this step remembered, None on the first
    call. `recovering` is true when an earlier call was cut off and the step's recovery is LOOK. `cut_off` is true
    whenever an action of the run was cut off and none has reported back since: whoever called it may be paused, and
    act late. `reason` says why the run is being undone, "" otherwise. `ends_us` is when the step is over, whatever it
    waits for then.
    """

    run_id: str
    subject: str
    key: str
    revision: int
    input: dict[str, Any]
    results: dict[str, dict[str, Any]]
    memory: dict[str, Any] | None
    signals: tuple[Signal, ...]
    recovering: bool
    now_us: int
    started_us: int
    reason: str
    ends_us: int
    cut_off: bool = False


class Action(Protocol):
    """Touches the world for one step, through ports. Raises ShiplineError for expected trouble."""

    def __call__(self, context: StepContext, /) -> Outcome:
        """Do it (or look whether it was done); must be safe to call again by the step's recovery."""
        ...
