"""The workflows of one environment: each with what its steps do, and with who follows its runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, TypeAlias

from shipline.bootstrap.driven import workflow_of
from shipline.capabilities import rollouts
from shipline.configuration.check import read_canary
from shipline.engine.workflow import Action, Workflow

if TYPE_CHECKING:
    from shipline.capabilities.rollouts import Ground
    from shipline.configuration import EnvironmentSettings
    from shipline.engine.engine import Engine
    from shipline.engine.journal import Run
    from shipline.ports.load import Load
    from shipline.store.event_writer import EventWriter
    from shipline.store.transaction import Transaction

# How long a person may take, where one is waited for.
PATIENCE_S = 24 * 3600

Follow: TypeAlias = "Callable[[Transaction, EventWriter, Run], None]"


def environment_workflows(
    environment: EnvironmentSettings, ground: Ground, engine: Callable[[], Engine]
) -> Iterator[tuple[Workflow, Mapping[str, Action], Follow | None]]:
    """All that can be done to an environment. `engine` gives the one that runs it, for steps that begin other runs."""
    name, settings = environment.name, read_canary(environment.canary)
    rollout = workflow_of(environment, ground, int(settings.deadline_s) + PATIENCE_S)
    yield rollout, rollouts.actions(ground, settings), rollouts.follow_run
    yield rollouts.down_workflow(name), rollouts.down_actions(ground), None
    yield rollouts.cool_workflow(name), rollouts.cool_actions(ground), None
    yield rollouts.drill_workflow(name), rollouts.drill_actions(ground.store, engine), rollouts.follow_drill
    yield rollouts.drift_workflow(name), rollouts.drift_actions(ground, name, environment.drift_every_s), None
    yield rollouts.adopt_workflow(name), rollouts.adopt_actions(ground), rollouts.follow_adoption
    yield rollouts.turn_workflow(name), rollouts.turn_actions(ground, engine), rollouts.follow_turn
    yield rollouts.mend_workflow(name), rollouts.mend_actions(ground, name), None
    yield (
        rollouts.rehearse_workflow(name),
        rollouts.rehearsal_actions(ground, settings.tick_s),
        rollouts.follow_rehearsal,
    )


def life_workflows(
    environment: EnvironmentSettings, ground_of: Callable[[str], Ground], engine: Callable[[], Engine], load: Load
) -> Iterator[tuple[Workflow, Mapping[str, Action], Follow | None]]:
    """How those come and go that are made after this environment, itself among them."""
    actions = rollouts.life_actions(ground_of, engine, load)
    yield rollouts.life_workflow(environment.name), actions, rollouts.follow_life
