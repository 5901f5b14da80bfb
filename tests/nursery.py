"""A process that has imported a script and forks for every start of it: imports are most of what a start costs.

What is born here is a process like any other, with a standard input, output and error of its own, and can be killed,
stopped and waited for. Started as `python nursery.py SCRIPT`; takes births as JSON lines, answers with the ids of
processes and tells of their ends.
"""

from __future__ import annotations

import importlib.util
import json
import os
import select
import signal
import sys
from pathlib import Path
from typing import Any


def imported(script: Path) -> Any:
    """The script as a module."""
    spec = importlib.util.spec_from_file_location("script", script)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["script"] = module
    spec.loader.exec_module(module)
    return module


def become(script: Path, birth: dict[str, Any]) -> None:
    """Make this fork what a fresh interpreter would be: its own files, arguments, and the usual signals."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for number, flags, path in (
        (0, os.O_RDONLY, birth["input"]),
        (1, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, birth["output"]),
        (2, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, birth["errors"]),
    ):
        file = os.open(path, flags, 0o600)
        os.dup2(file, number)
        os.close(file)
    sys.argv = [str(script), *birth["arguments"]]


def answer(line: dict[str, int]) -> None:
    """One line to the test."""
    os.write(1, json.dumps(line).encode() + b"\n")


def tell_of_the_dead() -> None:
    """One line for each that has ended."""
    while True:
        try:
            process, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if process == 0:
            return
        answer({"ended": process, "code": os.waitstatus_to_exitcode(status)})


def main() -> None:
    """Until standard input is closed."""
    script = Path(sys.argv[1])
    module = imported(script)
    woken, wake = os.pipe()
    for end in (woken, wake):
        os.set_blocking(end, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake)
    answer({"ready": os.getpid()})
    asked = b""
    while True:
        ready, _, _ = select.select([0, woken], [], [])
        if woken in ready:
            os.read(woken, 4096)
            tell_of_the_dead()
        if 0 not in ready:
            continue
        piece = os.read(0, 65536)
        if not piece:
            return
        asked += piece
        *lines, asked = asked.split(b"\n")
        for line in lines:
            process = os.fork()
            if process == 0:
                os.close(woken)
                os.close(wake)
                become(script, json.loads(line))
                module.main()
                return
            answer({"born": process})


if __name__ == "__main__":
    main()
