"""Counts that come late, and not of every copy at the same moment: what the analysis of a canary makes of them. Pure.

Two things go wrong where this is passed over. A weight that has been in effect for seconds is taken for the one that
the counts were made at; and of an incident that strikes both arms alike, the arm that was counted last has all the
failures for a while. The first is mended here, by what is remembered of the weights; the second by `least` and `most`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from shipline.capabilities.rollouts.analysis import AnalysisSettings, Arms, Observation
from shipline.capabilities.rollouts.observing.figures import NO_COUNTS
from shipline.ports.signals import CountedGroup, Counts, Reading
from shipline.ports.target import Group, Role

WEIGHTS_MAX = 100


@dataclass(frozen=True, slots=True)
class Weighed:
    """The canary's share of the traffic, 0 to 1, since a moment in UTC microseconds."""

    since_us: int
    weight: float


def counted_as(group: Group, role: Role) -> CountedGroup:
    """A group whose requests are counted for this role."""
    return CountedGroup(role, group.package, group.version, group.id)


def delayed(settings: AnalysisSettings, delay_s: float) -> AnalysisSettings:
    """The settings where a request is counted `delay_s` seconds after it was served.

    What is not seen yet goes on for so much longer: the harm budget is spent over that time too, no weight is raised
    before what the last one did is known, and neither is anything promoted.
    """
    if delay_s == 0.0:
        return settings
    return replace(
        settings,
        react_s=settings.react_s + delay_s,
        first_requests=settings.first_requests * settings.tick_s / (settings.tick_s + delay_s),
        growth_period_s=settings.growth_period_s + delay_s,
        warm_up_s=settings.warm_up_s + delay_s,
        ramp_every_s=max(settings.ramp_every_s, settings.tick_s + delay_s),
        promote_after_s=settings.promote_after_s + delay_s,
        deadline_s=settings.deadline_s + delay_s,
    )


def beside_a_baseline(weight: float) -> float:
    """Of the requests of both arms, the canary's part: beyond a weight of 0.5 the baseline gets what is left."""
    return max(0.5, weight)


def observed(
    reading: Reading,
    weights: tuple[Weighed, ...],
    *,
    now_us: int,
    delay_s: float,
    part_of: Callable[[float], float] = beside_a_baseline,
) -> Observation:
    """The tick that a reading tells of. `weights` are those that were in effect, oldest first, with the one of now.
    `part_of` gives for a weight the canary's part of the requests of both arms."""
    canary, baseline = _of(reading.roles, Role.CANARY), _of(reading.roles, Role.BASELINE)
    window = reading.window
    if window is None:
        return Observation(canary, baseline, weights[-1].weight)
    # What may have been made in the window was made at most so long before it, and not after now.
    reaches_from_us = window.since_us - int(delay_s * 1_000_000)
    return Observation(
        canary=canary,
        baseline=baseline,
        weight=_mean(weights, window.since_us, window.until_us),
        seconds=(window.until_us - window.since_us) / 1_000_000,
        least=_arms(window.least),
        most=_arms(window.most),
        is_one_split=len({part_of(one.weight) for one in _in_effect(weights, reaches_from_us, now_us)}) <= 1,
    )


def kept(weights: tuple[Weighed, ...], reading: Reading, *, delay_s: float) -> tuple[Weighed, ...]:
    """What the readings that follow this one still have to know of the weights."""
    if reading.window is None:
        return weights[-1:]
    return _in_effect(weights, reading.window.until_us - int(delay_s * 1_000_000), weights[-1].since_us)[-WEIGHTS_MAX:]


def _of(roles: dict[Role, Counts], role: Role) -> Counts:
    return roles.get(role, NO_COUNTS)


def _arms(roles: dict[Role, Counts]) -> Arms:
    return Arms(_of(roles, Role.CANARY), _of(roles, Role.BASELINE))


def _in_effect(weights: tuple[Weighed, ...], since_us: int, until_us: int) -> tuple[Weighed, ...]:
    """The weights that were in effect at some time from `since_us` to `until_us`."""
    ends = (*(one.since_us for one in weights[1:]), None)
    return tuple(
        one
        for one, end_us in zip(weights, ends, strict=True)
        if one.since_us <= until_us and (end_us is None or end_us > since_us)
    )


def _mean(weights: tuple[Weighed, ...], since_us: int, until_us: int) -> float:
    """The weight over that time; where it is none, the newest."""
    if until_us <= since_us:
        return weights[-1].weight
    ends = (*(one.since_us for one in weights[1:]), until_us)
    spans = (
        one.weight * max(0, min(end_us, until_us) - max(one.since_us, since_us))
        for one, end_us in zip(weights, ends, strict=True)
    )
    return sum(spans) / (until_us - since_us)
