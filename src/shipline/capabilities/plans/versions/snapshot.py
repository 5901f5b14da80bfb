"""Snapshots: a version for one commit, below all others, so that nobody gets it who does not ask for it by name.

SemVer has `0.0.0-20261126184530-1a2b3c4`: the commit's time in UTC, so that newer ones are higher, and its beginning.
PEP 440 has no place for free text in a public version; `0.0.0.dev20261126184530+1a2b3c4` is the nearest that it has. A
developmental release is below everything of 0.0.0, and the commit stands in the local part, which an index such as PyPI
does not take.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

SNAPSHOT = "snapshot"
NOTHING = (0, 0, 0)
SEMVER_LABELS = re.compile(r"\d{14}-[0-9a-f]{7,64}", re.ASCII)
DEV_MIN = 10**13  # No developmental release is counted as far; a time has 14 digits.
ABBREVIATED_LENGTH = 7


def snapshot_parts(commit: str, time_us: int) -> tuple[str, str]:
    """The time and the beginning of a commit's id, as a snapshot writes them."""
    stamp = datetime.fromtimestamp(time_us // 1_000_000, UTC).strftime("%Y%m%d%H%M%S")
    return stamp, _abbreviated(commit)


def _abbreviated(commit: str) -> str:
    """Its first characters; more of them while they are all digits, since a number may not begin with 0."""
    length = ABBREVIATED_LENGTH
    while commit[:length].isdigit() and length < len(commit):
        length += 1
    return commit[:length]
