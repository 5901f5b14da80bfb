"""Reading the checks where no analysis of a canary reads them: between batches, and while a version bakes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from shipline.capabilities.rollouts.observing.checking import UNREAD, ChecksLook
from shipline.capabilities.rollouts.observing.figures import NO_COUNTS
from shipline.capabilities.rollouts.steps import Ground
from shipline.domain.rollout import Rollout
from shipline.ports.signals import CountedGroup


@dataclass(frozen=True, slots=True)
class ChecksWatch:
    """What is remembered between two looks: the state of the checks, and from where on the counts are read."""

    state: dict[str, Any]
    cursor: str


def look_at_checks(
    ground: Ground, rollout: Rollout, before: ChecksWatch | None, new: CountedGroup, now_us: int
) -> tuple[ChecksWatch | None, ChecksLook]:
    """The checks as they stand now, by the counts of the new version; and what to remember."""
    if not ground.checks.rules:
        return None, UNREAD
    if before is None:
        cursor, counts = ground.signals.cursor(), NO_COUNTS
    else:
        cursor, counts = before.cursor, NO_COUNTS
        if any(
            rule.figure for rule in ground.checks.rules
        ):  # Else nobody asks for counts, and their source may be away.
            reading = ground.signals.read(cursor, (new,))
            cursor, counts = reading.cursor, reading.roles.get(new.role, NO_COUNTS)
    look = ground.checks.look(None if before is None else before.state, rollout, counts, now_us)
    return ChecksWatch(look.state, cursor), look
