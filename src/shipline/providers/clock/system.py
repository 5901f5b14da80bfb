"""The machine's clock, and ids from its randomness: the only place that reads either."""

from __future__ import annotations

import os
import time

from shipline.domain.ids import make_id


class SystemClock:
    """Real time."""

    def now_us(self) -> int:
        """UTC microseconds since 1970."""
        return time.time_ns() // 1000

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)  # noqa: TID251 - this is the Clock


class SystemIds:
    """UUIDv7 with a prefix."""

    def new(self, prefix: str) -> str:
        """A fresh id."""
        return make_id(prefix, time_us=time.time_ns() // 1000, randomness=os.urandom(10))
