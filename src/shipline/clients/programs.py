"""Run a program of an ecosystem: no shell, a time limit for it and its children, a bounded memory of what it said.

It does not decide what an exit code means; who runs a program knows.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from shipline.domain.errors import MissingProgram, ShiplineError

OUTPUT_BYTES_MAX = 16_384
OWN_PREFIXES = ("SHIPLINE_", "TWINE_")
SECRET_WORDS = (
    "TOKEN",
    "PASSWORD",
    "PASSWD",
    "PASSPHRASE",
    "SECRET",
    "CREDENTIAL",
    "PRIVATE_KEY",
    "API_KEY",
    "APIKEY",
    "_AUTH",
)
# Words that say it where they stand by themselves: GH_PAT, CI_JOB_JWT, SIGNING_KEY, SENTRY_DSN.
SECRET_PARTS = frozenset({"PAT", "JWT", "KEY", "DSN", "WEBHOOK", "PASS"})
# An address that holds a password, as DATABASE_URL does.
_WITH_PASSWORD = re.compile(r"://[^/@\s:]*:[^/@\s]+@")
# Those of where packages come from, without which little can be built.
SOURCES = ("INDEX", "PROXY", "REGISTRY")


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a program ended. `code` is its exit code (negative: the signal that ended it); `output` the last
    OUTPUT_BYTES_MAX bytes of what it wrote to both streams, `answer` the same of standard output alone."""

    code: int
    output: str
    answer: str


class ProgramTimeout(ShiplineError):
    """A program was still running at its time limit; it and its children were ended."""


def run_program(  # noqa: PLR0913 - what a process is given
    arguments: Sequence[str],
    *,
    folder: Path,
    environment: Mapping[str, str],
    timeout_s: float,
    package: str,
    given: bytes = b"",
) -> Outcome:
    """Run `arguments` in `folder` with exactly `environment`, and `given` on its standard input.

    Raises MissingProgram (naming `package`, which brings the program) and ProgramTimeout.
    """
    with tempfile.TemporaryFile() as answer, tempfile.TemporaryFile() as complaint, tempfile.TemporaryFile() as source:
        source.write(given)
        source.seek(0)
        try:
            process = subprocess.Popen(
                arguments,
                cwd=folder,
                env=dict(environment),
                stdin=source,
                stdout=answer,
                stderr=complaint,
                start_new_session=True,
            )
        except FileNotFoundError:
            raise MissingProgram(arguments[0], package=package) from None
        try:
            code = process.wait(timeout=timeout_s)
        except subprocess.TimeoutExpired:
            name = Path(arguments[0]).name
            raise ProgramTimeout(f"{name} was not done after {timeout_s:g} seconds and was ended") from None
        finally:
            _end(process)
        said = _last(answer)
        return Outcome(code, (said + _last(complaint))[-OUTPUT_BYTES_MAX:].strip(), said)


def without_secrets(environment: Mapping[str, str]) -> dict[str, str]:
    """`environment` without the variables whose names say that they hold a secret, without addresses that hold a
    password, and without those that speak to Shipline and to twine alone (the store's address holds a password).

    What builds and tests a package is code of the repository under release; it has no business with the credentials
    that publish the result.
    """
    return {name: value for name, value in environment.items() if not _is_secret(name.upper(), value)}


def _is_secret(name: str, value: str) -> bool:
    if name.startswith(OWN_PREFIXES) or any(word in name for word in SECRET_WORDS):
        return True
    if not SECRET_PARTS.isdisjoint(name.split("_")):
        return True
    return _WITH_PASSWORD.search(value) is not None and not any(word in name for word in SOURCES)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the program and whatever it started: its whole process group."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        process.kill()
    process.wait()


def _last(stream: IO[bytes]) -> str:
    size = stream.seek(0, os.SEEK_END)
    stream.seek(max(0, size - OUTPUT_BYTES_MAX))
    return stream.read(OUTPUT_BYTES_MAX).decode(errors="replace")
