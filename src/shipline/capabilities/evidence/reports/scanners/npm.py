"""`npm audit --json`: of npm 6 (`advisories`) and since npm 7 (`auditReportVersion` 2).

A finding is an advisory for a package; npm itself counts vulnerable packages (7) or paths to them (6), so its totals
are other ones. They are taken for a check: a report that counts and lists nothing is cut off. Sources: npm's
documentation of `npm audit`; npm-audit-report and @npmcli/metavuln-calculator, which write them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from shipline.capabilities.evidence.reports.findings import (
    Finding,
    Findings,
    ids_in,
    listed,
    number,
    package_url,
    table,
    tables,
    texts,
    word,
)
from shipline.capabilities.evidence.reports.report import Item, Reading
from shipline.capabilities.evidence.reports.severity import PLAIN
from shipline.capabilities.evidence.reports.source import ReportFile
from shipline.domain.errors import InvalidValue


def read_npm_audit_1(file: ReportFile) -> Reading:
    """Of npm 6: one finding for each version of the package that the advisory is about."""
    findings = Findings("npm-audit")
    return Reading(_npm_6(file, findings), findings)


def _npm_6(file: ReportFile, findings: Findings) -> Iterator[Item]:
    file.require("advisories", of="object")
    count = 0
    for number_of, each in file.members("advisories"):
        advisory = table(each)
        name = word(advisory.get("module_name"))
        if not name:
            raise InvalidValue("an advisory in the npm report has no module_name")
        said = advisory.get("severity")
        severity = findings.severity(said, PLAIN)
        for found in listed(advisory.get("findings"), "the findings of an advisory") or [{}]:
            count += 1
            yield findings.take(
                Finding(
                    rule=word(number_of),
                    severity=severity,
                    said=word(said),
                    title=advisory.get("title", ""),
                    package=package_url("npm", name),
                    version=word(found.get("version")),
                    fixed_version=word(advisory.get("patched_versions")),
                    ids=[
                        *texts(advisory.get("cves")),
                        *ids_in(*texts(advisory.get("cwe")), advisory.get("url"), advisory.get("github_advisory_id")),
                    ],
                )
            )
    declared = sum(number(value) or 0 for value in table(file.value("metadata.vulnerabilities")).values())
    if declared > 0 and count == 0:
        raise InvalidValue(f"the npm report is incomplete: it counts {declared:.0f} paths and lists no advisory")


def read_npm_audit_2(file: ReportFile) -> Reading:
    """Of npm 7 and later: `via` holds advisories, and names of packages by which another one is vulnerable."""
    findings = Findings("npm-audit")
    return Reading(_npm_7(file, findings), findings)


def _npm_7(file: ReportFile, findings: Findings) -> Iterator[Item]:
    file.require("vulnerabilities", of="object")
    packages, through_others = 0, 0
    for key, each in file.members("vulnerabilities"):
        entry = table(each)
        packages += 1
        via = entry.get("via")
        advisories = tables(via)
        if not isinstance(via, list) or len(advisories) + len(texts(via)) != len(via):
            raise InvalidValue(f"'via' of {word(key)!r} in the npm report is no list of advisories and names")
        through_others += not advisories
        for advisory in advisories:
            yield findings.take(_of_npm_7(word(key), entry, advisory, findings))
    declared = number(table(file.value("metadata.vulnerabilities")).get("total")) or 0
    if declared > packages:
        raise InvalidValue(f"the npm report is incomplete: it counts {declared:.0f} packages and lists {packages}")
    if packages and through_others == packages:
        raise InvalidValue(
            f"the npm report is incomplete: {packages} packages are vulnerable, and no advisory says why"
        )
    if through_others:
        findings.tell(f"{through_others} more packages are vulnerable through these alone")


def _of_npm_7(key: str, entry: dict[str, Any], advisory: dict[str, Any], findings: Findings) -> Finding:
    said, nodes = advisory.get("severity"), texts(entry.get("nodes"))
    name = word(advisory.get("dependency")) or word(entry.get("name")) or key
    named = ids_in(advisory.get("url"))
    fix = table(entry.get("fixAvailable"))
    return Finding(
        rule=named[0] if named else str(advisory.get("source"))[:40],
        severity=findings.severity(said, PLAIN),
        said=word(said),
        title=advisory.get("title", ""),
        path=word(nodes[0]) if nodes else "",
        package=package_url("npm", name),
        # Mended by a version of what pulls it in, unless that is the package itself.
        fixed_version=word(fix.get("version")) if fix.get("name") == name else "",
        ids=[*named, *texts(advisory.get("cwe"))],
        identity=(named[0] if named else str(advisory.get("source"))[:40], name, word(advisory.get("range"))),
    )
