"""A report's format is found by its content; what is unknown or a bomb is refused in words."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipline.capabilities.evidence.reports import Report, read_report_bytes
from shipline.domain.errors import InvalidValue

DATA = Path(__file__).parent / "data"
SAMPLES = sorted(path for path in DATA.iterdir() if path.name not in ("billion_laughs.xml", "external_entity.xml"))


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "no format that is known"),
        (b"a" * (65 * 1024 * 1024), "larger than 64 MiB"),
        (b"a" * 1_000_000, "no format that is known"),
        (b"\x00" * 1000, "no format that is known"),
        (b"{}", "JSON document of another kind"),
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
