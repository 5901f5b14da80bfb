"""A bounded log on disk: what is read from a pipe is written to generations, and the oldest ones are removed.

Run as a script of its own beside the program whose output it keeps (standard library only); it ends when the program
has ended. It writes whole lines only, and never stops reading: a full disk loses lines, it never stalls the program.
A generation's number grows from file to file and is never used again, so (number, offset) names a place for ever.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

READ_BYTES = 1 << 16
LINE_BYTES_MAX = 1 << 16


def generations(folder: Path) -> list[int]:
    """The numbers of the generations that are kept, oldest first; none where there is no log."""
    try:
        names = [path.name for path in folder.iterdir()]
    except FileNotFoundError:
        return []
    return sorted(int(name[:-4]) for name in names if name.endswith(".log") and name[:-4].isdigit())


def generation_path(folder: Path, number: int) -> Path:
    """Where a generation lies."""
    return folder / f"{number}.log"


def end_of_log(folder: Path, limit_bytes: int) -> str:
    """At most the last `limit_bytes` of the newest generation, as text."""
    for number in reversed(generations(folder)):
        try:
            with generation_path(folder, number).open("rb") as stream:
                stream.seek(max(0, os.fstat(stream.fileno()).st_size - limit_bytes))
                return stream.read(limit_bytes).decode(errors="replace")
        except FileNotFoundError:
            continue
    return ""


class LogKeeper:
    """Writes lines to `folder`, at most about `bytes_max` in all, in generations of a quarter of that."""

    def __init__(self, folder: Path, first: int, bytes_max: int) -> None:
        self._folder = folder
        self._number = max([first, *(number + 1 for number in generations(folder))])
        self._generation_bytes = max(1, bytes_max // 4)
        self._size = 0
        self._rest = b""
        self._stream = self._open()

    def _open(self) -> int:
        path = generation_path(self._folder, self._number)
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def take(self, data: bytes) -> None:
        """Write the whole lines of `data`; what follows the last one waits for its end, up to LINE_BYTES_MAX."""
        lines, newline, rest = (self._rest + data).rpartition(b"\n")
        if len(rest) > LINE_BYTES_MAX:
            lines, newline, rest = lines + newline + rest, b"\n", b""
        self._rest = rest
        if newline:
            self._write(lines + newline)

    def end(self) -> None:
        """Write a last line that has no end."""
        if self._rest:
            self._write(self._rest + b"\n")
            self._rest = b""
        os.close(self._stream)

    def _write(self, lines: bytes) -> None:
        if self._size + len(lines) > self._generation_bytes and self._size > 0:
            self._roll()
        view = memoryview(lines)
        while view:
            written = os.write(self._stream, view)
            self._size += written
            view = view[written:]

    def _roll(self) -> None:
        previous = self._stream
        self._number += 1
        self._stream, self._size = self._open(), 0
        os.close(previous)
        for number in generations(self._folder)[:-4]:
            generation_path(self._folder, number).unlink(missing_ok=True)


def main(arguments: list[str]) -> None:
    """Keep what comes on standard input: folder, first generation's number, bytes at most."""
    os.umask(0o077)
    folder = Path(arguments[0])
    folder.mkdir(parents=True, exist_ok=True)
    keeper = LogKeeper(folder, int(arguments[1]), int(arguments[2]))
    while data := os.read(0, READ_BYTES):
        try:
            keeper.take(data)
        except OSError:
            continue  # No space: these lines are lost, the ones after it need not be.
    keeper.end()


if __name__ == "__main__":
    main(sys.argv[1:])
