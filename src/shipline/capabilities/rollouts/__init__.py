"""Room `rollouts`: Release + Verdict -> Environment.

Promises: one rollout an environment at a time; a canary is compared with a baseline as young as itself; traffic goes
back to the stable version before anything is stopped; a group is stopped only once its share was verified 0 and its
open requests have ended; copies that died come back. Does not build, publish or judge a release; does not open
incidents (they follow the log).
"""

from shipline.capabilities.rollouts.actions import actions
from shipline.capabilities.rollouts.alerts import Alert, read_alerts, turn_back
from shipline.capabilities.rollouts.analysis import (
    AnalysisSettings,
    AnalysisState,
    AnalysisVerdict,
    Decision,
    Observation,
)
from shipline.capabilities.rollouts.concurrency import Concurrency, is_back
from shipline.capabilities.rollouts.driven.controlled import ControlledTarget, ControlledTraffic
from shipline.capabilities.rollouts.driven.verdicts import HOOKS, VerdictNow, verdict_now
from shipline.capabilities.rollouts.environments import (
    EnvironmentState,
    Served,
    deployment_history,
    deployments_document,
    environment_state,
    environments_document,
)
from shipline.capabilities.rollouts.giving_up import GivingUp, exposure_of, give_up_rollout
from shipline.capabilities.rollouts.migrations import check_migrations
from shipline.capabilities.rollouts.observing.checking import Checks, ChecksLook
from shipline.capabilities.rollouts.observing.checks import (
    CHECKS_MAX,
    CheckFinding,
    CheckMode,
    CheckReading,
    CheckRule,
    CheckState,
    begin_check,
    take_in,
)
from shipline.capabilities.rollouts.observing.countable import CountsTrial, try_counts
from shipline.capabilities.rollouts.observing.history import AnalysisPoint, analysis_of
from shipline.capabilities.rollouts.observing.preflight import Trial
from shipline.capabilities.rollouts.observing.synthetic import NoSender, Synthetic
from shipline.capabilities.rollouts.ordering import RolloutOrder, open_rollout
from shipline.capabilities.rollouts.promotion import Way, promotable_version, runnable_digests
from shipline.capabilities.rollouts.queries import (
    DEPLOYMENTS,
    ROLLOUTS,
    all_rollouts,
    current_deployment,
    has_served,
    latest_rollout,
    open_rollout_of,
    queued_rollouts,
    recorded_deployment,
    served_before,
)
from shipline.capabilities.rollouts.rules import begin, decide, evidence, excess_upper
from shipline.capabilities.rollouts.simulation import Forecast, ImaginedTraffic, chance_upper, forecast, imagine
from shipline.capabilities.rollouts.steps import Ground, is_serving
from shipline.capabilities.rollouts.strategies import (
    Preview,
    PreviewBy,
    Strategy,
    StrategyKind,
    WeightStep,
    impossible,
)
from shipline.capabilities.rollouts.turns import follow_turn, turn_actions
from shipline.capabilities.rollouts.upkeep.adopting import (
    adopt_actions,
    follow_adoption,
    order_adoption,
    restore_recorded,
)
from shipline.capabilities.rollouts.upkeep.drift import Drift, DriftAnswer, Finding
from shipline.capabilities.rollouts.upkeep.drifting import (
    DriftMemory,
    drift_actions,
    drift_of,
    drift_words,
    look_for_drift,
    order_drift_looks,
)
from shipline.capabilities.rollouts.upkeep.drilling import (
    DrillOrder,
    drill_actions,
    follow_drill,
    last_drill_us,
    order_drill,
    skip_drill,
)
from shipline.capabilities.rollouts.upkeep.lives import (
    HealthCheck,
    Life,
    LifeEnd,
    LifeOrder,
    asleep,
    end_life,
    follow_life,
    free_port,
    instance_name,
    life_actions,
    life_of,
    life_words,
    lives_by_name,
    open_lives,
    order_life,
    skip_life,
)
from shipline.capabilities.rollouts.upkeep.mending import mend_actions, needs_mending, order_mending, serving_groups
from shipline.capabilities.rollouts.upkeep.rehearsing import (
    Found,
    RehearsalOrder,
    end_rehearsal,
    experienced,
    follow_rehearsal,
    found_by,
    order_rehearsal,
    rehearsal_actions,
)
from shipline.capabilities.rollouts.upkeep.retiring import cool_actions, order_cooling
from shipline.capabilities.rollouts.upkeep.taking_down import down_actions, stopped_by, take_down
from shipline.capabilities.rollouts.usecases import (
    RolloutCommand,
    command_rollout,
    follow_run,
    verb_of,
)
from shipline.capabilities.rollouts.verification import Verification
from shipline.capabilities.rollouts.waiting import standing
from shipline.capabilities.rollouts.workflow import (
    adopt_workflow,
    cool_workflow,
    down_workflow,
    drift_workflow,
    drill_workflow,
    driven_workflow,
    life_key,
    life_workflow,
    mend_workflow,
    rehearse_workflow,
    rollout_workflow,
    turn_workflow,
    workflow_name,
)

