"""The drawing of an analysis: everything within its frame, whatever the values."""

from __future__ import annotations

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipline.apps.server.plot import HEIGHT, draw
from shipline.capabilities.rollouts import AnalysisPoint


def point(number: int, evidence: float, weight: float, seconds: float) -> AnalysisPoint:
    return AnalysisPoint(
        f"p{number}", "rol", number, int(seconds * 1e6), weight, 10, 0, 10, 0, evidence, "continue", "waits"
    )


def test_there_is_nothing_to_draw_before_the_first_look() -> None:
    assert draw([], began_us=0, rollback_at=100, width=880) is None


def test_the_line_is_between_its_decades_and_the_axis_is_logarithmic() -> None:
    """Equal factors are equal lengths."""
    plot = draw([point(1, 1, 0.1, 0), point(2, 10, 0.2, 10)], began_us=0, rollback_at=100, width=880)
    assert plot is not None
    ticks = {tick.label: tick.at for tick in plot.evidence_ticks}
    assert plot.rollback_y == ticks["100"]
    assert ticks["1"] - ticks["10"] == pytest.approx(ticks["10"] - ticks["100"], abs=0.2)
    assert plot.last_evidence_y == ticks["10"]
    assert plot.evidence_line.count("L") == 1
    assert "now 10" in plot.words


@given(
    looks=st.lists(
        st.tuples(st.floats(allow_nan=True, min_value=None), st.floats(0, 1), st.floats(0, 1e6)),
        min_size=1,
        max_size=20,
    ),
    width=st.sampled_from([340.0, 880.0]),
)
def test_nothing_leaves_the_frame(looks: list[tuple[float, float, float]], width: float) -> None:
    """Not with evidence of 0, infinity or no number at all."""
    in_time = sorted(seconds for _, _, seconds in looks)
    points = [point(i, one[0], one[1], in_time[i]) for i, one in enumerate(looks)]
    plot = draw(points, began_us=0, rollback_at=100, width=width)
    assert plot is not None
    for path in (plot.evidence_line, plot.weight_line, plot.weight_area):
        numbers = [float(number) for number in re.findall(r"-?[0-9.]+(?:e[+-]?\d+)?", path)]
        assert all(math.isfinite(number) for number in numbers)
        assert all(0 <= x <= width for x in numbers[::2])
        assert all(0 <= y <= HEIGHT for y in numbers[1::2])
    assert len(plot.time_ticks) <= 12


def test_a_day_of_looks_is_drawn_small_and_keeps_its_peak() -> None:
    points = [point(i, 90.0 if i == 5_000 else 0.5, 0.5, 10.0 * i) for i in range(8_640)]
    plot = draw(points, began_us=0, rollback_at=100, width=880)
    assert plot is not None
    assert plot.evidence_line.count("L") <= 402
    assert "at most 90" in plot.words
    highest = min(float(y) for y in re.findall(r" ([0-9.]+)", plot.evidence_line))
    assert highest == pytest.approx(plot.rollback_y, abs=4)
