"""The self-test of `[sync]`, wired: a marked label is sent round by the passes that there are, and timed."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from shipline.bootstrap.places import Place, trusted_settings
from shipline.bootstrap.syncs import SYNC_COMMAND, sync_of
from shipline.capabilities.automation import (
    ALL,
    SYNC_TEST,
    Carried,
    Command,
    Trip,
    look_after_trip,
    note_trip,
    order_look,
    recall_passes,
)
from shipline.domain.errors import RefusedError

SYNC_TEST_COMMAND = Command(SYNC_TEST, ALL)
LOOK_S = 2.0


class SyncTestHand:
    """Sends a label round, and cleans up after it. It waits beside the passes, and makes none itself."""

    def __init__(self, application: Place) -> None:
        self._application = application

    def __call__(self, _command: Command, memory: dict[str, Any]) -> Carried:
        """One look. RefusedError where it does not come round in time."""
        here = self._application.afresh()
        now_us = here.clock.now_us()
        look = look_after_trip(sync_of(here).ends, Trip(**memory) if memory else None, now_us)
        with here.store.begin() as tx:
            if look.ended:
                note_trip(tx, look.trip, now_us)
            elif look.moved:
                order_look(tx, here.engine, SYNC_COMMAND)
        if not look.ended:
            return Carried("A marked label is on its way", again_s=LOOK_S, memory=asdict(look.trip))
        if not look.trip.back_us:
            raise RefusedError(look.trip.words(), todo="`shipline sync status` says what holds it up")
        return Carried(look.trip.words(), changed=True)


class SyncTestTimer:
    """A chore: a test every now and then, once a pass has found both alike."""

    def __init__(self, application: Place) -> None:
        self._application = application
        self._next_us = 0

    def __call__(self) -> None:
        """Order one when it is time."""
        application = self._application
        said = trusted_settings(application).sync
        now_us = application.clock.now_us()
        if not said.forge or not said.test_every_s or now_us < self._next_us:
            return
        with application.store.begin() as tx:
            known = recall_passes(tx)
            self._next_us = max(known.tested_us + said.test_every_s * 1_000_000, now_us + 60_000_000)
            if known.last_us and now_us >= known.tested_us + said.test_every_s * 1_000_000:
                order_look(tx, application.engine, SYNC_TEST_COMMAND)
