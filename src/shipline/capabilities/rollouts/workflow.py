"""A rollout as data: the steps that bring a version to an environment, and the one way back."""

from __future__ import annotations

from shipline.engine.workflow import NO_UNDO, OnFailure, Recovery, Step, Workflow

PREPARE_TIMEOUT_S = 900
START_TIMEOUT_S = 600
SWITCH_TIMEOUT_S = 120

# A controller goes its own way back, at its own pace.
BACK_TIMEOUT_S = 3600
MEND_TIMEOUT_S = 2 * 86_400
DRIFT_TIMEOUT_S = 2 * 86_400
DRILL_TIMEOUT_S = 3600
REHEARSE_TIMEOUT_S = 2 * 3600
RAISE_TIMEOUT_S = 2 * 3600
CHECK_TIMEOUT_S = 2 * 86_400
# Nobody has remembered it for a year.
LIVE_TIMEOUT_S = 366 * 86_400
LOWER_TIMEOUT_S = 86_400
# What has waited for so long is hardly what anybody still wants.
TURN_TIMEOUT_S = 7 * 86_400

PREVIEW_TITLE = "Let it be previewed"
ROLL_TITLE = "Replace the copies batch by batch"
WATCH_TITLE = "Watch the canary"
DRIVE_TITLE = "Follow the controller"

# What people (and programs) can say to a rollout while it waits or is watched; abort is the engine's own.
CANARY_SIGNALS = ("pause", "resume", "promote", "skip-wait")


def workflow_name(environment: str) -> str:
    """The name of an environment's workflow."""
    return f"rollout:{environment}"


def turn_name(environment: str) -> str:
    """The name of the workflow that waits until the environment is free."""
    return f"turn:{environment}"


def turn_workflow(environment: str) -> Workflow:
    """One step, which begins the rollout that it waits for. It changes nothing there, and many may wait."""
    return Workflow(
        name=turn_name(environment),
        steps=(Step("turn", "Wait for its turn", Recovery.REPEAT, NO_UNDO, TURN_TIMEOUT_S),),
        on_failure=OnFailure.UNDO,
    )


def down_name(environment: str) -> str:
    """The name of the workflow that takes an environment down."""
    return f"down:{environment}"


def environment_key(environment: str) -> str:
    """What only one run at a time may hold: it changes what the environment runs."""
    return f"environment:{environment}"


def cool_name(environment: str) -> str:
    """The name of the workflow that stops what was kept warm."""
    return f"cool:{environment}"


def changing_names(environment: str) -> tuple[str, ...]:
    """The names of all workflows that change what an environment runs: their runs' revisions fence each other."""
    return (workflow_name(environment), down_name(environment), cool_name(environment), adopt_name(environment))


def adopt_name(environment: str) -> str:
    """The name of the workflow that records what runs."""
    return f"adopt:{environment}"


def drill_name(environment: str) -> str:
    """The name of the workflow that rehearses the way back."""
    return f"drill:{environment}"


def drill_key(environment: str) -> str:
    """What only one run at a time may hold: it rehearses the way back. Its runs are about this, too."""
    return f"drill:{environment}"


def drill_workflow(environment: str) -> Workflow:
    """Two rollouts, one after the other. What one of them leaves when it fails is as that has left it."""
    return Workflow(
        name=drill_name(environment),
        steps=(
            Step("back", "Go back to the version before", Recovery.REPEAT, NO_UNDO, DRILL_TIMEOUT_S),
            Step("forth", "Come back to the version that served", Recovery.REPEAT, NO_UNDO, DRILL_TIMEOUT_S),
        ),
        on_failure=OnFailure.UNDO,
    )


def rehearse_name(environment: str) -> str:
    """The name of the workflow that lets a version fail on purpose."""
    return f"rehearse:{environment}"


def rehearsal_key(environment: str) -> str:
    """What only one run at a time may hold: it rehearses there, beside whatever changes the environment."""
    return f"rehearsal:{environment}"


def rehearsal_subject(rollout_id: str) -> str:
    """What runs are about that let this rollout's new version fail on purpose."""
    return f"rehearsal:{rollout_id}"


