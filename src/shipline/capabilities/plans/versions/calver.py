"""CalVer: versions whose numbers say when they were made. Source: https://calver.org.

The scheme is written with its format in one text: `calver:YYYY.0M.MICRO`. In a new period the version takes the day's
date, and what stands to the right of the changed number begins anew; in the same period the counter moves that the
change asks for, or the lowest. The day is handed in. Where a format has a week, its year is the week's (ISO 8601).
"""

from __future__ import annotations

import re
from datetime import date

from shipline.capabilities.plans.versions.calver_format import (
    EPOCH_YEAR,
    TOKENS,
    Format,
    kind_of,
    read_format,
)
from shipline.capabilities.plans.versions.snapshot import snapshot_parts
from shipline.capabilities.plans.versions.version import CALVER, LENGTH_MAX, STABLE, Numbers, Version, checked_channel
from shipline.domain.change import Bump
from shipline.domain.errors import InvalidValue

# calver.org names dev, alpha, beta and rc, and orders none of them. The order is PEP 440's: dev, then by the alphabet.
MODIFIER = r"(?:[.\-_]?([a-zA-Z]+)(?:[.\-_]?(0|[1-9]\d{0,17}))?)?"
SPELLINGS = {"a": "alpha", "b": "beta", "c": "rc", "pre": "rc", "preview": "rc"}
# Which counter a bump moves: the first of these that the format has.
MOVED = {
    Bump.MAJOR: ("MAJOR", "MINOR", "MICRO"),
    Bump.MINOR: ("MINOR", "MICRO", "MAJOR"),
    Bump.PATCH: ("MICRO", "MINOR", "MAJOR"),
}


class CalVer:
    """One format of calendar versions."""

    def __init__(self, written: str) -> None:
        self.format = read_format(written)
        self.name = CALVER + written
        self._pattern = re.compile(_pattern(self.format), re.ASCII)

    def parse(self, text: str) -> Version | None:
        """The version, None where `text` does not fit the format."""
        match = self._pattern.fullmatch(text) if len(text) <= LENGTH_MAX else None
        if match is None:
            return None
        *numbers, word, number = match.groups()
        release = tuple(int(each or 0) for each in numbers)
        if not _is_a_day(self.format, release):
            return None
        if word is None:
            return Version(text, (release, 1, "", 0), release)
        channel = _channel(word)
        key = (release, 0, "" if channel == "dev" else channel, int(number or 0))
        return Version(text, key, release, channel, int(number or 0))

    def normalized(self, text: str) -> str | None:
        """The version as the format writes it, its modifier too."""
        version = self.parse(text.strip())
        if version is None:
            return None
        return self.render(version.release, channel=version.channel or STABLE, number=version.number, epoch=0)

    def render(self, release: Numbers, *, channel: str, number: int, epoch: int) -> str:
        """`2026.11.0` or `2026.11.0-rc.1`. There are no epochs here."""
        if epoch:
            raise InvalidValue("CalVer has no epochs")
        written = list(zip(self.format.separators, self.format.tokens, release, strict=True))
        if self.format.optional and not release[-1]:
            written.pop()
        final = "".join(
            f"{separator}{value:0{2 if token.startswith('0') else 1}d}" for separator, token, value in written
        )
        if channel == STABLE:
            return final
        if not checked_channel(channel).isalpha():
            raise InvalidValue(f"the modifier {channel[:40]!r} of a CalVer version may hold letters only")
        between = self.format.modifier_separator
        return f"{final}{between}{_channel(channel)}{'.' if between == '-' else ''}{number}"

    def snapshot(self, commit: str, time_us: int) -> str:
        """`0.0.0-20261126184530-1a2b3c4`, as in SemVer: a date that it could have is below no other one."""
        return "0.0.0-{}-{}".format(*snapshot_parts(commit, time_us))

    def same_channel(self, channel: str, version: Version) -> bool:
        """True if `version` is a pre-release of `channel`, under any of its names (`a`, `alpha`)."""
        return version.channel == _channel(channel)

    def first(self, day: date | None) -> Numbers:
        """The day's date, and counters at 0."""
        return tuple(_today(self.format, token, _known(day)) or 0 for token in self.format.tokens)

    def moved(self, release: Numbers, bump: Bump, day: date | None) -> Numbers:
        """The numbers after `release` on `day`. A date never goes back: a day before the version's own is its own.

        InvalidValue where the format has no counter and the version is of this period already.
        """
        if bump is Bump.NONE:
            return release
        today = self._new_date(release, day)
        numbers = _moved(release, today, _counter(self.format, bump), self._period())
        if numbers == release:
            raise self._is_taken(release)
        return numbers

    def reaches(self, release: Numbers, bump: Bump, day: date | None) -> bool:  # noqa: ARG002 - the date alone says it
        """True while the period of a pre-release lasts."""
        return not any(value is not None for value in self._new_date(release, day))

    def _period(self) -> list[int]:
        """The places of the date."""
        return [place for place, token in enumerate(self.format.tokens) if kind_of(token) != "counter"]

    def _new_date(self, release: Numbers, day: date | None) -> list[int | None]:
        """The numbers of `day` in their places, if it is in a later period than `release`; all None otherwise."""
        today = [_today(self.format, token, _known(day)) for token in self.format.tokens]
        is_new = [today[place] for place in self._period()] > [release[place] for place in self._period()]
        return today if is_new else [None] * len(release)

    def _is_taken(self, release: Numbers) -> InvalidValue:
        text = self.render(release, channel=STABLE, number=0, epoch=0)
        return InvalidValue(
            f"{text} is released already, and {self.format.text} has no counter to release twice in a period",
            todo=f"wait for the next period, or add one: {CALVER}{self.format.text}.MICRO",
        )


