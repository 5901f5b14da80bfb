"""Programs on this machine."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from shipline.clients.programs import without_secrets
from shipline.domain.errors import MissingProgram, ShiplineError
from shipline.ports.command import OUTPUT_BYTES_MAX, CommandResult
from shipline.ports.provider import ProviderContext

OUTPUT_TAIL_BYTES = 4000
LOOKS_PER_S = 5


class LocalCommands:
    """Runs programs as child processes in a process group of their own, without the credentials of this one."""

    api_version = 2

    @dataclass(frozen=True, slots=True)
    class Settings:
        """Nothing to set."""

    def __init__(self, settings: Settings, context: ProviderContext) -> None:
        self.settings = settings
        self.context = context

    def find(self, program: str) -> str | None:
        """On the path, or beside the interpreter that runs Shipline: `pip install` puts scanners there."""
        if shutil.which(program):
            return program
        return shutil.which(program, path=str(Path(sys.executable).parent))

    def run(
        self,
        arguments: tuple[str, ...],
        *,
        folder: Path,
        environment: Mapping[str, str],
        timeout_s: int,
        output: Path | None = None,
    ) -> CommandResult:
        """See the port."""
        with tempfile.TemporaryFile() as said, _opened(output) as kept:
            try:
                child = subprocess.Popen(
                    arguments,
                    cwd=folder,
                    env=without_secrets(os.environ) | dict(environment),
                    stdin=subprocess.DEVNULL,
                    stdout=said if kept is None else kept,
                    stderr=subprocess.STDOUT if kept is None else said,
                    start_new_session=True,
                )
            except FileNotFoundError:
                raise MissingProgram(arguments[0], package=Path(arguments[0]).name) from None
            except OSError as error:
                raise ShiplineError(f"{arguments[0]!r} cannot be run", why=error.strerror or str(error)) from error
            try:
                exit_code = _ended(child, timeout_s, kept)
            except subprocess.TimeoutExpired:
                raise ShiplineError(
                    f"{arguments[0]!r} did not end within {timeout_s} s and was killed", why=_tail(said.fileno())
                ) from None
            except _TooMuchError:
                raise ShiplineError(
                    f"{arguments[0]!r} wrote more than {OUTPUT_BYTES_MAX // (1024 * 1024)} MiB and was killed"
                ) from None
            finally:
                _end_group(child)
            return CommandResult(exit_code, _tail(said.fileno()))


class _TooMuchError(Exception):
    """More was written than is kept."""


def _opened(output: Path | None) -> AbstractContextManager[BinaryIO | None]:
    return contextlib.nullcontext() if output is None else output.open("wb")


def _ended(child: subprocess.Popen[bytes], timeout_s: int, kept: BinaryIO | None) -> int:
    """Its exit code. What it writes into `kept` it writes by itself, so its size is looked at now and then."""
    if kept is None:
        return child.wait(timeout=timeout_s)
    for _ in range(timeout_s * LOOKS_PER_S):
        with contextlib.suppress(subprocess.TimeoutExpired):
            code = child.wait(timeout=1 / LOOKS_PER_S)
            if os.fstat(kept.fileno()).st_size <= OUTPUT_BYTES_MAX:
                return code
        if os.fstat(kept.fileno()).st_size > OUTPUT_BYTES_MAX:
            raise _TooMuchError
    raise subprocess.TimeoutExpired(child.args, timeout_s)


def _end_group(child: subprocess.Popen[bytes]) -> None:
    """Nothing that a command started may outlive it."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()


def _tail(file: int) -> str:
    size = os.fstat(file).st_size
    content = os.pread(file, OUTPUT_TAIL_BYTES, max(0, size - OUTPUT_TAIL_BYTES))
    return content.decode("utf-8", "replace")
