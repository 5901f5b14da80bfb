"""The note that what a controller asks about now is the version before, which comes back.

A controller that asks and has promoted the bad version already rolls the one before out as it would any other: it has
to hear yes. Promises: the note is there before the image is set, and every look renews it, so that a process that is
killed in between costs nothing, and a note that nobody renews is soon none.
"""

from __future__ import annotations

from dataclasses import replace

from shipline.capabilities.rollouts.analysis import AnalysisVerdict
from shipline.capabilities.rollouts.observing.history import POINTS, AnalysisPoint, newest_point
from shipline.domain.rollout import Rollout
from shipline.store.transaction import Transaction


def is_way_back(rollout: Rollout, point: AnalysisPoint | None) -> bool:
    """True if the last look was at the version before, on its way back."""
    began_us = rollout.rollback_began_us
    if point is None or began_us is None:
        return False
    return point.verdict == AnalysisVerdict.PROMOTE.value and point.time_us >= began_us


def note_way_back(tx: Transaction, rollout: Rollout, words: str, now_us: int) -> None:
    """Note it, or renew the note that there is."""
    last = newest_point(tx, rollout.id)
    if last is not None and is_way_back(rollout, last):
        POINTS.save(tx, replace(last, time_us=now_us, reason=words))
        return
    number = 1 if last is None else last.number + 1
    verdict = AnalysisVerdict.PROMOTE.value
    POINTS.save(
        tx, AnalysisPoint(f"{rollout.id}-{number}", rollout.id, number, now_us, 1.0, 0, 0, 0, 0, 1.0, verdict, words)
    )
