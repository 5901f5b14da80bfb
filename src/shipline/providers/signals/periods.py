"""Counts of sources that tell how many requests there were in each period of a fixed length. Pure.

Only periods that are closed, and have been for as long as counts may take to come in, are read: what is added to one
later is lost. A window is made of whole periods. Where each copy is counted by a clock of its own, a request may stand
in the period beside its own, so the counts of one group are sure only up to a period at each end, as seen from another.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from shipline.domain.errors import ConfigurationError
from shipline.ports.metrics import WrongType
from shipline.ports.signals import CountedGroup, Counts, Reading
from shipline.providers.signals.readings import NOTHING, READ_MS_MAX, Tallied, reading_of

SECONDS_MAX = 900
WHOLE_MAX = 2**53
ROUNDING = 1e-6
"""What a source that keeps rates and gives counts may be off a whole number, as a part of it."""


@dataclass(frozen=True, slots=True)
class Served:
    """A group's requests, and its failed ones, by the start of the period in UTC milliseconds. One that is not there
    had none. `unsure` are those that may have failed beside `errors`, and most likely did not."""

    requests: Mapping[int, int] = field(default_factory=dict)
    errors: Mapping[int, int] = field(default_factory=dict)
    unsure: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Pace:
    """When is read: in periods of `period_s` seconds, `lag_s` behind now, at least `window_s` at once. `doubt` is how
    many periods beside its own a request may stand in, as seen from the first group: 0 or 1. `after` is how many
    periods after a window have to be in, too, for what happened in it to be known."""

    period_s: int
    lag_s: int
    window_s: int
    doubt: int
    after: int = 0

    def check(self) -> None:
        """Refuse what cannot be read by (ConfigurationError): windows that nothing would be sure of, above all."""
        for name in ("lag_s", "window_s"):
            if not 1 <= getattr(self, name) <= SECONDS_MAX:
                raise ConfigurationError(f"{name} is 1 to {SECONDS_MAX} seconds")
        if self.window_s % self.period_s or self.window_s < self.period_s * (2 * self.doubt + 1):
            raise ConfigurationError(
                f"window_s = {self.window_s} does not go with periods of {self.period_s} s",
                why="a window is made of whole periods" + (", three or more" if self.doubt else ""),
            )

    @property
    def delay_s(self) -> float:
        """How many seconds after it was served a request is counted at the latest."""
        return float(self.lag_s + self.window_s + (1 + self.doubt + self.after) * self.period_s)

    def begin_ms(self, now_us: int) -> int:
        """The start of the first period that holds nothing from before `now_us`."""
        period_us = self.period_s * 1_000_000
        return -(-now_us // period_us) * self.period_s * 1000

    def end_ms(self, since_ms: int, now_us: int) -> int | None:
        """Where the window that begins at `since_ms` ends; None while none is in."""
        period_ms = self.period_s * 1000
        known_ms = now_us // 1000 - self.lag_s * 1000 - (self.doubt + self.after) * period_ms
        end_ms = min(known_ms, since_ms + READ_MS_MAX) // period_ms * period_ms
        return end_ms if end_ms - since_ms >= self.window_s * 1000 else None

    def asked(self, since_ms: int, until_ms: int) -> tuple[int, int]:
        """The time that has to be asked for, so that what stands beside the window is known, too."""
        period_ms = self.period_s * 1000
        return since_ms - self.doubt * period_ms, until_ms + (self.doubt + self.after) * period_ms

    def reading(self, since_ms: int, until_ms: int, served: Mapping[CountedGroup, Served]) -> Reading:
        """What the groups have had in the window. The first one's counts are kept to; of the others some is in doubt:
        as long as no two copies are counted further apart than a period, no incident of both is on one side alone."""
        first = next(iter(served), None)
        found = {
            group: self._tallied(one, since_ms, until_ms, 0 if group == first else self.doubt)
            for group, one in served.items()
        }
        return reading_of(since_ms, until_ms, found)

    def _tallied(self, served: Served, since_ms: int, until_ms: int, doubt: int) -> Tallied:
        beside_ms = doubt * self.period_s * 1000
        return Tallied(
            exact=_counts(served, since_ms, until_ms),
            least=_counts(served, since_ms + beside_ms, until_ms - beside_ms),
            most=_counts(served, since_ms - beside_ms, until_ms + beside_ms, with_unsure=True),
        )


def whole_count(value: object, *, who: str) -> int:
    """A count as a source gave it. WrongType, which begins with `who`, for what counts no whole things."""
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        count = round(value)
        if 0 <= count <= WHOLE_MAX and abs(value - count) <= ROUNDING * max(1, count):
            return count
    raise WrongType(
        f"{who} says {str(value)[:40]} where a number of requests is asked for",
        todo="name a metric that counts requests: whole numbers, none below 0",
    )


def _counts(served: Served, since_ms: int, until_ms: int, *, with_unsure: bool = False) -> Counts:
    requests, errors, unsure = (
        sum(count for start_ms, count in counted.items() if since_ms <= start_ms < until_ms)
        for counted in (served.requests, served.errors, served.unsure)
    )
    errors += unsure if with_unsure else 0
    # A failure that is counted when it ends may stand in a later period than its request.
    return Counts(max(requests, errors), errors, errors, NOTHING.histogram)
