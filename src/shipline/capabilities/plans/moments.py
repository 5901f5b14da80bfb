"""Times as people and programs read them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

LAST_SECOND = 253_402_300_799  # 9999-12-31T23:59:59Z, the last that RFC 3339 can write
EPOCH = datetime.fromtimestamp(0, UTC).replace(tzinfo=None)


def rfc3339(time_us: int) -> str:
    """UTC microseconds as RFC 3339, to the second. Times that no calendar holds become the nearest that it does."""
    # Half of what it takes to look at time zones too, and a plan has thousands of times.
    return (EPOCH + timedelta(0, min(max(time_us // 1_000_000, 0), LAST_SECOND))).isoformat() + "Z"
