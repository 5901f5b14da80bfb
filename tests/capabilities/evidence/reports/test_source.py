"""JSON is streamed in bounds: pieces give what a parser that reads all at once gives, and bombs are refused."""

from __future__ import annotations

import json
import random
import string
from typing import Any

import pytest

from shipline.capabilities.evidence.reports import bounds
from shipline.capabilities.evidence.reports.bounds import Bounds
from shipline.capabilities.evidence.reports.source import CHUNK_BYTES, ReportFile
from shipline.domain.errors import InvalidValue

RUNS = {
    "first": [1, "a"],
    "runs": [
        {"results": [{"n": 1, "in": {"results": [0]}}, {"n": 2}], "tool": {"name": "one"}},
        {"tool": {"name": "two"}, "results": []},
        {"results": [{"n": 3}], "tool": "three"},
    ],
}


def report(document: Any) -> ReportFile:
    return ReportFile.of(json.dumps(document).encode())


def test_items_members_and_pieces_are_what_stands_at_their_paths() -> None:
    """Several paths in one pass keep the document's order, and marks say in which run a piece stands."""
    file = report(RUNS)
    assert [item["n"] for item in file.items("runs.item.results.item")] == [1, 2, 3]
    assert dict(file.members("")) == RUNS
    assert list(file.pieces(["runs.item.tool", "runs.item.results.item"], starts=["runs.item"])) == [
        ("runs.item", None),
        ("runs.item.results.item", {"n": 1, "in": {"results": [0]}}),
        ("runs.item.results.item", {"n": 2}),
        ("runs.item.tool", {"name": "one"}),
        ("runs.item", None),
        ("runs.item.tool", {"name": "two"}),
        ("runs.item", None),
        ("runs.item.results.item", {"n": 3}),
        ("runs.item.tool", "three"),
    ]


def test_a_byte_order_mark_is_passed_over() -> None:
    """As `read_json` does."""
    assert list(ReportFile.of(b"\xef\xbb\xbf[1, 2]").items("item")) == [1, 2]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "cut off"),
        (b'{"results": [{"a": 1}, {"a"', "cut off"),
        (b'{"results": [1]} x', "cut off"),
        (b'{"results": [NaN]}', "cut off"),
        (b'{"results": [1e999]}', "cut off"),
        (b'{"results": ["\xff"]}', "cut off"),
        (b'{"results": [}', "brackets do not match"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"results": [' + b"1" * 2000 + b"]}", "does not end"),
        (b'{"results": ["' + b"\\u0061" * 2_000_000 + b'"]}', "text of more than"),
        (b'{"results": [[' + b"{}," * 600_000 + b"{}]]}", "single element"),
    ],
    ids=lambda value: str(value[:24]),
)
def test_what_is_no_json_or_a_bomb_is_refused(data: bytes, words: str) -> None:
    """In words, whichever way it is read."""
    file = ReportFile.of(data)
    for read in (file.items("results.item"), file.pieces(["results.item"])):
        with pytest.raises(InvalidValue) as caught:
            list(read)
        assert words in caught.value.diagnosis()


def test_bounds_follow_the_structure_wherever_pieces_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Brackets and marks in strings count for nothing, and the same is seen however the text is cut."""
    monkeypatch.setattr(bounds, "DEPTH_MAX", 6)
    chance = random.Random(5)  # noqa: S311 - the same texts each time
    letters = string.ascii_letters + '"\\[]{},'
    for _ in range(60):
        document: Any = ["".join(chance.choices(letters, k=chance.randint(0, 12))) for _ in range(4)]
        for _ in range(chance.randint(0, 7)):
            document = [document, {"".join(chance.choices(letters, k=3)): "]"}]
        data = json.dumps(document).encode()
        deep = json.dumps(document).count("[") and depth_of(document) > 6
        looked = Bounds("it")
        try:
            for start in range(0, len(data), size := chance.randint(1, 9)):
                looked.feed(data[start : start + size])
            assert not deep
        except InvalidValue:
            assert deep


def depth_of(value: Any) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inner is None else 1 + max(map(depth_of, inner), default=0)


def test_an_element_counts_for_itself() -> None:
    """A long list is none: only what one element holds is bounded, also where elements go over pieces."""
    data = b'{"results": [' + b",".join([b'{"a": [1, 2, 3, 4, 5, 6, 7, 8]}'] * 100_000) + b"]}"
    assert len(data) > 5 * CHUNK_BYTES
    assert sum(1 for _ in ReportFile.of(data).items("results.item")) == 100_000
