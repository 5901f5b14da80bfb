"""The verdict on what is being rolled out to an environment now, for whoever asks: a controller, or a program.

Promises: nothing that is unknown passes, and neither does anything that nobody has looked at lately, nor an image that
another than this rollout has set.
"""

from __future__ import annotations

from dataclasses import dataclass

from shipline.capabilities.rollouts.driven.steps import Planned
from shipline.capabilities.rollouts.driven.way_back import is_way_back
from shipline.capabilities.rollouts.observing.history import AnalysisPoint, newest_point
from shipline.capabilities.rollouts.queries import open_rollout_of
from shipline.domain.codec import from_json
from shipline.domain.rollout import Rollout, RolloutStatus
from shipline.domain.verdict import Answer
from shipline.engine.journal import runs_of
from shipline.store.transaction import Transaction

HOOKS = ("confirm-rollout", "confirm-traffic-increase", "confirm-promotion", "rollback", "rollout")
"""Types of webhooks that Flagger asks by. From: https://docs.flagger.app/usage/webhooks (1.41)"""
IMAGE_MAX = 200


@dataclass(frozen=True, slots=True)
class VerdictNow:
    """PASS: it may be promoted. FAIL: it has to go back. `reason` is for people; `rollout` None: there is none.

    `looked_us` is when somebody looked last, UTC microseconds, None where nobody has. `begins`: it may have its first
    requests; `rises`: more than it has now; `holds`: nothing speaks against what it has.
    """

    answer: Answer
    reason: str
    rollout: Rollout | None = None
    looked_us: int | None = None
    begins: bool = False
    rises: bool = False
    holds: bool = False

    def agrees(self, hook: str) -> bool:
        """What a webhook of this type (one of HOOKS) hears: True for yes."""
        return {
            "confirm-rollout": self.begins,
            "confirm-traffic-increase": self.rises,
            "confirm-promotion": self.answer is Answer.PASS,
            "rollback": self.answer is Answer.FAIL,
            "rollout": self.holds,
        }[hook]


def verdict_now(tx: Transaction, environment: str, now_us: int, *, fresh_s: float, evidence_calm: float) -> VerdictNow:
    """The verdict on the rollout that is under way there. A look that is older than `fresh_s` is none; at
    `evidence_calm` and above nothing rises."""
    rollout = open_rollout_of(tx, environment)
    if rollout is None:
        return VerdictNow(Answer.UNKNOWN, "no rollout of Shipline's is under way there")
    point = newest_point(tx, rollout.id)
    looked_us = None if point is None else point.time_us
    age_s = None if point is None else (now_us - point.time_us) / 1e6
    stale = "" if age_s is not None and 0 <= age_s <= fresh_s else _stale_words(age_s)
    if rollout.status is RolloutStatus.PROMOTING:
        # What was asked about serves already: whatever is asked about now, somebody else has set.
        return VerdictNow(Answer.UNKNOWN, "it is promoted already", rollout, looked_us)
    if rollout.status in (RolloutStatus.ROLLING_BACK, RolloutStatus.FAILED):
        return _going_back(rollout, point, stale)
    if point is None or (stale and point.verdict != "rollback"):
        return VerdictNow(Answer.UNKNOWN, stale, rollout, looked_us, begins=True)
    return _looked_at(rollout, point, evidence_calm)


def about_image(tx: Transaction, verdict: VerdictNow, image: str) -> VerdictNow:
    """The verdict where the controller is told to run `image` now, as the platform names it.

    It is about the image that the rollout has set, by the digest of its release, and on the way back about the one
    before. Whatever else is there somebody has set by hand since the last look: nobody knows anything about it, so it
    is let on nowhere. What has to go back has to, whatever it is.
    """
    if verdict.rollout is None or verdict.answer is Answer.FAIL:
        return verdict
    expected = _expected_image(tx, verdict.rollout)
    if image == expected:
        return verdict
    ours = "has set no image yet" if expected is None else f"is about {expected[:IMAGE_MAX]}"
    words = f"the image there is {image[:IMAGE_MAX]}, and this rollout {ours}"
    return VerdictNow(Answer.UNKNOWN, words, verdict.rollout, verdict.looked_us)


def _expected_image(tx: Transaction, rollout: Rollout) -> str | None:
    """What a verdict on the rollout is about; None before it is known what will be set."""
    results = [run.state.results for run in runs_of(tx, f"rollout:{rollout.id}")]
    found = [from_json(Planned, one["prepare"]) for one in results if one.get("prepare")]
    if not found:
        return None
    return (found[-1].before if rollout.status is RolloutStatus.ROLLING_BACK else found[-1].ours).image


def _stale_words(age_s: float | None) -> str:
    return "nobody has looked at it yet" if age_s is None else f"nobody has looked at it for {age_s:.0f} s"


def _going_back(rollout: Rollout, point: AnalysisPoint | None, stale: str) -> VerdictNow:
    """It has to go back. Once it has been promoted, and its image is set back, that is what is asked about: as long as
    somebody looks whether it still is that image (`stale` ""), it passes. Else nobody knows, and nothing goes back."""
    looked_us = None if point is None else point.time_us
    if rollout.status is not RolloutStatus.ROLLING_BACK or not is_way_back(rollout, point):
        return VerdictNow(Answer.FAIL, rollout.reason or "it is being turned back", rollout, looked_us)
    if stale:
        return VerdictNow(Answer.UNKNOWN, f"it is the way back, but {stale}", rollout, looked_us)
    return _passing("it is the way back", rollout, point)


def _looked_at(rollout: Rollout, point: AnalysisPoint, evidence_calm: float) -> VerdictNow:
    """By the last look."""
    if point.verdict == "rollback":
        return VerdictNow(Answer.FAIL, point.reason, rollout, point.time_us)
    is_paused = rollout.status is RolloutStatus.PAUSED
    if point.verdict == "promote" and not is_paused:
        return _passing(point.reason, rollout, point)
    rises = point.verdict == "continue" and not is_paused and point.evidence_value < evidence_calm
    return VerdictNow(Answer.UNKNOWN, point.reason, rollout, point.time_us, begins=True, rises=rises, holds=True)


def _passing(reason: str, rollout: Rollout, point: AnalysisPoint | None) -> VerdictNow:
    looked_us = None if point is None else point.time_us
    return VerdictNow(Answer.PASS, reason, rollout, looked_us, begins=True, rises=True, holds=True)