def rehearse_workflow(environment: str) -> Workflow:
    """However it goes, what was injected is ended. It changes no route, and may go on beside a rollout."""
    return Workflow(
        name=rehearse_name(environment),
        steps=(
            Step("inject", "Let it fail on purpose", Recovery.REPEAT, NO_UNDO, SWITCH_TIMEOUT_S),
            Step("hold", "See what comes of it", Recovery.REPEAT, NO_UNDO, REHEARSE_TIMEOUT_S, listens=("end",)),
        ),
        on_failure=OnFailure.UNDO,
        closing=(Step("clear", "End what was injected", Recovery.REPEAT, NO_UNDO, SWITCH_TIMEOUT_S),),
    )


def life_name(template: str) -> str:
    """The name of the workflow that is an ephemeral environment's life, by the environment that it is made after."""
    return f"life:{template}"


def life_key(environment: str) -> str:
    """What only one run at a time may hold: it brings that environment up and down. Its runs are about this, too."""
    return f"life:{environment}"


def life_workflow(template: str) -> Workflow:
    """From nothing to nothing. However it goes, what was begun is taken down."""
    down = ("down",)
    return Workflow(
        name=life_name(template),
        steps=(
            Step("raise", "Bring it up", Recovery.REPEAT, NO_UNDO, RAISE_TIMEOUT_S, listens=down),
            Step("check", "See that it is healthy", Recovery.REPEAT, NO_UNDO, CHECK_TIMEOUT_S, listens=down),
            Step("live", "Keep it until its time is over", Recovery.REPEAT, NO_UNDO, LIVE_TIMEOUT_S, listens=down),
        ),
        on_failure=OnFailure.UNDO,
        closing=(Step("lower", "Take it down", Recovery.REPEAT, NO_UNDO, LOWER_TIMEOUT_S),),
    )


def drift_name(environment: str) -> str:
    """The name of the workflow that looks for drift."""
    return f"drift:{environment}"


def drift_key(environment: str) -> str:
    """What only one run at a time may hold: it looks for drift. Its runs are about this, too."""
    return f"drift:{environment}"


def drift_workflow(environment: str) -> Workflow:
    """One step that goes on for a day. It changes nothing there."""
    return Workflow(
        name=drift_name(environment),
        steps=(Step("look", "Compare what runs with the record", Recovery.REPEAT, NO_UNDO, DRIFT_TIMEOUT_S),),
        on_failure=OnFailure.STOP,
    )


def adopt_workflow(environment: str) -> Workflow:
    """One step. Where it cannot be done the run is over, and the environment as it was."""
    return Workflow(
        name=adopt_name(environment),
        steps=(Step("adopt", "Record what runs", Recovery.REPEAT, NO_UNDO, SWITCH_TIMEOUT_S),),
        on_failure=OnFailure.UNDO,
        beside=changing_names(environment),
    )


def mend_name(environment: str) -> str:
    """The name of the workflow that brings back copies that have died."""
    return f"mend:{environment}"


def mending_key(environment: str) -> str:
    """What only one run at a time may hold: it brings copies back. Its runs are about this, too."""
    return f"mending:{environment}"


def mend_workflow(environment: str) -> Workflow:
    """One step that goes on until all copies that serve have been ready for a while. It may go on beside a rollout."""
    return Workflow(
        name=mend_name(environment),
        steps=(Step("mend", "Bring back copies that have died", Recovery.REPEAT, NO_UNDO, MEND_TIMEOUT_S),),
        on_failure=OnFailure.STOP,
    )


def cool_workflow(environment: str) -> Workflow:
    """One step: what was kept for the way back is stopped when its time is over."""
    return Workflow(
        name=cool_name(environment),
        steps=(Step("cool", "Stop what was kept warm", Recovery.REPEAT, NO_UNDO, SWITCH_TIMEOUT_S),),
        on_failure=OnFailure.STOP,
        beside=changing_names(environment),
    )


