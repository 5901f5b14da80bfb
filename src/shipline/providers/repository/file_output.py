"""What `git cat-file --batch` prints, read into the contents of files."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from typing import IO

from shipline.domain.errors import ShiplineError

FILE_BYTES_MAX = 8 << 20
FOUND = re.compile(rb"[0-9a-f]{40,64} (\w+) (\d+)\n")


def files_of(output: IO[bytes], paths: Iterable[str]) -> Iterator[tuple[str, bytes]]:
    """Those of the `paths` that were asked for, in this order, that are files. More than 8 MiB in one: ShiplineError.

    Each answer is a line, and below it the content and a line break, unless the line says that there is nothing.
    """
    for path in paths:
        found = FOUND.fullmatch(output.readline())
        if found is None:
            continue
        kind, size = found[1], int(found[2])
        if kind != b"blob":
            output.seek(size + 1, os.SEEK_CUR)
        elif size > FILE_BYTES_MAX:
            raise ShiplineError(f"the file {path!r} is larger than {FILE_BYTES_MAX >> 20} MiB")
        else:
            yield path, output.read(size)
            output.seek(1, os.SEEK_CUR)
