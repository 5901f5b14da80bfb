"""The kill matrix of a plan of several packages: one commit, one tag a package, one upload a file, whatever dies when.

The process dies anywhere in the whole command; the next one has its store, or is another machine that has none.
"""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from shipline.capabilities.releases import RELEASES
from shipline.testing.histories import History
from shipline.testing.kills import Countdown, MortalStore
from shipline.testing.world import World
from tests.capabilities.events import check_positions, kinds
from tests.capabilities.releases.monorepo_world import MonorepoWorld, new_monorepo
from tests.kills.test_simulated import Story, fast, new_world, walk

NAMES = ("core", "web")
COMMITS = ["chore(release): core 2.0.0, web 1.0.1", "feat(core)!: say it otherwise", "chore: begin"]
TAGS = ["core@2.0.0", "web@1.0.1"]
UPLOADS = [f"{name}-py3-none-any.whl" for name in ("core-2.0.0", "web-1.0.1")]


def monorepo_with_remote(folder: Path) -> None:
    history = new_monorepo(folder / "repository")
    history.git("reset", "--quiet", "--hard", "HEAD~1")  # Two packages are enough.
    subprocess.run(
        ["git", "clone", "--quiet", "--bare", str(folder / "repository"), str(folder / "remote.git")], check=True
    )
    history.git("remote", "add", "origin", str(folder / "remote.git"))


def project_in(template: Path, folder: Path) -> MonorepoWorld:
    world = new_world(template, folder)
    monorepo_with_remote(folder)
    return MonorepoWorld(world, folder, remote="origin")


def live(made: MonorepoWorld, countdown: Countdown, *, watching: bool) -> None:
    """The command. Unless `watching`, effects alone are places to die."""
    store = MortalStore(made.world.store, countdown)
    store.watching = watching
    made.command(*NAMES, store=store, countdown=countdown)


def on_remote(folder: Path) -> dict[str, object]:
    """What everybody sees."""
    remote = History.__new__(History)
    remote.folder, remote._second = folder / "remote.git", 0
    return {
        "commits": remote.git("log", "--format=%s", "main").splitlines(),
        "tags": remote.git("tag", "--points-at", "main").splitlines(),
        "all tags": remote.git("tag").splitlines(),
        "files": remote.git("diff", "--name-only", "main~1", "main").splitlines(),
    }


def story(template: Path, folder: Path) -> Story:
    """The same machine goes on."""
    made = project_in(template, folder)

    def outcome() -> dict[str, Any]:
        assert made.command(*NAMES) == []
        check_positions(made.world.store)
        with made.world.store.begin() as tx:
            rows = [(one.package, one.version, one.status.value, one.attempt) for one in RELEASES.where(tx)]
        return {
            **on_remote(folder),
            "releases": sorted(rows),
            "uploads": [name for name in made.registry.uploads if name.endswith(".whl")],
            "dirty": made.history.git("status", "--porcelain", "--untracked-files=no"),
            "events": kinds(made.world.store),
            "breaches": made.breaches,
        }

    return Story(
        made, folder, lambda countdown: live(made, countdown, watching=True), lambda: made.command(*NAMES), outcome
    )


def story_elsewhere(template: Path, folder: Path) -> Story:
    """The machine is gone with its store and its clone; another one clones the remote, and asks the registry."""
    made = project_in(template, folder)

    def elsewhere() -> None:
        again = new_world(template, folder / "again")
        clone_of(folder, again)
        other = MonorepoWorld(again, folder / "again", remote="origin", breaches=made.breaches)
        other.registry = made.registry
        again.clock.jump_to(made.world.clock.now_us() + 3_600_000_000)
        other.command(*NAMES)
        assert other.command(*NAMES) == []
        again.close()

    def outcome() -> dict[str, Any]:
        return {
            **on_remote(folder),
            "uploads": [name for name in made.registry.uploads if name.endswith(".whl")],
            "served": made.registry.served(),
            "breaches": made.breaches,
        }

    return Story(made, folder, lambda countdown: live(made, countdown, watching=False), elsewhere, outcome)


def clone_of(folder: Path, world: World) -> None:
    """A fresh clone of the remote, whose people have names."""
    fast(world.store)
    target = folder / "again" / "repository"
    subprocess.run(["git", "clone", "--quiet", str(folder / "remote.git"), str(target)], check=True)
    for key, value in (("user.name", "Robin"), ("user.email", "robin@example.org")):
        subprocess.run(["git", "-C", str(target), "config", key, value], check=True)


@pytest.mark.parametrize("every", [43, pytest.param(1, marks=(pytest.mark.kill, pytest.mark.timeout(1800)))])
def test_a_plan_of_several_packages_survives_a_kill_at_every_point(
    sqlite_template: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], every: int
) -> None:
    """One commit, a tag and an upload for each package. `make test-kill` walks all points."""
    expected: dict[str, Any] = {"commits": COMMITS, "tags": TAGS, "uploads": UPLOADS, "dirty": ""}
    walk(story(sqlite_template, tmp_path / "world"), capsys, every=every, **expected)


@pytest.mark.parametrize("every", [11, pytest.param(1, marks=(pytest.mark.kill, pytest.mark.timeout(1800)))])
def test_another_machine_ends_it_after_a_kill_at_every_effect(
    sqlite_template: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], every: int
) -> None:
    """A plan of several packages, too. `make test-kill` walks all effects."""
    expected: dict[str, Any] = {"commits": COMMITS, "tags": TAGS, "uploads": UPLOADS}
    walk(story_elsewhere(sqlite_template, tmp_path / "world"), capsys, every=every, **expected)
