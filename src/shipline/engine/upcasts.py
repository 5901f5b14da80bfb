"""Old states of runs read as new ones, so that what was begun before an upgrade goes on after it.

Schema 1 kept the place of the next step in its list. Which step that was only the workflows of that time can say: they
stand here as they were, and never change. Nothing is rewritten in the table; the next tick saves the new form.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from shipline.domain.errors import RefusedError
from shipline.engine.rules import STATE_SCHEMA, Phase

_FORWARD, _CLOSING = Phase.FORWARD.value, Phase.CLOSING.value
# By the part of a workflow's name before a colon, and the phase.
_STEPS_OF_SCHEMA_1: Mapping[tuple[str, str], tuple[str, ...]] = MappingProxyType(
    {
        ("release", _FORWARD): (
            *("edit", "commit", "tag", "build", "test", "prove", "gate", "push", "publish", "bundle"),
        ),
        ("withdrawal", _FORWARD): ("withdraw",),
        ("rollout", _FORWARD): ("gate", "prepare", "start", "canary", "promote"),
        ("rollout", _CLOSING): ("retire",),
    }
)


_ROOMS = frozenset(room for room, _ in _STEPS_OF_SCHEMA_1)


def upcast_state(workflow: str, state: dict[str, Any]) -> dict[str, Any]:
    """The state in the newest schema. RefusedError for one that a later Shipline has written."""
    schema = state.get("schema")
    if schema == 1 and isinstance(state.get("index"), int):
        return _from_1(workflow, state)
    if schema != STATE_SCHEMA:
        raise RefusedError(
            f"a run of {workflow!r} was written by another version of Shipline: its state has the schema {schema!r}",
            todo="use the newest version that has worked with this store",
        )
    return state


def _from_1(workflow: str, state: dict[str, Any]) -> dict[str, Any]:
    rest = {name: value for name, value in state.items() if name != "index"}
    return rest | {"schema": 2, "step": _step_of_1(workflow, state)}


def _step_of_1(workflow: str, state: dict[str, Any]) -> str | None:
    """The name of the step, None at the end of the phase. Of a workflow that is not remembered no step has the name."""
    index, phase, room = state["index"], state["phase"], workflow.partition(":")[0]
    if phase != Phase.UNDO.value and room not in _ROOMS:
        return f"number {index + 1}"
    names = state["undo_names"] if phase == Phase.UNDO.value else _STEPS_OF_SCHEMA_1.get((room, phase), ())
    return names[index] if index < len(names) else None
