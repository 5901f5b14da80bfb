"""That a milestone leads to nothing is told once, and not by each look."""

from __future__ import annotations

from collections.abc import Sequence

from shipline.capabilities.automation.deliveries import see, seen_of
from shipline.capabilities.automation.milestones.texts import quiet
from shipline.capabilities.automation.rules import MILESTONES, Command
from shipline.capabilities.automation.usecases import subject_of
from shipline.store.event_writer import EventWriter
from shipline.store.transaction import Transaction


def tell_ignored(
    tx: Transaction, events: EventWriter, branch: str, ignored: Sequence[tuple[str, str, str]], now_us: int
) -> int:
    """Append `MilestoneIgnored` for each (key, title, why) that was not told yet; returns how many."""
    command = Command(MILESTONES, branch)
    names = {f"milestone:{key}": (title, why) for key, title, why in ignored}
    known = seen_of(tx, tuple(names))
    told = 0
    for name, (title, why) in names.items():
        words = f"the milestone {quiet(title)} leads to nothing: {why}"[:200]
        if known.get(name) == words:
            continue
        body = {"command": command.kind, "about": command.about, "words": words, "todo": ""}
        events.append(tx, subject_of(command), "MilestoneIgnored", body)
        see(tx, {name: words}, now_us)
        told += 1
    return told
