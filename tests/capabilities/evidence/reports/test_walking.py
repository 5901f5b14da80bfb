"""Walking through JSON: the same values as a parser that has all of it, in whatever pieces it comes, within bounds."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shipline.capabilities.evidence.reports import walking
from shipline.capabilities.evidence.reports.scanners import sarif
from shipline.capabilities.evidence.reports.source import ReportFile
from shipline.capabilities.evidence.reports.walking import Walk
from shipline.domain.errors import InvalidValue

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**12), 10**12)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)


def pieces(data: bytes, size: int) -> Iterator[bytes]:
    return (data[at : at + size] for at in range(0, len(data), size))


def walked(data: bytes, size: int = 7) -> Any:
    """The document by its members or elements, as far as it has any."""
    walk = Walk(pieces(data, size))
    found: Any
    if walk.is_at("{"):
        found = {name: walk.value() for name in walk.members()}
    else:
        found = list(walk.items()) if walk.is_at("[") else walk.value()
    walk.end()
    return found


@settings(max_examples=60)
@given(VALUES, st.integers(1, 9), st.sampled_from([None, 2]), st.booleans())
def test_the_values_are_those_of_a_parser(value: Any, size: int, indent: int | None, is_ascii: bool) -> None:  # noqa: FBT001 - hypothesis draws it
    data = json.dumps(value, indent=indent, ensure_ascii=is_ascii).encode("utf-8", "surrogatepass")
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return
    assert walked(data, size) == json.loads(data)


def test_what_is_cut_off_anywhere_is_refused() -> None:
    data = json.dumps({"a": [1, {"b": '\u20ac\\"'}, None], "c": -1.5e3}).encode()
    for end in range(len(data)):
        with pytest.raises(InvalidValue):
            walked(data[:end])


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b'{"a": 1} {}', "after its end"),
        (b'{"a": NaN}', "NaN is no number"),
        (b'{"a": 1,}', "is not JSON"),
        (b'{"a": "\x01"}', "is not JSON"),
        (b"{1: 2}", "no text|is not JSON"),
        (b'{"a" 1}', ": is missing"),
        (b'["a" "b"]', "] is missing"),
        (b'["\xff"]', "not UTF-8"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"a": ' + b"9" * 5000 + b"}", "is not JSON"),
    ],
)
def test_what_is_no_json_is_refused_in_words(data: bytes, words: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        walked(data)
    assert any(each in caught.value.diagnosis() for each in words.split("|"))


def test_one_element_takes_no_more_than_its_share(monkeypatch: pytest.MonkeyPatch) -> None:
    """However long the document is: a text, a number of values, and all of it."""
    monkeypatch.setattr(walking, "STRING_BYTES_MAX", 4096)
    monkeypatch.setattr(walking, "ELEMENT_BYTES_MAX", 16_384)
    monkeypatch.setattr(walking, "ELEMENT_VALUES_MAX", 1000)
    monkeypatch.setattr(walking, "LOOKED_INTO_MIN", 1000)
    many = b"[" + b",".join([b'{"a": [1, 2, 3]}'] * 5000) + b"]"
    assert len(walked(many, 1000)) == 5000
    for data in (b'["' + b"x" * 100_000, b"[[" + b"1," * 50_000, b'[["' + b'x", "' * 50_000):
        with pytest.raises(InvalidValue, match="more than"):
            walked(data, 1000)


PLACE = {"artifactLocation": {"index": 0}}
RUN: dict[str, Any] = {
    "tool": {"driver": {"name": "t", "rules": [{"id": "R1", "properties": {"security-severity": "9.1"}}]}},
    "originalUriBaseIds": {"ROOT": {"uri": "file:///src/"}},
    "invocations": [{"executionSuccessful": True}],
    "artifacts": [{"location": {"uri": "file:///src/a.py"}}],
    "results": [
        {"ruleId": "R1", "message": {"text": "first"}, "locations": [{"physicalLocation": PLACE}]},
        {"ruleId": "R2", "message": {"text": 'says "tool"'}},
    ],
}


def read(document: Any) -> list[dict[str, Any]]:
    return list(sarif.read_sarif(ReportFile.of(json.dumps(document).encode())).items)


@pytest.mark.parametrize("last", list(RUN))
@pytest.mark.parametrize("is_late", [True, False])
def test_a_sarif_report_reads_the_same_in_whatever_order_it_was_written(last: str, is_late: bool) -> None:  # noqa: FBT001 - pytest gives it
    """Whether what the run says of itself comes before its results or behind them."""
    wanted = read({"version": "2.1.0", "runs": [RUN]})
    run = {name: value for name, value in RUN.items() if name != last}
    ordered = run | {last: RUN[last]} if is_late else {last: RUN[last]} | run
    found = read({"version": "2.1.0", "runs": [ordered]})
    assert found == wanted
    assert [(one["severity"], (one["location"] or {}).get("path")) for one in found] == [
        ("critical", "a.py"),
        ("medium", None),
    ]
    assert read({"runs": [ordered], "version": "2.1.0"}) == wanted


@pytest.mark.parametrize(
    "hidden",
    [
        '"results": [], "inv\\u006fcations": []}]}',
        '"results": []}, {"t\\u006fol": {}}]}',
        '"results": []}], "r\\u0075ns": [{"r\\u0065sults": []}]}',
    ],
)
def test_a_sarif_report_that_hides_a_run_by_its_spelling_is_refused(hidden: str) -> None:
    before = '{"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "t"}}, '
    with pytest.raises(InvalidValue):
        list(sarif.read_sarif(ReportFile.of((before + hidden).encode())).items)
