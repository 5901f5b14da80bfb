"""GitLab's security reports: SAST, dependency, container and secret scanning, and the others of their family.

Of secrets, `raw_source_code_extract` is not read. What a GitLab user has dismissed stands in no report. Source:
GitLab's security report schemas, 14 and 15.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from shipline.capabilities.evidence.reports.findings import (
    Finding,
    Findings,
    ids_in,
    line_number,
    package_url,
    table,
    tables,
    word,
)
from shipline.capabilities.evidence.reports.report import Item, Reading
from shipline.capabilities.evidence.reports.severity import PLAIN
from shipline.capabilities.evidence.reports.source import ReportFile
from shipline.domain.errors import InvalidValue


def read_gitlab(file: ReportFile) -> Reading:
    """The scan is read first, wherever it stands: one that failed is no evidence."""
    findings = Findings("gitlab")
    return Reading(_gitlab(file, findings), findings)


def _gitlab(file: ReportFile, findings: Findings) -> Iterator[Item]:
    file.require("vulnerabilities")
    scan = table(file.value("scan"))
    if word(scan.get("status")) == "failure":
        raise InvalidValue("the scan that the GitLab report is of has failed", todo="see its log, and run it again")
    findings.tool = word(table(scan.get("scanner")).get("id")) or findings.tool
    managers = {
        word(each.get("path")): word(each.get("package_manager"))
        for _, value in file.pieces(["dependency_files.item"])
        for each in [table(value)]
    }
    for each in file.items("vulnerabilities.item"):
        yield findings.take(_finding(table(each), managers, findings, is_secret=scan.get("type") == "secret_detection"))


def _finding(known: dict[str, Any], managers: dict[str, str], findings: Findings, *, is_secret: bool) -> Finding:
    identifiers = tables(known.get("identifiers"))
    if not identifiers:
        raise InvalidValue("a vulnerability in the GitLab report has no identifiers")
    rule = word(identifiers[0].get("value")) or word(identifiers[0].get("name"))
    place = table(known.get("location"))
    dependency = table(place.get("dependency"))
    name = word(table(dependency.get("package")).get("name"))
    path = word(place.get("file")) or word(place.get("image"))
    system = word(place.get("operating_system"))
    manager = managers.get(path) or (_family(system) if system else "")
    said = known.get("severity")
    title = known.get("name") or known.get("message") or rule
    return Finding(
        rule=rule,
        severity=findings.severity(said, PLAIN),
        said=word(said),
        title=title,
        message=title if is_secret else known.get("description") or title,
        path=path,
        line=line_number(place.get("start_line")),
        package=package_url(manager, name) if name else None,
        version=word(dependency.get("version")),
        ids=ids_in(*(word(each.get(key)) for each in identifiers for key in ("value", "name"))),
        identity=(rule, path, word(place.get("class")), word(place.get("method"))) if not name else (),
    )


def _family(system: str) -> str:
    """`debian:9.4` and `debian 11.2` name a distribution."""
    return system.replace(" ", ":").partition(":")[0]
