"""Checks of infrastructure as code: Checkov, and policy reports as Kyverno writes them.

Sources: Checkov's JSON output (3.x); the Kubernetes policy working group's PolicyReport, `wgpolicyk8s.io/v1alpha2`,
and its successor `openreports.io/v1alpha1`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from shipline.capabilities.evidence.reports.findings import (
    Finding,
    Findings,
    ids_in,
    line_number,
    listed,
    number,
    table,
    tables,
    texts,
    word,
)
from shipline.capabilities.evidence.reports.report import Item, Reading
from shipline.capabilities.evidence.reports.severity import PLAIN, Severity
from shipline.capabilities.evidence.reports.source import WHOLE_BYTES_MAX, ReportFile
from shipline.clients.yaml_documents import read_documents
from shipline.domain.errors import InvalidValue

REPORT_KINDS = ("PolicyReport", "ClusterPolicyReport", "Report", "ClusterReport")
_RESULTS = ("pass", "fail", "warn", "error", "skip")


def read_checkov(file: ReportFile) -> Reading:
    """`-o json`: one document a framework, a list of them where there are several, or only counts where it found no
    file to check. Skipped checks are suppressed. Without a platform behind it Checkov does not rate: medium."""
    findings = Findings("checkov")
    return Reading(_checkov(file, findings), findings)


def _checkov(file: ReportFile, findings: Findings) -> Iterator[Item]:
    if file.value("checkov_version") is None:
        file.require("results.failed_checks", "item.results.failed_checks")
    listed_count, declared, passed = 0, 0.0, 0.0
    tops = ("", "item.")
    failed = {f"{top}results.failed_checks.item" for top in tops}
    skipped = {f"{top}results.skipped_checks.item" for top in tops}
    errors = {f"{top}results.parsing_errors.item" for top in tops}
    summaries = {f"{top}summary" for top in tops}
    counts = {"failed", "parsing_errors"}  # Of a document that lists nothing.
    for path, value in file.pieces(failed | skipped | errors | summaries | counts):
        if path in errors:
            findings.error(word(value))
        elif path == "failed":
            declared += number(value) or 0
        elif path == "parsing_errors":
            if number(value):
                findings.error(f"{number(value):.0f} files that could not be parsed")
        elif path in summaries:
            declared += number(table(value).get("failed")) or 0
            passed += number(table(value).get("passed")) or 0
        else:
            listed_count += path in failed
            yield findings.take(_of_checkov(table(value), findings, is_skipped=path in skipped))
    if declared > listed_count:
        raise InvalidValue(
            f"the Checkov report is incomplete: it counts {declared:.0f} failed checks, lists {listed_count}"
        )
    findings.tell(f"{passed:.0f} checks passed")


def _of_checkov(check: dict[str, Any], findings: Findings, *, is_skipped: bool) -> Finding:
    rule, resource = word(check.get("check_id")), word(check.get("resource"))
    if not rule:
        raise InvalidValue("a check in the Checkov report has no check_id")
    lines = check.get("file_line_range")
    path = (word(check.get("repo_file_path")) or word(check.get("file_path"))).lstrip("/")
    known = table(check.get("vulnerability_details"))
    return Finding(
        rule=rule,
        severity=findings.severity(check.get("severity"), PLAIN, otherwise=Severity.MEDIUM),
        said=word(check.get("severity")),
        title=check.get("check_name", ""),
        message=f"{word(check.get('check_name'))}: {resource}",
        path=path,
        line=line_number(lines[0]) if isinstance(lines, list) and lines else None,
        ids=ids_in(word(known.get("id"))),
        identity=(rule, path, resource),
        suppressed=is_skipped,
    )


def read_policy_report(file: ReportFile) -> Reading:
    """PolicyReports, alone or in a List, as JSON or YAML. `fail`, `warn` and `error` are findings; a report whose
    summary counts more of them than it lists is refused."""
    findings = Findings("kyverno")
    return Reading(_policy_report(file, findings), findings)


def _policy_report(file: ReportFile, findings: Findings) -> Iterator[Item]:
    if file.head().removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"{":
        documents: Any = [file.document()]
    else:
        documents = read_documents(file.whole(), what="the policy report", limit_bytes=WHOLE_BYTES_MAX)
    reports = [report for document in documents for report in _reports_in(document)]
    if not reports:
        raise InvalidValue("there is no policy report in the document", todo="known kinds: " + ", ".join(REPORT_KINDS))
    passed = 0
    for report in reports:
        scope = table(report.get("scope"))
        results = listed(report.get("results"), "the results of a policy report")
        _check_summary(table(report.get("summary")), results)
        for result in results:
            said = word(result.get("result"))
            if said not in _RESULTS:
                raise InvalidValue(
                    f"{said[:40]!r} is no result of a policy report", todo="known: " + ", ".join(_RESULTS)
                )
            passed += said in ("pass", "skip")
            if said not in ("pass", "skip"):
                for resource in tables(result.get("resources")) or [scope]:
                    yield findings.take(_of_policy(result, said, resource, findings))
    findings.tell(f"{passed} results passed or were skipped")


def _reports_in(document: Any) -> list[dict[str, Any]]:
    found = table(document)
    if word(found.get("kind")).endswith("List") or "items" in found:
        return [each for inner in listed(found.get("items"), "the items") for each in _reports_in(inner)]
    return [found] if found.get("kind") in REPORT_KINDS else []


def _check_summary(summary: dict[str, Any], results: list[dict[str, Any]]) -> None:
    for name in ("fail", "warn", "error"):
        declared, found = number(summary.get(name)) or 0, sum(result.get("result") == name for result in results)
        if declared > found:
            raise InvalidValue(f"the policy report is incomplete: it counts {declared:.0f} {name!r} and lists {found}")


_BY_RESULT = {"fail": Severity.MEDIUM, "error": Severity.HIGH, "warn": Severity.LOW}
"""For results whose policy rates nothing. An error is a policy that could not be judged."""


def _of_policy(result: dict[str, Any], said: str, resource: dict[str, Any], findings: Findings) -> Finding:
    policy, rule = word(result.get("policy")), word(result.get("rule"))
    named = [word(resource.get(name)) for name in ("namespace", "kind", "name")]
    return Finding(
        rule=f"{policy}/{rule}" if rule else policy,
        severity=findings.severity(result.get("severity"), PLAIN, otherwise=_BY_RESULT[said]),
        said=word(result.get("severity")) or said,
        title=f"{policy}: {said}",
        message=result.get("message") or result.get("description") or "",
        path="/".join(filter(None, named)),
        ids=ids_in(*texts(result.get("category"))),
        identity=(policy, rule, *named),
        tool=word(result.get("source")) or None,
    )
