"""The script that lets the tests keep their temporary files in memory."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "in-memory.sh"
MEMORY = Path("/dev/shm")  # noqa: S108 - the folder that the script looks for


def run(command: str, **more: str) -> subprocess.CompletedProcess[str]:
    arguments = [str(SCRIPT), "/bin/sh", "-c", command]
    environment = {"PATH": "/usr/bin:/bin", **more}
    return subprocess.run(arguments, env=environment, capture_output=True, text=True, timeout=30, check=False)


def test_the_folder_is_gone_with_the_command_and_its_exit_code_stays() -> None:
    done = run('echo "$TMPDIR"; exit 3', TMPDIR="/usual")
    assert done.returncode == 3
    folder = Path(done.stdout.strip())
    assert folder == Path("/usual") or (folder.parent == MEMORY and not folder.exists())


@pytest.mark.parametrize("program", ["df", "awk"])
def test_where_room_cannot_be_told_all_is_as_it_was(tmp_path: Path, program: str) -> None:
    (tmp_path / program).write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / program).chmod(0o755)
    done = run('echo "$TMPDIR"', TMPDIR="/usual", PATH=f"{tmp_path}:/usr/bin:/bin")
    assert (done.returncode, done.stdout) == (0, "/usual\n")
