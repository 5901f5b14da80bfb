"""Plans that are kept: found again whole, and never for anything else than what they were made of."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from shipline.capabilities.plans import make_plan
from shipline.capabilities.plans.remembered import NAME, Memory
from shipline.domain.release_plan import ReleasePlan
from shipline.testing.histories import History


@pytest.fixture
def history(tmp_path: Path) -> History:
    made = History(tmp_path / "project")
    files = {f"packages/{name}/package.json": f'{{"name": "{name}", "version": "1.0.0"}}' for name in ("a", "b")}
    files["packages/b/package.json"] = '{"name": "b", "version": "1.0.0", "dependencies": {"a": "^1.0.0"}}'
    made.commit("feat: begin", files | {"package.json": '{"private": true, "workspaces": ["packages/*"]}'})
    for name in ("a", "b"):
        made.tag(f"{name}@1.0.0")
    made.commit("feat!: more\n\nBREAKING CHANGE: all\nCloses #3", {"packages/a/x": "é"})
    return made


def keep(history: History, plan: ReleasePlan, *settings: object) -> None:
    Memory(history.repository, plan.commit).keep(plan, *settings)


def recall(history: History, *settings: object) -> ReleasePlan | None:
    return Memory(history.repository, history.git("rev-parse", "HEAD")).recall(*settings)


def test_what_is_kept_is_found_whole(history: History) -> None:
    plan = make_plan(history.repository)
    assert len(plan.packages[1].requirements) == 1
    keep(history, plan, "stable")
    assert recall(history, "stable") == plan


def test_another_commit_tag_or_setting_finds_nothing(history: History) -> None:
    plan = make_plan(history.repository)
    keep(history, plan, "stable")
    assert recall(history, "rc") is None
    before = history.git("rev-parse", "a@1.0.0")
    history.git("tag", "--force", "--annotate", "--message=moved", "a@1.0.0", "HEAD")
    assert recall(history, "stable") is None
    history.git("update-ref", "refs/tags/a@1.0.0", before)
    assert recall(history, "stable") == plan
    history.git("tag", "another")
    assert recall(history, "stable") is None
    history.git("tag", "--delete", "another")
    history.git("commit", "--quiet", "--amend", "--message=feat: rewritten")
    assert recall(history, "stable") is None


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"key": "key"}', '{"key": "key", "plan": ["c", [[1]], []]}', "[" * 9999]
)
def test_a_broken_file_is_none(history: History, content: str) -> None:
    folder = history.repository.private_folder()
    folder.mkdir()
    (folder / NAME).write_text(content)
    assert recall(history, "stable") is None


def test_a_broken_plan_under_the_right_key_is_none(history: History) -> None:
    plan = make_plan(history.repository)
    keep(history, plan, "stable")
    path = history.repository.private_folder() / NAME
    path.write_text(json.dumps({**json.loads(path.read_text()), "plan": ["c", [[1]], []]}))
    assert recall(history, "stable") is None


def test_a_folder_that_cannot_be_written_loses_nothing(history: History) -> None:
    history.repository.private_folder().touch()
    plan = make_plan(history.repository)
    keep(history, plan, "stable")
    assert recall(history, "stable") is None
