"""Advisory: what is publicly known about a vulnerability, and which versions of which packages it is in.

The words are those of OSV: https://ossf.github.io/osv-schema/ (1.6 and later).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class RangeType(StrEnum):
    """How the versions of a range are ordered: by SemVer, as the ecosystem orders them, or as commits follow."""

    SEMVER = "SEMVER"
    ECOSYSTEM = "ECOSYSTEM"
    GIT = "GIT"


class Turn(StrEnum):
    """What happens at a version. At LIMIT a range ends, and nothing is said of what comes after it."""

    INTRODUCED = "introduced"
    FIXED = "fixed"
    LAST_AFFECTED = "last_affected"
    LIMIT = "limit"


@dataclass(frozen=True, slots=True)
class AffectedRange:
    """`events` are turns with their versions, in any order; the version "0" is before all others."""

    type: RangeType
    events: tuple[tuple[Turn, str], ...]


@dataclass(frozen=True, slots=True)
class AffectedPackage:
    """A package that an advisory is about. `ecosystem` is OSV's word (`PyPI`), without the release of a distribution
    that may stand behind a colon; `versions` are affected ones, listed one by one."""

    ecosystem: str
    name: str
    ranges: tuple[AffectedRange, ...]
    versions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Advisory:
    """`id` is its id in the database that it comes from; `aliases` are its ids in others. `severity` is the word of
    that database in small letters, "" where it has none. `withdrawn`: it was a mistake."""

    id: str
    aliases: tuple[str, ...]
    summary: str
    severity: str
    withdrawn: bool
    affected: tuple[AffectedPackage, ...]
