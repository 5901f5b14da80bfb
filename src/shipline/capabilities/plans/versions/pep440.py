"""PEP 440, as the library `packaging` has it, which is imported when the first such version is read.

Source: https://packaging.python.org/en/latest/specifications/version-specifiers/.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from shipline.capabilities.plans.versions.bumps import FIRST, bumped, reaches
from shipline.capabilities.plans.versions.snapshot import DEV_MIN, NOTHING, SNAPSHOT, snapshot_parts
from shipline.capabilities.plans.versions.version import LENGTH_MAX, STABLE, Numbers, Version
from shipline.domain.change import Bump
from shipline.domain.errors import InvalidValue

SEGMENTS = {
    "alpha": "a",
    "a": "a",
    "beta": "b",
    "b": "b",
    "rc": "rc",
    "dev": ".dev",
}


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
            is_snapshot = key.dev >= DEV_MIN and (key.major, key.minor, key.micro) == NOTHING
            channel, number = (SNAPSHOT, 0) if is_snapshot else ("dev", key.dev)
        elif key.pre is not None:
            channel, number = key.pre
        return Version(text, key, (key.major, key.minor, key.micro), channel, number, key.epoch, key.local or "")

    def normalized(self, text: str) -> str | None:
        """As the specification's section "Normalization" has it: `v1.0-RC.1` is `1.0rc1`."""
        bare = text.strip()
        version = self.parse(bare[1:] if bare[:1] in ("v", "V") else bare)
        return None if version is None else str(version.key)

    def render(self, release: Numbers, *, channel: str, number: int, epoch: int) -> str:
        """`1.2.3` or `1.2.3rc1`."""
        final = (f"{epoch}!" if epoch else "") + ".".join(map(str, release))
        return final if channel == STABLE else f"{final}{_segment(channel)}{number}"

    def snapshot(self, commit: str, time_us: int) -> str:
        """`0.0.0.dev20261126184530+1a2b3c4`."""
        return "0.0.0.dev{}+{}".format(*snapshot_parts(commit, time_us))

    def same_channel(self, channel: str, version: Version) -> bool:
        """True if `version` is a pre-release of `channel`, under any of its names (`a`, `alpha`)."""
        if SNAPSHOT in (channel, version.channel):
            return channel == version.channel
        return version.channel is not None and SEGMENTS.get(version.channel) == _segment(channel)

    def first(self, day: date | None) -> Numbers:  # noqa: ARG002 - the same every day
        """0.1.0."""
        return FIRST

    def moved(self, release: Numbers, bump: Bump, day: date | None) -> Numbers:  # noqa: ARG002 - the same every day
        """The numbers after `release`."""
        return bumped(release, bump)

    def reaches(self, release: Numbers, bump: Bump, day: date | None) -> bool:  # noqa: ARG002 - the same every day
        """True if a pre-release of `release` announces a step of `bump` already."""
        return reaches(release, bump)


def pep440_parts(version: Version) -> dict[str, Any]:
    """What PEP 440 has beside what all schemes have: the `post` and `dev` numbers, and the `local` label; else None."""
    key = version.key
    return {"post": key.post, "dev": key.dev, "local": key.local}


def _segment(channel: str) -> str:
    if channel not in SEGMENTS:
        known = ", ".join(sorted({STABLE, *SEGMENTS}))
        raise InvalidValue(f"PEP 440 has no channel {channel[:80]!r}", todo=f"known channels: {known}")
    return SEGMENTS[channel]
