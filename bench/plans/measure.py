"""One run of one program: CPU time of it and all that it started, the memory of its largest process, and a limit."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

MIB = 1 << 20
CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Run:
    """What a run took. `finished` is False where it was stopped at its limit; `code` is its exit code."""

    cpu_s: float
    memory_mib: float
    code: int
    finished: bool = True


def measured(command: Sequence[str], folder: Path, *, limit_s: float, stdin: bytes = b"") -> Run:
    """Run `command` in `folder`; what it prints is read and thrown away."""
    process = subprocess.Popen(
        list(command),
        cwd=folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # So that the limit ends also what the program has started.
    )
    stopped = threading.Event()
    watch = threading.Timer(limit_s, _stop, (process.pid, stopped))
    watch.start()
    try:
        _converse(process, stdin)
        _, status, usage = os.wait4(process.pid, 0)
    finally:
        watch.cancel()
    process.returncode = os.waitstatus_to_exitcode(status)
    cpu_s = usage.ru_utime + usage.ru_stime
    return Run(cpu_s, usage.ru_maxrss * 1024 / MIB, process.returncode, not stopped.is_set())


def _converse(process: subprocess.Popen[bytes], stdin: bytes) -> None:
    if process.stdin is None or process.stdout is None:
        raise AssertionError("the process was started with pipes")
    try:
        process.stdin.write(stdin)
        process.stdin.close()
    except BrokenPipeError:
        pass  # It did not want to know.
    while process.stdout.read(CHUNK_BYTES):
        pass
    process.stdout.close()


def _stop(group: int, stopped: threading.Event) -> None:
    stopped.set()
    os.killpg(group, signal.SIGKILL)
