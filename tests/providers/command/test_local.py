"""Programs on this machine: the port's suite, and what only real processes do."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from shipline.domain.errors import ShiplineError
from shipline.ports.command import Commands
from shipline.ports.provider import ProviderContext
from shipline.providers.command.local import LocalCommands
from shipline.testing.conformance.command import CommandsConformance
from tests.machine import SystemClock, wait_until

CHILD_THAT_STAYS = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print(child.pid)
"""


def python(script: str, *arguments: str) -> tuple[str, ...]:
    return (sys.executable, "-I", "-c", script, *arguments)


class TestLocalCommands(CommandsConformance):
    @pytest.fixture
    def commands(self, tmp_path: Path) -> Commands:
        return LocalCommands(LocalCommands.Settings(), ProviderContext(tmp_path, tmp_path / "state", SystemClock()))

    def that_prints(self, text: str, *, exit_code: int) -> tuple[str, ...]:
        return python("import sys; print(sys.argv[2]); sys.exit(int(sys.argv[1]))", str(exit_code), text)

    def that_notes(self, file_name: str, variable: str) -> tuple[str, ...]:
        return python("import os, sys; open(sys.argv[1], 'w').write(os.environ[sys.argv[2]])", file_name, variable)

    def that_takes_long(self, file_name: str) -> tuple[str, ...]:
        return python("import sys, time; time.sleep(600); open(sys.argv[1], 'w')", file_name)

    def test_a_signal_is_a_negative_exit_code(self, commands: Commands, tmp_path: Path) -> None:
        """As Python has it."""
        script = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
        assert commands.run(python(script), folder=tmp_path, environment={}, timeout_s=60).exit_code == -9

    def test_a_program_is_told_no_secret(
        self, commands: Commands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Tests are code of the repository under release, and of all that it depends on."""
        monkeypatch.setenv("REGISTRY_PASSWORD", "correct horse")
        monkeypatch.setenv("COLOUR", "blue")
        script = "import os; print(os.environ.get('REGISTRY_PASSWORD'), os.environ['COLOUR'])"
        result = commands.run(python(script), folder=tmp_path, environment={}, timeout_s=60)
        assert result.output_tail.strip() == "None blue"

    def test_nothing_that_a_program_started_outlives_it(self, commands: Commands, tmp_path: Path) -> None:
        """A test server that was left behind would hold its port."""
        result = commands.run(python(CHILD_THAT_STAYS), folder=tmp_path, environment={}, timeout_s=60)
        status = Path("/proc") / result.output_tail.strip() / "stat"
        if Path("/proc/self/stat").exists():
            wait_until(lambda: not status.exists() or ") Z " in status.read_text(), "the child ends")

    def test_a_file_that_cannot_be_run_is_an_error_in_words(self, commands: Commands, tmp_path: Path) -> None:
        """No traceback."""
        (tmp_path / "notes.txt").write_text("not a program")
        with pytest.raises(ShiplineError, match="cannot be run"):
            commands.run((str(tmp_path / "notes.txt"),), folder=tmp_path, environment={}, timeout_s=60)
