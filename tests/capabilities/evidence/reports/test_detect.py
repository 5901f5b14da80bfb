"""A report's format is found by its content; what is unknown or a bomb is refused in words."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipline.capabilities.evidence.reports import Report, read_report_bytes
from shipline.domain.errors import InvalidValue

DATA = Path(__file__).parent / "data"
BOMBS = {"attribute_defaults.xml", "billion_laughs.xml", "external_entity.xml"}
SAMPLES = sorted(path for path in DATA.iterdir() if path.name not in BOMBS)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "no format that is known"),
        (b"a" * (65 * 1024 * 1024), "larger than 64 MiB"),
        (b"a" * 1_000_000, "no format that is known"),
        (b"\x00" * 1000, "no format that is known"),
        (b"{}", "JSON document of another kind"),
        (b'{"a": 1, "b": 2}', "with the names 'a', 'b'"),
        (b"[]", "empty list"),
        (b'{"meta": {}', "cut off"),
        (b"[" * 1_000_000, "nested too deeply"),
        (b"<html/>", "root element is <html>"),
        (b"<!-- <testsuite> --><html/>", "root element is <html>"),
        (b"<!DOCTYPE testsuite><html/>", "root element is <html>"),
        (b"<", "not well-formed"),
        ((DATA / "billion_laughs.xml").read_bytes(), "entities"),
    ],
    ids=lambda value: str(value[:12]),
)
def test_unknown_and_hostile_input_is_refused(data: bytes, words: str) -> None:
    """Each is a clear InvalidValue."""
    with pytest.raises(InvalidValue) as caught:
        read_report_bytes(data)
    assert words in caught.value.diagnosis()


def test_limit_is_the_callers() -> None:
    """A smaller limit refuses what the default takes."""
    data = (DATA / "gotestsum.xml").read_bytes()
    with pytest.raises(InvalidValue, match="larger"):
        read_report_bytes(data, limit_bytes=len(data) - 1)
    assert read_report_bytes(data, limit_bytes=len(data)).summary["total"] == 4


def test_a_format_may_be_named() -> None:
    """It is taken at its word, and an unknown name lists the known ones."""
    data = (DATA / "gotestsum.xml").read_bytes()
    assert read_report_bytes(data, format_name="junit").format == "junit"
    with pytest.raises(InvalidValue, match="starts with"):
        read_report_bytes(data, format_name="cobertura")
    with pytest.raises(InvalidValue) as caught:
        read_report_bytes(data, format_name="junitt")
    assert "junit, cobertura" in caught.value.diagnosis()


def test_names_that_come_late_are_found() -> None:
    """The order of names says nothing, and a long list before the telling one changes nothing."""
    counts = {"covered_lines": 1, "num_statements": 2}
    files = {f"src/module_{number}.py": {"summary": counts} for number in range(20_000)}
    total = {name: count * len(files) for name, count in counts.items()}
    data = json.dumps({"files": files, "totals": total, "meta": {"format": 3}}).encode()
    assert read_report_bytes(data).format == "coverage.py-json"


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
@given(data=st.data())
def test_changed_samples_are_read_or_refused(path: Path, data: st.DataObject) -> None:
    """Bytes changed, cut out or doubled: a report or InvalidValue, never another error."""
    content = path.read_bytes()
    start = data.draw(st.integers(0, len(content)))
    end = data.draw(st.integers(start, min(len(content), start + 40)))
    try:
        report = read_report_bytes(content[:start] + data.draw(st.binary(max_size=20)) + content[end:])
    except InvalidValue:
        return
    assert isinstance(report, Report)
