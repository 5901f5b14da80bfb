"""Versions of which only the first numbers are given, `1.2` or `1.x`, as ranges in the manner of SemVer have them."""

from __future__ import annotations

from dataclasses import dataclass

from shipline.capabilities.plans.versions.semver import SemVer
from shipline.capabilities.plans.versions.version import LENGTH_MAX, Version
from shipline.domain.errors import InvalidValue

NUMBER = r"(?:0|[1-9]\d*)"
WILD = r"[xX*]"
# What may follow three numbers: the labels of a pre-release (captured, with the hyphen) and build metadata.
LABELS = r"(-(?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(?:\.(?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*)?"
BUILD = r"(?:\+[0-9a-zA-Z-]+(?:\.[0-9a-zA-Z-]+)*)?"


@dataclass(frozen=True, slots=True)
class Partial:
    """Up to three numbers; None for one that is not given or is a wildcard. `labels` are "" or `-rc.1`."""

    major: int | None
    minor: int | None = None
    patch: int | None = None
    labels: str = ""

    def lowest(self) -> Version:
        """The version with 0 for what is not given."""
        return semver(self.major or 0, self.minor or 0, self.patch or 0, self.labels)


def semver(major: int, minor: int, patch: int, labels: str = "") -> Version:
    """The SemVer version of these parts."""
    return semver_of(f"{major}.{minor}.{patch}{labels}")


def semver_of(text: str) -> Version:
    """The SemVer version that `text` is; InvalidValue where it is none."""
    version = SemVer().parse(text)
    if version is None:
        raise InvalidValue(f"{text[:80]!r} is not a SemVer version", todo=f"such as 1.2.3, {LENGTH_MAX} long at most")
    return version


def number(text: str | None) -> int | None:
    """One part of a partial version; None for what is not given and for a wildcard."""
    return int(text) if text and text.isdigit() else None


def unreadable(requirement: str, dialect: str) -> InvalidValue:
    """The error for a requirement that is none."""
    return InvalidValue(f"{requirement[:80]!r} is not a version range of {dialect}")
