"""What is due, done: each effect once, by its natural key; what cannot be done holds up its own issue alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from shipline.capabilities.automation.housekeeping.acts import check_budget
from shipline.capabilities.automation.remediation.effects import Hands
from shipline.capabilities.automation.remediation.rules import Due
from shipline.domain.errors import ShiplineError


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that could not be done, and what helps."""

    words: str
    todo: str = ""


@dataclass(frozen=True, slots=True)
class Note:
    """Something that was not done, and is none of anybody's trouble: it waits, or a person wants it so."""

    words: str


def carry(due: Due, hands: Hands, *, dry_run: bool = False) -> Iterator[str | Trouble | Note]:
    """Do it one by one, as it is consumed, telling each after it was done; with `dry_run` tell it alone.

    Raises what passes by itself, and stops in front of the end of a rate limit: the next look does the rest.
    """
    stuck: set[str] = set()
    for key, effect in due.effects:
        if key in stuck:
            continue
        if not dry_run:
            check_budget(hands.forge)
            try:
                effect.perform(hands)
            except ShiplineError as error:
                if error.retryable:
                    raise
                if key:
                    stuck.add(key)
                yield Trouble(f"{effect.sentence}: {error.sentence()}", error.todo)
                continue
        yield effect.sentence
    yield from (Note(words) for words in due.notes)
