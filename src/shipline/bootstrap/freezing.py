"""Freezes that people declare, wired: the calendar as it is with them, and what declares and lifts them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from shipline.capabilities.freezes import FreezeOrder, FreezeRules
    from shipline.configuration import Settings
    from shipline.configuration.policy import Policy
    from shipline.domain.actor import Actor
    from shipline.domain.calendar import CalendarRule
    from shipline.domain.freeze import Freeze
    from shipline.ports.clock import Clock
    from shipline.store.database import Store
    from shipline.store.event_writer import EventWriter

    class CalendarPlace(Protocol):
        """What is asked of an application by who asks the calendar."""

        @property
        def clock(self) -> Clock:
            """The time."""
            ...

        @property
        def store(self) -> Store:
            """The open store."""
            ...

        @property
        def policy(self) -> Policy:
            """Environments and calendar, as they count."""
            ...

    class FreezingPlace(CalendarPlace, Protocol):
        """And by who declares."""

        @property
        def settings(self) -> Settings:
            """Those of the work tree."""
            ...

        @property
        def events(self) -> EventWriter:
            """Writes events as Shipline itself."""
            ...


def declared_rules(place: CalendarPlace) -> tuple[CalendarRule, ...]:
    """What people have frozen, as it is at this moment. An error of the store is one here: it never stands for "open".

    Read from a snapshot, so that it may be asked while a transaction is open.
    """
    from shipline.capabilities.freezes import calendar_rule_of

    stages = ("release", *(one.name for one in place.policy.environments))
    return tuple(calendar_rule_of(one, stages) for one in in_force(place))


def in_force(place: CalendarPlace) -> tuple[Freeze, ...]:
    """The freezes that people have declared, and that have not ended."""
    from shipline.capabilities.freezes import freezes_in_force

    with place.store.reading() as tx:
        return freezes_in_force(tx, place.clock.now_us())


def calendar_of(place: CalendarPlace) -> tuple[CalendarRule, ...]:
    """The policy's calendar and what people have frozen."""
    return (*place.policy.calendar, *declared_rules(place))


def rules_of(place: FreezingPlace) -> FreezeRules:
    """What a freeze is held to: by the protected branch, where there is one."""
    from shipline.capabilities.freezes import FreezeRules
    from shipline.configuration.policy import DURATION, UNITS_S
    from shipline.domain.gate import PULL_STAGE

    settings = place.settings if place.policy.trusted is None else place.policy.trusted
    longest = DURATION.fullmatch(settings.freezes.longest)
    if longest is None:  # The settings were checked when they were read.
        raise AssertionError(settings.freezes.longest)
    stages = ("release", PULL_STAGE, *(one.name for one in place.policy.environments))
    return FreezeRules(stages, int(longest[1]) * UNITS_S[longest[2]])


def declare(place: FreezingPlace, order: FreezeOrder, actor: Actor) -> Freeze:
    """Freeze it, once for the order's key."""
    from shipline.capabilities.freezes import declare_freeze

    with place.store.begin() as tx:
        return declare_freeze(tx, place.events, order, actor, rules_of(place))


def lift(place: FreezingPlace, stage: str | None, actor: Actor) -> tuple[Freeze, ...]:
    """End what somebody has frozen. NothingToDo where nobody has."""
    from shipline.capabilities.freezes import foreseen_lift, lift_freezes

    with place.store.begin() as tx:
        found = foreseen_lift(tx, stage, place.clock.now_us())
        return lift_freezes(tx, place.events, tuple(one.id for one in found), actor)
