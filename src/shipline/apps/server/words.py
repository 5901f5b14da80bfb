"""Numbers, times and states in words, as the page writes them. Pure."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from shipline.domain.codec import to_json
from shipline.domain.incident import IncidentStatus
from shipline.domain.release import ReleaseStatus
from shipline.domain.rollout import RolloutStatus
from shipline.domain.verdict import Answer
from shipline.engine.rules import RunStatus

SECOND_US = 1_000_000
UNITS = ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))
BYTE_UNITS = ("bytes", "kB", "MB", "GB")

# A state's colour on the page; the word beside it says the same.
TONES: dict[str, str] = {
    ReleaseStatus.PREPARING.value: "live",
    ReleaseStatus.STOPPED.value: "warn",
    ReleaseStatus.REFUSED.value: "bad",
    ReleaseStatus.PUBLISHED.value: "good",
    ReleaseStatus.YANKED.value: "quiet",
    RolloutStatus.QUEUED.value: "quiet",
    RolloutStatus.STARTING.value: "live",
    RolloutStatus.RUNNING.value: "live",
    RolloutStatus.PAUSED.value: "warn",
    RolloutStatus.PROMOTING.value: "live",
    RolloutStatus.PROMOTED.value: "good",
    RolloutStatus.ROLLING_BACK.value: "bad",
    RolloutStatus.ROLLED_BACK.value: "bad",
    RolloutStatus.FAILED.value: "bad",
    RolloutStatus.GIVEN_UP.value: "bad",
    RolloutStatus.WITHDRAWN.value: "quiet",
    IncidentStatus.OPEN.value: "bad",
    IncidentStatus.RESOLVED.value: "good",
    Answer.PASS.value: "good",
    Answer.FAIL.value: "bad",
    Answer.UNKNOWN.value: "warn",
    RunStatus.DONE.value: "good",
    "waiting": "quiet",
    "skipped": "quiet",
    "running": "live",
}
STATES = {RolloutStatus.FAILED.value: "stuck", "sbom": "SBOM"}


def state(value: str) -> str:
    """A status or answer as a word: `rolled_back` is `Rolled back`."""
    words = STATES.get(value, value.lower()).replace("_", " ")
    return words[:1].upper() + words[1:]


def tone(value: str) -> str:
    """The tone of a status: good, bad, warn, live or quiet."""
    return TONES.get(value, "quiet")


def event_words(kind: str) -> str:
    """`RolloutStarted` as `Rollout started`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", kind).capitalize()


def instant(time_us: int) -> datetime:
    """UTC microseconds as a time; what no calendar holds becomes the nearest that it does."""
    return datetime.fromtimestamp(min(max(time_us / SECOND_US, 0), 253_402_300_799), UTC)


def exact(time_us: int) -> str:
    """`2026-11-03 14:05:06 UTC`."""
    return instant(time_us).strftime("%Y-%m-%d %H:%M:%S UTC")


def rfc3339(time_us: int) -> str:
    """As programs read it, to the second."""
    return instant(time_us).strftime("%Y-%m-%dT%H:%M:%SZ")


def ago(time_us: int, now_us: int) -> str:
    """`3 minutes ago`, in the largest unit that fits; `just now` for the last ten seconds and for what is to come."""
    seconds = (now_us - time_us) // SECOND_US
    if seconds < 10:
        return "just now"
    size, name = next((size, name) for size, name in UNITS if seconds >= size)
    return f"{counted(seconds // size, name)} ago"


def duration(seconds: float) -> str:
    """`0.4 s`, `45 s`, `3 min 20 s`, `2 h 5 min`, `3 d 4 h`. Negative: `0.0 s`."""
    if seconds < 10:
        return f"{max(seconds, 0):.1f} s"
    whole = round(seconds)
    for size, name, smaller, smaller_name in ((86_400, "d", 3_600, "h"), (3_600, "h", 60, "min"), (60, "min", 1, "s")):
        if whole >= size:
            rest = whole % size // smaller
            return f"{whole // size} {name} {rest} {smaller_name}" if rest else f"{whole // size} {name}"
    return f"{whole} s"


def counted(number: int, noun: str) -> str:
    """`1 event`, `2 events`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def percent(share: float) -> str:
    """A share of 1 as `12.5%`: one digit after the point where there is something to see, two below 1%."""
    value = 100 * share
    digits = 2 if 0 < value < 1 else 1
    return f"{value:.{digits}f}".rstrip("0").rstrip(".") + "%"


def evidence(value: float) -> str:
    """An evidence value: three significant digits, at most a billion."""
    if value >= 1_000_000:
        return f"{min(value, 1e9):.2g}" if value < 1e9 else "over 1,000,000,000"
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def size(number: int) -> str:
    """Bytes as `12.3 kB` (of 1000)."""
    value, unit = float(number), 0
    while value >= 1000 and unit < len(BYTE_UNITS) - 1:
        value, unit = value / 1000, unit + 1
    return f"{number} {BYTE_UNITS[0]}" if unit == 0 else f"{value:.1f} {BYTE_UNITS[unit]}"


def plain(value: Any) -> str:
    """A figure of an evidence's summary or of a gate's facts, for people."""
    data = to_json(value)
    if data is None:
        return "not known"
    if isinstance(data, bool):
        return "yes" if data else "no"
    if isinstance(data, float):
        return f"{data:.4g}"
    return f"{data:,}" if isinstance(data, int) else str(data)
