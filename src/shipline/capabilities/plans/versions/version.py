"""What a version is, whatever its scheme, and what a scheme has to do."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol

from shipline.domain.change import Bump
from shipline.domain.errors import InvalidValue

STABLE = "stable"
LENGTH_MAX = 255
CHANNEL = re.compile(r"[a-zA-Z][0-9a-zA-Z-]{0,31}", re.ASCII)

Numbers = tuple[int, ...]
"""The numbers of a final version, the most important first: three in SemVer and PEP 440, CalVer's as in its format."""

CALVER = "calver:"
"""What stands before the format in the name of a calendar scheme."""


@dataclass(frozen=True, slots=True)
class Version:
    """A version of one scheme; `key` orders it among versions of that scheme.

    `text` is the version as written, `release` its numbers. `channel` is None for a final version, and for others the
    word that marks them (`rc`), with `number` behind it (`-rc.2`: 2). `build` is what stands behind a `+`.
    """

    text: str
    key: Any
    release: Numbers
    channel: str | None = None
    number: int = 0
    epoch: int = 0
    build: str = ""

    @property
    def is_stable(self) -> bool:
        """True for a final version."""
        return self.channel is None


class Scheme(Protocol):
    """How a family of versions is written and ordered, and how it goes on."""

    name: str

    def parse(self, text: str) -> Version | None:
        """The version, None where `text` is none of this scheme. A tag's `v` is no part of a version."""
        ...

    def normalized(self, text: str) -> str | None:
        """The one way to write the version that `text` means, in whatever usual spelling; None where it means none."""
        ...

    def render(self, release: Numbers, *, channel: str, number: int, epoch: int) -> str:
        """The version as text; `channel` is `stable` for a final version. InvalidValue: no such channel."""
        ...

    def snapshot(self, commit: str, time_us: int) -> str:
        """The version of one commit, below all that are released."""
        ...

    def same_channel(self, channel: str, version: Version) -> bool:
        """True if `version` is a pre-release of `channel`."""
        ...

    def first(self, day: date | None) -> Numbers:
        """The numbers of a project's first version."""
        ...

    def moved(self, release: Numbers, bump: Bump, day: date | None) -> Numbers:
        """The numbers after `release`; NONE moves nothing. `day` is the release's, which CalVer needs."""
        ...

    def reaches(self, release: Numbers, bump: Bump, day: date | None) -> bool:
        """True if a pre-release of `release` announces a step of `bump` already, so that `release` comes next."""
        ...


def checked_channel(channel: str) -> str:
    """Return `channel` if it can stand in a version; InvalidValue otherwise."""
    if CHANNEL.fullmatch(channel) is None:
        raise InvalidValue(f"{channel[:80]!r} is not a channel", todo="a channel is a word such as rc, beta or next")
    return channel


def compare(left: Version, right: Version) -> int:
    """-1, 0 or 1 as `left` is below, equal to or above `right`. Both are of one scheme."""
    return int(left.key > right.key) - int(left.key < right.key)
