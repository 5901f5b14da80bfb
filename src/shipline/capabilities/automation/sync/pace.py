"""How fast may be written to a forge: pure, but for what it remembers.

From: docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api, secondary limits: 80 creations in a minute
and 500 in an hour; a change costs 5 of 900 points a minute. The others allow more, and are not asked for it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from shipline.ports.forge import Budget

SECOND_US = 1_000_000
MINUTE_US, HOUR_US = 60 * SECOND_US, 3600 * SECOND_US
MADE_A_MINUTE_MAX, MADE_AN_HOUR_MAX, WRITTEN_A_MINUTE_MAX = 80, 500, 150
REQUESTS_KEPT = 100  # Requests that are left to others, until the forge's window ends.


class Pace:
    """What was written to one forge in the last hour. `made_us` is when something was made there, in any order."""

    def __init__(self, made_us: Iterable[int] = ()) -> None:
        self._made = deque(sorted(made_us))
        self._written: deque[int] = deque()

    def pause_us(self, now_us: int, *, making: bool) -> int:
        """How long the next one has to wait, 0 for not at all."""
        while self._made and self._made[0] <= now_us - HOUR_US:
            self._made.popleft()
        while self._written and self._written[0] <= now_us - MINUTE_US:
            self._written.popleft()
        pauses = [0]
        if len(self._written) >= WRITTEN_A_MINUTE_MAX:
            pauses.append(self._written[0] + MINUTE_US - now_us)
        if making and len(self._made) >= MADE_AN_HOUR_MAX:
            pauses.append(self._made[-MADE_AN_HOUR_MAX] + HOUR_US - now_us)
        if making and len(self._made) >= MADE_A_MINUTE_MAX:
            pauses.append(self._made[-MADE_A_MINUTE_MAX] + MINUTE_US - now_us)
        return max(pauses)

    def note(self, now_us: int, *, making: bool) -> None:
        """One was written."""
        self._written.append(now_us)
        if making:
            self._made.append(now_us)


def budget_pause_us(budget: Budget, now_us: int) -> int:
    """How long to wait for the forge's own window, as far as it tells of it."""
    if budget.remaining is None or budget.remaining > REQUESTS_KEPT:
        return 0
    return max(0, (budget.resets_us or now_us + MINUTE_US) - now_us)
