"""The Assistant port: what can be asked for advice about a change. What it says is somebody else's text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

API_VERSION = 1
ANSWER_BYTES_MAX = 1024 * 1024
TOKENS_MAX = 100_000


@dataclass(frozen=True, slots=True)
class Question:
    """What is sent. `instructions` are ours, `material` holds what others wrote; neither has secrets any more.

    `tokens_max` bounds what the answer may be made of, 1 to TOKENS_MAX.
    """

    instructions: str
    material: str
    tokens_max: int


@dataclass(frozen=True, slots=True)
class Said:
    """An answer, unread. `whole` is False for one that ran into its limit. `tokens` is what question and answer cost
    together, None where that is not told."""

    text: str
    whole: bool = True
    tokens: int | None = None


class Assistant(Protocol):
    """One assistant. It is asked nothing but by `ask`.

    `name` is what it is called where people read it. `reviewer` is "" for one that answers; one that reviews on the
    forge by itself has its account there, is asked by a request for its review, and never by `ask`.
    """

    api_version: int

    @property
    def name(self) -> str:
        """See above."""
        ...

    @property
    def reviewer(self) -> str:
        """See above."""
        ...

    def ask(self, question: Question) -> Said:
        """Ask once; nothing is sent a second time in one call, since each costs money.

        UnavailableError (retryable) for no answer in time, one of 500 or more, or a rate limit; RefusedError where the
        assistant refuses who asks or what is asked; ShiplineError for an answer that cannot be read, or of more than
        ANSWER_BYTES_MAX; ConfigurationError for settings that do not do.
        """
        ...
