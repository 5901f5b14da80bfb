"""The calendar: freezes, maintenance windows and release trains. Pure; time comes in as an argument.

A stage is open at a time if no freeze covers it and, where windows or trains are about the stage, one of them does.
A time that a clock shows twice (the end of summer time) is meant the first time; one that it never shows (the
beginning) is as late as if the clock had not been moved: as `fold=0` of PEP 495. Recurring times are cronsim's: one
that falls into the hour that is left out happens right after it, one in the hour that comes twice happens once.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import islice
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

from shipline.domain.calendar import CalendarRule, Exemption, Period, PeriodKind
from shipline.domain.errors import ConfigurationError
from shipline.domain.verdict import Answer, Verdict

GATE = "calendar"
"""The name under which the calendar's verdicts are kept."""
LASTS_MAX_S = 366 * 86_400
OVERLAPS_MAX = 100
HORIZON_US = 366 * 86_400_000_000
"""How far ahead the next opening is looked for."""
STEPS_MAX = 20_000
"""A bound for rules that follow each other every minute."""
FORMAT = "%Y-%m-%d %H:%M"


def check_rule(rule: CalendarRule, stages: Sequence[str]) -> None:
    """ConfigurationError for what cannot be: an unknown stage or zone, no time or two, an end before the beginning."""
    what = f"the {rule.kind.value} {rule.name!r}"
    unknown = [stage for stage in rule.stages if stage not in stages]
    if unknown or not rule.stages:
        raise ConfigurationError(
            f"{what} names the unknown stage {unknown[0]!r}" if unknown else f"{what} names no stage",
            todo="known ones: " + ", ".join(stages),
        )
    zone_of(rule)
    once, again = bool(rule.begins or rule.ends), bool(rule.cron or rule.lasts_s)
    if once == again:
        raise ConfigurationError(
            f"{what} is to be once, or again and again",
            todo="say `begins` and `ends` for the one, `cron` and `lasts` for the other",
        )
    if once and not _instant(rule, rule.begins, "begins") < _instant(rule, rule.ends, "ends"):
        raise ConfigurationError(f"{what} ends before it begins")
    if again:
        _check_recurring(rule, what)
    if rule.exemptions and rule.kind is not PeriodKind.FREEZE:
        raise ConfigurationError(f"{what} has exemptions, and only a freeze lets something through")
    if rule.checklist and rule.kind is not PeriodKind.TRAIN:
        raise ConfigurationError(f"{what} has a checklist, and only a train has one", todo="give it to an environment")
    for each in rule.exemptions:
        if not (each.reason.strip() and each.approver.strip()):
            raise ConfigurationError(f"an exemption of {what} needs a reason and an approver")
        _instant(rule, each.until, "until")


def _check_recurring(rule: CalendarRule, what: str) -> None:
    if not 60 <= rule.lasts_s <= LASTS_MAX_S:
        raise ConfigurationError(f"{what} needs `lasts`, from a minute to a year")
    try:
        first = next(CronSim(rule.cron, datetime(2026, 1, 1, tzinfo=zone_of(rule))), None)
    except CronSimError as error:
        raise ConfigurationError(
            f"{what} has a `cron` that cannot be read: {rule.cron[:60]!r}",
            why=str(error),
            todo='five fields, as in "0 10 * * TUE": minute, hour, day of the month, month, day of the week',
        ) from error
    if first is None:
        raise ConfigurationError(f"{what} never happens: {rule.cron[:60]!r}")
    again = islice(CronSim(rule.cron, first), OVERLAPS_MAX)
    if len([each for each in again if (each - first).total_seconds() < rule.lasts_s]) == OVERLAPS_MAX:
        raise ConfigurationError(f"{what} begins again {OVERLAPS_MAX} times before it ends", todo="let it last shorter")