__all__ = [
    "CHECKS_MAX",
    "DEPLOYMENTS",
    "HOOKS",
    "ROLLOUTS",
    "Alert",
    "AnalysisPoint",
    "AnalysisSettings",
    "AnalysisState",
    "AnalysisVerdict",
    "CheckFinding",
    "CheckMode",
    "CheckReading",
    "CheckRule",
    "CheckState",
    "Checks",
    "ChecksLook",
    "Concurrency",
    "ControlledTarget",
    "ControlledTraffic",
    "CountsTrial",
    "Decision",
    "Drift",
    "DriftAnswer",
    "DriftMemory",
    "DrillOrder",
    "EnvironmentState",
    "Finding",
    "Forecast",
    "Found",
    "GivingUp",
    "Ground",
    "HealthCheck",
    "ImaginedTraffic",
    "Life",
    "LifeEnd",
    "LifeOrder",
    "NoSender",
    "Observation",
    "Preview",
    "PreviewBy",
    "RehearsalOrder",
    "RolloutCommand",
    "RolloutOrder",
    "Served",
    "Strategy",
    "StrategyKind",
    "Synthetic",
    "Trial",
    "VerdictNow",
    "Verification",
    "Way",
    "WeightStep",
    "actions",
    "adopt_actions",
    "adopt_workflow",
    "all_rollouts",
    "analysis_of",
    "asleep",
    "begin",
    "begin_check",
    "chance_upper",
    "check_migrations",
    "command_rollout",
    "cool_actions",
    "cool_workflow",
    "current_deployment",
    "decide",
    "deployment_history",
    "deployments_document",
    "down_actions",
    "down_workflow",
    "drift_actions",
    "drift_of",
    "drift_words",
    "drift_workflow",
    "drill_actions",
    "drill_workflow",
    "driven_workflow",
    "end_life",
    "end_rehearsal",
    "environment_state",
    "environments_document",
    "evidence",
    "excess_upper",
    "experienced",
    "exposure_of",
    "follow_adoption",
    "follow_drill",
    "follow_life",
    "follow_rehearsal",
    "follow_run",
    "follow_turn",
    "forecast",
    "found_by",
    "free_port",
    "give_up_rollout",
    "has_served",
    "imagine",
    "impossible",
    "instance_name",
    "is_back",
    "is_serving",
    "last_drill_us",
    "latest_rollout",
    "life_actions",
    "life_key",
    "life_of",
    "life_words",
    "life_workflow",
    "lives_by_name",
    "look_for_drift",
    "mend_actions",
    "mend_workflow",
    "needs_mending",
    "open_lives",
    "open_rollout",
    "open_rollout_of",
    "order_adoption",
    "order_cooling",
    "order_drift_looks",
    "order_drill",
    "order_life",
    "order_mending",
    "order_rehearsal",
    "promotable_version",
    "queued_rollouts",
    "read_alerts",
    "recorded_deployment",
    "rehearsal_actions",
    "rehearse_workflow",
    "restore_recorded",
    "rollout_workflow",
    "runnable_digests",
    "served_before",
    "serving_groups",
    "skip_drill",
    "skip_life",
    "standing",
    "stopped_by",
    "take_down",
    "take_in",
    "try_counts",
    "turn_actions",
    "turn_back",
    "turn_workflow",
    "verb_of",
    "verdict_now",
    "workflow_name",
]
