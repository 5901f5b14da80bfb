"""Programs on this machine."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from shipline.clients.programs import without_secrets
from shipline.domain.errors import MissingProgram, ShiplineError
from shipline.ports.command import CommandResult
from shipline.ports.provider import ProviderContext

OUTPUT_TAIL_BYTES = 4000


class LocalCommands:
    """Runs programs as child processes in a process group of their own, without the credentials of this one."""

    api_version = 1

    @dataclass(frozen=True, slots=True)
    class Settings:
        """Nothing to set."""

    def __init__(self, settings: Settings, context: ProviderContext) -> None:
        self.settings = settings
        self.context = context

    def run(
        self, arguments: tuple[str, ...], *, folder: Path, environment: Mapping[str, str], timeout_s: int
    ) -> CommandResult:
        """See the port."""
        with tempfile.TemporaryFile() as output:
            try:
                child = subprocess.Popen(
                    arguments,
                    cwd=folder,
                    env=without_secrets(os.environ) | dict(environment),
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
            except FileNotFoundError:
                raise MissingProgram(arguments[0], package=Path(arguments[0]).name) from None
            except OSError as error:
                raise ShiplineError(f"{arguments[0]!r} cannot be run", why=error.strerror or str(error)) from error
            try:
                exit_code = child.wait(timeout=timeout_s)
            except subprocess.TimeoutExpired:
                raise ShiplineError(
                    f"{arguments[0]!r} did not end within {timeout_s} s and was killed", why=_tail(output.fileno())
                ) from None
            finally:
                _end_group(child)
            return CommandResult(exit_code, _tail(output.fileno()))


def _end_group(child: subprocess.Popen[bytes]) -> None:
    """Nothing that a command started may outlive it."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()


def _tail(file: int) -> str:
    size = os.fstat(file).st_size
    content = os.pread(file, OUTPUT_TAIL_BYTES, max(0, size - OUTPUT_TAIL_BYTES))
    return content.decode("utf-8", "replace")
