"""Who only looks leaves nothing behind: neither in a clone where nothing was written yet, nor outside of one."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from shipline.apps.cli.main import cli
from shipline.domain.errors import ShiplineError
from shipline.testing.histories import History

COMMANDS = (
    "plan",
    "changelog",
    "releases",
    "env list",
    "log show",
    "log verify",
    "log prove none",
    "incidents",
    "metrics",
    "release --dry-run",
    "version check",
    "doctor",
    "rollout show",
)


@pytest.mark.parametrize("command", COMMANDS)
def test_reading_writes_nothing(tmp_path: Path, command: str) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    history = History(tmp_path / "q")
    history.commit("feat: begin", {"package.json": '{"name": "q", "version": "1.0.0"}'})
    for folder in (outside, history.folder):
        before = sorted(folder.iterdir())
        result = CliRunner().invoke(cli, ["-C", str(folder), *command.split()])
        assert result.exception is None or isinstance(result.exception, ShiplineError | SystemExit), result.exception
        assert sorted(folder.iterdir()) == before


def test_a_store_that_is_elsewhere_is_not_made_either(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHIPLINE_STORE", f"sqlite:///{tmp_path / 'folder' / 'store.db'}")
    assert CliRunner().invoke(cli, ["-C", str(tmp_path), "log", "show"]).stdout == "nothing has happened yet\n"
    assert list(tmp_path.iterdir()) == []
