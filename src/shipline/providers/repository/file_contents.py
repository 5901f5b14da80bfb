"""Files out of `git cat-file --batch`."""

from __future__ import annotations

from collections.abc import Iterator

from shipline.domain.errors import ShiplineError

FILE_BYTES_MAX = 8 << 20


def is_readable(path: str, line: bytes) -> bool:
    """True for a file, by its line of `cat-file --batch-check`. ShiplineError where it is too large."""
    _, _, facts = line.rpartition(b" blob ")
    if not facts.isdigit() or b" blob " not in line:
        return False
    if int(facts) > FILE_BYTES_MAX:
        raise ShiplineError(f"the file {path!r} is larger than {FILE_BYTES_MAX >> 20} MiB")
    return True


def contents_in(output: bytes) -> Iterator[bytes]:
    """The contents in the output of `cat-file --batch`: each behind a line that ends with its size."""
    place = 0
    while place < len(output):
        start = output.index(b"\n", place) + 1
        end = start + int(output[place:start].rpartition(b" ")[2])
        yield output[start:end]
        place = end + 1
