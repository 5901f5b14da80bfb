"""Requests made on purpose while a canary is watched, where users make too few to judge it by.

Promises: they fill the traffic up to what the settings ask for and no further: how much users make is counted anew with
each look, and while nobody knows it none are made. They go to the environment's own address so that all versions get
their shares of them, and end soon after nobody asks for them any more: with the canary, with the process, and after a
time in any case. How many there were is told wherever the analysis is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from shipline.ports.signals import Reading

SECOND_US = 1_000_000
MADE_MAX = 100


@dataclass(frozen=True, slots=True)
class Made:
    """Requests a second that are made since a moment in UTC microseconds."""

    since_us: int
    per_s: float


@dataclass(frozen=True, slots=True)
class Filling:
    """What is remembered between two looks. All versions' counts are read on from `cursor`, and are known up to
    `until_us`; `made` are the rates that counts may still come in for, oldest first, with the one of now."""

    cursor: str
    until_us: int
    made: tuple[Made, ...]


@dataclass(frozen=True, slots=True)
class Span:
    """`requests` that were served after `since_us`, up to `until_us`, by all versions."""

    since_us: int
    until_us: int
    requests: int

    @property
    def per_s(self) -> float:
        """Requests a second."""
        return self.requests * SECOND_US / (self.until_us - self.since_us)


def span_of(reading: Reading, *, since_us: int, now_us: int, delay_s: float) -> Span | None:
    """What a reading tells of the traffic since a moment, None while nothing of that time is counted: pure.

    What was served `delay_s` ago is counted, so that no counts mean no requests up to then. What the first reading of
    all has from before that moment makes users look more than they are, and not fewer.
    """
    requests = sum(counts.requests for counts in reading.roles.values())
    until_us = now_us - int(delay_s * SECOND_US)
    if reading.window is not None:
        until_us = max(reading.window.until_us, until_us)
    return Span(since_us, until_us, requests) if until_us > since_us else None


def users_per_s(span: Span, made: tuple[Made, ...]) -> float:
    """What of it is users', by what was asked for meanwhile: who looks need not be who has sent it. Pure."""
    ends = (*(one.since_us for one in made[1:]), span.until_us)
    own = sum(
        one.per_s * max(0, min(end_us, span.until_us) - max(one.since_us, span.since_us))
        for one, end_us in zip(made, ends, strict=True)
    )
    return max(0.0, span.per_s - own / (span.until_us - span.since_us))


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

    def keep(self, made: tuple[Made, ...], *, since_us: int, now_us: int, for_s: float) -> tuple[tuple[Made, ...], int]:
        """Go on at the newest rate, as long as that may go on. Returns the rates with what became of that, and how many
        requests were sent here since the last call."""
        left_s = self.seconds_max - (now_us - since_us) / SECOND_US
        rate_per_s = made[-1].per_s if left_s > 0 else 0.0
        return (*made[:-1], Made(made[-1].since_us, rate_per_s)), self.sender.keep(
            rate_per_s, max(0.0, min(for_s, left_s))
        )

    def refilled(self, filling: Filling, reading: Reading, *, now_us: int, delay_s: float) -> Filling:
        """By what was counted since: what is missing now. Where nothing was, as before."""
        span = span_of(reading, since_us=filling.until_us, now_us=now_us, delay_s=delay_s)
        if span is None:
            return filling
        missing = self.missing_per_s(users_per_s(span, filling.made))
        later = tuple(
            one for one, after in zip(filling.made, filling.made[1:], strict=False) if after.since_us > span.until_us
        )
        return Filling(reading.cursor, span.until_us, (*later, filling.made[-1], Made(now_us, missing))[-MADE_MAX:])

    def end(self) -> int:
        """Send no more; returns what `keep` does."""
        return self.sender.keep(0.0, 0.0)


def synthetic_words(sent: int) -> str:
    """How much of what was seen is synthetic, as a sentence; "" where nothing is."""
    return f"Of the requests to all versions {sent:,} were synthetic." if sent else ""