def down_workflow(environment: str) -> Workflow:
    """The proxy first: it takes no new connection and lets open requests end, then nobody needs the instances."""
    return Workflow(
        name=down_name(environment),
        steps=(
            Step("close", "Stop the proxy", Recovery.REPEAT, NO_UNDO, SWITCH_TIMEOUT_S),
            Step("stop", "Stop the instances", Recovery.REPEAT, NO_UNDO, START_TIMEOUT_S),
        ),
        on_failure=OnFailure.STOP,
        beside=changing_names(environment),
    )


def rollout_workflow(environment: str, *, wait_timeout_s: int, drain_timeout_s: int, switch_s: int = 0) -> Workflow:
    """The steps for one environment, whatever the strategy: those that a strategy does without pass at once.

    `wait_timeout_s` bounds each step that waits for a person, or for a time that the settings ask for,
    what moves all traffic at once has `switch_s` seconds, there and back, where that is more than usual.
    Everything before `start` touches no traffic and has nothing to take back. From `start` on, `restore` gives all
    traffic back to what was stable. `retire` then stops whatever serves nothing, after a promotion as after a
    rollback, and never an instance that still has traffic.
    """
    return Workflow(
        name=workflow_name(environment),
        steps=(
            Step("gate", "Ask the environment's gates", Recovery.REPEAT, NO_UNDO, START_TIMEOUT_S),
            Step("prepare", "Install the version", Recovery.REPEAT, NO_UNDO, PREPARE_TIMEOUT_S, attempts_max=3),
            Step(
                "start",
                "Start the new version beside the stable one",
                Recovery.REPEAT,
                "restore",
                max(START_TIMEOUT_S, switch_s),
                undo_title="Give all traffic back to the stable version",
            ),
            Step("preview", PREVIEW_TITLE, Recovery.REPEAT, NO_UNDO, wait_timeout_s, listens=CANARY_SIGNALS),
            Step("canary", WATCH_TITLE, Recovery.REPEAT, NO_UNDO, wait_timeout_s, listens=CANARY_SIGNALS),
            Step("roll", ROLL_TITLE, Recovery.REPEAT, NO_UNDO, wait_timeout_s, listens=CANARY_SIGNALS),
            Step(
                "promote",
                "Move all traffic to the new version",
                Recovery.REPEAT,
                NO_UNDO,
                max(START_TIMEOUT_S, switch_s),
            ),
            Step("verify", "Verify what is served", Recovery.REPEAT, NO_UNDO, wait_timeout_s, listens=("skip-wait",)),
        ),
        on_failure=OnFailure.UNDO,
        closing=(Step("retire", "Drain and stop what serves nothing", Recovery.REPEAT, NO_UNDO, drain_timeout_s),),
        beside=changing_names(environment),
    )


def driven_workflow(environment: str, *, wait_timeout_s: int) -> Workflow:
    """The steps for an environment where a controller brings versions to users.

    `wait_timeout_s` bounds each step that waits for a person, or for the controller's own times. Before `start` nothing
    is changed. From `start` on, `restore` has the controller give all traffic back, and sets the image back.
    """
    return Workflow(
        name=workflow_name(environment),
        steps=(
            Step("gate", "Ask the environment's gates", Recovery.REPEAT, NO_UNDO, START_TIMEOUT_S),
            Step("prepare", "Find the image, and the controller", Recovery.REPEAT, NO_UNDO, PREPARE_TIMEOUT_S, 3),
            Step(
                "start",
                "Set the image, and let the controller begin",
                Recovery.REPEAT,
                "restore",
                BACK_TIMEOUT_S,
                undo_title="Have the controller go back to the stable version",
            ),
            Step("drive", DRIVE_TITLE, Recovery.REPEAT, NO_UNDO, wait_timeout_s, listens=CANARY_SIGNALS),
            Step("verify", "Verify what is served", Recovery.REPEAT, NO_UNDO, wait_timeout_s, listens=("skip-wait",)),
        ),
        on_failure=OnFailure.UNDO,
        closing=(Step("settle", "Leave the rest to the controller", Recovery.REPEAT, NO_UNDO, SWITCH_TIMEOUT_S),),
        beside=changing_names(environment),
    )
