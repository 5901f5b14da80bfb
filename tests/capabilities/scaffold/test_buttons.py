"""Buttons of forges: what they run is tried in a shell, with what people may type."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]  # it ships no types
from click.testing import CliRunner

from shipline.apps.cli import init
from shipline.bootstrap import Application
from shipline.capabilities.scaffold import Buttons, buttons_file
from shipline.domain.errors import InvalidValue, NothingToDo

BUTTONS = Buttons(("staging", "production"), ("production",), "1.2.0", "main")
HOSTILE = "$(touch stolen) \"; touch stolen; '`touch stolen`"


def read(forge: str) -> dict[str, Any]:
    _, text = buttons_file(forge, BUTTONS)
    document = yaml.safe_load(text)
    assert isinstance(document, dict)
    return document


def run(folder: Path, script: str, **variables: str) -> tuple[int, list[list[str]]]:
    """The script in a shell in which `shipline` and `git` write down what they are given."""
    (folder / "bin").mkdir(exist_ok=True)
    for name in ("shipline", "git"):
        program = folder / "bin" / name
        program.write_text(f'#!/bin/sh\n[ {name} = git ] || printf "%s\\n" "$@" --END-- >> "{folder}/said"\n')
        program.chmod(0o755)
    (folder / "said").unlink(missing_ok=True)
    path = f"{folder / 'bin'}:{os.environ['PATH']}"
    done = subprocess.run(["sh", "-c", script], cwd=folder, env={"PATH": path} | variables, check=False)
    said = (folder / "said").read_text().splitlines() if (folder / "said").exists() else []
    calls: list[list[str]] = [[]]
    for line in said:
        calls.append([]) if line == "--END--" else calls[-1].append(line)
    return done.returncode, calls[:-1]


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        ("release", ["release", "--package", "quotes"]),
        ("deploy", ["deploy", "--to", "staging", "--package", "quotes", "--", "1.2.0"]),
        ("promote", ["promote", "--package", "quotes", "--", "staging"]),
        ("rollback", ["rollback", "--to", "1.2.0", "--reason", "why", "--", "staging"]),
    ],
)
def test_each_action_is_one_command_tried_first(tmp_path: Path, action: str, expected: list[str]) -> None:
    jobs = read("github")["jobs"]
    given = {"ACTION": action, "ENVIRONMENT": "staging", "PACKAGE": "quotes", "REASON": "why"}
    given["VERSION"] = "" if action == "release" else "1.2.0"
    code, calls = run(tmp_path, jobs["act"]["steps"][-1]["run"], **given)
    assert (code, calls) == (0, [expected])
    code, ((*told,),) = run(tmp_path, jobs["foretell"]["steps"][-1]["run"], **given)
    told.remove("--dry-run")
    assert (code, told) == (0, expected)
    assert jobs["act"]["needs"] == "foretell"


def test_what_people_type_is_never_run(tmp_path: Path) -> None:
    """On no forge: it is one argument, whatever it says, and stands in no script."""
    variables = dict.fromkeys(("VERSION", "PACKAGE", "REASON"), HOSTILE)
    script = read("github")["jobs"]["act"]["steps"][-1]["run"]
    assert "${{" not in script
    _, ((*said,),) = run(tmp_path, script, ACTION="deploy", ENVIRONMENT="--help", **variables)
    assert said == ["deploy", "--to", "--help", "--package", HOSTILE, "--", HOSTILE]
    assert run(tmp_path, script, ACTION="$(touch stolen)", ENVIRONMENT="", **variables)[0] == 2
    named = {f"WANTED_{name}": HOSTILE for name in ("VERSION", "PACKAGE")} | {"REASON": HOSTILE}
    for name, job in read("gitlab").items():
        if name.startswith("shipline "):
            code, calls = run(tmp_path, "\n".join(job["script"]), **named)
            assert (code, len(calls)) == (0, 2)
            assert "--dry-run" in calls[0]
    assert not (tmp_path / "stolen").exists()


def test_gitlab_s_jobs_wait_for_a_person_on_the_branch(tmp_path: Path) -> None:
    jobs = read("gitlab")
    (rule,) = jobs[".shipline"]["rules"]
    assert (rule["when"], rule["if"]) == ("manual", '$CI_COMMIT_BRANCH == "main"')
    names = [name for name in jobs if name.startswith("shipline ")]
    assert names == [
        "shipline release",
        "shipline deploy staging",
        "shipline rollback staging",
        "shipline deploy production",
        "shipline promote production",
        "shipline rollback production",
    ]
    _, calls = run(tmp_path, jobs["shipline promote production"]["script"][0])
    assert calls == [["promote", "--dry-run", "--", "production"], ["promote", "--", "production"]]


def test_a_name_that_a_script_cannot_hold_is_refused() -> None:
    for name in ("pro duction", "$(id)", "-production", 'a"b', "a\nb"):
        with pytest.raises(InvalidValue, match="cannot stand in a workflow"):
            buttons_file("github", Buttons((name,), (), "1.2.0", "main"))
    with pytest.raises(InvalidValue):
        buttons_file("gitea", Buttons((), (), "1.2.0", "main$(id)"))


def test_init_writes_them_once(tmp_path: Path) -> None:
    (tmp_path / "shipline.toml").write_text('schema = 1\n[release]\nbranch = "main"\n')
    application = Application(tmp_path)
    assert CliRunner().invoke(init.command, ["--buttons", "gitea"], obj=application).exit_code == 0
    text = (tmp_path / ".gitea/workflows/shipline.yml").read_text()
    assert "options: [release]" in text
    assert "environment:" not in text.partition("jobs:")[0]
    assert "GITEA_TOKEN: ${{ github.token }}" in text
    with pytest.raises(NothingToDo, match="is there already"):
        CliRunner().invoke(init.command, ["--buttons", "gitea"], obj=application, catch_exceptions=False)
    assert (tmp_path / ".gitea/workflows/shipline.yml").read_text() == text
