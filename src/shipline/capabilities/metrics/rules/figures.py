"""The five DORA figures of a window.

Definitions: https://dora.dev/guides/dora-metrics/ (2026: change lead time, deployment frequency, failed deployment
recovery time, change fail rate, deployment rework rate). What they leave open is decided here:

- D are the distinct deployments that finished in the window; a rollback and a redeployment are deployments too.
- A version that was turned back after users could meet it was deployed to production and needed immediate
  intervention, which is what the guide counts as failed. It never finished, so it is not in D: it adds to the failed
  ones and to the deployments of the change fail rate (which so never exceeds 1) and to the recovery times, and to
  nothing else. It belongs to the window in which it began to be turned back.
- A failed deployment counts once, however many incidents it had.
- Nothing to measure is None with a reason, never zero; a measured zero is zero.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from shipline.capabilities.metrics.rules.judgement import Judged
from shipline.capabilities.metrics.rules.window import Window

NOTHING_FINISHED = "no deployment finished in this window"


@dataclass(frozen=True, slots=True)
class Figure:
    """A measured value. `n` is how many deployments, or commits for lead times, stand behind it; `reason` says why
    there is no value, None where there is one."""

    value: float | None
    unit: str
    n: int
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Day:
    """How many deployments finished on a day, which is an ISO 8601 date."""

    day: str
    deployments: int


@dataclass(frozen=True, slots=True)
class LeftOut:
    """What the figures do not hold: lead and recovery times that were negative (clocks disagree), first deployments
    (no lead time), deployments whose commits the log does not know, and failed ones that have not recovered."""

    negative_lead_times: int
    negative_recovery_times: int
    baselines: int
    deployments_without_known_commits: int
    open_recoveries: int


@dataclass(frozen=True, slots=True)
class Dora:
    """The five figures. Frequency is per day of the window, zero days included (`daily` lists them). Lead time is from
    commit to deployed, each commit once a deployment, as median and 90th percentile. Rates are 0 to 1, times seconds.
    """

    deployment_frequency: Figure
    lead_time_median: Figure
    lead_time_p90: Figure
    change_fail_rate: Figure
    recovery_time_median: Figure
    rework_rate: Figure
    daily: tuple[Day, ...]
    left_out: LeftOut


def measure(judged: Sequence[Judged], window: Window) -> Dora:
    """The figures of the deployments that the window holds."""
    inside = [one for one in judged if window.holds(one.at_us)]
    finished = [one for one in inside if one.finished]
    lead_times = [seconds for one in finished for seconds in one.lead_times_s]
    recoveries = [one.recovery_s for one in inside if one.failed and one.recovery_s is not None]
    left_out = LeftOut(
        negative_lead_times=sum(1 for seconds in lead_times if seconds < 0),
        negative_recovery_times=sum(1 for seconds in recoveries if seconds < 0),
        baselines=sum(1 for one in finished if one.baseline),
        deployments_without_known_commits=sum(1 for one in finished if one.unexplained),
        open_recoveries=sum(1 for one in inside if one.failed and one.recovery_s is None),
    )
    days = Counter(window.day_of(one.at_us) for one in finished)
    return Dora(
        deployment_frequency=_rate(len(finished), len(window.days()), "per day", n=len(finished)),
        lead_time_median=_lead_time(lead_times, finished, left_out, level=0.5),
        lead_time_p90=_lead_time(lead_times, finished, left_out, level=0.9),
        change_fail_rate=_change_fail_rate(inside),
        recovery_time_median=_recovery_time(recoveries, inside, left_out),
        rework_rate=_rate(sum(1 for one in finished if one.rework), len(finished), "ratio", n=len(finished)),
        daily=_daily(window.days(), days),
        left_out=left_out,
    )


def quantile(values: Sequence[float], level: float) -> float:
    """The quantile of at least one value at `level`, 0 to 1, interpolated between neighbours.

    Definition 7 of Hyndman and Fan, Sample Quantiles in Statistical Packages, 1996; at 0.5 it is the usual median.
    """
    ordered = sorted(values)
    place = (len(ordered) - 1) * level
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def _rate(count: int, whole: int, unit: str, *, n: int) -> Figure:
    return Figure(count / whole, unit, n) if n > 0 else Figure(None, unit, 0, NOTHING_FINISHED)


def _change_fail_rate(inside: Sequence[Judged]) -> Figure:
    if not inside:
        return Figure(None, "ratio", 0, "no deployment finished or was turned back in this window")
    return Figure(sum(1 for one in inside if one.failed) / len(inside), "ratio", len(inside))


def _lead_time(seconds: Sequence[float], finished: Sequence[Judged], left_out: LeftOut, *, level: float) -> Figure:
    valid = [each for each in seconds if each >= 0]
    if valid:
        return Figure(quantile(valid, level), "seconds", len(valid))
    if not finished:
        reason = NOTHING_FINISHED
    elif left_out.negative_lead_times > 0:
        reason = "every commit's time is later than its deployment: clocks disagree"
    elif left_out.baselines == len(finished):
        reason = "a first deployment is the baseline and has no lead time"
    elif left_out.deployments_without_known_commits > 0:
        reason = "the log does not know the commits of what was deployed in this window"
    else:
        reason = "the deployments of this window brought no new commits"
    return Figure(None, "seconds", 0, reason)


def _recovery_time(seconds: Sequence[float], inside: Sequence[Judged], left_out: LeftOut) -> Figure:
    valid = [each for each in seconds if each >= 0]
    if valid:
        return Figure(quantile(valid, 0.5), "seconds", len(valid))
    if not inside:
        reason = "no deployment finished or was turned back in this window"
    elif left_out.open_recoveries > 0:
        reason = f"failed and not recovered yet: {left_out.open_recoveries}"
    elif left_out.negative_recovery_times > 0:
        reason = "every incident was resolved before its deployment finished"
    else:
        reason = "no deployment of this window failed"
    return Figure(None, "seconds", 0, reason)


def _daily(days: Sequence[date], counts: Counter[date]) -> tuple[Day, ...]:
    return tuple(Day(day.isoformat(), counts[day]) for day in days)
