"""Plans that are kept: found again whole, and never for anything else than what they were made of."""

from __future__ import annotations

from pathlib import Path

import pytest

from shipline.capabilities.plans import make_plan
from shipline.capabilities.plans.remembered import NAME, keep, key_of, recall
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


def test_what_is_kept_is_found_whole(history: History, tmp_path: Path) -> None:
    plan = make_plan(history.repository)
    assert len(plan.packages[1].requirements) == 1
    keep(tmp_path / "kept", "key", plan)
    assert recall(tmp_path / "kept", "key") == plan
    assert recall(tmp_path / "kept", "other") is None


def test_another_commit_tag_or_setting_is_another_key(history: History) -> None:
    head = history.git("rev-parse", "HEAD")
    keys = {key_of(history.repository, head, "stable"), key_of(history.repository, head, "rc")}
    history.git("tag", "--force", "--annotate", "--message=moved", "a@1.0.0", "HEAD")
    keys.add(key_of(history.repository, head, "stable"))
    history.git("commit", "--quiet", "--amend", "--message=feat: rewritten")
    keys.add(key_of(history.repository, history.git("rev-parse", "HEAD"), "stable"))
    assert len(keys) == 4


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"key": "key"}', '{"key": "key", "plan": ["c", [[1]], []]}', "[" * 9999]
)
def test_a_broken_file_is_none(tmp_path: Path, content: str) -> None:
    (tmp_path / NAME).write_text(content)
    assert recall(tmp_path, "key") is None


def test_a_folder_that_cannot_be_written_loses_nothing(history: History, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    keep(tmp_path / "file", "key", make_plan(history.repository))
    assert recall(tmp_path / "file", "key") is None
