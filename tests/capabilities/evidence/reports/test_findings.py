"""Findings: what scanners wrote comes out with totals counted by hand, stable fingerprints and no secret."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shipline.capabilities.evidence.reports import (
    Report,
    ReportFile,
    format_of,
    known_formats,
    read_report_bytes,
    read_summary,
)
from shipline.capabilities.evidence.reports.findings import bare_package_url, package_url, sorted_ids
from shipline.capabilities.evidence.reports.secrecy import masked
from shipline.capabilities.evidence.reports.severity import of_score
from shipline.domain.errors import InvalidValue

DATA = Path(__file__).parents[3] / "data" / "reports"

COUNTED = {
    # format: critical, high, medium, low, info; suppressed, errors
    "bandit/bandit-1.9.json": ("bandit", (0, 4, 0, 3, 0), 0, 1),
    "checkov/checkov-3.3.json": ("checkov", (0, 0, 2, 0, 0), 0, 0),
    "dependabot/alerts.json": ("dependabot", (1, 1, 0, 0, 0), 2, 0),
    "detect-secrets/detect-secrets-1.5.json": ("detect-secrets", (0, 3, 0, 0, 0), 0, 0),
    "gitlab/container.json": ("gitlab", (0, 1, 0, 0, 1), 0, 0),
    "gitlab/dependency.json": ("gitlab", (1, 1, 0, 0, 0), 0, 0),
    "gitlab/semgrep-sast.json": ("gitlab", (0, 2, 1, 0, 0), 0, 0),
    "gitlab/semgrep-secrets.json": ("gitlab", (0, 2, 1, 0, 0), 0, 0),
    "gitleaks/gitleaks-8.30.json": ("gitleaks", (0, 1, 0, 0, 0), 0, 0),
    "grype/image.json": ("grype", (1, 2, 0, 0, 1), 1, 0),
    "hadolint/hadolint-2.15.json": ("hadolint", (0, 0, 2, 0, 0), 0, 0),
    "mypy/mypy.jsonl": ("mypy-json", (0, 0, 1, 0, 0), 0, 0),
    "mypy/mypy.txt": ("mypy", (0, 0, 1, 0, 0), 0, 0),
    "npm-audit/npm-11.json": ("npm-audit-2", (1, 0, 1, 0, 0), 0, 0),
    "npm-audit/npm-6.json": ("npm-audit-1", (0, 1, 2, 0, 0), 0, 0),
    "osv-scanner/lockfile.json": ("osv-scanner", (0, 2, 1, 0, 0), 0, 0),
    "pip-audit/pip-audit-2.10.json": ("pip-audit", (0, 1, 0, 0, 0), 0, 0),
    "policy-report/list.json": ("policy-report", (0, 2, 2, 1, 0), 0, 0),
    "policy-report/report.yaml": ("policy-report", (0, 0, 1, 0, 0), 0, 0),
    "safety/safety-2.3.json": ("safety", (0, 1, 0, 0, 0), 0, 0),
    "sarif/hadolint-2.15.sarif": ("sarif", (0, 0, 2, 0, 0), 0, 0),
    "sarif/semgrep-1.185.sarif": ("sarif", (0, 2, 1, 0, 0), 1, 0),
    "sarif/two-runs.sarif": ("sarif", (2, 2, 2, 2, 0), 1, 1),
    "semgrep/semgrep-1.185.json": ("semgrep", (0, 2, 1, 0, 0), 0, 0),
    "snyk/project.json": ("snyk", (2, 0, 1, 0, 0), 1, 0),
    "trivy/image.json": ("trivy", (1, 2, 0, 0, 0), 1, 0),
    "trivy/trivy-0.59-folder.json": ("trivy", (1, 2, 2, 3, 0), 0, 0),
    "zizmor/zizmor-1.32.json": ("zizmor", (0, 2, 1, 0, 0), 0, 0),
}
SECRETS = ("ghp_Zx7QmT2vKp9LrW4sBn8YcD6fHj3GuE1aVo5i", "hunter2-but-longer")


def sample(name: str) -> bytes:
    return (DATA / name).read_bytes()


def read(name: str) -> Report:
    return read_report_bytes(sample(name))


def changed(name: str, **top: Any) -> bytes:
    """A sample with other values at its top; None takes a name out."""
    document = json.loads(sample(name)) | top
    return json.dumps({key: value for key, value in document.items() if value is not None}).encode()


def test_every_sample_is_counted() -> None:
    """No sample lies about unread."""
    assert {str(path.relative_to(DATA)) for path in DATA.glob("*/*")} >= set(COUNTED)
    scanners = {name for name, *_ in COUNTED.values()}
    assert {form.name for form in known_formats() if form.kind.value == "findings"} == scanners


@pytest.mark.parametrize("name", COUNTED)
def test_samples_have_the_totals_that_were_counted(name: str) -> None:
    """The format is found, each severity and what is suppressed are as a person counts them, and items add up."""
    report = read(name)
    form, severities, suppressed, errors = COUNTED[name]
    words = ("critical", "high", "medium", "low", "info")
    counted = dict(zip(words, severities, strict=True))
    assert report.format == form
    assert report.summary == {"total": sum(severities), **counted, "suppressed": suppressed, "errors": errors}
    still_open = [item for item in report.items if not item["suppressed"]]
    assert {word: sum(item["severity"] == word for item in still_open) for word in words} == counted
    assert len({item["fingerprint"] for item in report.items}) == len(report.items) == sum(severities) + suppressed
    assert all(item["rule"] and item["title"] for item in report.items)


@pytest.mark.parametrize("name", COUNTED)
def test_one_probe_fits_whatever_the_order_of_names(name: str) -> None:
    """Sorted names and names from behind tell the same format."""
    data = sample(name)
    if not data.startswith((b"{", b"[")) or name.endswith("jsonl"):
        assert format_of(ReportFile.of(data)).name == COUNTED[name][0]
        return
    document = json.loads(data)
    backwards = json.dumps(reversed_names(document)).encode()
    for other in (json.dumps(document, sort_keys=True).encode(), backwards):
        assert format_of(ReportFile.of(other)).name == COUNTED[name][0]
        assert read_report_bytes(other).summary == read(name).summary


def reversed_names(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: reversed_names(value[key]) for key in reversed(value)}
    return [reversed_names(each) for each in value] if isinstance(value, list) else value


@pytest.mark.parametrize("name", COUNTED)
def test_no_secret_comes_through(name: str) -> None:
    """What a scanner has found stands in its report, and nowhere in ours."""
    document = json.dumps(read(name).document())
    assert not [secret for secret in SECRETS if secret in document]


def test_secrets_in_messages_are_masked() -> None:
    """Known shapes anywhere, quoted words where a secret is said to be found; names in other messages stay."""
    assert masked("uses AKIAZ7QX4JXH2M5NQPLT here") == "uses … here"
    assert masked("clone https://joe:s3cret@example.org/x") == "clone https://…@example.org/x"
    assert masked("Possible hardcoded password: 'hunter2'") == "Possible hardcoded password: '…'"
    assert masked('"get_token" of "Client" has no return') == '"get_token" of "Client" has no return'


def test_items_say_where_what_and_how_to_mend() -> None:
    """The fields that gates, waivers and people need, from formats of each sort."""
    trivy = read("trivy/image.json").items[0]
    assert trivy == {
        "tool": "trivy",
        "rule": "CVE-2023-4911",
        "title": "glibc: buffer overflow in ld.so",
        "message": "Long.",
        "severity": "high",
        "said": "HIGH",
        "location": {"path": "shop:1 (debian 12.1)", "line": None},
        "package": "pkg:deb/debian/libc6",
        "version": "2.36-9",
        "fixed_version": "2.36-9+deb12u3",
        "ids": ["CVE-2023-4911", "CWE-122"],
        "fingerprint": trivy["fingerprint"],
        "suppressed": False,
    }
    bandit = next(item for item in read("bandit/bandit-1.9.json").items if item["rule"] == "B324")
    assert bandit["location"] == {"path": "src/shop.py", "line": 14}
    assert bandit["ids"] == ["CWE-327"]
    osv = read("osv-scanner/lockfile.json").items[0]
    assert osv["ids"] == ["CVE-2019-10906", "CWE-693", "GHSA-462w-v97r-4m45", "PYSEC-2019-217"]
    assert (osv["package"], osv["fixed_version"]) == ("pkg:pypi/jinja2", "2.10.1")
    assert osv["location"] == {"path": "/srv/shop/requirements.txt", "line": None}
    zizmor = read("zizmor/zizmor-1.32.json").items[-1]
    assert zizmor["location"]["path"] == ".github/workflows/ci.yml"


def test_sarif_resolves_what_results_leave_to_their_run() -> None:
    """Rules by number, id, deeper id and extension; messages by id; paths by base and by number."""
    items = read("sarif/two-runs.sarif").items
    assert [item["tool"] for item in items] == ["One"] * 6 + ["Two"] * 3
    assert (items[0]["location"], items[0]["ids"]) == ({"path": "src/a.py", "line": 3}, ["CWE-89"])
    assert (items[2]["message"], items[2]["location"]["path"]) == ("this is named", "src/by number.py")
    assert (items[6]["rule"], items[6]["severity"], items[8]["rule"]) == ("ext", "high", "unnamed")


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("sarif", changed("sarif/two-runs.sarif", version="2.0.0"), "2.0.0"),
        ("sarif", changed("sarif/two-runs.sarif", runs=[]), "no run"),
        ("sarif", changed("sarif/two-runs.sarif", runs=[{"tool": {"driver": {"name": "X"}}}]), "it has not looked"),
        (
            "sarif",
            changed("sarif/two-runs.sarif", runs=[{"results": [], "invocations": [{"executionSuccessful": False}]}]),
            "failed and found nothing",
        ),
        (
            "sarif",
            changed(
                "sarif/two-runs.sarif",
                runs=[{"externalPropertyFileReferences": {"results": [{"location": {"uri": "r.json"}}]}}],
            ),
            "in other files",
        ),
        ("sarif", changed("sarif/two-runs.sarif", runs=[{"results": {}}]), "is no list"),
        ("bandit", changed("bandit/bandit-1.9.json", results=None), "no list 'results'"),
        ("bandit", changed("bandit/bandit-1.9.json", results={}), "no list 'results'"),
        ("trivy", changed("trivy/image.json", Results={}), "is no list"),
        ("detect-secrets", changed("detect-secrets/detect-secrets-1.5.json", results=[]), "no object 'results'"),
        ("osv-scanner", changed("osv-scanner/lockfile.json", results=[{"packages": {"x": 1}}]), "is no list"),
        ("bandit", changed("bandit/bandit-1.9.json", results=[{"test_id": 1}]), "no 'test_id'"),
        ("trivy", changed("trivy/image.json", SchemaVersion=1), "schema version 2"),
        ("npm-audit-2", changed("npm-audit/npm-11.json", vulnerabilities={}), "incomplete"),
        ("npm-audit-1", changed("npm-audit/npm-6.json", advisories={}), "incomplete"),
        ("safety", changed("safety/safety-2.3.json", vulnerabilities=[]), "incomplete"),
        (
            "npm-audit-2",
            changed("npm-audit/npm-11.json", vulnerabilities={"a": {"via": ["b"]}, "b": {"via": ["a"]}}, metadata={}),
            "no advisory says why",
        ),
        ("checkov", b'{"passed": 9, "failed": 2, "parsing_errors": 0, "checkov_version": "3.3"}', "incomplete"),
        ("pip-audit", b'{"dependencies": [{"name": "a", "version": "1"}], "fixes": []}', "does not say whether a is"),
        ("trivy", b'{"ClusterName": "c", "Findings": {}}', "is no list"),
        ("snyk", changed("snyk/project.json", error="no such file"), "could not test"),
        ("gitlab", changed("gitlab/container.json", scan={"type": "x", "status": "failure"}), "has failed"),
        ("mypy", b"a.py:1: error: no  [x]\n", "cut off"),
        ("mypy", b"a.py:1: error: no  [x]\nFound 2 errors in 1 file (checked 1 source file)\n", "cut off"),
        ("policy-report", sample("policy-report/report.yaml").replace(b"fail: 1", b"fail: 2"), "incomplete"),
        ("policy-report", sample("policy-report/report.yaml").replace(b"result: pass", b"result: perhaps"), "perhaps"),
        ("hadolint", b"{}", "not of the format"),
    ],
)
def test_what_is_not_whole_is_refused(name: str, data: bytes, words: str) -> None:
    """A report that says less than it counts, or comes of a scan that failed, is no evidence."""
    with pytest.raises(InvalidValue) as caught:
        read_report_bytes(data, format_name=name)
    assert words in caught.value.diagnosis()


def test_what_stands_in_a_part_of_its_own_counts() -> None:
    """Resources of a cluster's summary, and those that could not be scanned; applications in a container."""
    flaw = {"VulnerabilityID": "CVE-2026-1", "Severity": "CRITICAL", "PkgName": "x"}
    resources = [{"Results": [{"Target": "t", "Vulnerabilities": [flaw]}]}, {"Error": "no such image"}]
    for part in ("Resources", "Findings"):
        cluster = read_report_bytes(json.dumps({"ClusterName": "c", part: resources}).encode())
        assert (cluster.summary["critical"], cluster.notes) == (1, ("not looked at: no such image",))
    project = json.loads(sample("snyk/project.json"))
    container = {**project, "vulnerabilities": [], "filtered": {}, "applications": [project]}
    assert read_report_bytes(json.dumps(container).encode()).summary == read("snyk/project.json").summary


