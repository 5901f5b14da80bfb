"""Telling again of a rollout that waits for a person: pure. One that nobody hears of turns back in the end."""

from __future__ import annotations

from dataclasses import dataclass

from shipline.domain.rollout import Rollout, RolloutStatus

SECOND_US = 1_000_000


@dataclass(frozen=True, slots=True)
class Wait:
    """How a look has found a rollout. `waiting`: only a person can end it. Then it is told of again every
    `remind_every_s` seconds (0: never) until `ends_us`, UTC microseconds, when the step is over and it turns back. With
    `signs` it is ended by signatures and by no word that is said to it."""

    waiting: bool
    remind_every_s: int
    ends_us: int
    signs: bool = False


def begun(rollout: Rollout, wait: Wait, now_us: int) -> tuple[int | None, int | None]:
    """Since when it has been paused, and until when it will be, in UTC microseconds; None for both where it is not."""
    if not wait.waiting:
        return None, None
    was_paused = rollout.status is RolloutStatus.PAUSED and rollout.paused_us is not None
    return rollout.paused_us if was_paused else now_us, wait.ends_us


def reminder_due(rollout: Rollout, wait: Wait, now_us: int) -> bool:
    """True if it was paused before, and has not been told of for so long."""
    if not (wait.waiting and wait.remind_every_s and rollout.status is RolloutStatus.PAUSED):
        return False
    told_us = rollout.reminded_us if rollout.reminded_us is not None else rollout.paused_us
    return told_us is not None and now_us - told_us >= wait.remind_every_s * SECOND_US
