"""`shipline sync run` is killed for real, again and again, between two forges over HTTP and git; then all is alike."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest

from shipline.testing.fakes.forge.model import ForgeModel, Page
from shipline.testing.histories import History
from tests.e2e.test_sync import SETTINGS
from tests.providers.forge.places import TOKEN, Place, running
from tests.providers.mirror.test_git_mirror import committed

KILLS, EACH = 6, 6


def filled(place: Place, side: str) -> None:
    """Branches, tags, releases, pull requests and issues of one side."""
    for number in range(EACH):
        committed(place.bare, f"refs/heads/{side}/{number}")
        committed(place.bare, f"refs/tags/{side}{number}")
        place.model.open_pull(f"{side}/{number}", "main", f"feat: {side}{number}", "").author = "ada"
        page = Page(0, f"{side}{number}", f"{side} {number}", "- one", draft=False, prerelease=False)
        place.model.create_page(page, one_a_tag=True)
        place.model.create_item(f"{side} {number}", "", [], author="ada")


def begun(project: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "shipline", "sync", "run"]
    return subprocess.Popen(command, cwd=project, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def shown(model: ForgeModel) -> list[object]:
    titles = sorted(item.title for item in model.items.values())
    return [
        titles,
        sorted(page.tag for page in model.pages.values()),
        sorted(pull.title for pull in model.pulls.values()),
        model.refs.all(),  # type: ignore[attr-defined] # they are in git
    ]


@pytest.mark.kill
def test_killed_for_real_again_and_again_it_makes_everything_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORGE_TOKEN", TOKEN)
    project, random = History(tmp_path / "project"), Random(7)  # noqa: S311 - of a test
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    with running("github", tmp_path / "one") as here, running("gitlab", tmp_path / "two") as there:
        urls = {"here_url": here.server.api_url, "there_url": there.server.api_url}
        project.commit("feat: one", {"shipline.toml": SETTINGS.format(here="github", there="gitlab", **urls)})
        filled(here, "a")
        filled(there, "b")
        for _ in range(KILLS):
            run = begun(project.folder)
            try:
                run.communicate(timeout=random.uniform(1.0, 4.0))
            except subprocess.TimeoutExpired:
                os.kill(run.pid, signal.SIGKILL)
                run.communicate()
        last = begun(project.folder)
        said, _ = last.communicate(timeout=120)
        assert last.returncode in (0, 4), said
        assert shown(here.model) == shown(there.model)
        assert len(here.model.items) == len(here.model.pulls) == len(here.model.pages) == 2 * EACH
