"""Looks that take time hold nobody up, and what they find is told once."""

from __future__ import annotations

import threading

import pytest

from shipline.bootstrap.aside import Aside
from shipline.domain.errors import UnavailableError

PATIENCE_S = 20.0


class Steady:
    """A steady clock that a test moves."""

    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def test_a_look_that_hangs_holds_nobody_up_and_is_not_begun_twice() -> None:
    go, begun = threading.Event(), list[int]()

    def look() -> bool:
        begun.append(1)
        return go.wait(PATIENCE_S)

    clock = Steady()
    aside = Aside(look, every_s=2.0, steady_s=clock)
    for _ in range(5):
        assert not aside.poll()
        clock.now_s += 10.0
    assert begun == [1]
    go.set()
    aside.wait()
    assert aside.poll()
    aside.wait()
    assert len(begun) == 2


def test_looks_keep_their_distance_and_each_finding_is_told_once() -> None:
    clock, begun = Steady(), list[float]()

    def look() -> bool:
        begun.append(clock.now_s)
        return clock.now_s == 4.0

    aside = Aside(look, every_s=2.0, steady_s=clock)
    found = []
    for step in range(12):
        clock.now_s = step * 1.0
        if aside.poll():
            found.append(clock.now_s)
        aside.wait()
    assert begun == [0.0, 2.0, 4.0, 6.0, 8.0, 10.0]
    assert found == [5.0]


def test_a_look_that_cannot_reach_anything_finds_nothing_and_the_next_one_is_made() -> None:
    troubles: list[Exception] = [UnavailableError("away")]

    def look() -> bool:
        if troubles:
            raise troubles.pop(0)
        return True

    aside = Aside(look, every_s=0.0)
    found = []
    for _ in range(3):
        found.append(aside.poll())
        aside.wait()
    assert found == [False, False, True]


def test_what_nobody_expected_is_raised_where_it_is_logged() -> None:
    """Once; and the looks go on."""
    troubles = [RuntimeError("a bug")]

    def look() -> bool:
        if troubles:
            raise troubles.pop()
        return True

    aside = Aside(look, every_s=0.0)
    assert not aside.poll()
    aside.wait()
    with pytest.raises(RuntimeError, match="a bug"):
        aside.poll()
    assert not aside.poll()
    aside.wait()
    assert aside.poll()
    aside.wait()
