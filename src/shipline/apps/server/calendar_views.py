"""What the page of the calendar shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, TypeAlias

from fastapi import Query

from shipline.apps.server.site import Site
from shipline.capabilities.gates import CALENDAR_PERIODS_MAX, opens_us, periods_of, shown, standing
from shipline.domain.calendar import Period, PeriodKind

DAY_US = 86_400_000_000
PAGE_DAYS, FEED_DAYS, DAYS_MAX = 30, 90, 366
Days: TypeAlias = Annotated[int, Query(ge=1, le=DAYS_MAX)]


@dataclass(frozen=True, slots=True)
class StageLine:
    """How a stage stands now. `opens_us` is when it opens, UTC microseconds; None where it is open, or not within a
    year."""

    stage: str
    is_open: bool
    words: str
    opens_us: int | None


@dataclass(frozen=True, slots=True)
class PeriodLine:
    """A period in the words of its own time zone. `tone` is its colour; `now`: it is under way."""

    name: str
    kind: str
    tone: str
    stages: str
    begins: str
    ends: str
    coordinator: str
    now: bool


@dataclass(frozen=True, slots=True)
class CalendarView:
    """One moment of the calendar: each stage, and the periods of the next `days`."""

    stages: tuple[StageLine, ...]
    periods: tuple[PeriodLine, ...]
    days: int


def coming(site: Site, days: int) -> tuple[Period, ...]:
    """The periods from now on; of very many the first ones."""
    now_us = site.clock.now_us()
    return periods_of(site.calendar(), now_us, now_us + days * DAY_US)[:CALENDAR_PERIODS_MAX]


def calendar_view(site: Site) -> CalendarView:
    """All that is to be shown."""
    now_us = site.clock.now_us()
    stages = tuple(_stage(site, stage, now_us) for stage in site.stages)
    return CalendarView(stages, tuple(_line(each, now_us) for each in coming(site, PAGE_DAYS)), PAGE_DAYS)


def _stage(site: Site, stage: str, now_us: int) -> StageLine:
    here = standing(site.calendar(), stage, now_us)
    opens = None if here.is_open else opens_us(site.calendar(), stage, now_us)
    return StageLine(stage, here.is_open, here.sentence, opens)


def _line(period: Period, now_us: int) -> PeriodLine:
    rule = period.rule
    return PeriodLine(
        name=rule.name,
        kind=rule.kind.value,
        tone="bad" if rule.kind is PeriodKind.FREEZE else "good",
        stages=", ".join(rule.stages),
        begins=shown(period.begins_us, rule),
        ends=shown(period.ends_us, rule),
        coordinator=rule.coordinator,
        now=period.begins_us <= now_us,
    )
