"""Trivy's `--format json`, schema version 2, of images, folders and repositories: vulnerabilities, misconfigurations,
secrets and licences. Of a cluster (`trivy k8s`, whole or as a summary), all resources' results; a resource that could
not be scanned is an error.

What Trivy was told to ignore (`ExperimentalModifiedFindings`) is suppressed. Of secrets, neither `Match` nor `Code` is
read. Source: Trivy's pkg/types/report.go, pkg/k8s/report/report.go and its documentation of the JSON format.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from shipline.capabilities.evidence.reports.findings import (
    Finding,
    Findings,
    bare_package_url,
    line_number,
    package_url,
    table,
    texts,
    word,
)
from shipline.capabilities.evidence.reports.report import Item, Reading
from shipline.capabilities.evidence.reports.severity import PLAIN
from shipline.capabilities.evidence.reports.source import ReportFile
from shipline.domain.errors import InvalidValue

ARTIFACT = "Results.item"
CLUSTER = ("Resources", "Findings", "Vulnerabilities", "Misconfigurations")
"""Lists of resources: of a whole report, of a summary, and of older versions, which list two kinds apart."""
_LISTS = ("Vulnerabilities", "Misconfigurations", "Secrets", "Licenses", "ExperimentalModifiedFindings")


def read_trivy(file: ReportFile) -> Reading:
    """Each result is about a target; targets are read first, since nothing says that they come before their lists."""
    findings = Findings("trivy")
    return Reading(_trivy(file, findings), findings)


def _trivy(file: ReportFile, findings: Findings) -> Iterator[Item]:
    if file.value("SchemaVersion") != 2 and file.value("ClusterName") is None:
        raise InvalidValue("of Trivy's JSON, schema version 2 is read", todo="run Trivy again, 0.20 or later")
    for _, error in file.pieces([f"{name}.item.Error" for name in CLUSTER], lists=CLUSTER):
        findings.error(word(error))
    for start in (ARTIFACT, *(f"{name}.item.{ARTIFACT}" for name in CLUSTER)):
        targets = file.labels(start, ["Target", "Type"])
        lists = {f"{start}.{name}.item": name for name in _LISTS}
        place = -1
        for path, value in file.pieces(lists, [start]) if targets else ():
            if path == start:
                place += 1
            elif table(value).get("Status") != "PASS":  # Misconfigurations may be listed with the checks that passed.
                yield findings.take(_finding(lists[path], value, targets[place], findings))


def _finding(kind: str, value: Any, target: dict[str, Any], findings: Findings) -> Finding:
    entry = table(value)
    if kind == "ExperimentalModifiedFindings":
        inner = {"vulnerability": "Vulnerabilities", "misconfiguration": "Misconfigurations", "secret": "Secrets"}
        named = inner.get(word(entry.get("Type")), "Licenses")
        return _of_kind(named, table(entry.get("Finding")), target, findings, is_suppressed=True)
    return _of_kind(kind, entry, target, findings, is_suppressed=False)


def _of_kind(
    kind: str, entry: dict[str, Any], target: dict[str, Any], findings: Findings, *, is_suppressed: bool
) -> Finding:
    rule = next((word(entry[name]) for name in ("VulnerabilityID", "ID", "RuleID", "Name") if name in entry), "")
    if not rule:
        raise InvalidValue(f"an entry under {kind!r} in the Trivy report does not say what it is")
    said, name = entry.get("Severity"), word(entry.get("PkgName"))
    place, manager = word(target.get("Target")), word(target.get("Type"))
    found = table(table(entry.get("PkgIdentifier"))).get("PURL")
    cause = table(entry.get("CauseMetadata"))
    return Finding(
        rule=rule,
        severity=findings.severity(said, PLAIN),
        said=word(said),
        title=entry.get("Title") or f"{rule} in {name or place}",
        message=entry.get("Message") or entry.get("Description") or "",
        path=word(entry.get("PkgPath")) or word(entry.get("FilePath")) or place,
        line=line_number(entry.get("StartLine", cause.get("StartLine"))),
        package=(bare_package_url(found) or package_url(manager, name)) if name else None,
        version=word(entry.get("InstalledVersion")),
        fixed_version=word(entry.get("FixedVersion")),
        ids=[rule, *texts(entry.get("VendorIDs")), *texts(entry.get("CweIDs")), word(entry.get("AVDID"))],
        identity=(rule, place) if kind == "Secrets" else (),
        suppressed=is_suppressed or entry.get("Status") == "EXCEPTION",
    )
