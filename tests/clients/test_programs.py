"""Programs are run without a shell, are ended with their children, and fill no memory."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from shipline.clients.programs import OUTPUT_BYTES_MAX, Outcome, ProgramTimeout, run_program, without_secrets
from shipline.domain.errors import MissingProgram


def run(code: str, folder: Path, timeout_s: float = 30.0) -> Outcome:
    return run_program(
        [sys.executable, "-c", code], folder=folder, environment=os.environ, timeout_s=timeout_s, package="python3"
    )


def test_the_exit_code_and_both_streams_come_back(tmp_path: Path) -> None:
    outcome = run("import sys; print('out'); print('err', file=sys.stderr); sys.exit(7)", tmp_path)
    assert outcome == Outcome(7, "out\nerr", "out\n")


def test_only_the_end_of_a_long_output_is_kept(tmp_path: Path) -> None:
    outcome = run("print('x' * 1_000_000 + 'end')", tmp_path)
    assert len(outcome.output) < OUTPUT_BYTES_MAX
    assert outcome.output.endswith("end")


def test_a_program_that_hangs_is_ended_with_its_children(tmp_path: Path) -> None:
    """The named pipe that only the child writes to ends when the child is gone."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    code = "import subprocess; subprocess.run(['sh', '-c', 'exec sleep 600 > pipe'])"
    with pytest.raises(ProgramTimeout):
        run(code, tmp_path, timeout_s=1.0)
    os.set_blocking(reader, True)
    assert os.read(reader, 1) == b""
    os.close(reader)


def test_a_missing_program_names_the_package(tmp_path: Path) -> None:
    with pytest.raises(MissingProgram) as caught:
        run_program(["no-such-program"], folder=tmp_path, environment={}, timeout_s=1.0, package="that-one")
    assert "that-one" in caught.value.todo


def test_secrets_are_known_by_their_variables_names() -> None:
    given = {"NPM_TOKEN": "t", "SHIPLINE_STORE": "s", "TWINE_USERNAME": "u", "GPG_PASSPHRASE": "g"}
    given |= {"PATH": "p", "TWINE_PASSWORD": "s", "aws_secret_access_key": "k", "HOME": "h"}
    assert without_secrets(given) == {"PATH": "p", "HOME": "h"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("GH_PAT", "x"),
        ("CI_JOB_JWT", "x"),
        ("AWS_ACCESS_KEY_ID", "x"),
        ("SIGNING_KEY", "x"),
        ("SENTRY_DSN", "x"),
        ("SLACK_WEBHOOK", "x"),
        ("DATABASE_URL", "postgresql://ann:s3cret@db/x"),
    ],
)
def test_what_holds_a_secret_by_another_name_is_kept_back_too(name: str, value: str) -> None:
    assert without_secrets({name: value}) == {}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PIP_INDEX_URL", "https://ann:s3cret@index/simple"),
        ("HTTPS_PROXY", "http://ann:s3cret@proxy:1"),
        ("PATH", "/keys/bin"),
        ("PWD", "/x"),
        ("KEYBOARD", "x"),
        ("DATABASE_URL", "postgresql://db/x"),
    ],
)
def test_what_a_build_needs_stays(name: str, value: str) -> None:
    assert without_secrets({name: value}) == {name: value}
