"""What every reader answers with: one shape for all formats."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias, runtime_checkable

from shipline.domain.evidence import EvidenceKind

SCHEMA = "shipline.evidence/1"
Item: TypeAlias = "dict[str, Any]"


@dataclass(frozen=True, slots=True)
class Report:
    """A report, read.

    `tool` is what made it, where the report says so, else the format's own name. `format` is how it was written.
    `summary` holds the figures that gates read and `items` what they were counted from; both are plain JSON, and
    their fields stand at each kind (`tests.py`, `coverage.py`, `findings.py`). `notes` are the rest of the receipt:
    sentences for people on what was mapped, left out or could not be looked at. `groups` add items up where people ask
    for it: coverage by package, licences by licence.
    """

    kind: EvidenceKind
    tool: str
    format: str
    summary: dict[str, Any]
    items: tuple[Item, ...]
    notes: tuple[str, ...] = ()
    groups: tuple[Item, ...] = ()

    def head(self) -> dict[str, Any]:
        """The report's document without its items."""
        return {
            "schema": SCHEMA,
            "kind": self.kind.value,
            "tool": self.tool,
            "format": self.format,
            "summary": self.summary,
            "notes": list(self.notes),
        } | ({"groups": list(self.groups)} if self.groups else {})

    def document(self) -> dict[str, Any]:
        """The report as `shipline evidence read --json` shows it."""
        return self.head() | {"items": list(self.items)}


class Tally(Protocol):
    """What is counted in passing. All of it is final when the items have ended, and not before."""

    @property
    def tool(self) -> str:
        """What made the report."""
        ...

    @property
    def notes(self) -> list[str]:
        """Sentences for people."""
        ...

    def summary(self) -> dict[str, Any]:
        """The figures."""
        ...


@runtime_checkable
class GroupedTally(Protocol):
    """A tally that adds items up by something, too."""

    def groups(self) -> tuple[Item, ...]:
        """What the items add up to, final when they have ended."""
        ...


@dataclass(slots=True)
class Counted:
    """The tally of a report that was read whole: it was counted before its first item is given."""

    tool: str
    figures: dict[str, Any]
    notes: list[str] = field(default_factory=list)
    grouped: tuple[Item, ...] = ()

    def summary(self) -> dict[str, Any]:
        """The figures."""
        return self.figures

    def groups(self) -> tuple[Item, ...]:
        """What the items add up to."""
        return self.grouped


@dataclass(frozen=True, slots=True)
class Reading:
    """A report as a reader gives it: its items one by one, once, and the tally that they leave behind.

    Whoever takes the items must take all of them: what is wrong with a report may stand at its end.
    """

    items: Iterator[Item]
    tally: Tally
