"""The wiring: what the engine's owner does in every round follows the settings as they are then."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from shipline.bootstrap import Application
from shipline.capabilities.releases import RELEASES
from shipline.domain.release import Release, ReleaseStatus
from shipline.engine.journal import runs_of
from shipline.testing.histories import History


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
