"""The formats that are read: one row each, with its name, what tells it, and its reader.

A row is all that a new format needs beside its reader. Probes exclude each other: each asks for marks that no other
format has together, and a test sees to it that every sample fits one row.
"""

from __future__ import annotations

import re

from shipline.capabilities.evidence.reports import coverage_json, coverage_xml, junit, lcov
from shipline.capabilities.evidence.reports.measured_formats import MEASURED_FORMATS
from shipline.capabilities.evidence.reports.probes import Format, Probe, marks, whole_bytes, whole_json
from shipline.capabilities.evidence.reports.scanners.table import SCANNERS
from shipline.capabilities.evidence.reports.source import WHOLE_BYTES_MAX
from shipline.domain.evidence import EvidenceKind

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
        probe=Probe(xml=marks("coverage@line-rate", "coverage@lines-valid", "coverage/packages")),
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
    *SCANNERS,
    *MEASURED_FORMATS,
)
