"""What every reader answers with: one shape for all formats."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from shipline.domain.evidence import EvidenceKind

SCHEMA = "shipline.evidence/1"
LIMIT_BYTES = 64 * 1024 * 1024
"""The largest report that is read, unless the caller says otherwise."""


@dataclass(frozen=True, slots=True)
class Report:
    """A report, read.

    `tool` is what made it, where the report says so, else the format's own name. `format` is how it was written.
    `summary` holds the figures that gates read and `items` what they were counted from; both are plain JSON, and
    their fields stand at the reader of each kind (`tests.py`, `coverage.py`).
    """

    kind: EvidenceKind
    tool: str
    format: str
    summary: dict[str, Any]
    items: tuple[dict[str, Any], ...]

    def document(self) -> dict[str, Any]:
        """The report as `shipline evidence read --json` shows it."""
        return {
            "schema": SCHEMA,
            "kind": self.kind.value,
            "tool": self.tool,
            "format": self.format,
            "summary": self.summary,
            "items": list(self.items),
        }
