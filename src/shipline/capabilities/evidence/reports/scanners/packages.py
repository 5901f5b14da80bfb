"""Scanners of packages: Grype, pip-audit, Safety, OSV-Scanner, Dependabot alerts.

Sources: Grype's presenter models (JSON schema 6); pip-audit's README; Safety's JSON report 1.1 and 2; OSV-Scanner's
output documentation and the OSV schema; GitHub's REST API, "List Dependabot alerts for a repository" (2022-11-28).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from shipline.capabilities.evidence.reports.findings import (
    Finding,
    Findings,
    bare_package_url,
    listed,
    number,
    package_url,
    table,
    tables,
    texts,
    word,
)
from shipline.capabilities.evidence.reports.report import Item, Reading
from shipline.capabilities.evidence.reports.severity import PLAIN, Severity
from shipline.capabilities.evidence.reports.source import ReportFile
from shipline.domain.errors import InvalidValue


def read_grype(file: ReportFile) -> Reading:
    """Grype's `-o json`. Its `ignoredMatches` are suppressed."""
    findings = Findings("grype")
    return Reading(_grype(file, findings), findings)


def _grype(file: ReportFile, findings: Findings) -> Iterator[Item]:
    file.require("matches")
    for path, is_ignored in (("matches.item", False), ("ignoredMatches.item", True)):
        for match in map(table, file.items(path)):
            yield findings.take(_of_grype(match, findings, is_ignored=is_ignored))


def _of_grype(match: dict[str, Any], findings: Findings, *, is_ignored: bool) -> Finding:
    known, artifact = table(match.get("vulnerability")), table(match.get("artifact"))
    name, rule = word(artifact.get("name")), word(known.get("id"))
    if not name or not rule:
        raise InvalidValue("a match in the Grype report has no vulnerability or no artifact")
    related = [word(each.get("id")) for each in tables(match.get("relatedVulnerabilities"))]
    weaknesses = [word(each.get("cwe")) for each in tables(known.get("cwes"))]
    places = tables(artifact.get("locations"))
    said = known.get("severity")
    return Finding(
        rule=rule,
        severity=findings.severity(said, PLAIN),
        said=word(said),
        title=f"{rule} in {name}",
        message=known.get("description") or "",
        path=word(places[0].get("path")) if places else "",
        package=bare_package_url(artifact.get("purl")) or package_url(word(artifact.get("type")), name),
        version=word(artifact.get("version")),
        fixed_version=", ".join(texts(table(known.get("fix")).get("versions"))),
        ids=[rule, *related, *weaknesses],
        suppressed=is_ignored,
    )


def read_pip_audit(file: ReportFile) -> Reading:
    """pip-audit's `-f json`, also the list of its first versions. It does not rate; what it skipped is an error."""
    findings = Findings("pip-audit")
    return Reading(_pip_audit(file, findings), findings)


def _pip_audit(file: ReportFile, findings: Findings) -> Iterator[Item]:
    file.require("dependencies", "")
    for _, each in file.pieces(["dependencies.item", "item"]):
        dependency = table(each)
        name, version = word(dependency.get("name")), word(dependency.get("version"))
        if not name:
            raise InvalidValue("a dependency in the pip-audit report has no name")
        if "skip_reason" in dependency:
            findings.error(f"{name}: {word(dependency['skip_reason'])}")
        elif "vulns" not in dependency:
            raise InvalidValue(f"the pip-audit report does not say whether {name} is vulnerable")
        for known in listed(dependency.get("vulns"), "the vulnerabilities of a dependency"):
            rule = word(known.get("id"))
            yield findings.take(
                Finding(
                    rule=rule,
                    severity=findings.severity(None, PLAIN),
                    title=f"{rule} in {name}",
                    message=known.get("description") or "",
                    package=package_url("pypi", name),
                    version=version,
                    fixed_version=", ".join(texts(known.get("fix_versions"))),
                    ids=[rule, *texts(known.get("aliases"))],
                )
            )


def read_safety(file: ReportFile) -> Reading:
    """Safety's `check --output json`, of Safety 2 and 3. Without a licence it rates little: a CVSS v3 score."""
    findings = Findings("safety")
    return Reading(_safety(file, findings), findings)


def _safety(file: ReportFile, findings: Findings) -> Iterator[Item]:
    file.require("vulnerabilities")
    count = 0
    for path, value in file.pieces(["vulnerabilities.item", "ignored_vulnerabilities.item"]):
        known = table(value)
        name, rule = word(known.get("package_name")), word(known.get("vulnerability_id"))
        if not name or not rule:
            raise InvalidValue("a vulnerability in the Safety report has no id or no package")
        count += 1
        score = table(table(known.get("severity")).get("cvssv3")).get("base_score")
        yield findings.take(
            Finding(
                rule=rule,
                severity=findings.score(score) or findings.severity(None, PLAIN),
                said="" if score is None else str(score)[:20],
                title=f"{word(known.get('CVE')) or rule} in {name}",
                message=known.get("advisory") or "",
                package=package_url("pypi", name),
                version=word(known.get("analyzed_version")),
                fixed_version=", ".join(texts(known.get("fixed_versions"))),
                ids=texts(known.get("CVE")),
                suppressed=path.startswith("ignored") or bool(known.get("ignored")),
            )
        )
    declared = number(table(file.value("report_meta")).get("vulnerabilities_found")) or 0
    if declared > count:
        raise InvalidValue(
            f"the Safety report is incomplete: it counts {declared:.0f} vulnerabilities and lists {count}"
        )


