"""What a row of the table of formats is made of: its name, what tells it, and its reader."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from shipline.capabilities.evidence.reports.report import Counted, Reading, Report
from shipline.capabilities.evidence.reports.source import STREAMED_BYTES_MAX, ReportFile
from shipline.domain.codec import JSON
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
    return Reading(iter(report.items), Counted(report.tool, report.summary, list(report.notes), report.groups))
