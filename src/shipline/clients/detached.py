"""Programs that outlive the engine: started once, found again, and never mistaken for another process.

A program has a folder: a permit (it shall run), a record (pid and identity, written by the process itself before it
becomes the program), and its output, kept in a bounded log by a keeper process of its own. Killing the engine costs
the program nothing; killing the keeper costs output beyond what the pipe holds, until `start` brings it back.
Only the recorded process is ever signalled, and only while its identity still holds.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path

from shipline.clients import detached_launcher, log_keeper
from shipline.clients.durable_state import locked
from shipline.domain.errors import ShiplineError
from shipline.ports.clock import Clock

LAUNCH_TIMEOUT_S = 20
POLL_S = 0.02
LOG_FOLDER = "log"
OUTPUT_END_BYTES = 4000


@dataclass(frozen=True, slots=True)
class Program:
    """What to run: a list of arguments (no shell), its whole environment, and the bound of its log on disk."""

    argv: tuple[str, ...]
    environment: dict[str, str] = field(repr=False)
    log_bytes_max: int


class Detached:
    """One program in its own folder. The constructor does no I/O."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self.folder = folder
        self.log_folder = folder / LOG_FOLDER
        self._clock = clock

    def start(self, program: Program) -> None:
        """Make sure that the program runs and that its output is kept. Idempotent; whoever comes second finds it.

        Raises ShiplineError when it cannot be executed.
        """
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (self.folder / detached_launcher.PERMIT).touch(mode=0o600)
        answer = self._launch(program)
        if answer.returncode != 0:
            reason = answer.stderr.decode(errors="replace").strip()[-1000:]
            raise ShiplineError(f"{program.argv[0]!r} could not be started", why=reason or "it was stopped meanwhile")

    def _launch(self, program: Program) -> subprocess.CompletedProcess[bytes]:
        keeper = [sys.executable, "-I", log_keeper.__file__, str(self.log_folder)]
        order = detached_launcher.Order(
            folder=str(self.folder),
            argv=list(program.argv),
            environment=program.environment,
            keeper=[*keeper, str(self._clock.now_us()), str(program.log_bytes_max)],
        )
        try:
            return subprocess.run(
                [sys.executable, "-I", detached_launcher.__file__],
                input=json.dumps(asdict(order)).encode(),
                capture_output=True,
                timeout=LAUNCH_TIMEOUT_S,
                check=False,
                start_new_session=True,
            )
        except (OSError, subprocess.TimeoutExpired) as failure:
            raise ShiplineError(f"{program.argv[0]!r} could not be started", why=str(failure)) from failure

    def pid(self) -> int | None:
        """The program's pid, None where it does not run."""
        return detached_launcher.recorded_pid(self.folder / detached_launcher.RECORD)

    def keeper_pid(self) -> int | None:
        """The pid of the process that keeps the log, None where none runs."""
        return detached_launcher.recorded_pid(self.folder / detached_launcher.KEEPER_RECORD)

    def is_whole(self) -> bool:
        """True if it runs and its output is kept: `start` would change nothing."""
        return self.pid() is not None and self.keeper_pid() is not None

    def stop(self, *, first: signal.Signals, timeout_s: float) -> None:
        """End the program: `first` to its process group, then SIGKILL after `timeout_s`. Idempotent.

        A launch that is under way is waited for or forbidden, so that nothing starts afterwards.
        """
        if not self.folder.is_dir():
            return
        with locked(self.folder / detached_launcher.LOCK, self._clock):
            (self.folder / detached_launcher.PERMIT).unlink(missing_ok=True)
        for number, wait_s in ((first, timeout_s), (signal.SIGKILL, 10.0)):
            self._signal_group(number)
            if self._gone_within(wait_s):
                return
        raise ShiplineError(f"process {self.pid()} does not end", why="it ignored SIGKILL: the kernel holds it")

    def _signal_group(self, number: signal.Signals) -> None:
        """Signal the group that the program leads; checked at the last moment to be the recorded process."""
        pid = self.pid()
        if pid is not None:
            try:
                os.killpg(pid, number)
            except ProcessLookupError:
                return

    def _gone_within(self, timeout_s: float) -> bool:
        deadline_us = self._clock.now_us() + int(timeout_s * 1_000_000)
        while self.pid() is not None:
            if self._clock.now_us() >= deadline_us:
                return False
            self._clock.sleep(POLL_S)
        return True

    def output_end(self) -> str:
        """The end of what the program wrote, bounded. For a program that has ended, all is on disk first."""
        deadline_us = self._clock.now_us() + 2_000_000
        while self.pid() is None and self.keeper_pid() is not None and self._clock.now_us() < deadline_us:
            self._clock.sleep(POLL_S)
        return log_keeper.end_of_log(self.log_folder, OUTPUT_END_BYTES).strip()
