"""A command's run as data: one step, that looks and does what is missing."""

from __future__ import annotations

from shipline.engine.workflow import NO_UNDO, OnFailure, Recovery, Step, Workflow

AUTOMATION_WORKFLOW = "automation"
LOOK = "look"
# A forge that is down is waited for, and so is a release under way; longer than a week is no outage any more.
LOOK_TIMEOUT_S = 7 * 86_400


def automation_workflow() -> Workflow:
    """The run of one command. Its step may be repeated: it does what is missing, and nothing twice."""
    step = Step(
        LOOK,
        "Look what is due, and do it",
        Recovery.REPEAT,
        NO_UNDO,
        LOOK_TIMEOUT_S,
        listens=(LOOK,),
    )
    return Workflow(name=AUTOMATION_WORKFLOW, steps=(step,), on_failure=OnFailure.STOP)
