"""Opening and resolving incidents as rollouts go: load, decide, save and append, in the caller's transaction."""

from __future__ import annotations

from shipline.capabilities.incidents.queries import INCIDENTS, incident_of_rollout
from shipline.capabilities.incidents.rules import decide, rollout_of
from shipline.domain.event import Event
from shipline.store.transaction import Transaction

ROLLOUT_KINDS = (
    "RolloutStarted",
    "RollbackBegan",
    "RolloutRolledBack",
    "RolloutFailed",
    "RolloutPromoted",
    "AlertFired",
    "AlertEnded",
)
"""The kinds that `follow_rollout` understands. One reactor reads them all, so that it sees them in their order."""


def follow_rollout(tx: Transaction, event: Event) -> None:
    """A reactor's handler: open, escalate or resolve the incident of the rollout that `event` speaks of."""
    rollout_id = rollout_of(event)
    if rollout_id is None:
        return
    outcome = decide(event, incident_of_rollout(tx, rollout_id))
    if outcome is not None:
        INCIDENTS.save(tx, outcome.incident)
        tx.append(outcome.event)
