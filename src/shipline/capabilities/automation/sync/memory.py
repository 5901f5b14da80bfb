"""What a pass remembers for the next one, as rows of `forge_seen`: when all was read, and what a person has allowed."""

from __future__ import annotations

from dataclasses import dataclass

from shipline.capabilities.automation.deliveries import see, seen_of
from shipline.store.transaction import Transaction

_FULL, _LAST, _WANTED, _REMOVALS = "sync:full", "sync:last", "sync:wanted", "sync:removals"


@dataclass(frozen=True, slots=True)
class Remembered:
    """`last_us` is when a pass found all alike, or made it so; `full_us` when one that read all comments did; 0 for
    never. `full_wanted`: somebody has asked for such a one. `removals_max` is what somebody has allowed, once."""

    last_us: int = 0
    full_us: int = 0
    full_wanted: bool = False
    removals_max: int | None = None


def recall_passes(tx: Transaction) -> Remembered:
    """What is known."""
    found = seen_of(tx, (_FULL, _LAST, _WANTED, _REMOVALS))
    return Remembered(
        last_us=int(found.get(_LAST, 0)),
        full_us=int(found.get(_FULL, 0)),
        full_wanted=_WANTED in found,
        removals_max=int(found[_REMOVALS]) if _REMOVALS in found else None,
    )


def want_pass(tx: Transaction, now_us: int, *, full: bool, removals_max: int | None) -> None:
    """Ask the next pass for more than the usual."""
    wanted = {_WANTED: "1"} if full else {}
    see(tx, wanted | ({} if removals_max is None else {_REMOVALS: str(removals_max)}), now_us)


def note_pass(tx: Transaction, now_us: int, *, full: bool) -> None:
    """A pass has seen to everything: what was asked for is done."""
    see(tx, {_LAST: str(now_us), _REMOVALS: ""} | ({_FULL: str(now_us), _WANTED: ""} if full else {}), now_us)
