"""CalendarRule: when something may be released or deployed, and when not."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class PeriodKind(StrEnum):
    """What a period does to its stages: a freeze closes them, a window or a train opens them, and only then."""

    FREEZE = "freeze"
    WINDOW = "window"
    TRAIN = "train"


@dataclass(frozen=True, slots=True)
class Exemption:
    """One release that a freeze lets through.

    `release` is `NAME VERSION`, as in `quotes 1.4.1`. `reason` says why; it is not "". `approver` is the name of an
    Approver, who has to have approved that release for the stage. It is over at `until`, written `YYYY-MM-DD HH:MM` in
    the zone of its freeze.
    """

    release: str
    reason: str
    approver: str
    until: str


@dataclass(frozen=True, slots=True)
class CalendarRule:
    """Periods of one name, once or again and again.

    `stages` are what it is about: `release`, or names of environments. Once: from `begins` to `ends`, written
    `YYYY-MM-DD HH:MM`. Again and again: from each time that the five fields of `cron` name, for `lasts_s` seconds. All
    of it is told in `timezone`, an IANA name. `coordinator` is who answers for a train, and for
    its `checklist`, what has to be ticked of each release that goes with it. `exemptions` are for freezes.
    """

    name: str
    kind: PeriodKind
    stages: tuple[str, ...]
    timezone: str = "UTC"
    begins: str = ""
    ends: str = ""
    cron: str = ""
    lasts_s: int = 0
    coordinator: str = ""
    checklist: tuple[str, ...] = ()
    exemptions: tuple[Exemption, ...] = ()


@dataclass(frozen=True, slots=True)
class Period:
    """One stretch of time, UTC microseconds: `begins_us` is in it, `ends_us` is not."""

    rule: CalendarRule
    begins_us: int
    ends_us: int
