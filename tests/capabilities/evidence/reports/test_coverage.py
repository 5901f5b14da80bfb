"""Coverage: what coverage.py itself writes in three formats, other tools' samples, and what must not pass."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from shipline.capabilities.evidence.reports import Report, read_report_bytes
from shipline.domain.errors import InvalidValue

DATA = Path(__file__).parent / "data"
MEASURED = """
def sign(n):
    if n > 0:
        return 1
    if n < 0:
        return -1
    return 0

def unused():
    return 2

sign(3)
"""
FORMATS = ("xml", "json", "lcov")


def measured(folder: Path, *options: str) -> dict[str, Report]:
    """Run coverage.py on a small program and read what it writes, by format."""
    (folder / "measured.py").write_text(MEASURED)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COV")}

    def coverage(*arguments: str) -> None:
        command = [sys.executable, "-m", "coverage", *arguments]
        subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True, timeout=120)

    coverage("run", *options, "--include=measured.py", "measured.py")
    for name in FORMATS:
        coverage(name, "-o", f"out.{name}")
    return {name: read_report_bytes((folder / f"out.{name}").read_bytes()) for name in FORMATS}


def test_coverage_py_says_the_same_in_every_format(tmp_path: Path) -> None:
    """Nine statements, five of them ran; no branches were measured."""
    for name, report in measured(tmp_path).items():
        assert (report.summary["lines_covered"], report.summary["lines_total"]) == (5, 9), name
        assert report.summary["line"] == pytest.approx(500 / 9)
        assert report.summary["branch"] is None
        assert report.items[0]["path"].endswith("measured.py")


def test_branches_of_coverage_py_are_read_in_every_format(tmp_path: Path) -> None:
    """Four ways out of two conditions, one taken. LCOV leaves out the condition that was never reached."""
    reports = measured(tmp_path, "--branch")
    for name in ("xml", "json"):
        assert (reports[name].summary["branches_covered"], reports[name].summary["branches_total"]) == (1, 4), name
        assert reports[name].summary["branch"] == 25.0
        assert reports[name].tool == "coverage.py"
    assert reports["lcov"].summary["branches_covered"] == 1


def test_cobertura_lines_count_once_a_file() -> None:
    """Two classes share a file, methods repeat their lines: four of five lines, one of two branches."""
    report = read_report_bytes((DATA / "cobertura_java.xml").read_bytes())
    assert (report.kind, report.format) == ("coverage", "cobertura")
    assert report.summary["line"] == 80.0
    assert report.summary["branch"] == 50.0
    assert [item["path"] for item in report.items] == ["org/quotes/Quote.java"]


def test_cobertura_totals_speak_where_there_are_no_lines() -> None:
    """Some converters write totals alone."""
    data = b'<coverage lines-covered="9" lines-valid="10" branches-covered="1" branches-valid="4"/>'
    summary = read_report_bytes(data).summary
    assert (summary["line"], summary["branch"]) == (90.0, 25.0)


def test_lcov_records_of_one_file_are_merged() -> None:
    """Two tests of one file: 3 of 3 lines and 2 of 2 branches together; another file gives its totals alone."""
    report = read_report_bytes((DATA / "two_tests.info").read_bytes())
    assert (report.summary["lines_covered"], report.summary["lines_total"]) == (7, 13)
    assert (report.summary["branches_covered"], report.summary["branches_total"]) == (2, 2)
    assert [item["line"] for item in report.items] == [100.0, 40.0]


def test_percentages_are_not_rounded() -> None:
    """89.996% does not pass for 90%."""
    summary = read_report_bytes(b"SF:a\nLF:100000\nLH:89996\nend_of_record\n").summary
    assert summary["line"] == pytest.approx(89.996)
    assert summary["line"] < 90.0


def coverage_json(**changes: Any) -> bytes:
    counts = {"covered_lines": 1, "num_statements": 2}
    document = {"meta": {"format": 3}, "files": {"a.py": {"summary": counts}}, "totals": counts}
    return json.dumps(document | changes).encode()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"<coverage/>", "no line at all"),
        (b'<coverage lines-covered="11" lines-valid="10"/>', "more covered than there is"),
        (b"<coverage><class><lines><line/></lines></class></coverage>", "lacks its number"),
        (b'<coverage><class><lines><line number="1" hits="-1"/></lines></class></coverage>', "no count"),
        (
            b'<coverage><class><lines><line number="1" hits="1" branch="true"/></lines></class></coverage>',
            "does not say how many",
        ),
        (
            (
                b'<coverage><class><lines><line number="1" hits="1" branch="true" condition-coverage="(9/2)"/>'
                b"</lines></class></coverage>"
            ),
            "more covered than there is",
        ),
        (b"SF:a\nDA:1,1\n", "cut off"),
        (b"SF:a\nSF:b\nend_of_record\n", "does not end"),
        (b"TN:\nend_of_record\n", "did not begin"),
        (b"SF:a\nDA:one,1\nend_of_record\n", "no line of an LCOV file"),
        (b"SF:a\nDA:1,-3\nend_of_record\n", "no line of an LCOV file"),
        (b"SF:a\nDA:1,1\nLF:9\nend_of_record\n", "declares more lines"),
        (b"SF:a\n\x00\x01\nend_of_record\n", "no line of an LCOV file"),
        (b"SF:\xff\n", "UTF-8"),
        (b"TN:\n", "no line at all"),
        (coverage_json(files={}), "not the sum"),
        (coverage_json(files=[]), "no object"),
        (coverage_json(totals={"covered_lines": True, "num_statements": 2}), "no count"),
        (coverage_json(totals={"covered_lines": 1}), "no count"),
        (coverage_json(totals={"covered_lines": 10**400, "num_statements": 10**400}), "no count"),
        (coverage_json(files={"a.py": {}}), "no 'summary'"),
    ],
)
def test_what_is_malformed_or_covers_nothing_is_refused(data: bytes, words: str) -> None:
    """0 of 0 lines is not 100%, and half a report is not a report."""
    with pytest.raises(InvalidValue) as caught:
        # Some are too small to tell what they are.
        read_report_bytes(data, format_name="cobertura" if data.startswith(b"<coverage") else "")
    assert words in caught.value.diagnosis()
