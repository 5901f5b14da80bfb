"""SemVer 2.0.0. Source: https://semver.org/spec/v2.0.0.html."""

from __future__ import annotations

import re
from datetime import date

from shipline.capabilities.plans.versions.bumps import FIRST, bumped, reaches
from shipline.capabilities.plans.versions.version import LENGTH_MAX, STABLE, Numbers, Version, checked_channel
from shipline.domain.change import Bump
from shipline.domain.errors import InvalidValue

# The regular expression that semver.org suggests (FAQ, "Is there a suggested regular expression"), without groups
# for what is not needed.
SEMVER = re.compile(
    r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)"
    r"(?:-((?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(?:\.(?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*))?"
    r"(?:\+([0-9a-zA-Z-]+(?:\.[0-9a-zA-Z-]+)*))?",
    re.ASCII,
)
PREFIX = re.compile(r"=?\s*[vV]?")  # What people write before a version, and what is no part of it.


class SemVer:
    """SemVer 2.0.0."""

    name = "semver"

    def parse(self, text: str) -> Version | None:
        """The version, None where `text` is no SemVer version."""
        match = SEMVER.fullmatch(text) if len(text) <= LENGTH_MAX else None
        if match is None:
            return None
        major, minor, patch, labels, build = match.groups("")
        release = (int(major), int(minor), int(patch))
        if not labels:
            # A final version is above all its pre-releases (item 11.3).
            return Version(text, (release, 1, ()), release, build=build)
        parts = labels.split(".")
        key = (release, 0, tuple(_identifier_key(part) for part in parts))
        number = int(parts[-1]) if len(parts) > 1 and parts[-1].isdigit() else 0
        return Version(text, key, release, parts[0], number, build=build)

    def normalized(self, text: str) -> str | None:
        """The version without what people put around it. SemVer itself knows one way of writing alone."""
        bare = text.strip()
        bare = bare[PREFIX.match(bare).end() :]  # type: ignore[union-attr] # it fits the empty text too
        return bare if self.parse(bare) is not None else None

    def render(self, release: Numbers, *, channel: str, number: int, epoch: int) -> str:
        """`1.2.3` or `1.2.3-rc.1`. There are no epochs here."""
        if epoch:
            raise InvalidValue("SemVer has no epochs")
        final = ".".join(map(str, release))
        return final if channel == STABLE else f"{final}-{checked_channel(channel)}.{number}"

    def same_channel(self, channel: str, version: Version) -> bool:
        """True if `version` is a pre-release of `channel`."""
        return version.channel == channel

    def first(self, day: date | None) -> Numbers:  # noqa: ARG002 - the same every day
        """0.1.0."""
        return FIRST

    def moved(self, release: Numbers, bump: Bump, day: date | None) -> Numbers:  # noqa: ARG002 - the same every day
        """The numbers after `release`."""
        return bumped(release, bump)

    def reaches(self, release: Numbers, bump: Bump) -> bool:
        """True if a pre-release of `release` announces a step of `bump` already."""
        return reaches(release, bump)


def _identifier_key(identifier: str) -> tuple[int, int, str]:
    """Numeric identifiers by their number, below all others, which go by ASCII (item 11.4)."""
    return (0, int(identifier), "") if identifier.isdigit() else (1, 0, identifier)
