"""Reports read in: one module a format, one shape for what comes out.

Promises: a report is read whole or refused with InvalidValue; what is counted was seen, not taken from a header.
Every reader works offline, on bounded input, and expands no entity. Memory holds an item at a time where the format
is streamed (`formats.py` says which), so a report of 100 MB takes some ten.
"""

from shipline.capabilities.evidence.reports.detect import (
    finished_report,
    format_of,
    known_formats,
    read_report_bytes,
    read_summary,
    read_whole,
    start_reading,
)
from shipline.capabilities.evidence.reports.probes import Format
from shipline.capabilities.evidence.reports.report import SCHEMA, Item, Reading, Report
from shipline.capabilities.evidence.reports.source import STREAMED_BYTES_MAX, WHOLE_BYTES_MAX, ReportFile

__all__ = [
    "SCHEMA",
    "STREAMED_BYTES_MAX",
    "WHOLE_BYTES_MAX",
    "Format",
    "Item",
    "Reading",
    "Report",
    "ReportFile",
    "finished_report",
    "format_of",
    "known_formats",
    "read_report_bytes",
    "read_summary",
    "read_whole",
    "start_reading",
]