@lru_cache(maxsize=64)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def zone_of(rule: CalendarRule) -> ZoneInfo:
    """The rule's time zone. ConfigurationError for a name that is none."""
    try:
        return _zone(rule.timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ConfigurationError(
            f"the {rule.kind.value} {rule.name!r} is in the unknown time zone {rule.timezone[:60]!r}",
            todo="take a name of the IANA database, such as Europe/Berlin or UTC",
        ) from None


def _instant(rule: CalendarRule, text: str, key: str) -> int:
    try:
        local = datetime.strptime(text, FORMAT).replace(tzinfo=zone_of(rule))
    except ValueError:
        raise ConfigurationError(
            f"the {rule.kind.value} {rule.name!r} has no time in `{key}`: {text[:40]!r}",
            todo='write it as in "2026-12-18 18:00"',
        ) from None
    return _microseconds(local)


def _microseconds(moment: datetime) -> int:
    return int(moment.timestamp()) * 1_000_000


def periods(rule: CalendarRule, from_us: int, until_us: int) -> Iterator[Period]:
    """The rule's periods that have a part in `from_us` to `until_us`, in order; of very many the first ones."""
    if rule.begins:
        period = Period(rule, _instant(rule, rule.begins, "begins"), _instant(rule, rule.ends, "ends"))
        if period.begins_us < until_us and period.ends_us > from_us:
            yield period
        return
    before = datetime.fromtimestamp(from_us // 1_000_000, UTC) - timedelta(seconds=rule.lasts_s, minutes=1)
    for _, moment in zip(range(STEPS_MAX), CronSim(rule.cron, before.astimezone(zone_of(rule))), strict=False):
        begins_us = _microseconds(moment)
        if begins_us >= until_us:
            return
        if begins_us + rule.lasts_s * 1_000_000 > from_us:
            yield Period(rule, begins_us, begins_us + rule.lasts_s * 1_000_000)


def periods_of(rules: Sequence[CalendarRule], from_us: int, until_us: int) -> tuple[Period, ...]:
    """The periods of all rules in that time, by their beginnings."""
    found = (period for rule in rules for period in periods(rule, from_us, until_us))
    return tuple(sorted(found, key=lambda each: (each.begins_us, each.rule.name)))


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether a stage is open at a time. `period` decides: the freeze that closes it, the window or train that opens
    it, or None. `sentence` is for people."""

    is_open: bool
    sentence: str
    period: Period | None = None


def standing(
    rules: Sequence[CalendarRule],
    stage: str,
    now_us: int,
    *,
    release: str = "",
    signed: Collection[str] | None = (),
) -> Standing:
    """How a stage stands for a release (`NAME VERSION`, "" for none in particular, which no freeze lets through).

    `signed` are the approvers whose approval of the release for the stage counts now: an exemption is one by its
    approver's alone. None: it has not begun, so that nobody can have signed; that is asked before it is public.
    """
    mine = [rule for rule in rules if stage in rule.stages]
    covering = [period for rule in mine for period in periods(rule, now_us, now_us + 1)]
    freezes = [each for each in covering if each.rule.kind is PeriodKind.FREEZE]
    lacking = [(each, _lacking(each.rule, release, stage, now_us, signed)) for each in freezes]
    closing = [(each, words) for each, words in lacking if words is not None]
    if closing:
        last, words = max(closing, key=lambda each: each[0].ends_us)
        until = shown(last.ends_us, last.rule)
        return Standing(False, f"{stage} is frozen by {last.rule.name!r} until {until}{words}", last)
    let = "".join(f"; {_exempted(each.rule, release)}" for each in freezes)
    openings = [each for each in covering if each.rule.kind is not PeriodKind.FREEZE]
    if openings:
        open_ = max(openings, key=lambda each: each.ends_us)
        words = f"the {open_.rule.kind.value} {open_.rule.name!r} is open until {shown(open_.ends_us, open_.rule)}"
        return Standing(True, words + let, open_)
    if any(rule.kind is not PeriodKind.FREEZE for rule in mine):
        return Standing(False, f"{stage} is open only in its windows and on its trains, and none is now")
    return Standing(True, f"nothing in the calendar closes {stage} now{let}")


def _exemption(rule: CalendarRule, release: str) -> Exemption | None:
    return next((each for each in rule.exemptions if each.release == release), None)


def _lacking(rule: CalendarRule, release: str, stage: str, now_us: int, signed: Collection[str] | None) -> str | None:
    """What the release's exemption lacks to be one, "" where it has none at all; None where it is let through."""
    found = _exemption(rule, release)
    if found is None:
        return ""
    if now_us >= _instant(rule, found.until, "until"):
        return f"; the exemption of {release} was over {found.until} ({rule.timezone})"
    if signed is not None and found.approver not in signed:
        version = release.rpartition(" ")[2]
        todo = f"shipline approve {version} --stage {stage}"
        return f"; the exemption of {release} counts once {found.approver} has approved it: {todo}"
    return None


def _exempted(rule: CalendarRule, release: str) -> str:
    found = _exemption(rule, release)
    if found is None:  # Only who is let through gets here, and only an exemption lets through.
        raise AssertionError(f"{release} has no exemption of {rule.name}")
    return f"{rule.name!r} lets {release} through until {found.until}: {found.reason} (approved by {found.approver})"


def opens_us(rules: Sequence[CalendarRule], stage: str, now_us: int) -> int | None:
    """The first time from now on at which the stage is open for everything; None if that is not within a year."""
    moment_us, limit_us = now_us, now_us + HORIZON_US
    mine = tuple(rule for rule in rules if stage in rule.stages)
    for _ in range(STEPS_MAX):
        here = standing(mine, stage, moment_us)
        if here.is_open:
            return moment_us
        following = here.period.ends_us if here.period is not None else _next_opening_us(mine, moment_us, limit_us)
        if following is None or following > limit_us:
            return None
        moment_us = following
    return None


def _next_opening_us(rules: Sequence[CalendarRule], now_us: int, limit_us: int) -> int | None:
    """When the next window or train begins."""
    openings = (rule for rule in rules if rule.kind is not PeriodKind.FREEZE)
    nexts = (next(iter(periods(rule, now_us, limit_us)), None) for rule in openings)
    return min((period.begins_us for period in nexts if period is not None), default=None)


def judge(
    rules: Sequence[CalendarRule],
    stage: str,
    now_us: int,
    *,
    release: str,
    signed: Collection[str] | None = (),
) -> tuple[Verdict, ...]:
    """The calendar's verdict on a release at a stage; none where no rule is about the stage. `signed` as above."""
    mine = tuple(rule for rule in rules if stage in rule.stages)
    if not mine:
        return ()
    here = standing(mine, stage, now_us, release=release, signed=signed)
    reasons = (here.sentence,) if here.is_open else (here.sentence, _when(mine, stage, now_us))
    answer = Answer.PASS if here.is_open else Answer.FAIL
    facts: dict[str, str | int | float | bool | None] = {"calendar.rule": here.period.rule.name if here.period else ""}
    return (Verdict(GATE, answer, reasons, now_us, facts),)


def calendar_facts(
    rules: Sequence[CalendarRule],
    stage: str,
    now_us: int,
    *,
    release: str,
    signed: Collection[str] | None = (),
) -> dict[str, bool]:
    """What gates are told of the calendar: `frozen`, `open` and `train_open`. `signed` as above."""
    freezes = [rule for rule in rules if rule.kind is PeriodKind.FREEZE]
    trains = [rule for rule in rules if rule.kind is PeriodKind.TRAIN and stage in rule.stages]
    return {
        "frozen": not standing(freezes, stage, now_us, release=release, signed=signed).is_open,
        "open": standing(rules, stage, now_us, release=release, signed=signed).is_open,
        "train_open": bool(periods_of(trains, now_us, now_us + 1)),
    }


def _when(rules: Sequence[CalendarRule], stage: str, now_us: int) -> str:
    opens = opens_us(rules, stage, now_us)
    return f"it opens {shown(opens, rules[0])}" if opens is not None else "it does not open within a year"


def shown(moment_us: int, rule: CalendarRule) -> str:
    """A time as people of the rule's zone write it: `2027-01-04 08:00 (Europe/Berlin)`."""
    local = datetime.fromtimestamp(moment_us // 1_000_000, zone_of(rule))
    return f"{local.strftime(FORMAT)} ({rule.timezone})"
