"""Sizes compared, of the whole and by name. An item is `{"name", "bytes_before", "bytes_after"}` for each that is not
what it was; a bundler that writes hashes into names gives a file that is gone and one that is new."""

from __future__ import annotations

from typing import Any

from shipline.capabilities.evidence.comparison.difference import Difference
from shipline.capabilities.evidence.reports import Report


def compare_sizes(base: Report, head: Report) -> Difference:
    """The difference, with `size.growth_percent` for gates; nothing can be said of a base of no bytes."""
    before, after = ({item["name"]: item["bytes"] for item in report.items} for report in (base, head))
    items = tuple(
        {"name": name, "bytes_before": before.get(name), "bytes_after": after.get(name)}
        for name in sorted({*before, *after})
        if before.get(name) != after.get(name)
    )
    old, new = base.summary["bytes"], head.summary["bytes"]
    growth = 100.0 * (new - old) / old if old else None
    summary: dict[str, Any] = {
        "bytes_before": old,
        "bytes_after": new,
        "growth_bytes": new - old,
        "growth_percent": growth,
    }
    return Difference(summary, items, {"size": {"growth_percent": growth}} if growth is not None else {})
