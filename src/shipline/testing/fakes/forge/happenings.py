"""What happens on a forge, for those who listen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from shipline.ports.forge.hooks import HookEvent


@dataclass(frozen=True)
class Happening:
    """`subject` is the model's: a milestone, an issue, a comment. `action` is a word such as opened or closed."""

    event: HookEvent
    action: str
    subject: Any


@dataclass(frozen=True)
class RefMoved:
    """The subject of a push: a full ref, and its commits before and after; None where it was not there."""

    ref: str
    before: str | None
    after: str | None