def test_an_empty_list_needs_a_name_and_then_says_that_nothing_was_found() -> None:
    """gitleaks, Hadolint, zizmor and GitHub write the same where there is nothing."""
    assert read_report_bytes(b"[]", format_name="gitleaks").summary["total"] == 0
    assert read_report_bytes(b"Success: no issues found in 3 source files\n").summary["total"] == 0


def test_what_nobody_rated_is_high_and_said() -> None:
    """A new word for a severity cannot pass for a harmless one."""
    report = read_report_bytes(sample("hadolint/hadolint-2.15.json").replace(b'"warning"', b'"grave"'))
    assert report.summary["high"] == 2
    assert report.notes == ("2 of unknown severity 'grave' count as high",)


@pytest.mark.parametrize("name", [name for name in COUNTED if not name.startswith(("policy", "dependabot"))])
def test_fingerprints_stay_when_lines_move(name: str) -> None:
    """The same findings some lines further down are the same; none is doubled or lost."""
    before = read(name)
    after = read_report_bytes(moved(sample(name)))
    assert [item["fingerprint"] for item in after.items] == [item["fingerprint"] for item in before.items]


def test_file_is_the_same_in_its_folder_and_from_it() -> None:
    """`bandit -r .` writes `./src/a.py`, and `bandit -r src` writes `src/a.py`."""
    below, there = (
        read_report_bytes(
            json.dumps(
                {
                    "results": [
                        {
                            "test_id": "B101",
                            "test_name": "assert_used",
                            "issue_severity": "LOW",
                            "issue_confidence": "HIGH",
                            "issue_text": "x",
                            "filename": path,
                            "line_number": 1,
                        }
                    ],
                    "errors": [],
                    "metrics": {},
                }
            ).encode(),
            format_name="bandit",
        ).items[0]
        for path in ("./src/a.py", "src/a.py")
    )
    assert below == there
    assert there["location"] == {"path": "src/a.py", "line": 1}


