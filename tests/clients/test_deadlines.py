"""An exchange takes as long as its content moves on, and no longer."""

from __future__ import annotations

import httpx
import pytest

from shipline.clients.deadlines import BYTES_PER_S_MIN, paced
from tests.drips import serving

SIZE = 1024 * 1024
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
    """It takes three times as long as an answer without content may."""
    piece = b"x" * (SIZE // 16)
    assert len(piece) > BYTES_PER_S_MIN * STRETCH_S
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {SIZE}\r\n\r\n".encode()
    with serving(head, piece) as url:
        assert received(url, STRETCH_S) == SIZE


def test_content_that_drips_is_no_whole_answer_though_its_end_looks_like_one() -> None:
    """Its length is not stated."""
    with serving(b"HTTP/1.1 200 OK\r\n\r\n", b"x") as url, pytest.raises(httpx.HTTPError):
        received(url, STRETCH_S)


def test_what_is_sent_counts() -> None:
    with paced(60.0) as pace:
        assert b"".join(pace.counted([b"ab", b"c"])) == b"abc"
