"""`shipline release --dry-run`: what it shows is what the real command then does, and it has done nothing."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # it ships no types

from shipline.testing.histories import History
from tests.command import Said, run_shipline

SCHEMA = Path(__file__).parents[3] / "docs" / "reference" / "shipline.release-preview.schema.json"
PULL_REQUEST = """schema = 1
[release]
mode = "pull-request"
branch = "main"
remote = "origin"
[forge]
provider = "gitea"
api_url = "http://127.0.0.1:9/api/v1"
repository = "robin/quotes"
"""


@pytest.fixture
def history(tmp_path: Path) -> History:
    """Two private packages, of which one requires the other; both are to be released."""
    made = History(tmp_path / "repository")
    files = {"package.json": json.dumps({"name": "root", "private": True, "workspaces": ["packages/*"]})}
    for name, requires in (("core", {}), ("web", {"core": "^1.0.0"})):
        about = {"name": name, "version": "1.0.0", "private": True, "dependencies": requires}
        files[f"packages/{name}/package.json"] = json.dumps(about, indent=2) + "\n"
    made.commit("chore: begin", files)
    for name in ("core", "web"):
        made.tag(f"{name}@1.0.0")
    made.commit("feat(core)!: otherwise", {"packages/core/index.js": "1"})
    return made


def read(said: Said, *, code: int = 0) -> dict[str, Any]:
    """The document, which is as its schema says."""
    assert said.code == code, said
    document: dict[str, Any] = json.loads(said.out)
    Draft202012Validator(json.loads(SCHEMA.read_text())).validate(document)
    return document


def state(history: History) -> tuple[str, ...]:
    return tuple(history.git(*question) for question in (("status", "--porcelain"), ("for-each-ref",)))


def test_the_diff_applied_is_the_commit_of_the_release_that_follows(history: History, tmp_path: Path) -> None:
    before = state(history)
    document = read(run_shipline(history.folder, "release", "--dry-run", "--json"))
    text = run_shipline(history.folder, "release", "--dry-run")
    assert (text.code, state(history)) == (0, before), text
    assert '+    "core": "^2.0.0"' in text.out
    assert "Commit them: chore(release): core 2.0.0, web 1.0.1 (on main)" in text.out
    copy = tmp_path / "copy"
    subprocess.run(["git", "clone", "--quiet", str(history.folder), str(copy)], check=True)
    patch = "".join(file["diff"] for one in document["releases"] for file in one["files"])
    subprocess.run(["git", "apply", "--index", "-"], cwd=copy, check=True, input=patch.encode())
    foreseen = subprocess.run(["git", "write-tree"], cwd=copy, check=True, capture_output=True, text=True).stdout
    done = run_shipline(history.folder, "release", "--json")
    assert done.code == 0, done
    assert history.git("rev-parse", "HEAD^{tree}") == foreseen.strip()
    released = [(one["package"], one["version"]) for one in json.loads(done.out)["releases"]]
    assert [(one["package"], one["version"]) for one in document["releases"]] == released
    nothing = run_shipline(history.folder, "release", "--dry-run", "--json")
    assert {one["version"] for one in read(nothing, code=4)["releases"]} == {None}


def test_a_pull_request_is_shown_where_no_forge_answers(history: History) -> None:
    """Nobody is asked: the forge's address answers nothing, and there is no remote."""
    history.commit("chore: settings", {"shipline.toml": PULL_REQUEST})
    before = state(history)
    document = read(run_shipline(history.folder, "release", "--pr", "--dry-run", "--json"))
    pull = document["pull_request"]
    assert (document["releases"], pull["branch"]) == ([], "shipline/release-main")
    assert pull["title"] == "chore(release): core 2.0.0, web 1.0.1"
    assert "**web** 1.0.0 → **1.0.1**" in pull["text"]
    assert [file["path"] for file in pull["files"]] == [
        f"packages/{name}/{file}" for name in ("core", "web") for file in ("CHANGELOG.md", "package.json")
    ]
    text = run_shipline(history.folder, "release", "--dry-run")
    assert "core nothing: 2.0.0 waits for its pull request to be merged" in text.out
    assert "release pull request from shipline/release-main: chore(release): core 2.0.0, web 1.0.1" in text.out
    assert '+    "core": "^2.0.0"' in text.out
    assert state(history) == before
