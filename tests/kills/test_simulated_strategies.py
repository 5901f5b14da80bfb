"""The kill matrix of every strategy, of what is kept warm, of turns, drills and rehearsals: dead at any point, the same
outcome.

`make test` walks a sample of the points, `make test-kill` all of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from shipline.capabilities.rollouts import (
    Concurrency,
    DrillOrder,
    Preview,
    PreviewBy,
    RehearsalOrder,
    Strategy,
    StrategyKind,
    Verification,
    WeightStep,
    order_cooling,
    order_drill,
    order_rehearsal,
)
from shipline.engine.journal import recent_runs, runs_of
from shipline.ports.target import Role
from shipline.testing.fakes.command import Ending
from tests.capabilities.events import check_positions, kinds
from tests.capabilities.rollouts.rollout_world import PERSON, PLACE, RolloutWorld
from tests.capabilities.rollouts.test_drilling import way
from tests.kills.test_simulated import Story, new_world, story_of, walk

BLUE_GREEN = Strategy(StrategyKind.BLUE_GREEN)
ROLLING = Strategy(StrategyKind.ROLLING)
STEPPED = Strategy(StrategyKind.CANARY, steps=(WeightStep(0.1, 6), WeightStep(0.5, 4)))
SMOKE = Verification("smoke", ("check",), attempts=2, every_s=3.0)
SAMPLE = [pytest.param(41, id="sample"), pytest.param(1, marks=pytest.mark.kill, id="all")]
# Orders something; nothing is done yet.
Begin = Callable[[RolloutWorld], object]


def deployed(strategy: Strategy) -> Begin:
    return lambda made: made.deploy("1.1.0", strategy=strategy)


def rolled_back(made: RolloutWorld) -> None:
    """By an order, to copies that were kept warm."""
    made.deploy("1.0.0", strategy=BLUE_GREEN, rollback=True)


def both_in_turn(made: RolloutWorld) -> None:
    made.deploy("1.1.0", strategy=BLUE_GREEN, concurrency=Concurrency.QUEUE)
    made.deploy("1.3.0", strategy=BLUE_GREEN, concurrency=Concurrency.QUEUE)


def cooled(made: RolloutWorld) -> None:
    """What was kept warm is stopped once its time is over."""
    made.world.clock.sleep(50.0)
    with made.world.store.begin() as tx:
        order_cooling(tx, made.engine(), PLACE)


def drilled(made: RolloutWorld) -> None:
    with made.world.store.begin() as tx:
        order_drill(tx, made.engine(), DrillOrder(way("1.0.0"), way("1.1.0")), PERSON)


def rehearsed(made: RolloutWorld) -> None:
    """A good version whose canary is let fail on purpose."""
    rollout = made.deploy("1.1.0")
    made.run_until(rollout, "canary")
    with made.world.store.begin() as tx:
        order_rehearsal(tx, made.engine(), RehearsalOrder(PLACE, Role.CANARY, seconds=40, errors=0.3), PERSON)


def story(template: Path, folder: Path, *, before: Begin, begin: Begin) -> Story:
    """`before` is what went well in peace; then a process dies on the way."""
    world = new_world(template, folder)
    made = RolloutWorld(world, verifications=(SMOKE,))
    made.commands.programs["check"] = lambda _call: Ending()
    made.shipped("1.0.0")
    before(made)
    made.settle()
    begin(made)

    def outcome() -> dict[str, Any]:
        made.settle()
        check_positions(world.store)
        with world.store.begin() as tx:
            drills = [run.state.status.value for run in runs_of(tx, f"drill:{PLACE}")]
            rehearsals = [run.state.status.value for run in recent_runs(tx, f"rehearse:{PLACE}", limit=9)]
        return {
            "deployments": [
                (one.version, one.finished_us is None, one.ended_us is None, one.failed, one.rollback)
                for one in made.deployments()
            ],
            "serving": made.serving(),
            "alive": made.alive(),
            "routes": sorted((route.version, route.share, route.preview) for route in made.traffic.routes.values()),
            "drills": drills,
            "rehearsals": rehearsals,
            "faults": list(made.traffic.faults),
            # A weight that held until the next one came, and was not written down before a kill, nobody knows of.
            "events": [kind for kind in kinds(world.store) if kind != "CanaryWeightChanged"],
            "breaches": list(made.breaches),
        }

    return story_of(made, folder, outcome)


def in_peace(_made: RolloutWorld) -> None:
    """Nothing but the first version."""


# What went well before, what a process dies in, and what stands in the end beside 1.1.0 that serves.
CASES: dict[str, tuple[Begin, Begin, dict[str, Any]]] = {
    "blue-green": (in_peace, deployed(BLUE_GREEN), {"alive": ["1.1.0"] * 2}),
    "rolling": (in_peace, deployed(ROLLING), {"alive": ["1.1.0"] * 2}),
    "stepped": (in_peace, deployed(STEPPED), {"alive": ["1.1.0"] * 2}),
    "preview": (
        in_peace,
        deployed(replace(BLUE_GREEN, preview=Preview(PreviewBy.HEADER, hold_s=10))),
        {"alive": ["1.1.0"] * 2},
    ),
    "kept warm": (
        in_peace,
        deployed(replace(BLUE_GREEN, keep_warm_s=40.0)),
        {"alive": ["1.0.0"] * 2 + ["1.1.0"] * 2},
    ),
    "cooled": (deployed(replace(BLUE_GREEN, keep_warm_s=40.0)), cooled, {"alive": ["1.1.0"] * 2}),
    "back to warm copies": (
        lambda made: made.deploy("1.1.0", strategy=replace(BLUE_GREEN, keep_warm_s=100_000.0)),
        rolled_back,
        {"serving": {"1.0.0": 1.0}, "alive": ["1.0.0"] * 2},
    ),
    "two in turn": (in_peace, both_in_turn, {"serving": {"1.3.0": 1.0}, "alive": ["1.3.0"] * 2}),
    "drill": (deployed(BLUE_GREEN), drilled, {"alive": ["1.1.0"] * 2, "drills": ["done"]}),
    "rehearsal": (
        in_peace,
        rehearsed,
        {"serving": {"1.0.0": 1.0}, "alive": ["1.0.0"] * 2, "rehearsals": ["done"], "faults": []},
    ),
}


@pytest.mark.parametrize("every", SAMPLE)
@pytest.mark.parametrize("case", CASES)
def test_whatever_dies_when_the_outcome_is_the_same(
    sqlite_template: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], case: str, every: int
) -> None:
    before, begin, expected = CASES[case]

    told = story(sqlite_template, tmp_path / "world", before=before, begin=begin)
    walk(told, capsys, every=every, **({"serving": {"1.1.0": 1.0}} | expected))
