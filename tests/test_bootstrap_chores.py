"""The wiring: what the engine's owner does in every round follows the settings as they are then."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from shipline.bootstrap import Application
from shipline.capabilities.releases import RELEASES
from shipline.capabilities.rollouts import Ground
from shipline.configuration import EnvironmentSettings
from shipline.domain.release import Release, ReleaseStatus
from shipline.engine.journal import runs_of
from shipline.testing.histories import History
from shipline.testing.world import World
from tests.capabilities.rollouts.rollout_world import RolloutWorld
from tests.machine import wait_until


@pytest.fixture
def application(tmp_path: Path) -> Iterator[Application]:
    history = History(tmp_path / "repository")
    history.commit("feat: begin", {"a": "1"})
    made = Application(history.folder)
    yield made
    made.store.close()


def found_worse(application: Application, version: str) -> str:
    """A published release whose canary the analysis sent back; returns the subject of its yank."""
    release = Release(f"rel_{version}", "quotes", version, f"v{version}", ReleaseStatus.PUBLISHED, 1, created_us=1)
    body = {"rollout_id": f"rol_{version}", "release_id": release.id, "found_worse": True, "reason": "it fails"}
    body |= {"package": "quotes", "version": version, "environment": "production", "failed_requests": 1}
    with application.store.begin() as tx:
        RELEASES.save(tx, release)
        application.events.append(tx, f"rollout:rol_{version}", "RolloutRolledBack", body)
    return f"yank:{release.id}"


def test_yanks_that_are_turned_on_take_back_nothing_of_the_past(application: Application) -> None:
    """Versions that were rolled back before may long be in use elsewhere."""
    chores = application._chores()
    earlier = found_worse(application, "1.0.0")
    for chore in chores:
        chore()
    (application.root / "shipline.toml").write_text("[release]\nyank_on_rollback = true\n")
    for chore in chores:
        chore()
    later = found_worse(application, "1.1.0")
    for chore in chores:
        chore()
    with application.store.begin() as tx:
        assert runs_of(tx, earlier) == ()
        assert len(runs_of(tx, later)) == 1


class Watched(Application):
    """Its environment serves 1.0.0 with two copies, on fakes."""

    def rollout_ground(self, environment: EnvironmentSettings) -> Ground:
        return self.place.ground(self.store)

    place: RolloutWorld


ENVIRONMENT = """
[[environment]]
name = "production"
instances = 2
[environment.target]
command = ["x"]
[environment.traffic]
port = 8080
"""


def test_copies_that_died_are_brought_back_while_the_engine_runs(tmp_path: Path) -> None:
    """The owner looks, a run mends, and the settings may change meanwhile."""
    history = History(tmp_path / "repository")
    history.commit("feat: begin", {"shipline.toml": ENVIRONMENT})
    watched = Watched(history.folder)
    watched.place = RolloutWorld(World(4, tmp_path, url=watched.store_url))
    watched.place.shipped("1.0.0")
    (group,) = watched.place.target.groups
    chores = watched._chores()
    for settings in (ENVIRONMENT, ENVIRONMENT.replace("= 2\n", "= 2\nurl = 'http://quotes.example'\n")):
        (history.folder / "shipline.toml").write_text(settings)
        watched.place.fake_target.kill(group, 1)
        wait_until(lambda: _worked(watched, chores, group), "the copy is back")
    with watched.store.begin() as tx:
        assert len(runs_of(tx, "mending:production")) == 1
    watched.place.world.close()
    watched.store.close()


def _worked(watched: Watched, chores: tuple[Callable[[], object], ...], group: str) -> bool:
    """One round of the owner, and whether all copies are there."""
    for chore in chores:
        chore()
    watched.engine.sweep()
    return len(watched.place.target.groups[group].copies) == 2
