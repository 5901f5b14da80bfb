"""200 packages: their share of a long history, and 100 changesets for them."""

from __future__ import annotations

import json
import random
import shutil
from functools import partial
from pathlib import Path

from bench.plans.frame import SHIPLINE, Case, Program, Promise
from bench.plans.grounds import cache, history, node_peer
from shipline.testing.histories import History

PACKAGES = 200
COMMITS = 50_000
CHANGESETS = 100
CACHE_MB_MAX = 10.0
OURS = "shipline plan"
COLD = "shipline plan, the first one of a commit"
ALL_NEW = "the same, one package never released"
AGAIN = "shipline plan, once more"
SETTINGS = 'schema = 1\n[[package]]\npath = "packages/*"\n'
NEW_PACKAGE = '[[package]]\npath = "."\nname = "new"\necosystem = "plain"\ntag_format = "{package}-v{version}"\n'


def _of_a_history() -> list[Program]:
    """The floor is one reading of all paths; the last program must read all of them too."""
    floor = history(COMMITS, "--pkgs", str(PACKAGES))
    (floor / "shipline.toml").write_text(SETTINGS)
    other = floor.with_name(floor.name + "-new")
    if not other.exists():
        shutil.copytree(floor, other)
        (other / "shipline.toml").write_text(SETTINGS + NEW_PACKAGE)
    return [
        Program("git log --name-only", ("git", "log", "--name-only"), floor),
        Program(COLD, (SHIPLINE, "plan", "--json"), floor, prepare=partial(_forget, floor)),
        Program(AGAIN, (SHIPLINE, "plan", "--json"), floor),
        Program(ALL_NEW, (SHIPLINE, "plan", "--json"), other, prepare=partial(_forget, other)),
        Program("shipline --help", (SHIPLINE, "--help"), floor),
    ]


def _forget(folder: Path) -> None:
    """Take away the plan that was kept, so that the next one is made."""
    shutil.rmtree(folder / ".git" / "shipline", ignore_errors=True)


def _cache_size() -> str:
    """What our plans have left in the clone, which git does not know."""
    left = history(COMMITS, "--pkgs", str(PACKAGES)) / ".git" / "shipline"
    size_mb = sum(file.stat().st_size for file in left.rglob("*") if file.is_file()) / 1e6
    return f"cache: {size_mb:.2f} of {CACHE_MB_MAX:g} MB: {'kept' if 0 < size_mb <= CACHE_MB_MAX else 'MISSED'}"


def _of_changesets() -> list[Program]:
    folder = _workspace()
    return [
        Program("changeset status", (node_peer("changeset"), "status", "--since=HEAD~1"), folder),
        Program(OURS, (SHIPLINE, "plan", "--json"), folder),
    ]


def _workspace() -> Path:
    """Packages that require some of those before them, and changesets for one to three of them each."""
    folder = cache() / f"changesets-{PACKAGES}-{CHANGESETS}"
    if folder.exists():
        return folder
    draw = random.Random(7)
    names = [f"pkg-{number:03d}" for number in range(PACKAGES)]
    files = {
        "package.json": json.dumps({"name": "root", "private": True, "workspaces": ["packages/*"]}),
        "package-lock.json": "{}",
        ".changeset/config.json": json.dumps({"baseBranch": "main", "changelog": False}),
    }
    for index, name in enumerate(names):
        wanted = dict.fromkeys(draw.sample(names[:index], min(index, 3)), "^1.0.0")
        manifest = {"name": name, "version": "1.0.0", "dependencies": wanted}
        files[f"packages/{name}/package.json"] = json.dumps(manifest, indent=2)
    made = History(folder)
    made.commit("feat: begin", files)
    for name in names:
        made.tag(f"{name}@1.0.0")
    changesets = {}
    for number in range(CHANGESETS):
        bumps = {name: draw.choice(("major", "minor", "patch")) for name in draw.sample(names, draw.randint(1, 3))}
        lines = "".join(f'"{name}": {bump}\n' for name, bump in bumps.items())
        changesets[f".changeset/c{number:03d}.md"] = f"---\n{lines}---\n\nChange {number}.\n"
    made.commit("feat: changes", changesets)
    return folder


CASES = (
    Case(
        "packages",
        f"plan of {PACKAGES} packages, {COMMITS} commits",
        _of_a_history,
        (Promise(COLD, ratio_max=1.3), Promise(ALL_NEW, ratio_max=1.3), Promise(AGAIN, cpu_ms_max=200)),
        afterwards=_cache_size,
    ),
    Case(
        "changesets",
        f"plan of {PACKAGES} packages, {CHANGESETS} changesets",
        _of_changesets,
        (Promise(OURS, cpu_ms_max=200),),
    ),
)
