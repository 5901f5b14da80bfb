"""The formats that are read: one row each, with its name, what tells it, and its reader.

A row is all that a new format needs beside its reader. Probes exclude each other: each asks for marks that no other
format has together, and a test sees to it that every sample fits one row.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from shipline.capabilities.evidence.reports import coverage_json, coverage_xml, junit, lcov
from shipline.capabilities.evidence.reports.report import Counted, Reading, Report
from shipline.capabilities.evidence.reports.source import STREAMED_BYTES_MAX, WHOLE_BYTES_MAX, ReportFile
from shipline.domain.codec import JSON
from shipline.domain.errors import InvalidValue
from shipline.domain.evidence import EvidenceKind

Marks = tuple[frozenset[str], ...]


@dataclass(frozen=True, slots=True)
class Probe:
    """What tells a format. Each set of marks is enough; all of its marks must be seen.

    `json`: names at their places (`runs.item.tool`) and short texts (`kind=PolicyReport`). `xml`: elements
    (`coverage/packages`) and attributes (`coverage@line-rate`) among the first thousand elements. `text`: patterns in
    the first 64 KiB of what is neither.
    """

    json: Marks = ()
    xml: Marks = ()
    text: tuple[re.Pattern[bytes], ...] = ()


@dataclass(frozen=True, slots=True)
class Format:
    """A row of the table. `title` is for people; a report of more than `limit_bytes` is refused unread."""

    name: str
    kind: EvidenceKind
    title: str
    probe: Probe
    read: Callable[[ReportFile], Reading]
    limit_bytes: int = STREAMED_BYTES_MAX


def marks(*alternatives: str) -> Marks:
    """Sets of marks, each written with spaces between them."""
    return tuple(frozenset(alternative.split()) for alternative in alternatives)


def whole_bytes(read: Callable[[bytes], Report]) -> Callable[[ReportFile], Reading]:
    """A reader that wants all bytes at once."""
    return lambda file: _counted(read(file.whole()))


def whole_json(read: Callable[[JSON], Report]) -> Callable[[ReportFile], Reading]:
    """A reader that wants the whole JSON document, strictly parsed."""
    return lambda file: _counted(read(file.document()))


def _counted(report: Report) -> Reading:
    return Reading(iter(report.items), Counted(report.tool, report.summary, list(report.notes)))


FORMATS: tuple[Format, ...] = (
    Format(
        name=junit.FORMAT,
        kind=EvidenceKind.TESTS,
        title="JUnit XML",
        probe=Probe(xml=marks("testsuites", "testsuite")),
        read=whole_bytes(junit.read_junit),
        limit_bytes=WHOLE_BYTES_MAX,
    ),
    Format(
        name=coverage_xml.FORMAT,
        kind=EvidenceKind.COVERAGE,
        title="Cobertura XML",
        probe=Probe(xml=marks("coverage")),
        read=whole_bytes(coverage_xml.read_coverage_xml),
        limit_bytes=WHOLE_BYTES_MAX,
    ),
    Format(
        name=coverage_json.FORMAT,
        kind=EvidenceKind.COVERAGE,
        title="coverage.py JSON",
        probe=Probe(json=marks("meta.branch_coverage files", "meta files totals")),
        read=whole_json(coverage_json.read_coverage_json),
        limit_bytes=WHOLE_BYTES_MAX,
    ),
    Format(
        name=lcov.FORMAT,
        kind=EvidenceKind.COVERAGE,
        title="LCOV",
        probe=Probe(text=(re.compile(rb"\A(?:\xef\xbb\xbf)?(?:\s|#[^\n]*\n)*(?:TN|SF|VER):"),)),
        read=whole_bytes(lcov.read_lcov),
        limit_bytes=WHOLE_BYTES_MAX,
    ),
)


def format_named(name: str) -> Format:
    """The format of this name. Raises InvalidValue, with the known ones, where there is none."""
    for form in FORMATS:
        if form.name == name:
            return form
    known = ", ".join(form.name for form in FORMATS)
    raise InvalidValue(f"there is no report format {name[:60]!r}", todo=f"known formats: {known}")