def read_osv_scanner(file: ReportFile) -> Reading:
    """OSV-Scanner's `--format json`. Advisories that are aliases of each other (its `groups`) are one finding."""
    findings = Findings("osv-scanner")
    return Reading(_osv_scanner(file, findings), findings)


def _osv_scanner(file: ReportFile, findings: Findings) -> Iterator[Item]:
    file.require("results")
    sources = file.labels("results.item", ["source.path"])
    place = -1
    for path, value in file.pieces(["results.item.packages.item"], ["results.item"]):
        if path == "results.item":
            place += 1
            continue
        source = word(sources[place].get("source.path"))
        for finding in _of_osv(table(value), source, findings):
            yield findings.take(finding)


def _of_osv(entry: dict[str, Any], source: str, findings: Findings) -> Iterator[Finding]:
    package = table(entry.get("package"))
    name, ecosystem = word(package.get("name")), word(package.get("ecosystem"))
    advisories = {
        word(each.get("id")): each for each in listed(entry.get("vulnerabilities"), "the vulnerabilities of a package")
    }
    if "" in advisories:
        raise InvalidValue("a vulnerability in the OSV-Scanner report has no id")
    groups = [(texts(group.get("ids")), group.get("max_severity")) for group in tables(entry.get("groups"))]
    groups += [([one], None) for one in advisories if not any(one in ids for ids, _ in groups)]
    for ids, said in groups:
        if not ids:
            continue
        first = next((advisories[one] for one in ids if one in advisories), {})
        aliases = [alias for one in ids for alias in texts(table(advisories.get(one)).get("aliases"))]
        yield Finding(
            rule=ids[0],
            severity=findings.score(said) or _osv_severity(first, findings),
            said=word(said) or word(table(first.get("database_specific")).get("severity")),
            title=first.get("summary") or f"{ids[0]} in {name}",
            message=first.get("summary") or first.get("details") or "",
            path=source,
            package=package_url(ecosystem, name),
            version=word(package.get("version")),
            fixed_version=", ".join(_fixed_versions(first, name)),
            ids=[*ids, *aliases, *texts(table(first.get("database_specific")).get("cwe_ids"))],
        )


def _osv_severity(advisory: dict[str, Any], findings: Findings) -> Severity:
    return findings.severity(table(advisory.get("database_specific")).get("severity"), PLAIN)


def _fixed_versions(advisory: dict[str, Any], name: str) -> list[str]:
    """Versions that mend it: the `fixed` events of the ranges of this package."""
    found = [
        word(event["fixed"])
        for affected in tables(advisory.get("affected"))
        if word(table(affected.get("package")).get("name")) in ("", name)
        for each in tables(affected.get("ranges"))
        if each.get("type") != "GIT"
        for event in tables(each.get("events"))
        if "fixed" in event
    ]
    return list(dict.fromkeys(found))[:20]


def read_dependabot(file: ReportFile) -> Reading:
    """GitHub's list of Dependabot alerts. Dismissed ones are suppressed; fixed ones are no findings any more."""
    findings = Findings("dependabot")
    return Reading(_dependabot(file, findings), findings)


def _dependabot(file: ReportFile, findings: Findings) -> Iterator[Item]:
    file.require("")
    fixed = 0
    for alert in map(table, file.items("item")):
        advisory, known = table(alert.get("security_advisory")), table(alert.get("security_vulnerability"))
        dependency = table(alert.get("dependency"))
        package = table(known.get("package")) or table(dependency.get("package"))
        rule, state = word(advisory.get("ghsa_id")), word(alert.get("state"))
        if not rule or state not in ("open", "dismissed", "auto_dismissed", "fixed"):
            raise InvalidValue("an alert in the Dependabot list has no ghsa_id or no state that is known")
        if state == "fixed":
            fixed += 1
            continue
        said = known.get("severity") or advisory.get("severity")
        yield findings.take(
            Finding(
                rule=rule,
                severity=findings.severity(said, PLAIN),
                said=word(said),
                title=advisory.get("summary", ""),
                path=word(dependency.get("manifest_path")),
                package=package_url(word(package.get("ecosystem")), word(package.get("name"))),
                fixed_version=word(table(known.get("first_patched_version")).get("identifier")),
                ids=_ids_of_alert(advisory),
                suppressed=state != "open",
            )
        )
    if fixed:
        findings.tell(f"{fixed} alerts are fixed and not counted")


def _ids_of_alert(advisory: dict[str, Any]) -> list[Any]:
    weaknesses = [each.get("cwe_id") for each in tables(advisory.get("cwes"))]
    return [advisory.get("ghsa_id"), advisory.get("cve_id"), *weaknesses]
