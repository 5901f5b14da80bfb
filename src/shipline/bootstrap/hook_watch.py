"""Whether the forge's hook works, wired: which hook it is, the hand that looks and mends, and when a server looks."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from shipline.bootstrap.places import Place, trusted_settings
from shipline.capabilities.automation import (
    ALL,
    HOOKS,
    Carried,
    Command,
    Duties,
    Wanted,
    look_at_hook,
    mend_hook,
    needed_events,
    order_look,
    tell_health,
)
from shipline.domain.errors import NothingToDo
from shipline.ports.forge.hooks import HookEvent

if TYPE_CHECKING:
    from shipline.configuration import HookSettings

HOOKS_COMMAND = Command(HOOKS, ALL)


def watched_hook(place: Place) -> HookSettings | None:
    """The `[[hook]]` of this forge that says where it leads; None where there is none.

    It counts as the protected branch has it, and so does the forge: a token that may change hooks goes nowhere else.
    """
    settings = place.settings
    kind = str(settings.forge.get("provider", ""))
    if not kind or not place.policy.knows("forge", settings.forge):
        return None
    return next((each for each in trusted_settings(place).hook if each.forge == kind and each.url), None)


def watched_forge(place: Place) -> str:
    """The kind of forge whose hook is watched, "" for none."""
    hook = watched_hook(place)
    return "" if hook is None else hook.forge


class HookHand:
    """Looks at the hook, and puts right what is wrong where that is allowed."""

    def __init__(
        self, place: Place, duties: Callable[[Place], Duties], secrets: Callable[[Place, str], tuple[str, ...]]
    ) -> None:
        self._place = place
        self._duties = duties
        self._secrets = secrets

    def __call__(self, _command: Command, _memory: dict[str, Any]) -> Carried:
        """One look, and another one once something was put right. A forge that is down is waited out."""
        here = self._place.afresh()
        said, forge = watched_hook(here), here.forge
        if said is None or forge is None:
            raise NothingToDo("no hook of the forge is watched", todo="set url in [[hook]], in shipline.toml")
        events = needed_events(self._duties(here)) - {
            event for event in HookEvent if f"webhook.events.{event}" in forge.unkept()
        }
        wanted = Wanted(said.forge, said.url, events)
        found = look_at_hook(forge, here.store, wanted)
        done: tuple[str, ...] = ()
        if said.mend and found.mending.is_needed:
            # The first one is the one to sign with: the others are those that it follows.
            done = mend_hook(forge, wanted, found.mending, self._secrets(here, said.forge)[0])
            found = look_at_hook(forge, here.store, wanted)
        with here.store.begin() as tx:
            tell_health(tx, here.events, wanted, found.findings)
        words = "; ".join((*done, *(f"{finding.words}: {finding.todo}" for finding in found.findings)))
        return Carried(words or "the forge's hook works", changed=bool(done))


class HookTimer:
    """A chore: has the hook looked at once in a while. Two nodes that do so have it looked at once."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._next_s = float("-inf")

    def __call__(self) -> None:
        """Order the look when it is time."""
        hook = watched_hook(self._place) if time.monotonic() >= self._next_s else None
        if hook is None:
            return
        self._next_s = time.monotonic() + hook.watch_every_s
        with self._place.store.begin() as tx:
            order_look(tx, self._place.engine, HOOKS_COMMAND)
