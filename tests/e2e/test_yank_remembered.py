"""A version that was taken back stays so, also for a machine that knows nothing but git and the registries."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from shipline.testing.histories import History
from tests.command import run_shipline
from tests.e2e.places import SETTINGS, small_project
from tests.file_server import Files

REGISTRY = """\
[release]
remote = "origin"

[[registry]]
provider = "generic"
url = "{url}/{{package}}/{{version}}/{{file}}"
"""
MARK = "refs/tags/shipline/yanked/v0.1.0"


@pytest.fixture
def server() -> Iterator[Files]:
    made = Files()
    yield made
    made.stop()


@pytest.fixture
def history(tmp_path: Path, server: Files) -> History:
    """A project with a remote, of which 0.1.0 is published."""
    bare = tmp_path / "remote.git"
    subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch=main", str(bare)], check=True)
    history = small_project(tmp_path / "quo", SETTINGS + REGISTRY.format(url=server.url))
    history.git("remote", "add", "origin", str(bare))
    said = run_shipline(history.folder, "release")
    assert said.code == 0, said
    return history


def test_a_runner_with_an_empty_store_does_not_publish_a_yanked_version_again(
    tmp_path: Path, history: History, server: Files
) -> None:
    """The server has no mark for a yank, so that a person removed the files: they are as if never published."""
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "--quiet", str(tmp_path / "remote.git"), str(clone)], check=True)
    said = run_shipline(history.folder, "yank", "0.1.0", "--reason", "it loses quotes")
    assert said.code == 0, said
    assert "git mark" in said.out
    assert history.git("ls-remote", "origin", MARK).split()[0] == history.git("rev-parse", "v0.1.0^{commit}")
    server.files.clear()
    # One has fetched since, the other has not: git is asked where it is.
    shutil.rmtree(history.folder / ".shipline")
    for folder in (history.folder, clone):
        again = run_shipline(folder, "release")
        assert again.code == 4, again
        assert "0.1.0 was taken back" in again.err
    assert server.files == {}


def test_what_comes_after_it_is_released_from_an_empty_store(history: History, server: Files) -> None:
    """And `git describe` goes on naming the releases."""
    assert run_shipline(history.folder, "yank", "0.1.0", "--reason", "it loses quotes").code == 0
    assert history.git("describe", "--tags", "v0.1.0") == "v0.1.0"
    server.files.clear()
    shutil.rmtree(history.folder / ".shipline")
    history.commit("fix: lose none", {"src/quo/words.py": "'more'\n"})
    said = run_shipline(history.folder, "release")
    assert said.code == 0, said
    assert {path.split("/")[2] for path in server.files} == {"0.1.1"}
