"""Two coverage reports: what changed in the whole, by file and package, and in the lines of a diff."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from shipline.capabilities.evidence.comparison import compare, read_diff
from shipline.capabilities.evidence.reports import Report, read_report_bytes
from shipline.domain.errors import InvalidValue
from tests.capabilities.evidence.reports.test_samples import sample


def lcov(**files: list[int]) -> Report:
    """A report on files whose lines ran so often: `a_py` is `src/a.py`."""
    text = ""
    for name, hits in files.items():
        lines = "".join(f"DA:{number},{count}\n" for number, count in enumerate(hits, start=1))
        text += f"SF:src/{name.replace('_', '.')}\n{lines}end_of_record\n"
    return read_report_bytes(text.encode())


def test_the_difference_is_told_by_file_and_package() -> None:
    """From 3 of 4 lines to 3 of 5, in percentage points; what is as it was is left out."""
    found = compare(lcov(a_py=[1, 1], b_py=[1, 0]), lcov(a_py=[1, 1], b_py=[1, 0], c_py=[0])).difference
    assert found.summary["line_change"] == pytest.approx(-15.0)
    assert found.facts == {"coverage": {"change": pytest.approx(-15.0)}}
    assert [(item["scope"], item["path"], item["line_before"], item["line_after"]) for item in found.items] == [
        ("package", "src", 75.0, 60.0),
        ("file", "src/c.py", None, 0.0),
    ]


DIFF = b"""diff --git a/lib/src/a.py b/lib/src/a.py
--- a/lib/src/a.py
+++ b/lib/src/a.py
@@ -1,2 +1,3 @@
 one
+++ two, which looks like a header
-gone
+three
diff --git a/README.md b/README.md
--- a/README.md
+++ b/README.md
@@ -0,0 +1 @@
+words
\\ No newline at end of file
diff --git a/old.py b/old.py
--- a/old.py
+++ /dev/null
@@ -1 +0,0 @@
-gone
"""


def test_a_diff_says_which_lines_were_written() -> None:
    """Headers in a hunk are lines; a file that was deleted has none."""
    assert read_diff(DIFF) == {"lib/src/a.py": {2, 3}, "README.md": {1}}
    assert read_diff(b"") == {}


def test_lines_of_a_diff_are_looked_up_by_the_end_of_their_path() -> None:
    """Line 2 ran, line 3 did not, and what no coverage is measured of does not count."""
    found = compare(lcov(a_py=[1, 1, 1]), lcov(a_py=[1, 1, 0]), changed=read_diff(DIFF)).difference
    assert (found.summary["patch"], found.summary["patch_lines"]) == (50.0, 2)
    assert found.facts["coverage"] == {"change": pytest.approx(-100 / 3), "patch_lines": 2, "patch": 50.0}
    assert found.items[-1] == {
        "scope": "patch",
        "path": "lib/src/a.py",
        "lines_covered": 1,
        "lines_total": 2,
        "missed_lines": [[3, 3]],
    }


def test_no_line_that_could_run_leaves_the_patch_unknown() -> None:
    """0 of 0 is not 100%: a gate that asks for it says UNKNOWN, unless it asks for the lines first."""
    found = compare(lcov(a_py=[1]), lcov(a_py=[1]), changed=read_diff(DIFF[DIFF.index(b"diff --git a/README") :]))
    assert found.difference.facts["coverage"] == {"change": 0.0, "patch_lines": 0}


def test_what_may_be_several_files_is_not_guessed() -> None:
    """A note says so."""
    text = b"".join(b"SF:%s/a.py\nDA:2,1\nend_of_record\n" % top for top in (b"one", b"two"))
    head = read_report_bytes(text)
    changed = {"a.py": frozenset({2}), "x/two/a.py": frozenset({2})}
    found = compare(head, head, changed=changed).difference
    assert found.notes == ("several files of the report may be a.py",)
    assert found.summary["patch_lines"] == 1


def test_a_changed_file_that_is_not_in_the_report_is_named() -> None:
    """A new module that no test imports looks like 100% otherwise. What no coverage is measured of is no news."""
    head = lcov(a_py=[1, 1, 1])
    changed = read_diff(DIFF) | {"lib/src/new.py": frozenset({1})}
    notes = compare(head, head, changed=changed).difference.notes
    assert notes == ("lib/src/new.py is not in the report: its changed lines count for nothing",)


def test_a_report_without_lines_says_so() -> None:
    """The JaCoCo that gcovr writes has totals for each file alone."""
    report = sample("gcovr/jacoco.xml")
    found = compare(report, report, changed={"src/example.cpp": frozenset({7})}).difference
    assert found.notes == ("the report does not list the lines of src/example.cpp",)


def test_diffs_of_git_are_read(tmp_path: Path) -> None:
    """Also of names that git quotes."""
    name = 'ä "quoted".py'
    for text in ("one\n", "one\ntwo\nthree"):
        (tmp_path / name).write_text(text)
        command = ["git", "diff", "--no-index", "--no-color", "/dev/null", name]
        data = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False).stdout
        assert read_diff(data) == {name: set(range(1, text.count("\n") + 1 + (not text.endswith("\n"))))}


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"not a diff", "no unified diff"),
        (b"@@ -1 +1 @@\n-a\n+b\n", "belongs to no file"),
        (b"--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n-a\n+b\n", "cut off"),
        (b"--- a/x\n+++ b/x\n@@ -1 +1,9 @@\n-a\n+b\ndiff --git a/y b/y\n", "cut off"),
        (b"diff --cc x\n--- a/x\n+++ b/x\n@@@ -1 -1 +1 @@@\n", "merge"),
    ],
)
def test_what_is_no_whole_diff_is_refused(data: bytes, words: str) -> None:
    """Lines that are lost would count as not changed."""
    with pytest.raises(InvalidValue, match=words):
        read_diff(data)


def test_reports_of_two_kinds_are_not_compared() -> None:
    """Nor those of which nothing is known to compare, nor with what has no meaning for them."""
    tests, sizes, page = (sample(name) for name in ("jest/junit.xml", "esbuild/meta.json", "lighthouse/page.json"))
    pairs: list[tuple[Report, Report, dict[str, Any], str]] = [
        (tests, sizes, {}, "cannot be compared with"),
        (page, page, {}, "cannot be compared"),
        (sizes, sizes, {"changed": {}}, "changed lines say nothing"),
        (sizes, sizes, {"tolerance_percent": 1.0}, "a tolerance says nothing"),
    ]
    for base, head, more, words in pairs:
        with pytest.raises(InvalidValue, match=words):
            compare(base, head, **more)
