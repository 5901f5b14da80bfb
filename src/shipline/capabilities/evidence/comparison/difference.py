"""What every kind's comparison answers with."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Difference:
    """`summary` and `items` are the figures and the rows that they count, `facts` the part of them that gates may ask
    for, as a tree; `notes` are sentences on what could not be compared."""

    summary: dict[str, Any]
    items: tuple[dict[str, Any], ...]
    facts: dict[str, dict[str, Any]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
