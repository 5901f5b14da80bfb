"""`shipline simulate`: figures in words and as a document."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from shipline.apps.cli import simulate
from shipline.bootstrap import Application
from shipline.domain.errors import UsageError
from tests.apps.cli.test_rollouts import CONFIGURATION

SIGNALS = """
[environment.signals]
provider = "prometheus"
url = "http://127.0.0.1:9090"
requests = "http_requests_total"
errors = "http_errors_total"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "shipline.toml").write_text(CONFIGURATION)
    return tmp_path


def shown(folder: Path, *arguments: str) -> str:
    result = CliRunner().invoke(simulate.command, list(arguments), obj=Application(folder), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_each_case_is_a_sentence_and_the_first_is_a_good_version(folder: Path) -> None:
    lines = shown(folder, "--rate", "50", "--runs", "40").splitlines()
    assert lines[0] == "production: 50 requests a second, 0.1 % fail on the stable version; 40 rollouts each"
    assert lines[1].startswith("  no worse: ")
    assert "by mistake at most" in lines[1]
    assert lines[4].startswith("  100 points more fail: rolled back 100.0 %, half of them within ")
    assert len(lines) == 5


def test_the_environments_own_settings_count(folder: Path) -> None:
    (folder / "shipline.toml").write_text(CONFIGURATION + "canary.promote_after_s = 60\n")
    document = json.loads(shown(folder, "--rate", "500", "--runs", "20", "--regression", "5", "--json"))
    assert document["schema"] == "shipline.simulation/1"
    good, bad = document["cases"]
    assert (good["regression_points"], bad["regression_points"]) == (0.0, 5.0)
    assert 60.0 <= good["promote_s"] < 720.0
    assert bad["rolled_back"] == 20


def test_the_environments_own_steps_count(folder: Path) -> None:
    """They are held for as long as they say, whatever the analysis knows by then; what is worse goes back at once."""
    steps = "step = [{ weight = 0.5, hold_s = 1800 }, { weight = 0.9, hold_s = 1800, approve = true }]\n"
    (folder / "shipline.toml").write_text(CONFIGURATION + steps)
    arguments = ("--rate", "50", "--runs", "10", "--regression", "100")
    good, bad = json.loads(shown(folder, *arguments, "--json"))["cases"]
    assert (good["promoted"], 3600.0 <= good["promote_s"] < 3700.0) == (10, True)
    assert (bad["rolled_back"], bad["failed_requests"] > 100.0) == (10, True)  # Half of all users meet it at once.
    assert "by its steps: 50%, 90%" in shown(folder, *arguments)


@pytest.mark.parametrize("strategy", ["blue-green", "rolling", "all-at-once"])
def test_where_nothing_is_compared_there_is_nothing_to_imagine(folder: Path, strategy: str) -> None:
    (folder / "shipline.toml").write_text(CONFIGURATION + f'strategy = "{strategy}"\n')
    result = CliRunner().invoke(simulate.command, ["--rate", "50"], obj=Application(folder))
    assert isinstance(result.exception, UsageError)
    assert f"its strategy is {strategy}" in result.exception.what


def test_counts_that_come_late_put_it_off(folder: Path) -> None:
    """By what the environment's signals say of themselves."""
    (folder / "shipline.toml").write_text(CONFIGURATION + SIGNALS)
    document = json.loads(shown(folder, "--rate", "50", "--runs", "10", "--regression", "100", "--json"))
    assert document["cases"][0]["promote_s"] == 810.0
    assert document["cases"][1]["rollback_s"] > 90.0


def test_nothing_is_opened_and_nothing_written(folder: Path) -> None:
    shown(folder, "--rate", "5", "--runs", "10", "--slower", "3")
    assert [path.name for path in folder.iterdir()] == ["shipline.toml"]
