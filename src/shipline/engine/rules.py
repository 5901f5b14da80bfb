"""Where a run goes next: pure. `decide` plans a tick before its effect, `settle` takes the effect's outcome in."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from shipline.engine.workflow import NO_UNDO, Again, Done, Failed, OnFailure, Outcome, Recovery, Signal, Step, Workflow

SECOND_US = 1_000_000
RETRY_PAUSE_MAX_S = 60
# How long the way back, and what follows it, is tried again at least, however many attempts that takes.
BACK_FOR_S = 120
# Older states are read as this one: see `upcasts`.
STATE_SCHEMA = 2


class RunStatus(StrEnum):
    """Where a run stands. ACTIVE ones are ticked; STOPPED and ASKING wait for a person; the others have ended."""

    ACTIVE = "active"
    ASKING = "asking"
    STOPPED = "stopped"
    DONE = "done"
    UNDONE = "undone"
    FAILED = "failed"  # An undo failed: a person must look. `retry` tries the undo again.
    GIVEN_UP = "given_up"  # It had failed so, and a person has taken it over: what is left is as it was left.


ENDED = frozenset({RunStatus.DONE, RunStatus.UNDONE, RunStatus.GIVEN_UP})
OBEYED = frozenset({"abort", "retry", "skip"})


class Phase(StrEnum):
    """Which list of steps the run is in."""

    FORWARD = "forward"
    UNDO = "undo"
    CLOSING = "closing"


@dataclass(frozen=True, slots=True)
class RunState:
    """A run, whole. Survives a JSON round trip.

    `step` names the next step of the phase, None at its end: a name and not a place, so that a workflow that has
    gained or lost steps since goes on where the run was. `started` is true while an action may be under way.
    `attempt` counts from 1. `began_us` is when the current step first started. `reason` says why the run is undone,
    stopped or asking; `waiting_for` what an active one waits for. `undo_names` are the steps to take back, in order.
    `cut_off` is true from when a started action did not report back until one after it has, without failing.
    """

    status: RunStatus = RunStatus.ACTIVE
    phase: Phase = Phase.FORWARD
    step: str | None = None
    attempt: int = 1
    started: bool = False
    began_us: int | None = None
    memory: dict[str, Any] | None = None
    results: dict[str, dict[str, Any]] = field(default_factory=dict)
    undo_names: tuple[str, ...] = ()
    undone: bool = False
    waiting_for: str = ""
    reason: str = ""
    cut_off: bool = False
    schema: int = STATE_SCHEMA


@dataclass(frozen=True, slots=True)
class Invocation:
    """Call this action now. `name` is the action's; `step` carries its limits."""

    step: Step
    name: str
    recovering: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """A decided tick: the state to save, the action to call (None: none) and when to tick next if none is called."""

    state: RunState
    invocation: Invocation | None
    wake_us: int | None


def begin(workflow: Workflow) -> RunState:
    """A run that has done nothing yet."""
    return RunState(step=workflow.steps[0].name)


def current_step(workflow: Workflow, state: RunState) -> Step | None:
    """The step that the run is at; None at the end of its phase, and where the workflow has it no more."""
    steps = workflow.closing if state.phase is Phase.CLOSING else workflow.steps
    return next((step for step in steps if step.name == state.step), None)


def decide(workflow: Workflow, state: RunState, signals: tuple[Signal, ...], now_us: int) -> Plan:
    """Plan the next tick of a run that nobody is working on now.

    `started` in `state` therefore means that an action was cut off. `signals` are those that the engine itself
    understands (OBEYED); the others go to the steps that listen for them. Where the clock was set back, a step has
    begun now at the latest: its time is not prolonged by more than that.
    """
    state = replace(state, cut_off=state.cut_off or state.started)
    for signal in signals:
        state = _obey(workflow, state, signal)
    if state.status is not RunStatus.ACTIVE:
        return Plan(state, None, None)
    if state.step is None:
        state = _next_phase(workflow, state)
        return Plan(state, None, now_us if state.status is RunStatus.ACTIVE else None)
    step = current_step(workflow, state)
    if step is None or (state.phase is Phase.UNDO and step.undo == NO_UNDO):
        return Plan(_lost(state), None, None)
    if state.started and step.recovery is Recovery.ASK:
        question = f"“{step.title}” was cut off and may or may not have happened: look, then say retry or skip"
        return Plan(replace(state, status=RunStatus.ASKING, started=False, reason=question), None, None)
    name = step.undo if state.phase is Phase.UNDO else step.name
    recovering = state.started and step.recovery is Recovery.LOOK
    began_us = now_us if state.began_us is None else min(state.began_us, now_us)
    return Plan(replace(state, started=True, began_us=began_us), Invocation(step, name, recovering), None)


