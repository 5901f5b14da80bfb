"""What was looked at, and what came of it, in words."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at. `words` say what was found, for people."""

    name: str
    ok: bool
    words: str


@dataclass(frozen=True, slots=True)
class Verification:
    """`proven` only if there are checks and all hold. `keys` are the ids of the trusted keys that were used; `notes`
    say what was not looked at."""

    proven: bool
    checks: tuple[Check, ...]
    keys: tuple[str, ...]
    notes: tuple[str, ...]


def counted(count: int, noun: str, plural: str = "") -> str:
    """`1 file`, `2 files`."""
    return f"{count} {noun if count == 1 else plural or noun + 's'}"
