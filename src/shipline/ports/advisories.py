"""The Advisories port: what is publicly known about vulnerabilities of packages."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Protocol

from shipline.domain.advisory import Advisory
from shipline.domain.errors import InvalidValue

API_VERSION = 1


@dataclass(frozen=True, slots=True, order=True)
class PackageName:
    """A package by OSV's ecosystem (`PyPI`, `npm`, `crates.io`) and by its name there."""

    ecosystem: str
    name: str

    @property
    def compared(self) -> PackageName:
        """The same for all names that the ecosystem takes for one. NuGet's go without case, and are written with it
        (https://learn.microsoft.com/nuget/reference/nuspec#id); PyPI's are normalized before they come here."""
        return PackageName(self.ecosystem, self.name.lower()) if self.ecosystem == "NuGet" else self


class UnreadAdvisories(InvalidValue):
    """Entries that cannot be read, named once all others were told: `first` says what is wrong with one of them."""

    def __init__(self, first: InvalidValue, count: int) -> None:
        more = f"; {count - 1} more cannot be read either" if count > 1 else ""
        super().__init__(
            f"{first.what}{more}", why=first.why, todo="mend or remove it: what it is about may look harmless"
        )


class Advisories(Protocol):
    """A database of advisories."""

    api_version: int

    def about(self, packages: Collection[PackageName]) -> Iterator[Advisory]:
        """Every advisory that speaks of one of the packages, whatever it says of their versions, each once.

        UnavailableError where the database may answer later, and UsageError where there is none. Entries that cannot be
        read are an UnreadAdvisories after the last that can: what was not looked at must not pass for harmless.
        """
        ...
