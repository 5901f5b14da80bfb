"""Housekeeping, wired: which of it is switched on, and with what it looks."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import asdict
from itertools import islice
from typing import TYPE_CHECKING, Any

from shipline.bootstrap.backports import Bringing
from shipline.bootstrap.places import Place, trusted_settings
from shipline.bootstrap.pulls import PullLook
from shipline.bootstrap.queues import queue_of
from shipline.bootstrap.reviewers import Owners
from shipline.capabilities.automation import (
    ALL,
    HOUSEKEEPING,
    QUEUE,
    Backporter,
    Carried,
    Closer,
    Command,
    Commenter,
    Housekeeping,
    Labeller,
    LabelRules,
    Reviewers,
    StaleRules,
    StaleSweep,
    TitleJudge,
    Updater,
    UpdateRules,
    Welcomer,
    keep,
    order_look,
)
from shipline.domain.errors import ConfigurationError, UnknownName

if TYPE_CHECKING:
    from shipline.capabilities.automation import MergeQueue, PullKeeper, Sweeper
    from shipline.configuration import HousekeepingSettings, LabelsSettings, StaleSettings
    from shipline.ports.forge import Forge

NAMES = ("labels", "titles", "reviewers", "welcome", "comment", "merge", "updates", "closing", "backports", "stale")
TOLD_MAX = 20


def said_of(place: Place) -> HousekeepingSettings:
    """What is switched on: as the protected branch has it, since a pull request must not steer what is done to it."""
    return trusted_settings(place).housekeeping


def is_switched_on(place: Place) -> bool:
    """True where any of it is."""
    said = said_of(place)
    tables = (said.labels, said.welcome, said.stale, said.updates, said.merge, said.backports)
    flags = (said.titles, said.comment, said.reviewers, said.closing)
    return any(flags) or any(each is not None for each in tables)


def has_queue(place: Place) -> bool:
    """True where pull requests are merged when they are ready."""
    return said_of(place).merge is not None


def housekeeping_of(place: Place) -> Housekeeping:
    """All that is switched on."""
    said = said_of(place)
    queue = None if said.merge is None else queue_of(place, said.merge)
    return Housekeeping(dict(_pulls(place, said, queue)), dict(_sweeps(place, said)), queue, place.clock)


def named_housekeeping(place: Place, name: str | None) -> Housekeeping:
    """All that is switched on, or that of a name. UnknownName, ConfigurationError where there is none."""
    keeping = housekeeping_of(place)
    if name is not None and name not in NAMES:
        raise UnknownName(f"there is no housekeeping {name[:40]!r}", todo=f"there are {', '.join(NAMES)}")
    if name is not None and name not in keeping.names:
        raise ConfigurationError(f"{name} is not switched on", todo=f"set {name} in [housekeeping], in shipline.toml")
    if not keeping.names:
        raise ConfigurationError("no housekeeping is switched on", todo="add [housekeeping] to shipline.toml")
    return keeping if name is None else keeping.only(name)


def forge_of(place: Place) -> Forge:
    """The forge. ConfigurationError where there is none."""
    if place.forge is None:
        raise ConfigurationError("there is no forge to keep in order", todo="add [forge] to shipline.toml")
    return place.forge


def _pulls(place: Place, said: HousekeepingSettings, queue: MergeQueue | None) -> Iterator[tuple[str, PullKeeper]]:
    if said.labels is not None:
        yield "labels", Labeller(_label_rules(said.labels))
    if said.titles:
        yield "titles", TitleJudge(place.linter)
    if said.reviewers:
        yield "reviewers", Reviewers(Owners(place))
    if said.welcome is not None:
        yield "welcome", Welcomer(said.welcome.text)
    if said.comment:
        yield "comment", Commenter(PullLook(place), queue)
    if said.updates is not None:
        yield "updates", Updater(UpdateRules(**asdict(said.updates)), place.clock.now_us)


def _sweeps(place: Place, said: HousekeepingSettings) -> Iterator[tuple[str, Sweeper]]:
    if said.closing:
        yield "closing", Closer(place.clock.now_us)
    if said.backports is not None:
        yield "backports", Backporter(said.backports.prefix, Bringing(place), place.clock.now_us)
    if said.stale is not None:
        yield "stale", StaleSweep(_stale_rules(said.stale), place.clock.now_us)


def _label_rules(said: LabelsSettings) -> LabelRules:
    return LabelRules(**asdict(said))


def _stale_rules(said: StaleSettings) -> StaleRules:
    close_days = said.close_days if said.close else None
    return StaleRules(said.quiet_days, close_days, said.label, said.exempt, said.most)


# --- on a server ---------------------------------------------------------------------------------------------------


class HousekeepingHand:
    """Does what is due of a pull request, or of everything."""

    def __init__(self, place: Place) -> None:
        self._place = place

    def __call__(self, command: Command, _memory: dict[str, Any]) -> Carried:
        """One look. A limit that is nearly used up is waited out, as a forge that is down is; the next look goes on."""
        here = self._place.afresh()
        keeping, forge = housekeeping_of(here), forge_of(here)
        done = keep(forge, keeping, command.about)
        told = tuple(islice(done, TOLD_MAX))
        more = sum(1 for _ in done)
        words = "; ".join(told) + (f"; and {more} more" if more else "")
        return Carried(words or "everything is in order", changed=bool(told))


class Housekeeper:
    """A chore: has everything looked at once in a while, since not all that is due follows from an event."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._next_s = float("-inf")

    def __call__(self) -> None:
        """Order the look when it is time. Two nodes that do so have it looked at once."""
        if time.monotonic() < self._next_s or not is_switched_on(self._place):
            return
        self._next_s = time.monotonic() + said_of(self._place).every_s
        with self._place.store.begin() as tx:
            for about in (QUEUE, ALL) if has_queue(self._place) else (ALL,):
                order_look(tx, self._place.engine, Command(HOUSEKEEPING, about))
