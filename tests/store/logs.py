"""Logs to test with: a signing key, and stores with some events in them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from shipline.domain.actor import Actor, ActorKind
from shipline.domain.event import Event
from shipline.store.database import Store
from shipline.store.notes import NoteSigningKey

KEY = NoteSigningKey(name="example.org/log", seed=bytes(range(32)))
PUBLIC = KEY.public_key
PERSON = Actor(kind=ActorKind.PERSON, issuer="example.org", subject="mia", authenticated=True)


def event(number: int, stream: str = "release:one", kind: str = "ReleasePublished", **body: Any) -> Event:
    """An event whose id tells its number."""
    return Event(
        id=f"evt_{number:032x}",
        stream=stream,
        kind=kind,
        time_us=1_700_000_000_000_000 + number,
        actor=PERSON,
        body={"number": number} | body,
        cause=f"evt_{number - 1:032x}" if number % 3 == 0 else None,
    )


def append(store: Store, events: Sequence[Event]) -> None:
    """Append each in a transaction of its own."""
    for one in events:
        with store.begin() as tx:
            tx.append(one)
