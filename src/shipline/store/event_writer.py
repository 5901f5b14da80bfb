"""Appending events of one stream without repeating the envelope."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from shipline.domain.actor import SYSTEM, Actor
from shipline.domain.event import Event
from shipline.domain.ids import Ids
from shipline.ports.clock import Clock
from shipline.store.transaction import Transaction


@dataclass(frozen=True, slots=True)
class EventWriter:
    """Gives events their id, time and actor."""

    ids: Ids
    clock: Clock
    actor: Actor = SYSTEM

    def append(self, tx: Transaction, stream: str, kind: str, body: dict[str, Any]) -> Event:
        """Append one event to `stream` in the open transaction."""
        return tx.append(
            Event(
                id=self.ids.new("evt"),
                stream=stream,
                kind=kind,
                time_us=self.clock.now_us(),
                actor=self.actor,
                body=body,
            )
        )