def moved(data: bytes) -> bytes:
    names = ("line", "line_number", "StartLine", "startLine", "start_line", "row")
    text = data.decode()
    for name in names:
        for number in range(60, 0, -1):
            text = text.replace(f'"{name}": {number},', f'"{name}": {number + 7},')
    return text.encode()


def test_equal_findings_at_two_places_are_two() -> None:
    """Two calls of the same kind in one file, in every format that lists both."""
    for name in ("bandit/bandit-1.9.json", "semgrep/semgrep-1.185.json", "sarif/semgrep-1.185.sarif"):
        rules = [item["rule"] for item in read(name).items if not item["suppressed"]]
        assert max(rules.count(rule) for rule in rules) >= 2


def test_the_same_words_about_packages_and_numbers() -> None:
    """Package URLs as the specification has them, without versions; CVE, CWE and GHSA in one spelling."""
    assert package_url("pip", "Jinja_2") == "pkg:pypi/jinja-2"
    assert package_url("npm", "@scope/name") == "pkg:npm/%40scope/name"
    assert package_url("maven", "org.x:y") == "pkg:maven/org.x/y"
    assert package_url("debian", "libc6") == "pkg:deb/debian/libc6"
    assert package_url("gomod", "github.com/a/b") == "pkg:golang/github.com/a/b"
    assert bare_package_url("pkg:npm/%40scope/name@1.0.0?x=y#z") == "pkg:npm/%40scope/name"
    assert sorted_ids(["cwe-079", "CWE_89", "cve-2020-1234", "GHSA-462W-V97R-4M45", "", "no id"]) == [
        "CVE-2020-1234", "CWE-79", "CWE-89", "GHSA-462w-v97r-4m45",
    ]  # fmt: skip
    assert [of_score(score).value for score in (10, 9.0, 8.9, 7, 4, 3.9, 0)] == [
        "critical", "critical", "high", "high", "medium", "low", "info",
    ]  # fmt: skip


