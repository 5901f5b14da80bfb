"""Sizes of what is built, whatever format they came in.

An item is `{"name", "bytes", "limit_bytes", "over_limit"}`; `limit_bytes` is None where no limit is known, `over_limit`
is what the tool itself says. The summary is `{"bytes", "files", "over_limit", "map_bytes"}`: the sum, how many items,
how many of them are over their limit, and the source maps, which are listed and not summed: no browser loads them
unless somebody debugs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from shipline.capabilities.evidence.reports.report import Report
from shipline.domain.errors import InvalidValue
from shipline.domain.evidence import EvidenceKind


@dataclass(frozen=True, slots=True)
class Size:
    """One file, or one measured bundle."""

    name: str
    bytes: int
    limit_bytes: int | None = None
    over_limit: bool = False

    @property
    def is_map(self) -> bool:
        """True for a source map."""
        return self.name.endswith(".map")

    def item(self) -> dict[str, Any]:
        """The size as an item of a report."""
        return {
            "name": self.name,
            "bytes": self.bytes,
            "limit_bytes": self.limit_bytes,
            "over_limit": self.over_limit,
        }


def size_report(sizes: Sequence[Size], *, tool: str, format_name: str) -> Report:
    """A report on `sizes`. One without any is refused: nothing was built, or something else was measured."""
    if not sizes:
        raise InvalidValue("the report lists no size", todo="see whether anything was built")
    summary = {
        "bytes": sum(size.bytes for size in sizes if not size.is_map),
        "files": len(sizes),
        "over_limit": sum(size.over_limit for size in sizes),
        "map_bytes": sum(size.bytes for size in sizes if size.is_map),
    }
    return Report(EvidenceKind.SIZE, tool, format_name, summary, tuple(size.item() for size in sizes))
