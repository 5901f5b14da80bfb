"""Secrets of any secret manager, by its own program: `["op", "read", "{key}"]`, `["vault", "kv", "get", ...]`.

What the program writes is held in memory alone, and its words on standard error are shown only where it gave nothing.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import tempfile
from dataclasses import dataclass
from typing import IO

from shipline.clients.json_program import Surroundings, checked_command
from shipline.domain.errors import ConfigurationError, InvalidValue, MissingProgram, ShiplineError, UnavailableError
from shipline.domain.variables import VALUE_BYTES_MAX, checked_secret
from shipline.ports.clock import Clock
from shipline.ports.provider import ProviderContext

PLACEHOLDER = "{key}"
REASON_BYTES_MAX = 500
TIMEOUT_S_MAX = 60
PIECE_BYTES = 64 << 10


class CommandSecrets:
    """The key stands for `{key}` in the command."""

    api_version = 1

    @dataclass(frozen=True, slots=True)
    class Settings:
        """Which program.

        `command` is a list of arguments, no shell, run at the top of the repository; `{key}` is filled in.
        `credentials` names the environment variables that it gets though they look like secrets. `timeout_s` bounds
        it, in seconds.
        """

        command: tuple[str, ...]
        credentials: tuple[str, ...] = ()
        timeout_s: int = 10

        def __post_init__(self) -> None:
            """Refuse a command that is none, or that would give the same secret for every key."""
            checked_command("command", self.command)
            if not any(PLACEHOLDER in part for part in self.command[1:]):
                raise ConfigurationError(f"command: no argument holds {PLACEHOLDER}, which stands for the secret's key")
            if not 1 <= self.timeout_s <= TIMEOUT_S_MAX:
                raise ConfigurationError(f"timeout_s is 1 to {TIMEOUT_S_MAX} seconds")

    def __init__(self, settings: Settings, context: ProviderContext) -> None:
        self._settings = settings
        self._clock = context.clock
        self._around = Surroundings(context.root, context.environment, settings.credentials)

    def read(self, key: str) -> str:
        """What the program writes to standard output, without the end of its last line."""
        program = self._settings.command[0]
        arguments = [program, *(part.replace(PLACEHOLDER, key) for part in self._settings.command[1:])]
        with tempfile.TemporaryFile() as reason:
            code, data = self._run(arguments, reason)
            if code != 0:
                said = "" if data else _last(reason)
                raise ConfigurationError(
                    f"the program {program[:200]!r} gave no secret for {key[:200]!r} (exit code {code})",
                    why=said,
                    todo="run it by hand, as the user who carries rollouts out; `credentials` hands variables down",
                )
        try:
            return checked_secret(data)
        except InvalidValue as error:
            raise ConfigurationError(
                f"what the program {program[:200]!r} gave for {key[:200]!r} cannot be given to a service",
                why=error.what,
                todo=error.todo,
            ) from None

    def _run(self, arguments: list[str], reason: IO[bytes]) -> tuple[int, bytes]:
        """Its exit code, and what it wrote. It and what it started in its process group end with the call."""
        try:
            process = subprocess.Popen(
                arguments,
                cwd=self._around.folder,
                env=self._around.variables(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=reason,
                start_new_session=True,
            )
        except FileNotFoundError:
            raise MissingProgram(arguments[0], package=os.path.basename(arguments[0])) from None  # noqa: PTH119 - a name
        except OSError as error:
            raise ShiplineError(f"the program {arguments[0][:200]!r} cannot be run", why=error.strerror or "") from None
        deadline_us = self._clock.now_us() + self._settings.timeout_s * 1_000_000
        assert process.stdout is not None  # noqa: S101 - it was asked for
        with process.stdout:
            try:
                data = self._output(process.stdout, deadline_us)
                if len(data) > VALUE_BYTES_MAX + 2:
                    return 0, data  # It is refused for its size, and is not waited for.
                return process.wait(timeout=_left_s(self._clock, deadline_us)), data
            except (subprocess.TimeoutExpired, TimeoutError):
                limit = f"{self._settings.timeout_s} s"
                what = f"the program {arguments[0][:200]!r} gave no secret within {limit} and was ended"
                raise UnavailableError(what, todo="see what it waits for; it cannot ask anybody anything") from None
            finally:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    def _output(self, stream: IO[bytes], deadline_us: int) -> bytes:
        """All that it writes, up to a size that no secret may have. TimeoutError when its time is over."""
        data = b""
        with selectors.DefaultSelector() as selector:
            selector.register(stream, selectors.EVENT_READ)
            while len(data) <= VALUE_BYTES_MAX + 2:
                if not selector.select(_left_s(self._clock, deadline_us)):
                    raise TimeoutError
                piece = os.read(stream.fileno(), PIECE_BYTES)
                if piece == b"":
                    break
                data += piece
        return data


def _left_s(clock: Clock, deadline_us: int) -> float:
    left_us = deadline_us - clock.now_us()
    if left_us <= 0:
        raise TimeoutError
    return left_us / 1_000_000


def _last(stream: IO[bytes]) -> str:
    size = stream.seek(0, os.SEEK_END)
    stream.seek(max(0, size - REASON_BYTES_MAX))
    return stream.read(REASON_BYTES_MAX).decode(errors="replace").strip()
