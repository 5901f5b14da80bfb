"""Starts one program so that it outlives its starter, and records who it is before it runs.

Run as a script of its own (standard library only, one thread, so that forking is safe); `detached.py` is its caller.
It reads a launch order as JSON on standard input, and promises: the process writes its own record (pid and identity)
and only then becomes the program, so no program ever runs unrecorded, whoever is killed when; of two launchers of
one folder the second finds the first one's program; and a launch whose permit was withdrawn starts nothing.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

PERMIT, LOCK, RECORD, KEEPER_RECORD, FIFO = "permit", "lock", "process.json", "keeper.json", "output.fifo"
KEEPER_END_S = 2.0
PIPE_BYTES = 1 << 20
WITHDRAWN = 3  # the exit code of a launch whose permit is gone


@dataclass(frozen=True, slots=True)
class Order:
    """What to start. `keeper` is the program that reads the FIFO on its standard input and writes the log."""

    folder: str
    argv: list[str]
    environment: dict[str, str]
    keeper: list[str]


def identity(pid: int) -> str | None:
    """What tells this process from every other that has, had or will have the same pid; None if it is not alive.

    Linux: boot id and start time in ticks (proc(5), /proc/pid/stat field 22); elsewhere the start time by ps.
    A zombie is not alive.
    """
    if sys.platform == "linux":
        return _identity_linux(pid)
    return _identity_ps(pid)


def _identity_linux(pid: int) -> str | None:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return None
    # The program's name stands in parentheses and may hold anything; fields are counted after the last one.
    fields = stat[stat.rfind(")") + 2 :].split()
    return None if fields[0] in ("Z", "X") else f"{boot}:{fields[19]}"


def _identity_ps(pid: int) -> str | None:
    command = ["ps", "-o", "stat=", "-o", "lstart=", "-p", str(pid)]
    answer = subprocess.run(
        command, capture_output=True, text=True, timeout=10, check=False, env={**os.environ, "LC_ALL": "C"}
    )
    state, _, started = answer.stdout.strip().partition(" ")
    return f"ps:{started.strip()}" if started and not state.startswith("Z") else None


def recorded_pid(record: Path) -> int | None:
    """The pid of the process that wrote `record`, None if it is not alive any more."""
    try:
        data = json.loads(record.read_text(encoding="utf-8"))
        pid, known = data["pid"], data["identity"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return pid if isinstance(pid, int) and pid > 1 and identity(pid) == known else None


def write_durably(path: Path, text: str) -> None:
    """Replace `path` by `text` such that a crash leaves the old or the new content, and the new one stays."""
    # Of this very thread: two may write the same at once, and who comes second would find its own gone.
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}.tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    temporary.replace(path)
    sync_folder(path.parent)


def sync_folder(path: Path) -> None:
    """Have on disk what was added to a folder, or removed from it."""
    folder = os.open(path, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _become(argv: list[str], environment: dict[str, str], folder: Path, record: Path, streams: tuple[int, int]) -> None:
    """Turn this process into the program: own session, own record, then exec."""
    os.setsid()
    os.chdir(folder)
    os.dup2(streams[0], 0)
    os.dup2(streams[1], 1)
    os.dup2(streams[1], 2)
    me = os.getpid()
    write_durably(record, json.dumps({"pid": me, "identity": identity(me)}))
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # Python ignores it, and exec would hand that down.
    os.execvpe(argv[0], argv, environment)  # noqa: S606 - no shell is the point


def _spawn(argv: list[str], environment: dict[str, str], record: Path, streams: tuple[int, int]) -> None:
    """Start one process and return once it has become `argv`; OSError with its reason when it could not."""
    receive, send = os.pipe()  # Closed by exec: an empty answer is success.
    if os.fork() == 0:
        try:
            _become(argv, environment, record.parent, record, streams)
        except BaseException as failure:  # noqa: BLE001 - a child that could not exec must end here, whatever it was
            record.unlink(missing_ok=True)
            os.write(send, str(failure).encode()[:1000] or b"unknown")
            os._exit(127)
    os.close(send)
    with os.fdopen(receive, "rb") as answer:
        reason = answer.read(1000).decode(errors="replace")
    if reason:
        raise OSError(f"{argv[0]}: {reason}")


def _open_fifo(path: Path) -> int:
    """Open the FIFO for reading and writing: it then never lacks either side, and a write never ends the writer."""
    with contextlib.suppress(FileExistsError):
        os.mkfifo(path, 0o600)
    descriptor = os.open(path, os.O_RDWR)
    if hasattr(fcntl, "F_SETPIPE_SZ"):
        with contextlib.suppress(OSError):  # The user's quota of pipe memory is used up; the usual 64 KiB do.
            fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
    return descriptor


def _await_keeper_end(record: Path) -> None:
    """A keeper whose program is gone is about to end; it must not be taken for one that will read on."""
    deadline = time.monotonic() + KEEPER_END_S
    while recorded_pid(record) is not None and time.monotonic() < deadline:
        time.sleep(0.01)  # noqa: TID251 - a script of its own, outside the engine and its clock


def launch(order: Order) -> int:
    """Make sure that the program and its log keeper run. Returns the exit code of this script."""
    folder = Path(order.folder)
    with (folder / LOCK).open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / PERMIT).exists():
            return WITHDRAWN
        running = recorded_pid(folder / RECORD) is not None
        if not running:
            _await_keeper_end(folder / KEEPER_RECORD)
        hold, null = _open_fifo(folder / FIFO), os.open(os.devnull, os.O_RDWR)
        if recorded_pid(folder / KEEPER_RECORD) is None:
            read_end = os.open(folder / FIFO, os.O_RDONLY)
            _spawn(order.keeper, order.environment, folder / KEEPER_RECORD, (read_end, null))
        if not running:
            _spawn(order.argv, order.environment, folder / RECORD, (null, hold))
    return 0


def main() -> int:
    """Read the order from standard input and carry it out; a failure is one line on standard error."""
    order = Order(**json.loads(sys.stdin.read()))
    try:
        return launch(order)
    except OSError as failure:
        sys.stderr.write(f"{failure}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main())
