"""Where a run goes next: laws that hold for any workflow, also when an upgrade has changed it on the way."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipline.domain.codec import from_json, to_json
from shipline.engine.rules import Phase, RunState, RunStatus, begin, decide, settle
from shipline.engine.workflow import Again, Done, Failed, OnFailure, Outcome, Recovery, Signal, Step, Workflow

NAMES = ("sand", "prime", "coat", "polish")


def step(name: str, recovery: Recovery = Recovery.REPEAT) -> Step:
    return Step(name, f"Do {name}", recovery, f"un-{name}", 60)


def workflow_of(names: tuple[str, ...], *, closing: tuple[str, ...] = ("sweep", "lock")) -> Workflow:
    steps, ending = tuple(map(step, names)), tuple(map(step, closing))
    return Workflow("paint", steps, OnFailure.UNDO, ending)


BEFORE = workflow_of(NAMES)


def tick(workflow: Workflow, state: RunState, outcome: Outcome) -> tuple[RunState, str | None]:
    """One tick: the state after it, and the action that it called."""
    plan = decide(workflow, state, (), 0)
    if plan.invocation is None:
        return plan.state, None
    return settle(workflow, plan.state, outcome, 0)[0], plan.invocation.name


def play(state: RunState, *, ticks: int, failing: str) -> RunState:
    """A run after this many ticks, turned back where `failing` is called."""
    for _ in range(ticks):
        plan = decide(BEFORE, state, (), 0)
        bad = plan.invocation is not None and plan.invocation.name == failing
        state, _ = tick(BEFORE, state, Failed("dry") if bad else Done())
    return state


def next_action(workflow: Workflow, state: RunState) -> str | None:
    """The next action of a run, None where none comes any more."""
    for _ in range(3):
        plan = decide(workflow, state, (), 0)
        if plan.invocation is not None:
            return plan.invocation.name
        state = plan.state
    return None


@st.composite
def upgrades(draw: st.DrawFn) -> Workflow:
    """The workflow with new steps put in anywhere before its last step and its last closing step."""
    names, closing = list(NAMES), ["sweep", "lock"]
    for number in range(draw(st.integers(1, 4))):
        chosen = draw(st.sampled_from([names, closing]))
        chosen.insert(draw(st.integers(0, len(chosen) - 1)), f"new-{number}")
    return workflow_of(tuple(names), closing=tuple(closing))


@given(upgrade=upgrades(), ticks=st.integers(0, 12), failing=st.sampled_from([*NAMES, "nothing"]), cut=st.booleans())
def test_steps_put_in_do_not_change_which_step_a_run_goes_on_with(
    upgrade: Workflow, ticks: int, failing: str, *, cut: bool
) -> None:
    """Whatever phase it is in, whether its step had begun, and after a round trip through the store."""
    state = play(begin(BEFORE), ticks=ticks, failing=failing)
    if cut:
        state = decide(BEFORE, state, (), 0).state
    stored = from_json(RunState, to_json(state))
    between_phases = stored.step is None
    if not between_phases:  # Else the next phase begins, by the list that holds then.
        assert next_action(upgrade, stored) == next_action(BEFORE, state)


@given(ticks=st.integers(0, 12), failing=st.sampled_from([*NAMES, "nothing"]), lost=st.sampled_from([*NAMES, "sweep"]))
def test_a_step_that_is_gone_is_never_another_step(ticks: int, failing: str, lost: str) -> None:
    """Goal: people see it, and nothing is called. Method: take one step out, wherever the run is."""
    state = play(begin(BEFORE), ticks=ticks, failing=failing)
    left = workflow_of(
        tuple(name for name in NAMES if name != lost),
        closing=tuple(name for name in ("sweep", "lock") if name != lost),
    )
    plan = decide(left, state, (), 0)
    if state.step == lost and state.status is RunStatus.ACTIVE:
        expected = RunStatus.STOPPED if state.phase is Phase.FORWARD else RunStatus.FAILED
        assert (plan.invocation, plan.wake_us, plan.state.status) == (None, None, expected)
        assert f"“{lost}”" in plan.state.reason
    elif state.step is not None and plan.invocation is not None:
        assert plan.invocation.step.name == state.step


def test_a_run_whose_step_is_gone_goes_on_under_the_version_that_has_it() -> None:
    """What had begun is still known to have begun."""
    looking = replace(BEFORE, steps=tuple(step(name, Recovery.LOOK) for name in NAMES))
    state = decide(looking, play(begin(BEFORE), ticks=2, failing=""), (), 0).state
    assert (state.step, state.started) == ("coat", True)
    stopped = decide(workflow_of(("sand", "prime", "polish")), state, (), 0).state
    again = decide(looking, stopped, (Signal("s", "retry", {}),), 0)
    assert again.invocation is not None
    assert (again.invocation.name, again.invocation.recovering) == ("coat", True)


def test_a_run_whose_step_is_gone_can_be_aborted_and_takes_everything_back() -> None:
    state = play(begin(BEFORE), ticks=2, failing="")
    without = workflow_of(("sand", "prime", "polish"))
    stopped = decide(without, state, (), 0).state
    back = decide(without, stopped, (Signal("s", "abort", {"reason": "wrong wall"}),), 0)
    assert back.state.undo_names == ("polish", "prime", "sand")
    assert (back.state.phase, back.state.reason) == (Phase.UNDO, "wrong wall")


def test_saying_skip_before_a_step_that_is_gone_skips_nothing() -> None:
    asking = replace(BEFORE, steps=tuple(step(name, Recovery.ASK) for name in NAMES))
    begun = decide(asking, begin(asking), (), 0).state
    asked = decide(asking, begun, (), 0).state
    assert asked.status is RunStatus.ASKING
    plan = decide(workflow_of(("prime", "coat")), asked, (Signal("s", "skip", {}),), 0)
    assert (plan.invocation, plan.state) == (None, asked)


@pytest.mark.parametrize("status", [RunStatus.DONE, RunStatus.UNDONE])
def test_an_ended_run_hears_nothing(status: RunStatus) -> None:
    ended = replace(begin(BEFORE), status=status)
    for kind in ("abort", "retry", "skip"):
        assert decide(BEFORE, ended, (Signal("s", kind, {}),), 0).state == ended


def test_the_way_back_is_tried_for_minutes_whatever_the_attempts_that_takes() -> None:
    """Forward a step gives up after its attempts; a proxy that is away for a minute must not end a way back."""

    def tried_s(phase: Phase) -> float:
        state, now_us = replace(begin(BEFORE), phase=phase, undo_names=("sand",), undone=phase is Phase.UNDO), 0
        while True:
            state, wake_us = settle(BEFORE, decide(BEFORE, state, (), now_us).state, Failed("away", True), now_us)
            if wake_us is None or state.phase is not phase:
                return now_us / 1e6
            now_us = wake_us

    assert tried_s(Phase.FORWARD) == 1 + 2 + 4 + 8
    assert tried_s(Phase.UNDO) == 1 + 2 + 4 + 8 + 16 + 32  # Then the 60 s of the step itself are over.


def test_a_clock_that_is_set_back_prolongs_no_step_by_more_than_its_time() -> None:
    begun = settle(BEFORE, decide(BEFORE, begin(BEFORE), (), 10**12).state, Again(1.0, {}, "dry paint"), 10**12)[0]
    later = decide(BEFORE, begun, (), 5_000_000).state
    assert later.began_us == 5_000_000


def test_that_a_step_was_cut_off_is_known_until_one_has_reported_back() -> None:
    """Also where the next attempt fails, and where the run was aborted meanwhile."""
    cut = decide(BEFORE, begin(BEFORE), (), 0).state
    assert not cut.cut_off
    again = decide(BEFORE, cut, (Signal("s", "abort", {}),), 0).state
    assert (again.phase, again.cut_off) == (Phase.UNDO, True)
    assert settle(BEFORE, cut, Failed("no"), 0)[0].cut_off is False
    assert settle(BEFORE, replace(cut, cut_off=True), Failed("no"), 0)[0].cut_off
    failed, _ = settle(BEFORE, again, Failed("away", retryable=True), 0)
    assert decide(BEFORE, failed, (), 0).state.cut_off
    assert not settle(BEFORE, decide(BEFORE, failed, (), 0).state, Done(), 0)[0].cut_off
