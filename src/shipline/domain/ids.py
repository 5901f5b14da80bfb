"""Identifiers: UUIDv7 (RFC 9562, section 5.7) with a type prefix, so that they sort by time and say what they name."""

from __future__ import annotations

import re
from typing import Protocol

from shipline.domain.errors import InvalidValue

PATTERN = re.compile(r"^[a-z]{2,5}_[0-9a-f]{32}$")


class Ids(Protocol):
    """Where new identifiers come from; passed in, so that tests are repeatable."""

    def new(self, prefix: str) -> str:
        """A fresh id such as `rel_0193…`; `prefix` is 2 to 5 lower-case letters."""
        ...


def make_id(prefix: str, *, time_us: int, randomness: bytes) -> str:
    """Build an id from a time (UTC microseconds) and 10 random bytes."""
    if len(randomness) != 10:
        raise ValueError("an id needs exactly 10 random bytes")
    milliseconds = (time_us // 1000) & ((1 << 48) - 1)
    entropy = int.from_bytes(randomness, "big")
    high = (milliseconds << 16) | 0x7000 | (entropy >> 68)
    low = (0b10 << 62) | (entropy & ((1 << 62) - 1))
    return checked_id(f"{prefix}_{high:016x}{low:016x}")


def checked_id(text: str) -> str:
    """Return `text` if it is an id; raise InvalidValue otherwise."""
    if not PATTERN.match(text):
        raise InvalidValue(f"{text[:80]!r} is not an identifier", todo="ids look like rel_ followed by 32 hex digits")
    return text
