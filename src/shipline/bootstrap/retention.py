"""How long what a project has stored is kept, and a server's look at it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from shipline.capabilities.releases import Keep, ReleaseGround
    from shipline.configuration import Settings
    from shipline.configuration.policy import Policy
    from shipline.ports.clock import Clock

    class Place(Protocol):
        """What is asked of an application."""

        @property
        def clock(self) -> Clock:
            """The time."""
            ...

        @property
        def settings(self) -> Settings:
            """The settings that lie here."""
            ...

        @property
        def policy(self) -> Policy:
            """What decides."""
            ...

        @property
        def release_ground(self) -> ReleaseGround:
            """What releases stand on."""
            ...


LOOK_US = 3600 * 1_000_000
DAY_US = 86_400 * 1_000_000
log = logging.getLogger(__name__)


def keep_of(place: Place) -> Keep:
    """How long each kind is kept: as the protected branch has it, since a commit must not shorten it."""
    from shipline.capabilities.releases import Keep

    trusted = place.policy.trusted
    said = (place.settings if trusted is None else trusted).retention
    days = (said.reports_days, said.artifacts_days, said.journals_days)
    return Keep(*(each * DAY_US if each else None for each in days))


class Tidying:
    """A chore: removes what is due, with a look an hour."""

    def __init__(self, place: Place) -> None:
        self.next_us = 0
        self._place = place

    def __call__(self) -> None:
        """Look, if it is time."""
        now_us = self._place.clock.now_us()
        if now_us < self.next_us:
            return
        self.next_us = now_us + LOOK_US
        from shipline.capabilities.releases import Keep, apply_retention, plan_retention
        from shipline.domain.errors import ShiplineError

        keep = keep_of(self._place)
        if keep == Keep():
            return
        ground = self._place.release_ground
        try:
            apply_retention(ground, plan_retention(ground, keep))
        except ShiplineError as error:
            log.warning("%s", error.sentence())
