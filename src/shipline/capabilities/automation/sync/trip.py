"""A marked item that is sent round, to see that two forges are really kept alike, and how long it takes.

It is a label, since nothing else can be taken away on every forge without a trace. It is made here, passes carry it to
the other side; there its colour is changed, and passes carry that back. Both ends are then cleaned of it, also of what
an earlier trip has left that nobody ended.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from shipline.capabilities.automation.sync.contents import Side
from shipline.capabilities.automation.sync.shelves import End
from shipline.domain.errors import ShiplineError
from shipline.ports.forge.tracker import Label

PREFIX = "shipline-sync-test-"
SENT, TURNED = "ededed", "0e8a16"
SECOND_US = 1_000_000
DEADLINE_US = 900 * SECOND_US


@dataclass(frozen=True, slots=True)
class Trip:
    """When (UTC microseconds) the label `name` was sent, was there, and was back; 0: not yet."""

    name: str
    sent_us: int
    there_us: int = 0
    back_us: int = 0

    def is_late(self, now_us: int) -> bool:
        """Whether it should be back by now."""
        return not self.back_us and now_us - self.sent_us > DEADLINE_US

    def words(self) -> str:
        """For people."""
        if not self.there_us:
            return f"a marked label has not come from here to there within {DEADLINE_US // SECOND_US} s"
        there_s = (self.there_us - self.sent_us) / SECOND_US
        if not self.back_us:
            return f"a marked label came there after {there_s:.1f} s, and not back within {DEADLINE_US // SECOND_US} s"
        back_s = (self.back_us - self.there_us) / SECOND_US
        return f"a marked label went round: {there_s:.1f} s there, {back_s:.1f} s back"


@dataclass(frozen=True, slots=True)
class TripLook:
    """A look at a trip. `moved`: passes have something to carry now; `ended`: it is back, or too late."""

    trip: Trip
    moved: bool = False
    ended: bool = False


def look_after(ends: Mapping[Side, End], trip: Trip | None, now_us: int) -> TripLook:
    """Begin a trip where there is none, turn it back where it has arrived, and clean up after it. Idempotent.

    A forge that is out of reach is no more than late: what is tried again for ever would never be told.
    """
    if trip is None:
        return TripLook(_sent(ends, now_us), moved=True)
    if trip.is_late(now_us):
        _sweep(ends, whatever=True)
        return TripLook(trip, ended=True)
    try:
        after = _followed(ends, trip, now_us)
    except ShiplineError as error:
        if not error.retryable:
            _sweep(ends, whatever=True)
            raise
        return TripLook(trip)
    if after.back_us:
        _sweep(ends)
    return TripLook(after, moved=after != trip, ended=bool(after.back_us))


def _sent(ends: Mapping[Side, End], now_us: int) -> Trip:
    _sweep(ends)
    trip = Trip(f"{PREFIX}{now_us}", now_us)
    ends[Side.HERE].forge.ensure_label(Label(trip.name, SENT, "sent round by a test, and gone again soon"))
    return trip


def _followed(ends: Mapping[Side, End], trip: Trip, now_us: int) -> Trip:
    if not trip.there_us:
        found = _find(ends[Side.THERE], trip.name)
        if found is None:
            return trip
        ends[Side.THERE].forge.ensure_label(replace(found, color=TURNED))
        return replace(trip, there_us=now_us)
    # Gone: it was back, and whoever cleaned up died before that was noted.
    found = _find(ends[Side.HERE], trip.name)
    return replace(trip, back_us=now_us) if found is None or found.color == TURNED else trip


def _sweep(ends: Mapping[Side, End], *, whatever: bool = False) -> None:
    """Take all such labels away, here first. With `whatever` one that cannot be is left for the next test."""
    for side in Side:
        forge = ends[side].forge
        try:
            for label in forge.labels():
                if label.name.startswith(PREFIX):
                    forge.delete_label(label.name)
        except ShiplineError:
            if not whatever:
                raise


def _find(end: End, name: str) -> Label | None:
    return next((label for label in end.forge.labels() if label.name == name), None)
