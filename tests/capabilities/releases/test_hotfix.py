"""What was released from a hotfix branch is a hotfix, on record and as a fact that gates may ask for."""

from __future__ import annotations

from pathlib import Path

import pytest

from shipline.domain.gate import Gate
from shipline.domain.release import ReleaseStatus
from shipline.testing.world import World
from tests.capabilities.events import bodies
from tests.capabilities.releases.release_world import ReleaseWorld


@pytest.mark.parametrize(("branch", "is_hotfix"), [("hotfix/till", True), ("feature/till", False)])
def test_the_branch_says_whether_it_is_one(tmp_path: Path, branch: str, *, is_hotfix: bool) -> None:
    made = ReleaseWorld(World(11, tmp_path), tmp_path, gates=(Gate("hotfixes alone", "release.hotfix"),), branch=branch)
    made.history.git("switch", "-q", "-c", branch)
    release = made.released()
    assert release.hotfix is is_hotfix
    assert release.status is (ReleaseStatus.PUBLISHED if is_hotfix else ReleaseStatus.REFUSED)
    assert bodies(made.world.store, "ReleaseStarted")[0]["hotfix"] is is_hotfix
