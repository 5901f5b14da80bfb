"""Gates asked anew as soon as something changed that they speak of: evidence, a waiver, the policy.

A release that its gates have refused goes on by itself when all of them say PASS: somebody has ordered it already. What
stopped for another reason waits for a person, as before.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace

from shipline.capabilities.releases.ground import ReleaseGround
from shipline.capabilities.releases.judging import verdicts_of_stage
from shipline.capabilities.releases.proof import ProofSteps
from shipline.capabilities.releases.queries import RELEASES, latest_verdicts_of, matching_releases, stages_judged
from shipline.capabilities.releases.rules import UNPUBLISHED
from shipline.capabilities.releases.usecases import resume_release
from shipline.domain.actor import Actor
from shipline.domain.errors import ShiplineError
from shipline.domain.release import Release, ReleaseStatus
from shipline.domain.verdict import Answer, Verdict, combined
from shipline.engine.engine import Engine

log = logging.getLogger(__name__)
RELEASES_MAX = 20
JUDGED = (*UNPUBLISHED, ReleaseStatus.PUBLISHED)


@dataclass(frozen=True, slots=True)
class Judged:
    """What the gates of a stage say about a release now. `changed` are those that said something else before."""

    stage: str
    verdicts: tuple[Verdict, ...]
    changed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reevaluated:
    """A release that was judged anew, at each stage that had judged it. `goes_on`: it was refused, and is no more."""

    release: Release
    stages: tuple[Judged, ...] = ()
    goes_on: bool = False


def reevaluate(ground: ReleaseGround, engine: Callable[[], Engine], release: Release, actor: Actor) -> Reevaluated:
    """Ask the gates of every stage that has asked them before, and write down what is not as it was.

    One that was refused goes on where the stage `release` is open now; the run does so under whoever runs the engine.
    """
    ground = replace(ground, events=replace(ground.events, actor=actor))
    with ground.store.begin() as tx:
        stages = stages_judged(tx, release.id)
    judged = tuple(_judge(ground, release, stage) for stage in stages)
    own = next((one for one in judged if one.stage == "release"), None)
    is_open = own is not None and combined(own.verdicts) is Answer.PASS
    if release.status is not ReleaseStatus.REFUSED or not is_open:
        return Reevaluated(release, judged)
    made = engine()
    with ground.store.begin() as tx:
        again = resume_release(tx, made, release, actor)
    return Reevaluated(again, judged, goes_on=again.status is ReleaseStatus.PREPARING)


def reevaluate_all(ground: ReleaseGround, engine: Callable[[], Engine], actor: Actor) -> tuple[Reevaluated, ...]:
    """The same for the newest releases, public or not: for a policy that has changed.

    One whose gates cannot be asked (its commits are not in this clone, say) keeps what they have said, and the log of
    the process tells of it.
    """
    with ground.store.begin() as tx:
        found = [one for status in JUDGED for one in matching_releases(tx, status=status, limit=RELEASES_MAX)]
    judged = (_judged_or_told(ground, engine, release, actor) for release in found)
    return tuple(one for one in judged if one is not None)


def _judged_or_told(
    ground: ReleaseGround, engine: Callable[[], Engine], release: Release, actor: Actor
) -> Reevaluated | None:
    try:
        return reevaluate(ground, engine, release, actor)
    except ShiplineError as error:
        log.warning("the gates of %s %s cannot be asked anew: %s", release.package, release.version, error.what)
        return None


def _judge(ground: ReleaseGround, release: Release, stage: str) -> Judged:
    proof = ProofSteps(ground)
    verdicts = verdicts_of_stage(ground, release, stage, ground.events.clock.now_us())
    with ground.store.begin() as tx:
        # As it is now: who has judged meanwhile has written down the same.
        before = latest_verdicts_of(tx, release.id, stage)
        changed = tuple(one for one in verdicts if not _says_the_same(one, before.get(one.gate)))
        if changed and RELEASES.find(tx, release.id) is not None:
            proof.record_verdicts(tx, release, stage, changed)
    return Judged(stage, verdicts, tuple(one.gate for one in changed))


def _says_the_same(verdict: Verdict, before: Verdict | None) -> bool:
    said = (verdict.answer, verdict.reasons, verdict.facts)
    return before is not None and said == (before.answer, before.reasons, before.facts)
