"""Reports that are kept to be compared later, and all of a release's reports of one kind taken as one.

Compared is what a release has with what the one before had, and not file by file: a report that was split, renamed or
left out changes nothing about which tests there are.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence
from typing import Any

from shipline.capabilities.evidence.reports import SCHEMA, Report
from shipline.capabilities.evidence.reports.coverage import percent
from shipline.domain.evidence import EvidenceKind

LEVEL = 6


def packed(report: Report) -> bytes:
    """The report as `shipline.evidence/1`, compressed with zlib."""
    return zlib.compress(json.dumps(report.document(), ensure_ascii=False).encode("utf-8"), LEVEL)


def unpacked(data: bytes) -> Report:
    """The reverse, for what this program has written itself. ValueError where somebody else did."""
    document = json.loads(zlib.decompress(data))
    if document.get("schema") != SCHEMA:
        raise ValueError("what was kept is no report")
    return Report(
        kind=EvidenceKind(document["kind"]),
        tool=document["tool"],
        format=document["format"],
        summary=document["summary"],
        items=tuple(document["items"]),
        notes=tuple(document["notes"]),
        groups=tuple(document.get("groups", ())),
    )


def merged(reports: Sequence[Report]) -> Report:
    """Reports of one kind as one; there is at least one."""
    first = reports[0]
    return Report(
        kind=first.kind,
        tool=", ".join(dict.fromkeys(report.tool for report in reports)),
        format=", ".join(dict.fromkeys(report.format for report in reports)),
        summary=_summary(first.kind, [report.summary for report in reports]),
        items=tuple(item for report in reports for item in report.items),
        groups=tuple(group for report in reports for group in report.groups),
    )


def _summary(kind: EvidenceKind, summaries: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Figures add up; one that a report does not have is None."""
    found: dict[str, Any] = {}
    for name in summaries[0]:
        figures = [summary.get(name) for summary in summaries]
        whole = all(isinstance(figure, int | float) for figure in figures)
        found[name] = sum(figure for figure in figures if figure is not None) if whole else None
    if kind is EvidenceKind.COVERAGE:
        for name, noun in (("line", "lines"), ("branch", "branches")):
            covered, total = found[f"{noun}_covered"], found[f"{noun}_total"]
            found[name] = None if covered is None or total is None else percent(covered, total)
    return found
