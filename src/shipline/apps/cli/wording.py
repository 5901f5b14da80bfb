"""Times, durations, shares and documents, as every command writes them, and others' text made safe to show."""

from __future__ import annotations

import re
import sys
from datetime import UTC, datetime
from typing import Any

COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_STEERING = re.compile(r"[\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def json_text(document: Any) -> str:
    """A document as JSON: indented for people at a terminal; for programs in one line, which takes a tenth of the time
    where it is long."""
    import json

    return inert(json.dumps(document, indent=2 if sys.stdout.isatty() else None, ensure_ascii=False))


def inert(document: str) -> str:
    """JSON with what a terminal might obey, and JSON leaves as it is, written as escapes: it says the same. So is half
    of a character, which cannot be written otherwise."""
    return _STEERING.sub(lambda found: f"\\u{ord(found[0]):04x}", document)


def moment(time_us: int) -> str:
    """UTC microseconds as `2026-11-03 14:05:06 UTC`."""
    return datetime.fromtimestamp(time_us / 1_000_000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def duration(seconds: float) -> str:
    """At most two units: `0.4 s`, `45 s`, `3 min 20 s`, `2 h 5 min`, `3 d 4 h`. Not negative."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    for size, name, smaller_size, smaller in ((86400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s")):
        if whole >= size:
            rest = whole % size // smaller_size
            return f"{whole // size} {name} {rest} {smaller}" if rest else f"{whole // size} {name}"
    return f"{whole} s"


def percentage(share: float) -> str:
    """A share of 1 as `12.5 %`."""
    return f"{share * 100:.1f} %"


def printable(text: str) -> str:
    """Text from outside without what would steer a terminal: colours are left out, and all but printable characters
    and line ends is a space."""
    return "".join(each if each.isprintable() or each == "\n" else " " for each in COLOUR.sub("", text))
