"""Events of releases, written by one function."""

from __future__ import annotations

from typing import Any

from shipline.capabilities.releases.ahead import Ahead
from shipline.domain.release import Release
from shipline.store.event_writer import EventWriter
from shipline.store.transaction import Transaction


def append(tx: Transaction, events: EventWriter, release: Release | Ahead, kind: str, body: dict[str, Any]) -> None:
    """One event in the release's stream; every body names the release, its package and version."""
    common = {"release_id": release.id, "package": release.package, "version": release.version}
    events.append(tx, f"release:{release.id}", kind, common | body)
