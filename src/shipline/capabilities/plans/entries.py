"""The light form that the changes of a whole history have; rules and changelog take it as they take a Change."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from shipline.domain.change import Change


class Entry(NamedTuple):
    """What a changelog shows of a Change, whose fields these are; `place` is the commit's in the history's graph.

    There are tens of thousands in a long history: a tuple is made in a quarter of the time that a frozen object takes.
    """

    place: int
    commit: str
    type: str
    description: str
    author: str
    scope: str | None = None
    breaking: bool = False
    breaking_notes: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    reverts: tuple[str, ...] = ()
    body: str = ""
    upgrade_notes: tuple[str, ...] = ()
    undone: tuple[str, ...] = ()
    co_authors: tuple[str, ...] = ()

    @property
    def patch(self) -> str:
        """Nobody compares the patches of a whole history."""
        return ""

    @property
    def is_commit(self) -> bool:
        """Changesets have no place in a history."""
        return True

    @property
    def short(self) -> str:
        """The beginning of the commit's id."""
        return self.commit[:7]


Told = Change | Entry


def people_of(changes: Iterable[Told]) -> list[str]:
    """Who made the changes, alone or with others, each once."""
    names = {name for change in changes for name in (change.author, *change.co_authors)}
    return sorted(names - {""}, key=str.casefold)
