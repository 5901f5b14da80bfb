"""What the engine's owner begins by itself when its time has come: drills, and environments that come and go."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from shipline.bootstrap import drills, lives
    from shipline.engine.engine import Engine

    class Place(drills.Place, lives.Place, Protocol):
        """What is asked of an application."""

        @property
        def engine(self) -> Engine:
            """This process's engine."""
            ...


LOOK_US = 20_000_000


class Schedules:
    """A chore: each call looks whether something is due, every LOOK_US at most.

    What the calendar holds up begins as soon as it is open, for an hour; what is refused for another reason is told of
    once. `next_us` is when the next look is due.
    """

    def __init__(self, place: Place) -> None:
        self.next_us = 0
        self._place = place
        self._refused: dict[str, dict[str, int]] = {"drills": {}, "lives": {}}

    def __call__(self) -> None:
        """Begin what is due."""
        environments = self._place.policy.environments
        drilling = [one for one in environments if one.drill]
        coming = any(one.ephemeral.up or one.ephemeral.down for one in environments)
        now_us = self._place.clock.now_us()
        if not (drilling or coming) or now_us < self.next_us:
            return
        self.next_us = now_us + LOOK_US
        engine = self._place.engine
        if drilling:
            from shipline.bootstrap.drills import order_due_drills

            order_due_drills(self._place, engine, drilling, self._refused["drills"])
        if coming:
            from shipline.bootstrap.lives import follow_schedules

            follow_schedules(self._place, engine, self._refused["lives"])
