"""An escalation is told once, however often it is carried out."""

from __future__ import annotations

from shipline.capabilities.automation.deliveries import see, seen_of
from shipline.capabilities.automation.remediation.effects import Told
from shipline.capabilities.automation.rules import ALL, REMEDIATION, Command
from shipline.capabilities.automation.usecases import subject_of
from shipline.store.event_writer import EventWriter
from shipline.store.transaction import Transaction


def tell_escalated(tx: Transaction, events: EventWriter, told: Told, now_us: int) -> bool:
    """Append `RemediationEscalated`, unless this step was told before; returns whether it was news."""
    command = Command(REMEDIATION, ALL)
    name, value = f"remediation:escalated:{told.key}:{told.step}", str(told.since)
    tx.lock(name)
    if seen_of(tx, (name,)).get(name) == value:
        return False
    body = {"command": command.kind, "about": command.about, "words": told.words, "todo": "mend it, or waive it"}
    events.append(tx, subject_of(command), "RemediationEscalated", body)
    see(tx, {name: value}, now_us)
    return True
