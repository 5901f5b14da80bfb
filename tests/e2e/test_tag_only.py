"""A package whose version git alone states, released by its tag, from here and from a fresh clone."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from shipline.testing.histories import History
from tests.capabilities.releases.release_world import new_remote
from tests.command import run_shipline
from tests.e2e.places import PackageIndex, package_index

FILES = {
    "pyproject.toml": """\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "quo"
dynamic = ["version"]
requires-python = ">=3.11"

[tool.hatch.metadata.hooks.custom]

[tool.hatch.build.targets.wheel]
packages = ["src/quo"]
""",
    "hatch_build.py": """\
import os
import subprocess

from hatchling.metadata.plugin.interface import MetadataHookInterface


class FromGit(MetadataHookInterface):
    def update(self, metadata):
        if os.path.exists(os.path.join(self.root, "PKG-INFO")):
            lines = open(os.path.join(self.root, "PKG-INFO")).read().splitlines()
            metadata["version"] = next(line[9:] for line in lines if line.startswith("Version: "))
        else:
            told = subprocess.check_output(["git", "describe", "--dirty"], cwd=self.root, text=True)
            metadata["version"] = told.strip().removeprefix("v")
""",
    "src/quo/__init__.py": '"""Quotes."""\n',
}
MODE = '[release]\nmode = "tag"\nremote = "origin"\n'


@pytest.fixture
def index(tmp_path: Path) -> PackageIndex:
    return package_index(tmp_path / "index")


def cloned(remote: str, folder: Path) -> Path:
    subprocess.run(["git", "clone", "--quiet", remote, str(folder)], check=True)
    for name, value in (("user.name", "Ann Author"), ("user.email", "ann@example.com")):
        subprocess.run(["git", "-C", str(folder), "config", name, value], check=True)
    return folder


def test_a_tag_is_all_that_a_release_adds(tmp_path: Path, index: PackageIndex) -> None:
    """Refused by the index after the tag, it goes on here or elsewhere; what a branch protects is not touched."""
    remote = new_remote(tmp_path / "remote.git")
    history = History(tmp_path / "quo")
    history.git("remote", "add", "origin", remote)
    history.commit("feat: tell quotes", FILES | {"shipline.toml": index.settings + MODE, ".gitignore": "dist\n"})
    history.git("push", "--quiet", "--set-upstream", "origin", "main")
    hook = Path(remote) / "hooks" / "update"
    hook.write_text('#!/bin/sh\ncase "$1" in refs/heads/*) echo "protected branch" >&2; exit 1;; esac\n')
    hook.chmod(0o755)
    head = history.git("rev-parse", "HEAD")
    with index.refusing():
        stopped = run_shipline(history.folder, "release")
        assert stopped.code == 1, stopped
    assert history.git("ls-remote", "origin", "refs/tags/v0.1.0^{}").split()[0] == head
    elsewhere = cloned(remote, tmp_path / "elsewhere")
    with index.running():
        ended = run_shipline(elsewhere, "release")
        assert ended.code == 0, ended
        assert "0.1.0 is tagged and is not on the registry" in ended.err
        assert sorted(index.files()) == ["quo-0.1.0-py3-none-any.whl", "quo-0.1.0.tar.gz"]
        assert run_shipline(elsewhere, "release").code == 4
        assert run_shipline(history.folder, "release").code == 0  # Which had stopped, and finds all of it there.
        shutil.rmtree(elsewhere / ".shipline")
        assert run_shipline(elsewhere, "release").code == 4
        assert index.uploads() == 2
    assert history.git("log", "--format=%s").splitlines() == ["feat: tell quotes"]
    history.commit("feat: say it twice", {"src/quo/__init__.py": '__version__ = "0.1.0"\n'})
    refused = run_shipline(history.folder, "release")
    assert refused.code == 3, refused
    assert "src/quo/__init__.py states its version" in refused.err
    assert "src/quo/__init__.py" in run_shipline(history.folder, "doctor").out
