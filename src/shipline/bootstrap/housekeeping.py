"""Housekeeping, wired: which of it is switched on, and with what it looks."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Protocol

from shipline.capabilities.automation import (
    Housekeeping,
    Labeller,
    LabelRules,
    StaleRules,
    StaleSweep,
    TitleJudge,
)
from shipline.domain.errors import ConfigurationError, UnknownName

if TYPE_CHECKING:
    from collections.abc import Iterator

    from shipline.capabilities.automation import PullKeeper, Sweeper
    from shipline.capabilities.plans import Linter
    from shipline.configuration import HousekeepingSettings, LabelsSettings, Settings, StaleSettings
    from shipline.configuration.policy import Policy
    from shipline.ports.clock import Clock
    from shipline.ports.forge import Forge

    class Place(Protocol):
        """What is asked of an application."""

        @property
        def clock(self) -> Clock:
            """The time."""
            ...

        @property
        def settings(self) -> Settings:
            """Those of the work tree."""
            ...

        @property
        def policy(self) -> Policy:
            """What the protected branch says."""
            ...

        @property
        def linter(self) -> Linter:
            """What commit messages must be like."""
            ...

        @property
        def forge(self) -> Forge | None:
            """Where issues and pull requests are."""
            ...


NAMES = ("labels", "titles", "stale")


def said_of(place: Place) -> HousekeepingSettings:
    """What is switched on: as the protected branch has it, since a pull request must not steer what is done to it."""
    trusted = place.policy.trusted
    return (place.settings if trusted is None else trusted).housekeeping


def housekeeping_of(place: Place) -> Housekeeping:
    """All that is switched on."""
    said = said_of(place)
    return Housekeeping(dict(_pulls(place, said)), dict(_sweeps(place, said)))


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


def _pulls(place: Place, said: HousekeepingSettings) -> Iterator[tuple[str, PullKeeper]]:
    if said.labels is not None:
        yield "labels", Labeller(_label_rules(said.labels))
    if said.titles:
        yield "titles", TitleJudge(place.linter)


def _sweeps(place: Place, said: HousekeepingSettings) -> Iterator[tuple[str, Sweeper]]:
    if said.stale is not None:
        yield "stale", StaleSweep(_stale_rules(said.stale), place.clock.now_us)


def _label_rules(said: LabelsSettings) -> LabelRules:
    return LabelRules(**asdict(said))


def _stale_rules(said: StaleSettings) -> StaleRules:
    close_days = said.close_days if said.close else None
    return StaleRules(said.quiet_days, close_days, said.label, said.exempt, said.most)
