"""Runs a program and writes its exit code to a file: for one that outlives whoever wants to know how it ended.

Run as a script of its own (standard library only): PATH, then the program's arguments. Signals go to the whole process
group, so the program gets them too, and its end is still recorded.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys


def main(path: str, argv: list[str]) -> int:
    """The program's exit code, which is on disk by then; 127 where it could not be run."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: None)  # Not SIG_IGN, which the program would inherit.
    try:
        code = subprocess.run(argv, stdin=subprocess.DEVNULL, check=False).returncode
    except OSError as error:
        sys.stderr.write(f"{argv[0]} cannot be run: {error.strerror}\n")
        code = 127
    with open(f"{path}.part", "w", encoding="ascii") as file:  # noqa: PTH123 - starts faster without pathlib
        file.write(str(code))
        file.flush()
        os.fsync(file.fileno())
    os.replace(f"{path}.part", path)  # noqa: PTH105 - the same
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
