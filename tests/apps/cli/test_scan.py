"""`shipline scan` as a user runs it, with programs on the path that write what the real ones wrote."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from shipline.apps.cli import scan
from shipline.bootstrap import Application
from shipline.domain.errors import ConfigurationError, NothingToDo, UsageError

DATA = Path("tests/data/reports").absolute()
HADOLINT = DATA / "hadolint/hadolint-2.15.json"


@pytest.fixture
def application(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Application:
    """A project with a Dockerfile and Python code, and nothing on the path but what a test puts there."""
    (tmp_path / "project").mkdir()
    (tmp_path / "bin").mkdir()
    (tmp_path / "project/Dockerfile").write_text("FROM debian\n")
    (tmp_path / "project/app.py").write_text("print(1)\n")
    (tmp_path / "bin/git").symlink_to(str(shutil.which("git")))
    monkeypatch.setenv("API_TOKEN", "correct horse")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/bin")
    return Application(tmp_path / "project")


def put(application: Application, name: str, script: str) -> None:
    path = application.root.parent / "bin" / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def run(application: Application, *arguments: str) -> Result:
    return CliRunner().invoke(scan.command, list(arguments), obj=application, standalone_mode=False)


def test_findings_are_told_and_fail_only_where_that_is_asked(application: Application) -> None:
    """The receipt stands on standard error, the document on standard output; the environment holds no secret."""
    put(application, "hadolint", f'test -z "$API_TOKEN" || exit 9\ncat {HADOLINT}\nexit 1')
    done = run(application, "--json")
    assert done.exit_code == 0, done.exception
    found = json.loads(done.stdout)
    (hadolint,) = (one for one in found["scanners"] if one["state"] == "found")
    assert (found["schema"], hadolint["name"], hadolint["exit_code"]) == ("shipline.scan/1", "hadolint", 1)
    assert hadolint["summary"]["total"] == len(json.loads(HADOLINT.read_text()))
    assert Path(hadolint["report"]).read_text() == HADOLINT.read_text()
    assert "! hadolint: found, " in done.stderr
    assert run(application, "--fail-on", "low").exit_code == 3
    assert run(application, "--fail-on", "critical").exit_code == 0


def test_a_broken_scanner_fails_the_command_and_not_the_others(application: Application) -> None:
    put(application, "hadolint", "echo 'no such option' >&2\nexit 1")
    put(application, "bandit", f'cp {DATA}/bandit/bandit-1.9.json "$6"\nexit 1')
    done = run(application)
    assert done.exit_code == 1
    assert "✗ hadolint: failed" in done.stderr
    assert "no such option" in done.stderr
    assert "✗ bandit: incomplete, 7 total" in done.stderr  # One of the files could not be parsed.


def test_nothing_that_dials_out_runs_unasked(application: Application) -> None:
    (application.root / "requirements.txt").write_text("django\n")
    put(application, "pip-audit", "touch dialled")
    with pytest.raises(NothingToDo):
        raise run(application).exception or AssertionError
    listed = run(application, "--list").stdout
    assert "pip-audit       needs the network    known vulnerabilities" in listed
    assert not (application.root / "dialled").exists()
    assert run(application, "pip-audit").exit_code == 1  # It was asked for, ran, and left no report.
    assert (application.root / "dialled").exists()


def test_listing_leaves_nothing_behind(application: Application) -> None:
    states = {one["name"]: one["state"] for one in json.loads(run(application, "--list", "--json").stdout)["scanners"]}
    assert states["hadolint"] == "not installed"
    assert states["zizmor"] == "nothing to look at"
    assert not (application.root / ".shipline").exists()


def test_settings_choose_and_are_checked(application: Application) -> None:
    """Who is named there has to be there; a name that nobody knows is refused."""
    (application.root / "shipline.toml").write_text('[scan]\nscanners = ["hadolint"]\n')
    put(application, "bandit", "touch ran")
    done = run(application)
    assert (done.exit_code, (application.root / "ran").exists()) == (1, False)
    assert "✗ hadolint: not installed" in done.stderr
    assert isinstance(run(application, "lint").exception, UsageError)
    (application.root / "shipline.toml").write_text('[scan.arguments]\nbandti = ["-x"]\n')
    with pytest.raises(ConfigurationError, match="there is no scanner 'bandti'"):
        _ = Application(application.root).store
