"""Faults that the fakes of target, traffic and signals can be given, as real components have them."""

from __future__ import annotations

from enum import StrEnum

from shipline.domain.errors import UnavailableError
from shipline.ports.clock import Clock

SLOW_S = 30.0


class Fault(StrEnum):
    """UNAVAILABLE answers no call, SLOW takes 30 s for each, LYING answers as if all were well and does nothing."""

    UNAVAILABLE = "unavailable"
    SLOW = "slow"
    LYING = "lying"


def suffer(fault: Fault | None, clock: Clock, what: str) -> None:
    """What a call goes through before it does anything."""
    if fault is Fault.UNAVAILABLE:
        raise UnavailableError(f"{what} does not answer", why="the test made it so")
    if fault is Fault.SLOW:
        clock.sleep(SLOW_S)
