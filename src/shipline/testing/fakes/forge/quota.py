"""How much a fake forge lets be asked: so many requests in a window, and so many creations in a minute.

From: docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api; docs.gitlab.com/security/rate_limits.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from shipline.ports.clock import Clock

SECOND_US = 1_000_000
MINUTE_S = 60


@dataclass
class Quota:
    """A primary limit of `limit` requests in `window_s`, and a secondary one of `creations_max` POSTs in a minute."""

    clock: Clock
    limit: int = 5000
    window_s: int = 3600
    creations_max: int = 80
    used: int = 0
    ends_us: int = 0
    created_us: deque[int] = field(default_factory=deque)

    def take(self, method: str) -> int:
        """Count a request: 0 if it may be carried out, else the seconds to wait. What is turned away does not count."""
        now_us = self.clock.now_us()
        if now_us >= self.ends_us:
            self.used, self.ends_us = 0, now_us + self.window_s * SECOND_US
        while self.created_us and self.created_us[0] <= now_us - MINUTE_S * SECOND_US:
            self.created_us.popleft()
        if self.used >= self.limit:
            return -((now_us - self.ends_us) // SECOND_US)
        if method == "POST" and len(self.created_us) >= self.creations_max:
            return MINUTE_S
        self.used += 1
        self.created_us.extend([now_us] if method == "POST" else [])
        return 0

    @property
    def remaining(self) -> int:
        """Requests that are left in this window."""
        return self.limit - self.used

    @property
    def resets_s(self) -> int:
        """When the window ends, in seconds since the epoch."""
        return self.ends_us // SECOND_US
