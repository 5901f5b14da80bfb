"""The analysis of a canary as a drawing: the evidence on a logarithmic axis, and the weight below it. Pure.

All lengths are in user units of the SVG, whose width is the plot's width; text has its size from the style sheet, so
a narrow screen gets a narrow plot and not a shrunken one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from shipline.apps.server.words import duration, evidence, percent
from shipline.capabilities.rollouts import AnalysisPoint

LEFT, RIGHT, TOP, BOTTOM, GAP = 48.0, 14.0, 30.0, 30.0, 46.0
EVIDENCE_HEIGHT, WEIGHT_HEIGHT = 210.0, 84.0
HEIGHT = TOP + EVIDENCE_HEIGHT + GAP + WEIGHT_HEIGHT + BOTTOM
EVIDENCE_LOW, EVIDENCE_HIGH = 1e-4, 1e9
POINTS_MAX = 400
STEPS_S = (1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14_400, 28_800, 86_400)
DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark on an axis: where it is, and what stands beside it."""

    at: float
    label: str


@dataclass(frozen=True, slots=True)
class Plot:
    """A drawing of `width` by `height`. Lines and areas are SVG path data.

    `rollback_y` is where the evidence rolls back. `last_x`, `last_evidence_y` and `last_weight_y` are the newest look.
    `words` say what is drawn, for those who do not see it.
    """

    width: float
    height: float
    left: float
    right: float
    evidence_top: float
    evidence_bottom: float
    weight_top: float
    weight_bottom: float
    rollback_y: float
    evidence_line: str
    weight_line: str
    weight_area: str
    last_x: float
    last_evidence_y: float
    last_weight_y: float
    evidence_ticks: tuple[Tick, ...]
    weight_ticks: tuple[Tick, ...]
    time_ticks: tuple[Tick, ...]
    words: str


@dataclass(frozen=True, slots=True)
class _Look:
    seconds: float
    evidence: float
    weight: float


def draw(points: Sequence[AnalysisPoint], *, began_us: int, rollback_at: float, width: float) -> Plot | None:
    """The plot of a rollout that began at `began_us`, None before the first look at its canary."""
    if not points:
        return None
    looks = _thinned([_look(point, began_us) for point in points])
    right, weight_bottom = width - RIGHT, HEIGHT - BOTTOM
    evidence_bottom = TOP + EVIDENCE_HEIGHT
    low, high = _decades(looks, rollback_at)
    weight_high = 0.5 if max(look.weight for look in looks) <= 0.5 else 1.0
    x = _scale((0.0, max(looks[-1].seconds, 1.0)), (LEFT, right))
    y_log = _scale((low, high), (evidence_bottom, TOP))
    y_weight = _scale((0.0, weight_high), (weight_bottom, weight_bottom - WEIGHT_HEIGHT))

    def y(value: float) -> float:
        return y_log(math.log10(_bounded(value)))

    weights = _stepped([(x(look.seconds), y_weight(look.weight)) for look in looks])
    base = y_weight(0.0)
    return Plot(
        width=width,
        height=HEIGHT,
        left=LEFT,
        right=right,
        evidence_top=TOP,
        evidence_bottom=evidence_bottom,
        weight_top=weight_bottom - WEIGHT_HEIGHT,
        weight_bottom=weight_bottom,
        rollback_y=round(y(rollback_at), 1),
        evidence_line=_path([(x(look.seconds), y(look.evidence)) for look in looks]),
        weight_line=_path(weights),
        weight_area=_path([(weights[0][0], base), *weights, (weights[-1][0], base)]) + "Z",
        last_x=round(x(looks[-1].seconds), 1),
        last_evidence_y=round(y(looks[-1].evidence), 1),
        last_weight_y=round(y_weight(looks[-1].weight), 1),
        evidence_ticks=tuple(_decade_ticks(low, high, y_log)),
        weight_ticks=tuple(
            Tick(round(y_weight(part * weight_high), 1), percent(part * weight_high)) for part in (0, 1)
        ),
        time_ticks=tuple(_time_ticks(looks[-1].seconds, x, room=right - LEFT)),
        words=_words(looks, rollback_at),
    )


def _look(point: AnalysisPoint, began_us: int) -> _Look:
    return _Look(max(0.0, (point.time_us - began_us) / 1e6), point.evidence_value, point.weight)


def _thinned(looks: list[_Look]) -> list[_Look]:
    """At most about 400 looks: of each stretch the one with the most evidence, and always the first and the last."""
    if len(looks) <= POINTS_MAX:
        return looks
    stretch = math.ceil(len(looks) / POINTS_MAX)
    highest = [max(looks[i : i + stretch], key=lambda look: look.evidence) for i in range(1, len(looks) - 1, stretch)]
    return [looks[0], *(look for look in highest if look is not looks[-1]), looks[-1]]


def _bounded(value: float) -> float:
    return min(max(value, EVIDENCE_LOW), EVIDENCE_HIGH) if value == value else EVIDENCE_LOW  # noqa: PLR0124 - NaN


def _decades(looks: Sequence[_Look], rollback_at: float) -> tuple[float, float]:
    """Whole powers of ten that hold all evidence, one (the start) and the line, with some air above it."""
    values = [_bounded(look.evidence) for look in looks]
    low = math.floor(math.log10(min(*values, 0.5)) + 1e-9)
    high = math.ceil(math.log10(max(*values, rollback_at * 3)) - 1e-9)
    return float(low), float(high)


def _scale(source: tuple[float, float], target: tuple[float, float]) -> Callable[[float], float]:
    factor = (target[1] - target[0]) / (source[1] - source[0])
    return lambda value: target[0] + (value - source[0]) * factor


def _path(places: Sequence[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in places)


def _stepped(places: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """A weight holds until the next one is set."""
    steps = [places[0]]
    for x, y in places[1:]:
        steps += [(x, steps[-1][1]), (x, y)]
    return steps


def _decade_ticks(low: float, high: float, y: Callable[[float], float]) -> list[Tick]:
    every = max(1, math.ceil((high - low) / 6))
    powers = [power for power in range(int(low), int(high) + 1) if power % every == 0]
    return [Tick(round(y(power), 1), _power(power)) for power in powers]


def _power(power: int) -> str:
    return f"{10**power:,}" if 0 <= power <= 4 else f"{10.0**power:g}" if -3 <= power < 0 else f"1e{power}"


def _time_ticks(seconds: float, x: Callable[[float], float], *, room: float) -> list[Tick]:
    """Round times, as many as there is room for."""
    most = max(2, int(room / 90))
    step = next((step for step in STEPS_S if seconds / step <= most), 0)
    if step == 0:
        step = DAY_S * math.ceil(seconds / DAY_S / most)
    return [Tick(round(x(at), 1), _clock(at)) for at in range(0, int(seconds) + 1, step)]


def _clock(seconds: int) -> str:
    return "0 s" if seconds == 0 else f"{seconds} s" if seconds < 10 else duration(seconds)


def _words(looks: Sequence[_Look], rollback_at: float) -> str:
    last, highest = looks[-1], max(look.evidence for look in looks)
    return (
        f"Evidence that the canary is worse, over {duration(last.seconds)}: now {evidence(last.evidence)}, at most "
        f"{evidence(highest)}; rolled back at {evidence(rollback_at)}. "
        f"The canary has {percent(last.weight)} of the traffic."
    )
