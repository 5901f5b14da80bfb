"""States as older versions have stored them."""

from __future__ import annotations

from typing import Any

import pytest

from shipline.domain.codec import from_json, to_json
from shipline.domain.errors import RefusedError, ShiplineError
from shipline.engine.rules import RunState, RunStatus
from shipline.engine.upcasts import upcast_state

# As version 1 wrote it: every field, and the next step by its place.
STORED: dict[str, Any] = {
    "status": "active",
    "phase": "forward",
    "index": 0,
    "attempt": 2,
    "started": True,
    "began_us": 7,
    "memory": {"seen": 1},
    "results": {"edit": {"paths": ["VERSION"]}},
    "undo_names": [],
    "undone": False,
    "waiting_for": "",
    "reason": "",
    "schema": 1,
}


def read(workflow: str, **changes: object) -> RunState:
    return from_json(RunState, upcast_state(workflow, STORED | changes))


@pytest.mark.parametrize(
    ("workflow", "phase", "index", "step"),
    [
        ("release", "forward", 0, "edit"),
        ("release", "forward", 8, "publish"),
        ("release", "forward", 10, None),
        ("release", "closing", 0, None),
        ("withdrawal", "forward", 0, "withdraw"),
        ("rollout:production", "forward", 3, "canary"),
        ("rollout:production", "closing", 0, "retire"),
        ("rollout:production", "closing", 1, None),
    ],
)
def test_a_place_becomes_the_name_that_stood_there(workflow: str, phase: str, index: int, step: str | None) -> None:
    assert read(workflow, phase=phase, index=index).step == step


def test_the_way_back_is_named_by_its_own_list() -> None:
    state = read("rollout:production", phase="undo", undo_names=["start"], undone=True)
    assert (state.step, state.undo_names) == ("start", ("start",))
    assert read("plugin", phase="undo", index=1, undo_names=["a"]).step is None


def test_everything_else_stays_and_the_new_schema_is_written() -> None:
    state = read("release", index=2)
    assert (state.attempt, state.started, state.memory, state.status) == (2, True, {"seen": 1}, RunStatus.ACTIVE)
    again = to_json(state)
    assert (again["schema"], again["step"]) == (2, "tag")
    assert from_json(RunState, upcast_state("release", again)) == state


def test_a_place_in_a_workflow_that_nobody_remembers_is_no_step() -> None:
    """The engine says so then, and calls nothing."""
    assert read("plugin", index=2).step == "number 3"


@pytest.mark.parametrize("schema", [3, None, "2"])
def test_a_state_of_a_later_version_is_refused_in_words(schema: object) -> None:
    with pytest.raises(RefusedError, match="another version of Shipline"):
        read("release", schema=schema)


def test_a_state_that_is_broken_is_said_to_be() -> None:
    with pytest.raises(ShiplineError):
        read("release", index="two")
