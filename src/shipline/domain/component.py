"""Component: a package that an artifact consists of, as an SBOM lists it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Component:
    """`type` is that of its package URL (`pypi`, `npm` ...), "" where it has none. `name` has its namespace in front
    (`@scope/name`, `group/artifact`) and is written as its ecosystem compares names. `version` is "" where nobody knows
    it. `licence` is an SPDX expression, or what is stated in its place, "" for nothing."""

    type: str
    name: str
    version: str
    purl: str
    licence: str

    @property
    def identity(self) -> str:
        """Type and name, `npm:@scope/name`: what stays the same when the version changes."""
        return f"{self.type}:{self.name}" if self.type else self.name
