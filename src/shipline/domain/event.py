"""Event: the envelope of the one append-only log."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from shipline.domain.actor import Actor


@dataclass(frozen=True, slots=True)
class Event:
    """Something that has happened; `kind` is in the past tense (`ReleasePublished`).

    `stream` names what it happened to (`release:rel_…`), `position` counts from 1 within the stream and is None
    until the store has appended the event. `version` is that of the kind's body; older ones are upcast when read.
    `cause` is the id of the command or event that led to it, None for a first cause. `body` is JSON; it holds no
    secret. `time_us` is UTC microseconds.
    """

    id: str
    stream: str
    kind: str
    time_us: int
    actor: Actor
    body: dict[str, Any]
    version: int = 1
    cause: str | None = None
    position: int | None = None
