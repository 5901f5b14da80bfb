"""What a pass remembers for the next one, as rows of `forge_seen`: when all was read, and what a person has allowed."""

from __future__ import annotations

from dataclasses import dataclass

from shipline.capabilities.automation.deliveries import see, seen_of
from shipline.capabilities.automation.sync.trip import Trip
from shipline.store.transaction import Transaction

_FULL, _LAST, _WANTED, _REMOVALS = "sync:full", "sync:last", "sync:wanted", "sync:removals"
_FAILING = "sync:failing"  # Since when no pass has got through, or when that was told last.
_TESTED = "sync:tested"  # When it ended, and the microseconds there and back; 0 for what it did not reach.


@dataclass(frozen=True, slots=True)
class Remembered:
    """`last_us` is when a pass found all alike, or made it so; `full_us` when one that read all comments did; 0 for
    never. `full_wanted`: somebody has asked for such a one. `removals_max` is what somebody has allowed, once.

    `failing_us` is since when passes have not got through, 0 where the last one did, and later where that was told.
    `tested_us` is when a marked item was sent round last, `test_there_us` and `test_back_us` are how long it took, 0
    for what it did not reach.
    """

    last_us: int = 0
    full_us: int = 0
    full_wanted: bool = False
    failing_us: int = 0
    tested_us: int = 0
    test_there_us: int = 0
    test_back_us: int = 0
    removals_max: int | None = None


def recall_passes(tx: Transaction) -> Remembered:
    """What is known."""
    found = seen_of(tx, (_FULL, _LAST, _WANTED, _REMOVALS, _TESTED, _FAILING))
    tested, there, back = (int(part) for part in found.get(_TESTED, "0 0 0").split())
    return Remembered(
        last_us=int(found.get(_LAST, 0)),
        full_us=int(found.get(_FULL, 0)),
        full_wanted=_WANTED in found,
        failing_us=int(found.get(_FAILING, 0)),
        tested_us=tested,
        test_there_us=there,
        test_back_us=back,
        removals_max=int(found[_REMOVALS]) if _REMOVALS in found else None,
    )


def want_pass(tx: Transaction, now_us: int, *, full: bool, removals_max: int | None) -> None:
    """Ask the next pass for more than the usual."""
    wanted = {_WANTED: "1"} if full else {}
    see(tx, wanted | ({} if removals_max is None else {_REMOVALS: str(removals_max)}), now_us)


def note_failing(tx: Transaction, since_us: int, now_us: int) -> None:
    """A pass did not get through; 0: one did, at least to the forges' limits."""
    see(tx, {_FAILING: str(since_us) if since_us else ""}, now_us)


def note_trip(tx: Transaction, trip: Trip, now_us: int) -> None:
    """A test has ended."""
    there = max(0, trip.there_us - trip.sent_us)
    back = max(0, trip.back_us - trip.there_us)
    see(tx, {_TESTED: f"{now_us} {there} {back}"}, now_us)


def note_pass(tx: Transaction, now_us: int, *, full: bool) -> None:
    """A pass has seen to everything: what was asked for is done."""
    see(
        tx,
        {_LAST: str(now_us), _REMOVALS: "", _FAILING: ""} | ({_FULL: str(now_us), _WANTED: ""} if full else {}),
        now_us,
    )
