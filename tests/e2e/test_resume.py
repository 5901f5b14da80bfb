"""A release that was cut off goes on where it stopped, from its own store or from none, and publishes nothing twice."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from tests.command import arguments_of, environment_of, run_shipline
from tests.e2e.places import PackageIndex, package_index, small_project
from tests.machine import wait_until


@pytest.fixture
def index(tmp_path: Path) -> PackageIndex:
    return package_index(tmp_path / "index")


def test_a_registry_that_is_down_or_refuses(tmp_path: Path, index: PackageIndex) -> None:
    """Before anything is begun nothing is; then it stops, does only what is missing, and sends nothing twice."""
    history = small_project(tmp_path / "quo", index.settings)
    down = run_shipline(history.folder, "release")
    assert down.code == 1, down
    assert "cannot be reached" in down.err
    assert history.git("log", "--format=%s") == "feat: tell quotes"
    with index.refusing():
        refusing = run_shipline(history.folder, "release")
        assert refusing.code == 1, refusing
        assert "refused the credentials (HTTP 403)" in refusing.err
        assert "`shipline release` again" in refusing.err
    commits = history.git("log", "--format=%s").splitlines()
    assert commits == ["chore(release): quo 0.1.0", "feat: tell quotes"]
    wheel = next((history.folder / ".shipline" / "releases" / "quo-0.1.0" / "dist").glob("*.whl"))
    index.folder.mkdir()
    shutil.copy2(wheel, index.folder)  # What an upload that was cut off left behind.
    there = index.files()
    with index.running():
        up = run_shipline(history.folder, "release")
        assert up.code == 0, up
        assert "Create the annotated tag" not in up.err
        assert "Build" not in up.err
        assert index.uploads() == 1
        assert {name: time for name, time in index.files().items() if name in there} == there
        assert sorted(name.rpartition(".")[2] for name in index.files()) == ["gz", "whl"]
        assert run_shipline(history.folder, "release").code == 4
        assert index.uploads() == 1


def test_a_fresh_clone_ends_what_a_lost_machine_began(tmp_path: Path, index: PackageIndex) -> None:
    """The first machine is killed after the tag; the tag and the registry are all that the second one has."""
    history = small_project(tmp_path / "quo", index.settings)
    with (
        index.refusing(),
        subprocess.Popen(
            arguments_of("release"),
            cwd=history.folder,
            env=environment_of(),
            stderr=subprocess.PIPE,
            process_group=0,
        ) as first,
    ):
        assert first.stderr is not None
        lines = iter(first.stderr.readline, b"")
        assert any(b"Create the annotated tag" in line for line in lines)
        os.killpg(first.pid, signal.SIGKILL)
    assert history.git("tag") == "v0.1.0"
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", str(history.folder), str(clone)], check=True)
    with index.running():
        said = run_shipline(clone, "release")
        assert said.code == 0, said
        assert "0.1.0 is tagged and is not on the registry" in said.err
        served = index.files()
        assert len(served) == index.uploads() == 2
        shutil.rmtree(clone / ".shipline")
        assert run_shipline(clone, "release").code == 4
        assert (index.files(), index.uploads()) == (served, 2)
    tagged = subprocess.run(["git", "tag"], cwd=clone, capture_output=True, text=True, check=True).stdout.split()
    assert tagged == ["v0.1.0"]


def test_a_killed_publication_goes_on_here(tmp_path: Path, index: PackageIndex) -> None:
    """Killed once it was built, the same clone ends it, with the same bytes."""
    history = small_project(tmp_path / "quo", index.settings)
    dist = history.folder / ".shipline" / "releases" / "quo-0.1.0"
    with index.refusing():
        first = subprocess.Popen(
            arguments_of("release"),
            cwd=history.folder,
            env=environment_of(),
            stderr=subprocess.DEVNULL,
            process_group=0,
        )
        wait_until((dist / "artifacts.json").exists, "the artifacts are built")
        os.killpg(first.pid, signal.SIGKILL)
        first.wait()
    with index.running():
        said = run_shipline(history.folder, "release")
        assert said.code == 0, said
        for path in (dist / "dist").iterdir():
            assert (index.folder / path.name).read_bytes() == path.read_bytes()
        assert index.uploads() == 2
    assert run_shipline(history.folder, "log", "verify").code == 0
