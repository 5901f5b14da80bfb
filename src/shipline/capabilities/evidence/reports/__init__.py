"""Reports read in: one module a format, one shape for what comes out.

Promises: a report is read whole or refused with InvalidValue; what is counted was seen, not taken from a header.
Every reader works offline, on bounded input, and expands no entity.
"""

from shipline.capabilities.evidence.reports.detect import read_report_bytes
from shipline.capabilities.evidence.reports.report import LIMIT_BYTES, SCHEMA, Report

__all__ = ["LIMIT_BYTES", "SCHEMA", "Report", "read_report_bytes"]
