"""The steps of a run, as the pages show them."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from shipline.apps.server.step_views import steps_of_subject
from shipline.engine.engine import Catalogue
from shipline.engine.journal import forget_journals
from shipline.engine.workflow import NO_UNDO, Again, Done, OnFailure, Outcome, Recovery, Step, StepContext, Workflow
from shipline.testing.world import World

WORKFLOW = Workflow(
    "paint",
    (
        Step("sand", "Sand", Recovery.REPEAT, "un-sand", 60, undo_title="Put the dust back"),
        Step("watch", "Watch it dry", Recovery.REPEAT, NO_UNDO, 600),
    ),
    OnFailure.UNDO,
)


def test_what_was_on_its_way_is_cut_off_as_soon_as_the_run_is_turned_back(tmp_path: Path) -> None:
    """And not when the way back has ended, which may take its time."""
    with closing(World(1, tmp_path)) as world:
        engine = world.engine(
            Catalogue({"paint": WORKFLOW}, {"paint.sand": done, "paint.watch": wait, "paint.un-sand": wait})
        )
        with world.store.begin() as tx:
            run_id = engine.start(tx, "paint", subject="wall", given={})
        engine.advance(run_id)
        assert shown(world, engine.catalogue) == [("Sand", "done"), ("Watch it dry", "running")]
        with world.store.begin() as tx:
            engine.send(tx, run_id, "abort", {"reason": "wrong wall"})
        engine.advance(run_id)
        seen = shown(world, engine.catalogue)
    assert seen == [("Sand", "done"), ("Watch it dry", "cut off"), ("Put the dust back", "running")]


def test_what_was_done_stays_done_when_its_journal_is_removed(tmp_path: Path) -> None:
    """Of a run that came to its end there is always a journal, unless it was not to be kept any longer."""
    with closing(World(1, tmp_path)) as world:
        engine = world.engine(
            Catalogue({"paint": WORKFLOW}, {"paint.sand": done, "paint.watch": done, "paint.un-sand": wait})
        )
        with world.store.begin() as tx:
            run_id = engine.start(tx, "paint", subject="wall", given={})
        world.run_until_quiet(engine)
        with world.store.begin() as tx:
            assert forget_journals(tx, (run_id,)) == 1
        seen = shown(world, engine.catalogue)
    assert seen == [("Sand", "done"), ("Watch it dry", "done")]


def shown(world: World, catalogue: Catalogue) -> list[tuple[str, str]]:
    with world.store.begin() as tx:
        return [(step.title, step.outcome) for step in steps_of_subject(tx, catalogue, "wall")]


def done(_context: StepContext) -> Outcome:
    return Done({})


def wait(_context: StepContext) -> Outcome:
    return Again(5.0, {}, "it is wet")
