"""How each kind of thing is read from the forge, put there and taken away: fields as text, and back.

Each `put` and `remove` is a method of the port that is safe to call again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from shipline.capabilities.automation.keeping.rules import Kind, Thing
from shipline.ports.forge import Forge
from shipline.ports.forge.answers import ItemState
from shipline.ports.forge.hooks import HookEvent
from shipline.ports.forge.tracker import Label

ReadSecret = Callable[[Kind, str], str]
"""The secret of a thing, by its kind and name, read where it is kept. Errors as for the port `secrets`."""


class Keeper(Protocol):
    """One kind on one forge. Errors as for the port."""

    def read(self) -> tuple[Thing, ...]:
        """All that is there."""
        ...

    def put(self, thing: Thing) -> None:
        """Let it be there as it is said. Idempotent."""
        ...

    def remove(self, name: str) -> None:
        """Take it away. Gone already: nothing."""
        ...


@dataclass(frozen=True, slots=True)
class LabelKeeper:
    """Labels."""

    forge: Forge

    def read(self) -> tuple[Thing, ...]:
        """Colour and description."""
        return tuple(
            Thing(Kind.LABEL, each.name, {"color": each.color, "description": each.description})
            for each in self.forge.labels()
        )

    def put(self, thing: Thing) -> None:
        """Both."""
        self.forge.ensure_label(Label(thing.name, thing.fields["color"], thing.fields["description"]))

    def remove(self, name: str) -> None:
        """From all that bears it, too."""
        self.forge.delete_label(name)


@dataclass(frozen=True, slots=True)
class MilestoneKeeper:
    """Milestones by title; of several of one title the oldest."""

    forge: Forge

    def read(self) -> tuple[Thing, ...]:
        """Description, state and the day it is due."""
        found: dict[str, Thing] = {}
        for each in self.forge.milestones():
            due = each.due_on.isoformat() if each.due_on is not None else ""
            fields = {"description": each.description, "state": each.state.value, "due_on": due}
            found.setdefault(each.title, Thing(Kind.MILESTONE, each.title, fields))
        return tuple(found.values())

    def put(self, thing: Thing) -> None:
        """Made if need be, and brought into its state after that."""
        due = date.fromisoformat(thing.fields["due_on"]) if "due_on" in thing.fields else None
        text, state = thing.fields["description"], ItemState(thing.fields["state"])
        found = self.forge.create_milestone(thing.name, description=text, due_on=due)
        wanted = type(found)(found.key, found.title, text, state, due if due is not None else found.due_on, found.url)
        if wanted != found:
            self.forge.update_milestone(wanted)

    def remove(self, name: str) -> None:
        """Its issues stay."""
        found = self.forge.find_milestone(name)
        if found is not None:
            self.forge.delete_milestone(found.key)


@dataclass(frozen=True, slots=True)
class WebhookKeeper:
    """Webhooks by address. No forge tells a secret: it is set with every change, and is no difference."""

    forge: Forge
    secret: ReadSecret

    def read(self) -> tuple[Thing, ...]:
        """Events, and whether anything is sent."""
        return tuple(
            Thing(
                Kind.WEBHOOK,
                each.url,
                {"events": ", ".join(sorted(each.events)), "active": "yes" if each.active else "no"},
            )
            for each in self.forge.hooks()
        )

    def put(self, thing: Thing) -> None:
        """With the secret as it is now."""
        events = frozenset(HookEvent(word) for word in thing.fields["events"].split(", ") if word)
        self.forge.ensure_hook(thing.name, events=events, secret=self.secret(Kind.WEBHOOK, thing.name))

    def remove(self, name: str) -> None:
        """All to this address."""
        for each in self.forge.hooks():
            if each.url == name:
                self.forge.delete_hook(each.key)


def keepers_of(forge: Forge, secret: ReadSecret) -> dict[Kind, Keeper]:
    """One for each kind."""
    return {
        Kind.LABEL: LabelKeeper(forge),
        Kind.MILESTONE: MilestoneKeeper(forge),
        Kind.WEBHOOK: WebhookKeeper(forge, secret),
    }
