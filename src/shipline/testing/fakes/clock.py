"""A clock that stands still until it is told to jump, and ids that repeat for a seed."""

from __future__ import annotations

import random

from shipline.domain.ids import make_id

START_US = 1_790_000_000_000_000


class FakeClock:
    """Time that tests own. Sleeping jumps."""

    def __init__(self, now_us: int = START_US) -> None:
        self._now_us = now_us
        self._slept_us = 0

    def now_us(self) -> int:
        """UTC microseconds."""
        return self._now_us

    def steady_s(self) -> float:
        """Seconds slept so far, which no jump changes."""
        return self._slept_us / 1_000_000

    def sleep(self, seconds: float) -> None:
        """Let time pass, at once."""
        passed_us = int(seconds * 1_000_000)
        self._now_us += passed_us
        self._slept_us += passed_us

    def jump_to(self, time_us: int) -> None:
        """Set the time; backwards too, as a bad NTP server would."""
        self._now_us = time_us


class SeededIds:
    """Ids from a seed: the same run gives the same ids."""

    def __init__(self, seed: int, clock: FakeClock) -> None:
        self._random = random.Random(seed)  # noqa: S311 - repeatable on purpose
        self._clock = clock

    def new(self, prefix: str) -> str:
        """A fresh id."""
        return make_id(prefix, time_us=self._clock.now_us(), randomness=self._random.randbytes(10))
