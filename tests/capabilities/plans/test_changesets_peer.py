"""Plans from changesets beside those of @changesets/cli, on the same workspaces.

Where they differ, and who is right:

- A peer dependency whose range is left: changesets makes a major version of the dependent, we a patch. The dependent
  itself has broken nothing; its new range says what its users need, and the reason says that it is a peer's.
- A peer dependency whose range still fits, after a minor or major release: changesets makes a major version all the
  same, we release nothing. Nothing has changed for anybody, so nothing is to be released.
- A package that its group lifts far, required by `workspace:^`: changesets takes the group's version for the one that
  was published, so that nothing seems to be left. What is published says `^0.3.1`, which does not take 2.0.1: we
  follow.

What a package requires for development moves no version with either; that both write the same ranges is asked apart.
"""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from shipline.capabilities.plans import make_plan
from shipline.testing.histories import History
from tests.changesets_cli import manifests_by, program_in, versions_by

KINDS = ("dependencies", "dependencies", "optionalDependencies", "devDependencies")
OPERATORS = ("^", "~", "", ">=", "workspace:^", "workspace:*", "workspace:~")


@pytest.fixture(scope="session")
def program(pytestconfig: pytest.Config) -> Path:
    return program_in(pytestconfig.cache.mkdir("npm"))


def ours(history: History) -> dict[str, str | None]:
    return {plan.name: plan.next for plan in make_plan(history.repository).packages if plan.releasable}


def workspace(folder: Path, manifests: list[dict[str, Any]], config: dict[str, Any], changesets: list[str]) -> History:
    """Released packages, and a commit with changesets."""
    history = History(folder)
    files = {f"packages/{each['name']}/package.json": json.dumps(each) for each in manifests}
    files["package.json"] = json.dumps({"name": "root", "private": True, "workspaces": ["packages/*"]})
    files["package-lock.json"] = "{}"
    files[".changeset/config.json"] = json.dumps({"baseBranch": "main", "changelog": False} | config)
    history.commit("chore: begin", files)
    for each in manifests:
        history.tag(f"{each['name']}@{each['version']}")
    history.commit("chore: changes", {f".changeset/c{n}.md": text for n, text in enumerate(changesets)})
    return history


def drawn(folder: Path, seed: int) -> History:
    """A workspace without peers, with whatever else there may be."""
    draw = random.Random(seed)  # noqa: S311 - cases, not secrets
    names = [f"p{number}" for number in range(draw.randint(2, 6))]
    kind = draw.choice(["fixed", "linked", ""]) if len(names) > 2 else ""
    operators = [each for each in OPERATORS if not kind or not each.startswith("workspace")]
    manifests: list[dict[str, Any]] = [
        {"name": name, "version": draw.choice(["1.0.0", "1.2.3", "0.3.1", "2.0.0"])} for name in names
    ]
    for index, each in enumerate(manifests):
        for other in manifests[:index]:
            if draw.random() < 0.5:
                operator = draw.choice(operators)
                wanted = operator if operator.startswith("workspace") else operator + other["version"]
                each.setdefault(draw.choice(KINDS), {})[other["name"]] = wanted
    config = {kind: [draw.sample(names, 2)]} if kind else {}
    bumps = [
        {name: draw.choice(["major", "minor", "patch", "none"]) for name in draw.sample(names, draw.randint(1, 2))}
        for _ in range(draw.randint(1, 3))
    ]
    texts = ["---\n" + "".join(f'"{name}": {bump}\n' for name, bump in each.items()) + "---\n\nx\n" for each in bumps]
    return workspace(folder, manifests, config, texts)


@pytest.mark.parametrize("seed", range(8))
def test_without_peers_both_say_the_same(tmp_path: Path, program: Path, seed: int) -> None:
    history = drawn(tmp_path / "workspace", seed)
    assert ours(history) == versions_by(program, history.folder)


def test_both_write_the_same_ranges_for_development(tmp_path: Path, program: Path) -> None:
    wanted = ("^1.0.0", "~1.0.0", "1.0.0", ">=1.0.0", "^0.9.0", "workspace:^", "workspace:*")
    dependents = [
        {"name": f"d{number}", "version": "1.0.0", "devDependencies": {"core": each}}
        for number, each in enumerate(wanted)
    ]
    core = {"name": "core", "version": "1.0.0"}
    history = workspace(tmp_path / "workspace", [core, *dependents], {}, ['---\n"core": major\n---\n\nx\n'])
    (plan,) = (each for each in make_plan(history.repository).packages if each.releasable)
    edited = {edit.path: edit.after for edit in plan.requirements}
    ours_now = {
        each["name"]: edited.get(f"packages/{each['name']}/package.json", each["devDependencies"]["core"])  # type: ignore[index]
        for each in dependents
    }
    theirs = manifests_by(program, history.folder)
    assert {name: each["version"] for name, each in theirs.items()} == {
        "core": "2.0.0",
        **{each["name"]: "1.0.0" for each in dependents},
    }
    assert ours_now == {name: each["devDependencies"]["core"] for name, each in theirs.items() if name != "core"}


PLUGIN = {"name": "plugin", "version": "1.0.0"}
DIFFERENT: dict[str, tuple[list[dict[str, Any]], dict[str, Any], str, dict[str, str], dict[str, str]]] = {
    "a peer is left": (
        [{"name": "core", "version": "1.0.0"}, PLUGIN | {"peerDependencies": {"core": "^1.0.0"}}],
        {},
        "major",
        {"core": "2.0.0", "plugin": "2.0.0"},
        {"core": "2.0.0", "plugin": "1.0.1"},
    ),
    "a peer still fits": (
        [{"name": "core", "version": "1.0.0"}, PLUGIN | {"peerDependencies": {"core": ">=1.0.0"}}],
        {},
        "minor",
        {"core": "1.1.0", "plugin": "2.0.0"},
        {"core": "1.1.0"},
    ),
    "a group lifts far": (
        [
            {"name": "core", "version": "0.3.1"},
            {"name": "other", "version": "2.0.0"},
            PLUGIN | {"dependencies": {"core": "workspace:^"}},
        ],
        {"linked": [["core", "other"]]},
        "patch",
        {"core": "2.0.1"},
        {"core": "2.0.1", "plugin": "1.0.1"},
    ),
}


@pytest.mark.parametrize("case", list(DIFFERENT))
def test_this_is_where_both_differ(tmp_path: Path, program: Path, case: str) -> None:
    """Should they agree one day, the list above is out of date."""
    manifests, config, bump, theirs, own = DIFFERENT[case]
    history = workspace(tmp_path / "workspace", manifests, config, [f'---\n"core": {bump}\n---\n\nx\n'])
    assert (versions_by(program, history.folder), ours(history)) == (theirs, own)
