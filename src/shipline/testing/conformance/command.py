"""Behaviour that every Commands owes its callers. Subclass it; supply `commands` and the programs that it can run."""

from __future__ import annotations

from pathlib import Path

import pytest

from shipline.domain.errors import MissingProgram, ShiplineError
from shipline.ports.command import Commands

LIMIT_S = 60


class CommandsConformance:
    """The suite. The four `that_…` give argument lists of programs that do what their names say."""

    @pytest.fixture
    def commands(self) -> Commands:
        raise NotImplementedError("supply commands")

    def that_prints(self, text: str, *, exit_code: int) -> tuple[str, ...]:
        """Prints `text`, its last argument, and ends with `exit_code`."""
        raise NotImplementedError("supply a program that prints")

    def that_notes(self, file_name: str, variable: str) -> tuple[str, ...]:
        """Writes the value of an environment variable into a file of the folder that it runs in."""
        raise NotImplementedError("supply a program that writes")

    def that_takes_long(self, file_name: str) -> tuple[str, ...]:
        """Writes a file after more than a second."""
        raise NotImplementedError("supply a program that takes longer than a second")

    @pytest.mark.parametrize("exit_code", [0, 1, 5])
    def test_exit_code_and_output_come_back(self, commands: Commands, tmp_path: Path, exit_code: int) -> None:
        """A program that fails is an answer and no error."""
        arguments = self.that_prints("two failed", exit_code=exit_code)
        result = commands.run(arguments, folder=tmp_path, environment={}, timeout_s=LIMIT_S)
        assert result.exit_code == exit_code
        assert result.output_tail.strip() == "two failed"

    def test_only_the_end_of_long_output_is_kept(self, commands: Commands, tmp_path: Path) -> None:
        """It goes into messages."""
        arguments = self.that_prints("x" * 50_000 + "end", exit_code=0)
        result = commands.run(arguments, folder=tmp_path, environment={}, timeout_s=LIMIT_S)
        assert result.output_tail.rstrip().endswith("xend")
        assert len(result.output_tail) <= 10_000

    def test_output_goes_whole_into_a_file(self, commands: Commands, tmp_path: Path) -> None:
        """Reports are written there; nothing of it is in what is said."""
        arguments = self.that_prints("x" * 50_000 + "end", exit_code=1)
        kept = tmp_path / "kept"
        result = commands.run(arguments, folder=tmp_path, environment={}, timeout_s=LIMIT_S, output=kept)
        assert result.exit_code == 1
        assert kept.read_text().rstrip() == "x" * 50_000 + "end"
        assert not result.output_tail

    def test_what_is_installed_is_found(self, commands: Commands) -> None:
        """And what is not, is not."""
        program = self.that_prints("", exit_code=0)[0]
        assert commands.find(program) == program
        assert commands.find("no-such-program") is None

    def test_arguments_go_through_no_shell(self, commands: Commands, tmp_path: Path) -> None:
        """What looks like a command stays a word."""
        text = "$(touch stolen); `touch stolen` > stolen"
        result = commands.run(self.that_prints(text, exit_code=0), folder=tmp_path, environment={}, timeout_s=LIMIT_S)
        assert result.output_tail.strip() == text
        assert not (tmp_path / "stolen").exists()

    def test_a_program_runs_in_its_folder_with_its_environment(self, commands: Commands, tmp_path: Path) -> None:
        """Relative paths are the tree's."""
        arguments = self.that_notes("noted", "COLOUR")
        commands.run(arguments, folder=tmp_path, environment={"COLOUR": "blue"}, timeout_s=LIMIT_S)
        assert (tmp_path / "noted").read_text().strip() == "blue"

    def test_a_program_that_is_not_there_is_named(self, commands: Commands, tmp_path: Path) -> None:
        """The user can install it."""
        with pytest.raises(MissingProgram, match="no-such-program"):
            commands.run(("no-such-program",), folder=tmp_path, environment={}, timeout_s=LIMIT_S)

    def test_a_program_that_takes_too_long_is_killed(self, commands: Commands, tmp_path: Path) -> None:
        """What it had not done by then it does not do."""
        with pytest.raises(ShiplineError, match="1 s"):
            commands.run(self.that_takes_long("late"), folder=tmp_path, environment={}, timeout_s=1)
        assert not (tmp_path / "late").exists()
