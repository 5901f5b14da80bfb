"""JUnit XML: dialects as their tools write them, totals counted by hand, and reports that must not pass."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from shipline.capabilities.evidence.reports import read_report_bytes
from shipline.capabilities.evidence.reports.junit import CASES_MAX, read_junit
from shipline.domain.errors import InvalidValue

DATA = Path(__file__).parent / "data"

QUOTES_TESTS = """
import pytest

def test_passes(): assert True
def test_fails(): assert 1 == 2
@pytest.fixture
def broken(): raise RuntimeError("no database")
def test_errors(broken): pass
@pytest.mark.skip(reason="later")
def test_is_skipped(): pass
@pytest.mark.xfail
def test_is_expected_to_fail(): assert False
@pytest.fixture
def breaks_after():
    yield
    raise RuntimeError("teardown")
def test_fails_twice(breaks_after): assert False
@pytest.mark.parametrize("word", ["<&>", "\\x01", "é"])
def test_words(word): pass
"""


def figures(data: bytes) -> tuple[int, ...]:
    summary = read_junit(data).summary
    return tuple(summary[name] for name in ("total", "passed", "failed", "errors", "skipped"))


def run_pytest(folder: Path, family: str) -> bytes:
    (folder / "test_quotes.py").write_text(QUOTES_TESTS, encoding="utf-8")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "COV"))}
    options = ["-q", "-p", "no:cacheprovider", "--junit-xml=report.xml", "-o", f"junit_family={family}"]
    command = [sys.executable, "-m", "pytest", *options, "--rootdir=.", "-c", os.devnull, "test_quotes.py"]
    subprocess.run(command, cwd=folder, env=environment, capture_output=True, check=False, timeout=120)
    return (folder / "report.xml").read_bytes()


@pytest.mark.parametrize("family", ["xunit1", "xunit2"])
def test_reads_what_pytest_writes(tmp_path: Path, family: str) -> None:
    """Four pass, two fail, one of these breaks in its teardown as well, one errors, two are skipped (one xfail)."""
    report = read_report_bytes(run_pytest(tmp_path, family))
    assert report.tool == "pytest"
    assert report.summary["total"] == len(report.items) == 10
    assert {name: report.summary[name] for name in ("passed", "failed", "errors", "skipped")} == {
        "passed": 4,
        "failed": 2,
        "errors": 2,
        "skipped": 2,
    }
    failed = [item for item in report.items if item["name"] == "test_fails"]
    assert failed[0]["status"] == "failed"
    assert "assert 1 == 2" in failed[0]["message"]


@pytest.mark.parametrize(
    ("name", "tool", "expected"),
    [
        ("surefire.xml", "surefire", (5, 2, 1, 1, 1)),
        ("gotestsum.xml", "gotestsum", (4, 2, 1, 0, 1)),
        ("nested.xml", "junit", (4, 2, 0, 1, 1)),
    ],
)
def test_dialects_are_counted(name: str, tool: str, expected: tuple[int, ...]) -> None:
    """(total, passed, failed, errors, skipped), counted by hand in the file."""
    data = (DATA / name).read_bytes()
    assert read_report_bytes(data).tool == tool
    assert figures(data) == expected


def test_cases_keep_their_times_words_and_retries() -> None:
    """Surefire groups thousands, repeats what was flaky and puts words into `message`, the text or the type."""
    items = {item["name"]: item for item in read_junit((DATA / "surefire.xml").read_bytes()).items}
    assert items["rejects"]["seconds"] == 1200.5
    assert items["rejects"]["message"] == "expected: <400> but was: <200>"
    assert items["connects"]["message"] == "java.net.ConnectException: refused"
    assert items["retries"]["flaky"]
    assert items["retries"]["status"] == "passed"
    assert not items["rejects"]["flaky"]


def test_decimal_comma_and_missing_time_are_read() -> None:
    """`0,25` is a quarter of a second; an empty time is none."""
    items = {item["name"]: item for item in read_junit((DATA / "nested.xml").read_bytes()).items}
    assert items["a"]["seconds"] == 0.25
    assert items["b"]["seconds"] is None
    assert items["inner two"]["message"] == "the database did not start"


def test_utf16_and_namespaces_are_read() -> None:
    """The encoding is what the declaration says; a namespace does not hide a suite."""
    text = '<?xml version="1.0" encoding="UTF-16"?><testsuite xmlns="urn:x" tests="1"><testcase name="ä"/></testsuite>'
    assert read_report_bytes(text.encode("utf-16")).items[0]["name"] == "ä"


def test_long_message_is_shortened_visibly() -> None:
    """A message keeps its first thousand characters and ends in an ellipsis."""
    data = b'<testsuite><testcase name="a"><failure>' + b"x" * 5000 + b"</failure></testcase></testsuite>"
    message = read_junit(data).items[0]["message"]
    assert len(message) == 1000
    assert message.endswith("…")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b'<testsuite name="s" tests="2"><testcase name="a"/></testsuite>', "declares 2 tests"),
        (b'<testsuites tests="1"/>', "incomplete"),
        (b'<testsuite tests="1" failures="1"><testcase name="a"/></testsuite>', "incomplete"),
        (b'<testsuite tests="1" errors="1"><testcase name="a"/></testsuite>', "incomplete"),
        (b'<testsuite tests="-1"/>', "no count"),
        (b'<testsuite tests="1e9"/>', "no count"),
        (b'<testsuite><testcase time="soon"/></testsuite>', "no time"),
        (b'<testsuite><testcase time="nan"/></testsuite>', "no time"),
        (b'<testsuite><testcase time="-1"/></testsuite>', "no time"),
        (b'<testsuite><testcase name="a">', "not well-formed"),
        (b'<testsuite><testcase name="\x00"/></testsuite>', "not well-formed"),
        (b"<testsuite>" + b"\x00" * 100, "not well-formed"),
        (b"<testsuite>" * 100_000, "levels deep"),
        (b"<html/>", "starts with <testsuites>"),
        (b'<?xml version="1.0" encoding="x-none"?><testsuite/>', "XML"),
        ((DATA / "billion_laughs.xml").read_bytes(), "entities"),
        ((DATA / "external_entity.xml").read_bytes(), "entities"),
        ((DATA / "attribute_defaults.xml").read_bytes(), "attributes of its own"),
    ],
)
def test_what_is_malformed_or_incomplete_is_refused(data: bytes, words: str) -> None:
    """Nothing is counted from half a report, and no entity is expanded."""
    with pytest.raises(InvalidValue) as caught:
        read_junit(data)
    assert words in caught.value.diagnosis()


def test_each_truncation_of_a_report_is_refused() -> None:
    """However many of its last bytes are lost (but for the line's end), the report does not pass for a smaller one."""
    whole = (DATA / "gotestsum.xml").read_bytes().rstrip()
    for length in range(1, len(whole)):
        with pytest.raises(InvalidValue):
            read_report_bytes(whole[:length])


@pytest.mark.parametrize(
    ("attribute", "expected"),
    [
        ('status="failed"', (1, 0, 1, 0, 0)),
        ('status="fail"', (1, 0, 1, 0, 0)),
        ('result="Failure"', (1, 0, 1, 0, 0)),
        ('result="ERROR"', (1, 0, 0, 1, 0)),
        ('status="run" result="completed"', (1, 1, 0, 0, 0)),
    ],
)
def test_a_case_that_says_itself_that_it_failed_has_not_passed(attribute: str, expected: tuple[int, ...]) -> None:
    """Some tools write the attribute and no child."""
    assert figures(f'<testsuite><testcase name="a" {attribute}/></testsuite>'.encode()) == expected


def test_more_cases_than_anybody_has_are_refused() -> None:
    """They take forty times the memory that they take in the file."""
    with pytest.raises(InvalidValue, match="more than 500000 tests"):
        read_junit(b"<testsuite>" + b"<testcase/>" * (CASES_MAX + 1) + b"</testsuite>")


def test_an_assertion_that_quotes_a_token_does_not_pass_it_on() -> None:
    token = "ghp_" + "a1" * 18
    data = f'<testsuite><testcase name="a"><failure message="assert {token} == None"/></testcase></testsuite>'.encode()
    assert read_junit(data).items[0]["message"] == "assert … == None"