class Counting(io.BytesIO):
    """A file that remembers how much of it was held at once."""

    most = 0

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        self.most = max(self.most, len(data))
        return data


def test_a_long_report_is_read_in_pieces() -> None:
    """A report of several megabytes is never in memory whole, and its first item comes before its end was read."""
    result = {"ruleId": "r", "message": {"text": "x" * 400}, "locations": []}
    runs = [{"tool": {"driver": {"name": "T"}}, "results": [result] * 10_000}]
    file = Counting(json.dumps({"version": "2.1.0", "runs": runs}).encode())
    size = len(file.getvalue())
    form = next(form for form in known_formats() if form.name == "sarif")
    items = form.read(ReportFile(file, size)).items
    next(items)
    assert file.tell() < size
    assert sum(1 for _ in items) == 9_999
    assert file.most < size / 4


def test_a_report_beyond_the_limit_is_refused_unread() -> None:
    """By its size alone."""
    with pytest.raises(InvalidValue, match="larger than 512 MiB"):
        read_summary(ReportFile(io.BytesIO(), 1 << 30), format_name="sarif")


EXAMPLES = int(os.environ.get("SHIPLINE_FUZZ_EXAMPLES", "150"))
SAMPLES = sorted(COUNTED)
ODD: list[Any] = [
    10**400,
    None,
    True,
    -1,
    10**30,
    1.5,
    "",
    "x",
    "\ud800",
    [],
    {},
    [None],
    {"": None},
    ["x"],
    [[]],
    [{}],
]


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.data())
def test_whatever_is_changed_is_read_or_refused(data: st.DataObject) -> None:
    """Values exchanged and names taken out anywhere in a document, or bytes cut: a report or InvalidValue."""
    name = data.draw(st.sampled_from(SAMPLES))
    content = sample(name)
    if content.startswith((b"{", b"[")) and data.draw(st.booleans()):
        document = json.loads(content) if not name.endswith("jsonl") else [json.loads(content)]
        places = list(places_in(document))
        for _ in range(data.draw(st.integers(1, 3))):
            holder, key = data.draw(st.sampled_from(places))
            holder[key] = data.draw(st.sampled_from(ODD))
        content = json.dumps(document).encode()
    else:
        start = data.draw(st.integers(0, len(content)))
        end = data.draw(st.integers(start, min(len(content), start + 40)))
        content = content[:start] + data.draw(st.binary(max_size=8)) + content[end:]
    try:
        report = read_report_bytes(content, format_name=data.draw(st.sampled_from(["", COUNTED[name][0]])))
    except InvalidValue:
        return
    json.dumps(report.document()).encode()


