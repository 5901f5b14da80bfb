"""A marked label goes round by the passes that there are, leaves nothing behind, and is missed if it does not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from shipline.capabilities.automation.sync import Side, Trip, look_after_trip, note_trip, recall_passes
from shipline.domain.errors import RefusedError
from shipline.testing.kills import Countdown, Killed, Mortal
from tests.capabilities.automation.sync.places import Two


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Two]:
    made = Two(1, tmp_path)
    yield made
    made.close()


def later(two: Two, seconds: float) -> int:
    two.world.clock.sleep(seconds)
    return two.world.clock.now_us()


def test_a_label_goes_round_is_timed_and_is_gone_on_both_sides(two: Two) -> None:
    ends = two.sync.ends
    look = look_after_trip(ends, None, later(two, 0))
    assert (look.moved, look.ended) == (True, False)
    assert not look_after_trip(ends, look.trip, later(two, 1)).moved
    two.run()
    look = look_after_trip(ends, look.trip, later(two, 3))
    assert (look.moved, look.ended) == (True, False)
    two.run()
    look = look_after_trip(ends, look.trip, later(two, 2))
    assert (look.ended, look.trip.words()) == (True, "a marked label went round: 4.0 s there, 2.0 s back")
    assert [model.badges for model in two.models] == [{}, {}]
    assert two.run().effects == []
    with two.world.store.begin() as tx:
        note_trip(tx, look.trip, later(two, 0))
        known = recall_passes(tx)
    assert (known.test_there_us, known.test_back_us) == (4_000_000, 2_000_000)


@pytest.mark.parametrize("passes", [0, 1])
def test_one_that_does_not_come_is_missed_even_where_a_forge_is_out_of_reach(two: Two, passes: int) -> None:
    look = look_after_trip(two.sync.ends, None, later(two, 0))
    for _ in range(passes):
        two.run()
        look = look_after_trip(two.sync.ends, look.trip, later(two, 1))
    two.forges[Side.THERE].faults.down = True
    assert not look_after_trip(two.sync.ends, look.trip, later(two, 1)).ended
    look = look_after_trip(two.sync.ends, look.trip, later(two, 901))
    assert (look.ended, look.trip.back_us) == (True, 0)
    assert ("not back" if passes else "not come from here to there") in look.trip.words()
    two.forges[Side.THERE].faults.down = False
    look_after_trip(two.sync.ends, None, later(two, 1))
    assert [len(model.badges) for model in two.models] == [1, 0], "the next one cleans up after it"


def test_a_token_that_may_not_write_is_told_at_once(two: Two) -> None:
    look = look_after_trip(two.sync.ends, None, later(two, 0))
    two.run()
    two.models[1].may_write = False
    with pytest.raises(RefusedError):
        look_after_trip(two.sync.ends, look.trip, later(two, 1))
    assert two.models[0].badges == {}


def test_whoever_dies_at_any_effect_leaves_no_label(two: Two) -> None:
    """Nothing is remembered of the look in which it died."""
    for fatal in range(1, 9):
        countdown = Countdown(fatal)
        effects = ("ensure_label", "delete_label")
        ends = {
            side: replace(end, forge=Mortal(end.forge, countdown, name=side.value, effects=effects))
            for side, end in two.sync.ends.items()
        }
        trip: Trip | None = None
        for _ in range(6):
            with suppress(Killed):
                look = look_after_trip(ends, trip, later(two, 1))
                trip = look.trip
                if look.ended:
                    break
            two.run()
        assert trip is not None
        assert trip.back_us
        two.run()
        assert [model.badges for model in two.models] == [{}, {}]
