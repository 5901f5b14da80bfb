"""JSON from outside is read strictly."""

from __future__ import annotations

import pytest

from shipline.domain.errors import InvalidValue
from shipline.domain.strict_json import read_json


def read(data: bytes) -> object:
    return read_json(data, what="the sample", limit_bytes=1_000_000)


def test_ordinary_documents_are_read() -> None:
    """All of RFC 8259, and the byte order mark that some editors write."""
    assert read(b'\xef\xbb\xbf{"a": [1, 2.5, null, true, "\\u00e9"]}') == {"a": [1, 2.5, None, True, "é"]}


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b'{"a": 1, "a": 2}', "twice"),
        (b"NaN", "no JSON number"),
        (b"-Infinity", "no JSON number"),
        (b"1e999", "out of range"),
        (b'"\xff"', "UTF-8"),
        (b"[" * 200_000, "nested too deeply"),
        (b'{"a":' * 100_000, "nested too deeply"),
        (b'{"a": 1', "not JSON"),
        (b"", "not JSON"),
        (b"\x00" * 10, "not JSON"),
        (b"9" * 100_000, "not JSON"),
        (b" " * 1_000_001, "larger than"),
    ],
)
def test_everything_else_is_refused_in_words(data: bytes, words: str) -> None:
    """Doubled names, numbers without a value, depth bombs and plain garbage are InvalidValue, never a traceback."""
    with pytest.raises(InvalidValue) as caught:
        read(data)
    assert words in caught.value.diagnosis()


def test_a_doubled_name_among_many_is_found_at_once() -> None:
    """Looking for it name by name would take minutes here, and days in a report of the largest size."""
    names = ",".join(f'"{number}":0' for number in [*range(100_000), 99_999])
    with pytest.raises(InvalidValue, match="not JSON"):
        read_json(b"{%s}" % names.encode(), what="the report", limit_bytes=10_000_000)
