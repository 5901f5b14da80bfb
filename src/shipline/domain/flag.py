"""Flag: a rule that decides at run time."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Flag:
    """A boolean switch. `percentage` is 0 to 100 of subjects; `enabled` False wins over it."""

    key: str
    enabled: bool
    percentage: float = 100.0
    description: str = ""