def places_in(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every place in a document, as what holds it and its name or number."""
    for key in list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        yield value, key
        yield from places_in(value[key])


def test_a_number_of_hundreds_of_digits_is_none() -> None:
    """In a score the level counts, in a place nothing is named; it is no error of ours."""
    place = {"artifactLocation": {"uri": "a.py"}, "region": {"startLine": 10**400}}
    result = {"ruleId": "r", "level": "error", "message": {"text": "m"}, "locations": [{"physicalLocation": place}]}
    result["properties"] = {"security-severity": 10**400}
    run = {"tool": {"driver": {"name": "t"}}, "results": [result]}
    (found,) = read_report_bytes(json.dumps({"version": "2.1.0", "runs": [run]}).encode()).items
    assert (found["severity"], found["location"]) == ("high", {"path": "a.py", "line": None})


def test_a_secret_at_the_end_of_a_long_word_is_masked_before_it_is_cut() -> None:
    """All of it but a sign would be left, and nothing would know it for a secret."""
    secret = "AKIA" + "Q7XW2NPD5KJ3TZ6B"
    path = "p/" + "a" * (400 - len(secret) - 2) + "/" + secret
    place = {"artifactLocation": {"uri": path}}
    result = {"ruleId": "r", "message": {"text": "m"}, "locations": [{"physicalLocation": place}]}
    run = {"tool": {"driver": {"name": "t"}}, "results": [result]}
    (found,) = read_report_bytes(json.dumps({"version": "2.1.0", "runs": [run]}).encode()).items
    assert found["location"]["path"].endswith("aa/…")
