"""Shipped releases and advisories, wired: examined when somebody asks, and on a server again and again."""

from __future__ import annotations

import contextlib
import logging
from typing import TYPE_CHECKING, Protocol

from shipline.bootstrap.aside import Aside
from shipline.capabilities.version_files import write_atomically
from shipline.domain.errors import ShiplineError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from shipline.capabilities.advisories import Examined
    from shipline.configuration import Settings
    from shipline.ports.advisories import Advisories
    from shipline.ports.clock import Clock
    from shipline.ports.provider import ProviderContext
    from shipline.store.database import Store
    from shipline.store.event_writer import EventWriter

    class Place(Protocol):
        """What is asked of an place."""

        @property
        def settings(self) -> Settings:
            """The settings, as they are now."""
            ...

        @property
        def clock(self) -> Clock:
            """The time."""
            ...

        @property
        def store(self) -> Store:
            """The open store."""
            ...

        @property
        def events(self) -> EventWriter:
            """Writes events."""
            ...

        @property
        def state(self) -> Path:
            """The folder for what this machine knows."""
            ...

        def context(self, *parts: str) -> ProviderContext:
            """Where a provider works."""
            ...


log = logging.getLogger(__name__)
LOOK_EVERY_S = 60.0
NOTE = "advisories-examined"


def advisories_of(place: Place) -> tuple[Advisories, int]:
    """The database that the settings name, and how often it is asked, in seconds. UsageError where they name none."""
    from shipline.configuration import AdvisoriesSettings
    from shipline.configuration.providers import read_listed

    table = place.settings.advisories
    if not table:
        raise UsageError(
            "no database of advisories is named",
            why="nothing is asked that was not configured",
            todo='add [advisories] to shipline.toml: provider = "osv-files" with a path, or provider = "osv-api"',
        )
    said, kind, settings = read_listed("advisories", AdvisoriesSettings, table)
    return kind(settings, place.context("advisories")), said.every_s


def examined_now(place: Place) -> tuple[Examined, int]:
    """Examine all that was shipped, and raise events for what is new; returns how many those are."""
    from shipline.capabilities.advisories import examine

    found = examine(place.store, advisories_of(place)[0])
    return found, _recorded(place, found)


def _recorded(place: Place, found: Examined) -> int:
    from shipline.capabilities.advisories import record

    with place.store.begin() as tx:
        raised = record(tx, place.events, found.affected)
    write_atomically(_note(place), str(place.clock.now_us()).encode())
    return raised


def _note(place: Place) -> Path:
    return place.state / NOTE


class Watch:
    """A chore: each call looks whether it is time, examines beside the engine's loop, and records what came of it.

    When that was done last stands in the state folder, so that a process that lives for a moment does not ask again.
    """

    def __init__(self, place: Place) -> None:
        self._place = place
        self._aside = Aside(self._look, every_s=LOOK_EVERY_S)
        self._found: Examined | None = None

    def __call__(self) -> None:
        """Record what a look has found; begin the next when it is due."""
        if not self._place.settings.advisories and self._found is None:
            return
        if self._aside.poll() and self._found is not None:
            found, self._found = self._found, None
            _recorded(self._place, found)

    def wait(self) -> None:
        """Until the look under way has ended."""
        self._aside.wait()

    def _look(self) -> bool:
        """Examine, if it is time; True where that has come to an end."""
        from shipline.capabilities.advisories import examine

        if not self._place.settings.advisories:
            return False
        source, every_s = advisories_of(self._place)
        if not every_s or self._place.clock.now_us() < self._last_us() + every_s * 1_000_000:
            return False
        try:
            self._found = examine(self._place.store, source)
        except ShiplineError as error:
            log.warning("what was shipped could not be examined: %s", error.sentence())
            return False
        if self._found.unread is not None:
            log.warning("%s", self._found.unread.sentence())
        return True

    def _last_us(self) -> int:
        with contextlib.suppress(OSError, ValueError):
            return int(_note(self._place).read_text())
        return 0
