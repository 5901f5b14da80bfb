"""`[repository]`: how the repository is set up on the forge. `shipline settings` compares and brings it there."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any

from shipline.configuration.limits import Limits, SecretTable
from shipline.domain.errors import ConfigurationError

PRUNED = ("label", "milestone", "webhook")
EVENTS = ("check", "comment", "issue", "milestone", "pull request", "push", "release")
_TITLE = Limits(pattern=r"[^\s\x00-\x1f\x7f][^\x00-\x1f\x7f]{0,199}", meaning="one line, at most 200 characters")
_LABEL = Limits(pattern=r"[^\s,\x00-\x1f\x7f][^,\x00-\x1f\x7f]{0,49}", meaning="one line without a comma, at most 50")
_TEXT = Limits(pattern=r"[^\x00-\x1f\x7f]{0,200}", meaning="one line, at most 200 characters")
_COLOR = Limits(pattern=r"[0-9a-f]{6}", meaning="six hexadecimal digits in small letters")
_DAY = Limits(pattern=r"|\d{4}-\d{2}-\d{2}", meaning="empty, or a day such as 2027-01-31")
_ADDRESS = Limits(
    pattern=r"https?://[A-Za-z0-9.:\[\]-]{1,200}(?:/[!-~]{0,500})?",
    meaning="an address that begins with https:// or http://, without a name or password in it",
)


@dataclass(frozen=True, slots=True)
class LabelSettings:
    """`[[repository.label]]`: a label.

    `name` is what it is known by. `color` is six hexadecimal digits in small letters. `description` is a line.
    """

    name: Annotated[str, _LABEL]
    color: Annotated[str, _COLOR] = "ededed"
    description: Annotated[str, _TEXT] = ""


@dataclass(frozen=True, slots=True)
class MilestoneSettings:
    """`[[repository.milestone]]`: a milestone.

    `title` is what it is known by. `description` is a line. `due_on` is a day; "" leaves that as it is. `state`
    is open or closed.
    """

    title: Annotated[str, _TITLE]
    description: Annotated[str, _TEXT] = ""
    due_on: Annotated[str, _DAY] = ""
    state: Annotated[str, Limits(choices=("open", "closed"))] = "open"


@dataclass(frozen=True, slots=True)
class WebhookSettings:
    """`[[repository.webhook]]`: a webhook.

    `url` is the address that it is known by. `events` are those that it is told of. `secret` says where the
    secret is that it signs with, like an entry of
    `[environment.secrets]`.
    """

    url: Annotated[str, _ADDRESS]
    events: Annotated[tuple[Annotated[str, Limits(choices=EVENTS)], ...], Limits(items_min=1)]
    secret: Annotated[dict[str, Any], SecretTable()]


@dataclass(frozen=True, slots=True)
class RepositorySettings:
    """`[repository]`: how the repository is set up on the forge.

    `prune` names the kinds of which is removed what is not said here: label, milestone, webhook. `drift_every_s` is how
    often a server looks whether it still is as said, in seconds; 0 for never. `label`, `milestone` and `webhook` are
    lists of tables.
    """

    prune: tuple[Annotated[str, Limits(choices=PRUNED)], ...] = ()
    drift_every_s: Annotated[int, Limits(minimum=0, maximum=604_800)] = 0
    label: tuple[LabelSettings, ...] = ()
    milestone: tuple[MilestoneSettings, ...] = ()
    webhook: tuple[WebhookSettings, ...] = ()

    @property
    def names(self) -> dict[str, list[str]]:
        """What is said, by kind."""
        return {
            "label": [each.name for each in self.label],
            "milestone": [each.title for each in self.milestone],
            "webhook": [each.url for each in self.webhook],
        }


def repository_complaints(settings: RepositorySettings) -> Iterator[ConfigurationError]:
    """What types and limits do not say: names that come twice, days that are none, and pruning down to nothing."""
    for kind, names in settings.names.items():
        for name in _doubled(name.casefold() for name in names):
            yield ConfigurationError(f"[repository]: the {kind} {name!r} is there twice", todo="take one of them out")
        if kind in settings.prune and not names:
            yield ConfigurationError(
                f"[repository]: prune has {kind!r}, and no {kind} is said, so that all of them would go",
                todo=f"say at least one [[repository.{kind}]], or take {kind!r} out of prune",
            )
    for each in settings.milestone:
        if each.due_on and not _is_day(each.due_on):
            yield ConfigurationError(f"[repository]: the milestone {each.title!r} is due on {each.due_on}, no such day")


def _doubled(names: Iterable[str]) -> list[str]:
    listed = list(names)
    return sorted({name for name in listed if listed.count(name) > 1})


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return re.fullmatch(r"\d{4}-\d{2}-\d{2}", text) is not None