def _moved(release: Numbers, today: list[int | None], counter: int | None, period: list[int]) -> Numbers:
    """The numbers with today's date, where it is a new one, and with the counter moved; behind a change all is new."""
    numbers: list[int] = []
    for place, before in enumerate(release):
        date_of_today = today[place]
        if date_of_today is not None:
            numbers.append(date_of_today)
        elif place in period:
            numbers.append(before)
        elif tuple(numbers) != release[:place]:
            numbers.append(0)
        else:
            numbers.append(before + 1 if place == counter else before)
    return tuple(numbers)


def _counter(made: Format, bump: Bump) -> int | None:
    """The place of the counter that `bump` moves, None where the format has none."""
    return next((made.tokens.index(name) for name in MOVED[bump] if name in made.tokens), None)


def _pattern(made: Format) -> str:
    pieces = [
        f"{re.escape(separator)}({TOKENS[token]})"
        for separator, token in zip(made.separators, made.tokens, strict=True)
    ]
    if made.optional:
        pieces[-1] = f"(?:{pieces[-1]})?"
    return "".join(pieces) + MODIFIER


def _today(made: Format, token: str, day: date) -> int | None:
    """What `token` is on `day`; None for a counter."""
    week = day.isocalendar()
    year = week.year if made.has_week else day.year
    found = {"year": year, "month": day.month, "week": week.week, "day": day.day}.get(kind_of(token))
    return found - EPOCH_YEAR if found is not None and token in ("YY", "0Y") else found


def _is_a_day(made: Format, release: Numbers) -> bool:
    """True if the calendar has such a date: no 31st of February, no week 53 in most years."""
    found = {kind_of(token): value for token, value in zip(made.tokens, release, strict=True)}
    year = found["year"] + (0 if "YYYY" in made.tokens else EPOCH_YEAR)
    try:
        if "week" in found:
            date.fromisocalendar(year, found["week"], 1)
        else:
            date(year, found.get("month", 1), found.get("day", 1))
    except ValueError:
        return False
    return True


def _channel(word: str) -> str:
    lower = word.lower()
    return SPELLINGS.get(lower, lower)


def _known(day: date | None) -> date:
    if day is None:
        raise InvalidValue("a calendar version needs the date of its release")
    return day
