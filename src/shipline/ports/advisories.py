"""The Advisories port: what is publicly known about vulnerabilities of packages."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Protocol

from shipline.domain.advisory import Advisory

API_VERSION = 1


@dataclass(frozen=True, slots=True, order=True)
class PackageName:
    """A package by OSV's ecosystem (`PyPI`, `npm`, `crates.io`) and by its name there."""

    ecosystem: str
    name: str


class Advisories(Protocol):
    """A database of advisories."""

    api_version: int

    def about(self, packages: Collection[PackageName]) -> Iterator[Advisory]:
        """Every advisory that speaks of one of the packages, whatever it says of their versions, each once.

        UnavailableError where the database may answer later; ShiplineError for an entry that cannot be read, and
        UsageError where there is no database: what was not looked at must not pass for harmless.
        """
        ...
