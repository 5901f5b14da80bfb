"""How much a fake forge lets be asked: so many requests in a window, and so many creations in a minute and an hour.

From: docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api; docs.gitlab.com/security/rate_limits.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from shipline.ports.clock import Clock

SECOND_US = 1_000_000
MINUTE_S, HOUR_S = 60, 3600


@dataclass
class Quota:
    """A primary limit of `limit` requests in `window_s`, and secondary ones of `creations_max` POSTs in a minute and
    `an_hour_max` in an hour; `turned_away` counts what was beyond one of them."""

    clock: Clock
    limit: int = 5000
    window_s: int = 3600
    creations_max: int = 80
    an_hour_max: int = 500
    turned_away: int = 0
    used: int = 0
    ends_us: int = 0
    created_us: deque[int] = field(default_factory=deque)

    def take(self, method: str) -> int:
        """Count a request: 0 if it may be carried out, else the seconds to wait. What is turned away does not count."""
        now_us = self.clock.now_us()
        if now_us >= self.ends_us:
            self.used, self.ends_us = 0, now_us + self.window_s * SECOND_US
        while self.created_us and self.created_us[0] <= now_us - HOUR_S * SECOND_US:
            self.created_us.popleft()
        wait_s = self._wait_s(now_us, creating=method == "POST")
        if wait_s:
            self.turned_away += 1
            return wait_s
        self.used += 1
        self.created_us.extend([now_us] if method == "POST" else [])
        return 0

    def _wait_s(self, now_us: int, *, creating: bool) -> int:
        """GitHub says of its secondary limits to wait for a minute; here it says what helps."""
        if self.used >= self.limit:
            return -((now_us - self.ends_us) // SECOND_US)
        if creating and len(self.created_us) >= self.an_hour_max:
            return HOUR_S - (now_us - self.created_us[-self.an_hour_max]) // SECOND_US
        lately = sum(each > now_us - MINUTE_S * SECOND_US for each in self.created_us)
        return MINUTE_S if creating and lately >= self.creations_max else 0

    @property
    def remaining(self) -> int:
        """Requests that are left in this window."""
        return self.limit - self.used

    @property
    def resets_s(self) -> int:
        """When the window ends, in seconds since the epoch."""
        return self.ends_us // SECOND_US