def settle(workflow: Workflow, state: RunState, outcome: Outcome, now_us: int) -> tuple[RunState, int | None]:
    """Take in what came of the current step's action; returns the new state and when to tick next (None: not)."""
    step = current_step(workflow, state)
    if step is None or not state.started:
        raise ValueError("an outcome came in for a run that had started nothing")
    state = replace(state, started=False, cut_off=state.cut_off and isinstance(outcome, Failed))
    if isinstance(outcome, Done):
        return _step_done(workflow, state, step, outcome), now_us
    taken_us = now_us - (now_us if state.began_us is None else state.began_us)
    expired = taken_us >= step.timeout_s * SECOND_US
    if isinstance(outcome, Again):
        if expired:
            reason = f"“{step.title}” did not end within {step.timeout_s} s. Last known: {outcome.waiting_for}"
            return _step_failed(workflow, state, step, reason, now_us)
        state = replace(state, memory=outcome.memory, waiting_for=outcome.waiting_for, attempt=1)
        return state, now_us + int(outcome.after_s * SECOND_US)
    # Nothing but the way back ends the harm: an outage of a minute must not be the end of it.
    is_back = state.phase is not Phase.FORWARD and taken_us < BACK_FOR_S * SECOND_US
    may_again = state.attempt < step.attempts_max or is_back
    if outcome.retryable and may_again and not expired:
        pause_s = min(step.retry_after_s * 2 ** min(state.attempt - 1, 10), RETRY_PAUSE_MAX_S)
        words = f"another attempt in {pause_s} s, after: {outcome.reason}"
        return replace(state, attempt=state.attempt + 1, waiting_for=words), now_us + pause_s * SECOND_US
    return _step_failed(workflow, state, step, outcome.reason, now_us)


def _step_done(workflow: Workflow, state: RunState, step: Step, outcome: Done) -> RunState:
    results = state.results if state.phase is Phase.UNDO else state.results | {step.name: outcome.result}
    return replace(_at(state, _after(workflow, state)), results=results)


def _step_failed(
    workflow: Workflow, state: RunState, step: Step, reason: str, now_us: int
) -> tuple[RunState, int | None]:
    if state.phase is Phase.UNDO or state.phase is Phase.CLOSING:
        return replace(_at(state, state.step), status=RunStatus.FAILED, reason=f"{step.title}: {reason}"), None
    if workflow.on_failure is OnFailure.STOP:
        return replace(_at(state, state.step), status=RunStatus.STOPPED, reason=f"{step.title}: {reason}"), None
    return _turn_back(workflow, state, f"{step.title}: {reason}"), now_us


def _turn_back(workflow: Workflow, state: RunState, reason: str) -> RunState:
    """Start undoing: the steps done and the one that may be half done, last first.

    Where the workflow has lost the step that the run was at, nobody knows how far it came: every undo is called. Each
    has to bear that its step has not happened, since it is called for half done ones as well.
    """
    names = [step.name for step in workflow.steps]
    is_known = state.phase is Phase.FORWARD and state.step in names
    reached = workflow.steps[: names.index(str(state.step)) + 1] if is_known else workflow.steps
    undos = tuple(step.name for step in reversed(reached) if step.undo != NO_UNDO)
    state = replace(state, phase=Phase.UNDO, status=RunStatus.ACTIVE, undo_names=undos, undone=True, reason=reason)
    return _at(replace(state, started=False), _first(undos))


def _lost(state: RunState) -> RunState:
    """A person decides what becomes of a run at a step that its workflow does not have: no other step is right.

    `started` stays: whether that step was cut off matters to the version that knows it.
    """
    forward = state.phase is Phase.FORWARD
    reason = (
        f"this version of Shipline does not know the step “{state.step}”, at which this was begun by another version: "
        f"go back to that one and say retry{', or abort it' if forward else ''}"
    )
    return replace(state, status=RunStatus.STOPPED if forward else RunStatus.FAILED, reason=reason)


def _at(state: RunState, step: str | None) -> RunState:
    return replace(state, step=step, attempt=1, began_us=None, memory=None, waiting_for="")


def _after(workflow: Workflow, state: RunState) -> str | None:
    """The name of what follows the step that the run is at, None at the end of the phase."""
    if state.phase is Phase.UNDO:
        names = state.undo_names
    else:
        steps = workflow.steps if state.phase is Phase.FORWARD else workflow.closing
        names = tuple(step.name for step in steps)
    return _first(names[names.index(str(state.step)) + 1 :])


def _first(names: tuple[str, ...]) -> str | None:
    return names[0] if names else None


def _next_phase(workflow: Workflow, state: RunState) -> RunState:
    if state.phase is not Phase.CLOSING and workflow.closing:
        return _at(replace(state, phase=Phase.CLOSING), workflow.closing[0].name)
    return replace(state, status=RunStatus.UNDONE if state.undone else RunStatus.DONE)


def _obey(workflow: Workflow, state: RunState, signal: Signal) -> RunState:
    if state.status in ENDED:
        return state
    kept = state.reason if state.undone else ""  # Actions on the way back see that there is one.
    match signal.kind:
        case "retry" if state.status in (RunStatus.STOPPED, RunStatus.ASKING, RunStatus.FAILED):
            return replace(state, status=RunStatus.ACTIVE, reason=kept, began_us=None, attempt=1)
        case "skip" if state.status is RunStatus.ASKING and current_step(workflow, state) is not None:
            return replace(_at(state, _after(workflow, state)), status=RunStatus.ACTIVE, reason=kept)
        case "abort" if state.phase is Phase.FORWARD:
            return _turn_back(workflow, state, str(signal.body.get("reason", "aborted by a person"))[:500])
        case _:
            return state
