"""What a freeze may be, and the rule of the calendar that it is. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from shipline.domain.calendar import CalendarRule, PeriodKind
from shipline.domain.errors import NothingToDo, RefusedError, UsageError
from shipline.domain.freeze import ALL, Freeze

MINUTE_US = 60_000_000
REASON_MAX = 200
IN_FORCE_MAX = 50
"""So many at once are a mistake, and each is looked at whenever the calendar is asked."""
UNITS_MIN = {"min": 1, "h": 60, "d": 1440}
FORMAT = "%Y-%m-%d %H:%M"
_SPAN = re.compile("([1-9][0-9]{0,4})(min|h|d)")
_MOMENT = re.compile("([0-9]{4}-[0-9]{2}-[0-9]{2})[T ]([0-9]{2}:[0-9]{2})Z?")


@dataclass(frozen=True, slots=True)
class FreezeOrder:
    """What somebody wants frozen, and until when (UTC microseconds). `key` as for Freeze."""

    stage: str
    ends_us: int
    reason: str
    key: str = ""


@dataclass(frozen=True, slots=True)
class FreezeRules:
    """What a freeze is held to: the `stages` that there are beside ALL, and how long it may last, in seconds."""

    stages: tuple[str, ...]
    longest_s: int


def ends_at(text: str, now_us: int) -> int:
    """When a freeze ends: `90min`, `4h` or `2d` from now on, or `YYYY-MM-DD HH:MM` in UTC, also with a T between.

    UTC microseconds of a full minute, rounded up. UsageError for what is neither, and for what is over.
    """
    span, moment = _SPAN.fullmatch(text), _MOMENT.fullmatch(text)
    if span is not None:
        ends_us = now_us + int(span[1]) * UNITS_MIN[span[2]] * MINUTE_US
    elif moment is not None:
        ends_us = _instant(f"{moment[1]} {moment[2]}")
    else:
        raise _unreadable(text)
    if ends_us <= now_us:
        raise UsageError(f"{text[:40]} is over already", todo="name a time to come, in UTC")
    return -(-ends_us // MINUTE_US) * MINUTE_US


def _instant(text: str) -> int:
    try:
        return int(datetime.strptime(text, FORMAT).replace(tzinfo=UTC).timestamp()) * 1_000_000
    except ValueError:
        raise _unreadable(text) from None


def _unreadable(text: str) -> UsageError:
    return UsageError(
        f"{text[:40]!r} is no end of a freeze",
        todo='say how long, as in 90min, 4h or 2d, or until when, in UTC: "2026-12-18 18:00"',
    )


def declared(order: FreezeOrder, there: Sequence[Freeze], held: FreezeRules, *, now_us: int) -> Freeze | None:
    """The freeze that is in force for just this already, None where a new one is due. `there` are those in force.

    UsageError for an unknown stage or no reason, RefusedError for one that is longer than allowed or one too many.
    """
    if order.stage not in (ALL, *held.stages):
        known = ", ".join((ALL, *held.stages))
        raise UsageError(f"there is no stage {order.stage[:60]!r} to freeze", todo=f"known ones: {known}")
    if not order.reason.strip() or not order.reason.isprintable() or len(order.reason) > REASON_MAX:
        raise UsageError("a freeze needs a reason", todo=f"say why, in one line of at most {REASON_MAX} characters")
    if order.ends_us <= now_us:  # It was found to be to come, and was ordered late.
        raise RefusedError(f"the freeze would have ended {shown_utc(order.ends_us)}", todo="declare another")
    if order.ends_us > _ceiling(now_us) + held.longest_s * 1_000_000:
        raise RefusedError(
            f"a freeze lasts at most {_length(held.longest_s)}, and this one would until {shown_utc(order.ends_us)}",
            why="`longest` in [freezes] says so",
            todo="declare a shorter one, and another when it ends; a long one belongs into the calendar: [[calendar]]",
        )
    same = next((one for one in there if (one.stage, one.ends_us) == (order.stage, order.ends_us)), None)
    if same is None and len(there) >= IN_FORCE_MAX:
        raise RefusedError(f"{IN_FORCE_MAX} freezes are in force", todo="lift some first: shipline freeze --lift")
    return same


def _ceiling(moment_us: int) -> int:
    return -(-moment_us // MINUTE_US) * MINUTE_US


def _length(seconds: int) -> str:
    minutes = seconds // 60
    unit = next(unit for unit in ("d", "h", "min") if minutes % UNITS_MIN[unit] == 0)
    return f"{minutes // UNITS_MIN[unit]}{unit}"


def to_lift(stage: str | None, there: Sequence[Freeze]) -> tuple[Freeze, ...]:
    """Those of `there` that were declared for this stage; for None all, if they are of one stage.

    NothingToDo where none is, UsageError where it is to be said which.
    """
    stages = list(dict.fromkeys(one.stage for one in there))
    if stage is None and len(stages) > 1:
        raise UsageError("say which freeze is to be lifted", todo="there are those of: " + ", ".join(stages))
    found = tuple(one for one in there if stage in (None, one.stage))
    if not found:
        others = f"there are freezes of {', '.join(stages)}; " if stages else ""
        raise NothingToDo(
            "nobody has frozen anything"
            if stage is None
            else f"nobody has declared a freeze of {stage[:60]} by itself",
            why=f"{others}a freeze of the policy's calendar is lifted there alone, by an exemption or a change",
        )
    return found


def calendar_rule_of(freeze: Freeze, stages: Sequence[str]) -> CalendarRule:
    """The rule that it is. `stages` are what ALL stands for: the release, and each environment."""
    return CalendarRule(
        name=f"{freeze.reason} ({freeze.declared_by})",
        kind=PeriodKind.FREEZE,
        stages=tuple(stages) if freeze.stage == ALL else (freeze.stage,),
        begins=_written(freeze.begins_us),
        ends=_written(freeze.ends_us),
    )


def told(freeze: Freeze) -> str:
    """It in a sentence."""
    what = "everything" if freeze.stage == ALL else freeze.stage
    return f"{what} is frozen until {shown_utc(freeze.ends_us)} by {freeze.declared_by}: {freeze.reason}"


def shown_utc(moment_us: int) -> str:
    """A time for people."""
    return f"{_written(moment_us)} (UTC)"


def _written(moment_us: int) -> str:
    return datetime.fromtimestamp(moment_us // 1_000_000, UTC).strftime(FORMAT)
