"""`snyk test --json`, of one project or a list of them (`--all-projects`), and of containers, whose applications stand
below the operating system's packages.

Snyk lists a vulnerability once for every path to the package; a finding is a vulnerability in a version of a package.
What its policy ignores stands under `filtered.ignore` and is suppressed. A project that could not be tested is refused.
Source: Snyk CLI's documentation of `test`, the types of snyk/cli and its `format-test-results.ts`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from shipline.capabilities.evidence.reports.findings import (
    Finding,
    Findings,
    package_url,
    table,
    texts,
    word,
)
from shipline.capabilities.evidence.reports.report import Item, Reading
from shipline.capabilities.evidence.reports.severity import PLAIN
from shipline.capabilities.evidence.reports.source import ReportFile
from shipline.domain.errors import InvalidValue

_NAMES = ["projectName", "displayTargetFile", "targetFile", "packageManager", "error"]


def read_snyk(file: ReportFile) -> Reading:
    """Projects are read first: their names stand after the vulnerabilities."""
    findings = Findings("snyk")
    return Reading(_snyk(file, findings), findings)


def _snyk(file: ReportFile, findings: Findings) -> Iterator[Item]:
    file.require("vulnerabilities", "item.vulnerabilities")
    for start, top in (("item", "item."), ("", ""), ("applications.item", "applications.item.")):
        projects = file.labels(start, _NAMES)
        for project in projects:
            if "error" in project:
                raise InvalidValue("Snyk could not test a project", why=word(project["error"]))
        yield from _of_projects(file, start, top, projects, findings)


def _of_projects(
    file: ReportFile, start: str, top: str, projects: list[dict[str, Any]], findings: Findings
) -> Iterator[Item]:
    place = -1
    seen: set[tuple[int, str, str, str]] = set()
    paths = (f"{top}vulnerabilities.item", f"{top}filtered.ignore.item")
    for path, value in file.pieces(paths, [start]):
        if path == start:
            place += 1
            continue
        known, is_ignored = table(value), path == paths[1]
        rule, name, version = (word(known.get(key)) for key in ("id", "packageName", "version"))
        name = name or word(known.get("name")) or word(known.get("moduleName"))
        if not rule or not name:
            raise InvalidValue("a vulnerability in the Snyk report has no id or no package")
        if (place, rule, name, version) in seen:
            continue
        seen.add((place, rule, name, version))
        yield findings.take(_finding(known, rule, name, projects[place], findings, is_ignored=is_ignored))


def _finding(  # noqa: PLR0913 - each is named where it is given
    known: dict[str, Any], rule: str, name: str, project: dict[str, Any], findings: Findings, *, is_ignored: bool
) -> Finding:
    said = known.get("severityWithCritical") or known.get("severity")
    manager = word(known.get("packageManager")) or word(project.get("packageManager"))
    identifiers = [each for values in table(known.get("identifiers")).values() for each in texts(values)]
    place = (
        word(project.get("displayTargetFile")) or word(project.get("targetFile")) or word(project.get("projectName"))
    )
    return Finding(
        rule=rule,
        severity=findings.severity(said, PLAIN),
        said=word(said),
        title=known.get("title", ""),
        # Its description is a page.
        message=f"{word(known.get('title'))} in {name}",
        path=place,
        package=package_url(manager, name),
        version=word(known.get("version")),
        fixed_version=", ".join(texts(known.get("fixedIn"))[:20]) or word(known.get("nearestFixedInVersion")),
        ids=[rule, *identifiers],
        suppressed=is_ignored,
    )
