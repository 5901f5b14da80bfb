"""An exchange takes as long as its content moves on, and no longer."""

from __future__ import annotations

import httpx
import pytest

from shipline.clients.deadlines import BYTES_PER_S_MIN, Pace, paced
from tests.drips import serving

SIZE = 64 * 1024
STRETCH_S = 0.5


def received(url: str, stretch_s: float) -> int:
    """How many bytes an answer has."""
    size = 0
    with (
        paced(stretch_s) as pace,
        httpx.Client(timeout=10.0) as client,
        client.stream("GET", url, extensions=pace.extensions) as answer,
    ):
        for chunk in answer.iter_bytes():
            size += len(chunk)
            pace.moved(len(chunk))
    return size


def test_content_that_moves_on_is_not_cut_off() -> None:
    """However many stretches it takes; and not any longer, once one has moved less than it must."""
    pace = Pace(STRETCH_S)
    for _ in range(3):
        pace.moved(int(BYTES_PER_S_MIN * STRETCH_S))
        assert not pace.has_stalled()
    pace.moved(int(BYTES_PER_S_MIN * STRETCH_S) - 1)
    assert pace.has_stalled()


def test_content_is_counted_as_it_comes() -> None:
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {SIZE}\r\n\r\n".encode()
    with serving(head, b"x" * SIZE) as url:
        assert received(url, 60.0) == SIZE


def test_content_that_drips_is_no_whole_answer_though_its_end_looks_like_one() -> None:
    """Its length is not stated."""
    with serving(b"HTTP/1.1 200 OK\r\n\r\n", b"x") as url, pytest.raises(httpx.HTTPError):
        received(url, STRETCH_S)


def test_what_is_sent_counts() -> None:
    with paced(60.0) as pace:
        assert b"".join(pace.counted([b"ab", b"c"])) == b"abc"
