"""The time that figures speak of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo

from shipline.domain.errors import InvalidValue

DAYS_MAX = 3660


@dataclass(frozen=True, slots=True)
class Window:
    """From `start_us` up to, and without, `end_us` (UTC microseconds); days begin at midnight in `zone`,
    which is `datetime.UTC` or a `ZoneInfo`."""

    start_us: int
    end_us: int
    zone: tzinfo

    def __post_init__(self) -> None:
        """Refuse a window that holds no time, or more days than can be listed."""
        if not self.start_us < self.end_us <= self.start_us + DAYS_MAX * 86_400_000_000:
            raise InvalidValue("a window ends after it begins", todo=f"choose 1 to {DAYS_MAX} days")

    def holds(self, time_us: int) -> bool:
        """True for its first instant, false for its end."""
        return self.start_us <= time_us < self.end_us

    def day_of(self, time_us: int) -> date:
        """The day on which it was that time in the window's zone."""
        return datetime.fromtimestamp(time_us / 1_000_000, self.zone).date()

    def days(self) -> tuple[date, ...]:
        """Every day that the window touches, in order."""
        first, last = self.day_of(self.start_us), self.day_of(self.end_us - 1)
        return tuple(first + timedelta(days=number) for number in range((last - first).days + 1))


def last_days(days: int, *, now_us: int, zone: tzinfo) -> Window:
    """The last `days` whole days in a time zone, today among them. A day may have 23 or 25 hours."""
    if not 1 <= days <= DAYS_MAX - 1:
        raise InvalidValue(f"{days} days cannot be looked at", todo=f"choose 1 to {DAYS_MAX - 1} days")
    today = datetime.fromtimestamp(now_us / 1_000_000, zone).date()
    return Window(_midnight(today - timedelta(days=days - 1), zone), _midnight(today + timedelta(days=1), zone), zone)


def _midnight(day: date, zone: tzinfo) -> int:
    return int(datetime.combine(day, time.min, zone).timestamp()) * 1_000_000
