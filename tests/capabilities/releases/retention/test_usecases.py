"""Removing what is due, on record, and once, whoever is cut off."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import func, select

from shipline.capabilities.releases import Keep, apply_retention, plan_retention
from shipline.domain.deployment import Deployment
from shipline.engine.journal import forget_journals, runs_of
from shipline.store.rows import Rows
from shipline.store.tables import journal, run
from shipline.testing.world import World
from tests.capabilities.events import bodies
from tests.capabilities.releases.release_world import ReleaseWorld

KEEP = Keep(reports_us=3_600_000_000, artifacts_us=3_600_000_000, journals_us=3_600_000_000)


@pytest.fixture
def made(tmp_path: Path) -> ReleaseWorld:
    """Two releases, an hour ago and more."""
    made = ReleaseWorld(World(11, tmp_path), tmp_path)
    made.released()
    made.commit("feat: more")
    made.released()
    made.world.clock.sleep(2 * 3600)
    return made


def test_what_is_due_is_removed_and_told_once(made: ReleaseWorld) -> None:
    """Bundles and statements stay, as does what was built of the newest; of the journals the runs stay."""
    store, ground = made.world.store, made.ground(made.world.store)
    folders = sorted((made.folder / "releases").iterdir())
    plan = plan_retention(ground, KEEP)
    assert [(one.version, one.kind) for one in plan.removals] == [
        ("0.2.0", "reports"),
        ("0.1.0", "reports"),
        ("0.1.0", "dist"),
    ]
    assert len(plan.journals) == 2
    apply_retention(ground, plan)
    for folder in folders:
        assert not (folder / "reports").exists()
        assert (folder / "bundle.tar").is_file()
        assert (folder / "evidence").is_dir()
    assert [(folder / "dist").exists() for folder in folders] == [False, True]
    assert len(bodies(store, "ReportsRemoved")) == 2
    assert bodies(store, "ArtifactsRemoved")[0]["version"] == "0.1.0"
    assert bodies(store, "JournalsRemoved") == [{"runs": 2}]
    with store.begin() as tx:
        assert tx.connection.scalar(select(func.count()).select_from(journal)) == 0
        assert tx.connection.scalar(select(func.count()).select_from(run)) == 2
    assert plan_retention(ground, KEEP).is_empty


def test_who_was_cut_off_after_the_event_tells_nothing_twice(made: ReleaseWorld) -> None:
    """The same plan again, with files that are there still, and with none."""
    ground = made.ground(made.world.store)
    plan = plan_retention(ground, Keep(reports_us=0))
    kept = {path: path.read_bytes() for path in made.folder.rglob("reports/*/*") if path.is_file()}
    apply_retention(ground, plan)
    for path, content in kept.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    apply_retention(ground, plan_retention(ground, Keep(reports_us=0)))
    apply_retention(ground, plan)
    assert not any(path.exists() for path in kept)
    assert len(bodies(made.world.store, "ReportsRemoved")) == 2


def test_nothing_is_due_before_its_time_and_by_default(made: ReleaseWorld) -> None:
    ground = made.ground(made.world.store)
    assert plan_retention(ground, Keep()).is_empty
    day = 24 * 3_600_000_000
    assert plan_retention(ground, Keep(reports_us=day, artifacts_us=day, journals_us=day)).is_empty


def test_a_run_that_is_not_done_keeps_its_journal(made: ReleaseWorld) -> None:
    """What it had begun may have to be looked up."""
    made.failing = 1
    made.commit("feat: bad")
    refused = made.released()
    made.world.clock.sleep(2 * 3600)
    with made.world.store.begin() as tx:
        (unfinished,) = runs_of(tx, f"release:{refused.id}")
        assert forget_journals(tx, (unfinished.id,)) == 0
    assert unfinished.id not in plan_retention(made.ground(made.world.store), KEEP).journals


def test_what_an_environment_would_go_back_to_stays_however_long_ago_it_served(made: ReleaseWorld) -> None:
    """A stable version may serve for a year; the way back from it needs what was built before that."""
    store, ground = made.world.store, made.ground(made.world.store)
    with store.begin() as tx:
        for number, (version, ended_us) in enumerate((("0.1.0", 20), ("0.2.0", None))):
            one = Deployment(f"dep_{number}", "prod", "quotes", version, "rol_1", 10 * number, None, 15, ended_us)
            Rows("deployment", Deployment).save(tx, one)
    assert [one.kind for one in plan_retention(ground, KEEP).removals] == ["reports", "reports"]
