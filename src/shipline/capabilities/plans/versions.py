"""Versions by SemVer 2.0.0 and PEP 440: read, compare, and find the next one.

Sources: https://semver.org/spec/v2.0.0.html; https://packaging.python.org/en/latest/specifications/version-specifiers/
as implemented by the library `packaging`, which is imported when the first PEP 440 version is read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Protocol

from shipline.domain.change import Bump
from shipline.domain.errors import InvalidValue

STABLE = "stable"
LENGTH_MAX = 255

# The regular expression that semver.org suggests (FAQ, "Is there a suggested regular expression"), without groups
# for what is not needed.
SEMVER = re.compile(
    r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)"
    r"(?:-((?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(?:\.(?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*))?"
    r"(?:\+[0-9a-zA-Z-]+(?:\.[0-9a-zA-Z-]+)*)?",
    re.ASCII,
)
CHANNEL = re.compile(r"[a-zA-Z][0-9a-zA-Z-]{0,31}", re.ASCII)
PEP440_SEGMENTS = {
    "alpha": "a",
    "a": "a",
    "beta": "b",
    "b": "b",
    "rc": "rc",
    "dev": ".dev",
}


@dataclass(frozen=True, slots=True)
class Version:
    """A version of one scheme; `key` orders it among versions of that scheme.

    `text` is the version as written, `release` its first three numbers. `channel` is None for a final version, and
    for others the word that marks them (`rc`), with `number` behind it (`-rc.2`: 2).
    """

    text: str
    key: Any
    release: tuple[int, int, int]
    channel: str | None = None
    number: int = 0
    epoch: int = 0

    @property
    def is_stable(self) -> bool:
        """True for a final version."""
        return self.channel is None


class Scheme(Protocol):
    """How a family of versions is written and ordered."""

    name: str

    def parse(self, text: str) -> Version | None:
        """The version, None where `text` is none of this scheme."""
        ...

    def render(self, release: tuple[int, int, int], *, channel: str, number: int, epoch: int) -> str:
        """The version as text; `channel` is `stable` for a final version. InvalidValue: no such channel."""
        ...

    def same_channel(self, channel: str, version: Version) -> bool:
        """True if `version` is a pre-release of `channel`."""
        ...


class SemVer:
    """SemVer 2.0.0."""

    name = "semver"

    def parse(self, text: str) -> Version | None:
        """The version, None where `text` is no SemVer version."""
        match = SEMVER.fullmatch(text) if len(text) <= LENGTH_MAX else None
        if match is None:
            return None
        major, minor, patch, labels = match.groups()
        release = (int(major), int(minor), int(patch))
        if labels is None:
            # A final version is above all its pre-releases (item 11.3).
            return Version(text, (release, 1, ()), release)
        parts = labels.split(".")
        key = (release, 0, tuple(_identifier_key(part) for part in parts))
        number = int(parts[-1]) if len(parts) > 1 and parts[-1].isdigit() else 0
        return Version(text, key, release, parts[0], number)

    def render(self, release: tuple[int, int, int], *, channel: str, number: int, epoch: int) -> str:
        """`1.2.3` or `1.2.3-rc.1`. There are no epochs here."""
        if epoch:
            raise InvalidValue("SemVer has no epochs")
        final = ".".join(map(str, release))
        return final if channel == STABLE else f"{final}-{checked_channel(channel)}.{number}"

    def same_channel(self, channel: str, version: Version) -> bool:
        """True if `version` is a pre-release of `channel`."""
        return version.channel == channel


class Pep440:
    """PEP 440, read by `packaging`. Stricter in one thing: a leading `v` belongs to the tag and not to the version."""

    name = "pep440"

    def parse(self, text: str) -> Version | None:
        """The version, None where `text` is no PEP 440 version."""
        # Importing `packaging` costs as much as the rest of a small plan: only who has such versions pays for it.
        from packaging.version import InvalidVersion  # noqa: PLC0415 - see above
        from packaging.version import Version as PackagingVersion  # noqa: PLC0415 - see above

        if not text[:1].isdigit() or len(text) > LENGTH_MAX:
            return None
        try:
            key = PackagingVersion(text)
        except InvalidVersion:
            return None
        channel, number = None, 0
        if key.dev is not None:
            channel, number = "dev", key.dev
        elif key.pre is not None:
            channel, number = key.pre
        return Version(text, key, (key.major, key.minor, key.micro), channel, number, key.epoch)

    def render(self, release: tuple[int, int, int], *, channel: str, number: int, epoch: int) -> str:
        """`1.2.3` or `1.2.3rc1`."""
        final = (f"{epoch}!" if epoch else "") + ".".join(map(str, release))
        return final if channel == STABLE else f"{final}{_segment(channel)}{number}"

    def same_channel(self, channel: str, version: Version) -> bool:
        """True if `version` is a pre-release of `channel`, under any of its names (`a`, `alpha`)."""
        return version.channel is not None and PEP440_SEGMENTS.get(version.channel) == _segment(channel)


SCHEMES: dict[str, Scheme] = {"semver": SemVer(), "pep440": Pep440()}


def scheme_named(name: str) -> Scheme:
    """The scheme of this name; InvalidValue, listing the known ones, otherwise."""
    if name not in SCHEMES:
        raise InvalidValue(f"there is no version scheme {name[:80]!r}", todo="known schemes: " + ", ".join(SCHEMES))
    return SCHEMES[name]


def checked_channel(channel: str) -> str:
    """Return `channel` if it can stand in a version; InvalidValue otherwise."""
    if CHANNEL.fullmatch(channel) is None:
        raise InvalidValue(f"{channel[:80]!r} is not a channel", todo="a channel is a word such as rc, beta or next")
    return channel


def compare(left: Version, right: Version) -> int:
    """-1, 0 or 1 as `left` is below, equal to or above `right`. Both are of one scheme."""
    return int(left.key > right.key) - int(left.key < right.key)


def effective(bump: Bump, release: tuple[int, int, int]) -> Bump:
    """The bump that is made: while the major version is 0, a breaking change moves the minor version.

    SemVer item 4 lets anything change in 0.y.z. This is what Cargo, npm's caret ranges and most release tools do;
    the step to 1.0.0 is a decision of people. Features move the minor and fixes the patch version, as later.
    """
    return Bump.MINOR if bump is Bump.MAJOR and release[0] == 0 else bump


def bumped(release: tuple[int, int, int], bump: Bump) -> tuple[int, int, int]:
    """The release moved by `bump`; what stands to the right of the moved number becomes 0."""
    major, minor, patch = release
    match bump:
        case Bump.MAJOR:
            return (major + 1, 0, 0)
        case Bump.MINOR:
            return (major, minor + 1, 0)
        case Bump.PATCH:
            return (major, minor, patch + 1)
        case Bump.NONE:
            return release


def distance(old: tuple[int, int, int], new: tuple[int, int, int]) -> Bump:
    """Which number changes first from `old` to `new`."""
    pairs = zip(old, new, (Bump.MAJOR, Bump.MINOR, Bump.PATCH), strict=True)
    return next((bump for before, after, bump in pairs if before != after), Bump.NONE)


def _identifier_key(identifier: str) -> tuple[int, int, str]:
    """Numeric identifiers by their number, below all others, which go by ASCII (item 11.4)."""
    return (0, int(identifier), "") if identifier.isdigit() else (1, 0, identifier)


def _segment(channel: str) -> str:
    if channel not in PEP440_SEGMENTS:
        known = ", ".join(sorted({STABLE, *PEP440_SEGMENTS}))
        raise InvalidValue(f"PEP 440 has no channel {channel[:80]!r}", todo=f"known channels: {known}")
    return PEP440_SEGMENTS[channel]
