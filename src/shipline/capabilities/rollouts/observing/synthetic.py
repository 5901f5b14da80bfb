"""Requests made on purpose while a canary is watched, where users make too few to judge it by.

Promises: they fill the traffic up to what the settings ask for and no further, go to the environment's own address so
that all versions get their shares of them, and end soon after nobody asks for them any more: with the canary, with the
process, and after a time in any case. How many there were is told wherever the analysis is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


class Sender(Protocol):
    """Makes requests in the background."""

    def keep(self, rate_per_s: float, for_s: float) -> int:
        """Go on at this rate for so many seconds from now, unless it is said again; 0 ends it at once.

        Returns how many requests were sent since it was last said. It waits for nothing and fails for nothing.
        """
        ...


class NoSender:
    """For environments where nothing is sent on purpose."""

    def keep(self, rate_per_s: float, for_s: float) -> int:  # noqa: ARG002 - nothing is sent
        """Nothing."""
        return 0


@dataclass(frozen=True, slots=True)
class Synthetic:
    """`wanted_per_s` is the traffic of all versions together that a canary shall be judged by, 0 for whatever comes;
    `seconds_max` is how long it is filled up at most."""

    sender: Sender
    wanted_per_s: float = 0.0
    seconds_max: float = 0.0

    def missing_per_s(self, users_per_s: float) -> float:
        """What is missing of the wanted traffic where users make so many requests a second."""
        return max(0.0, self.wanted_per_s - users_per_s)

    def keep(self, rate_per_s: float, *, since_us: int, now_us: int, for_s: float) -> int:
        """Go on filling up, as long as that may go on; returns how many requests were sent since the last call."""
        left_s = self.seconds_max - (now_us - since_us) / 1_000_000
        return self.sender.keep(rate_per_s if left_s > 0 else 0.0, max(0.0, min(for_s, left_s)))

    def end(self) -> int:
        """Send no more; returns what `keep` does."""
        return self.sender.keep(0.0, 0.0)


def synthetic_words(sent: int) -> str:
    """How much of what was seen is synthetic, as a sentence; "" where nothing is."""
    return f"Of the requests to all versions {sent:,} were synthetic." if sent else ""
