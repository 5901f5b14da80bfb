"""Which kinds of reports can be compared, and the shape of what comes of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from shipline.capabilities.evidence.comparison.benchmarks import compare_benchmarks
from shipline.capabilities.evidence.comparison.changes import ChangedLines
from shipline.capabilities.evidence.comparison.coverage import compare_coverage
from shipline.capabilities.evidence.comparison.difference import Difference
from shipline.capabilities.evidence.comparison.sizes import compare_sizes
from shipline.capabilities.evidence.comparison.tests import compare_tests
from shipline.capabilities.evidence.reports import Report
from shipline.domain.errors import InvalidValue
from shipline.domain.evidence import EvidenceKind

SCHEMA = "shipline.evidence-comparison/1"
TOLERANCE_PERCENT_MAX = 1000.0
COMPARABLE = (EvidenceKind.TESTS, EvidenceKind.COVERAGE, EvidenceKind.BENCHMARK, EvidenceKind.SIZE)


@dataclass(frozen=True, slots=True)
class Comparison:
    """A base, a head, and the difference between them."""

    base: Report
    head: Report
    difference: Difference

    def document(self) -> dict[str, Any]:
        """The comparison as `shipline evidence compare --json` shows it."""
        return {
            "schema": SCHEMA,
            "kind": self.head.kind.value,
            "base": _about(self.base),
            "head": _about(self.head),
            "summary": self.difference.summary,
            "facts": self.difference.facts,
            "notes": list(self.difference.notes),
            "items": list(self.difference.items),
        }


def _about(report: Report) -> dict[str, Any]:
    return {"tool": report.tool, "format": report.format, "summary": report.summary}


def compare(
    base: Report, head: Report, *, changed: ChangedLines | None = None, tolerance_percent: float | None = None
) -> Comparison:
    """Compare two reports that were read with their items.

    `changed` are the lines that were changed between them, for coverage. `tolerance_percent` is how much worse a
    benchmark may be; None: what `comparison/benchmarks.py` says. Raises InvalidValue for reports of two kinds, and of
    a kind that cannot be compared.
    """
    kind = head.kind
    if base.kind is not kind:
        raise InvalidValue(f"a report on {base.kind.value} cannot be compared with one on {kind.value}")
    if kind not in COMPARABLE:
        kinds = ", ".join(each.value for each in COMPARABLE)
        raise InvalidValue(f"reports on {kind.value} cannot be compared", todo=f"these can: {kinds}")
    if changed is not None and kind is not EvidenceKind.COVERAGE:
        raise InvalidValue(f"changed lines say nothing about {kind.value}", todo="leave out --diff")
    if tolerance_percent is not None and kind is not EvidenceKind.BENCHMARK:
        raise InvalidValue(f"a tolerance says nothing about {kind.value}", todo="leave out --tolerance")
    if tolerance_percent is not None and not 0.0 <= tolerance_percent <= TOLERANCE_PERCENT_MAX:
        raise InvalidValue(f"a tolerance is a percentage from 0 to {TOLERANCE_PERCENT_MAX:g}")
    if kind is EvidenceKind.COVERAGE:
        difference = compare_coverage(base, head, changed)
    elif kind is EvidenceKind.BENCHMARK:
        difference = compare_benchmarks(base, head, tolerance_percent)
    else:
        difference = compare_tests(base, head) if kind is EvidenceKind.TESTS else compare_sizes(base, head)
    return Comparison(base, head, difference)
