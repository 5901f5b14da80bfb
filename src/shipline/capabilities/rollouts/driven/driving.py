"""Following a controller to its end: what it says, what the analysis says, and what it is told for that.

Promises: no weight is written. What is worse is turned back by the controller's own means; what has been proved is let
on where it waits, and only a person skips what its steps still ask for. What the controller does by itself is put on
record with its reason. What cannot be asked now is waited for: it is no verdict.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from shipline.capabilities.rollouts import rules
from shipline.capabilities.rollouts.analysis import AnalysisSettings, AnalysisVerdict, Decision, Observation
from shipline.capabilities.rollouts.driven.analysis import Watched, Watcher, driven_settings
from shipline.capabilities.rollouts.driven.controlled import groups_of
from shipline.capabilities.rollouts.driven.steps import Planned, changed_words, is_promoting, planned, turned_back
from shipline.capabilities.rollouts.observing.checking import UNREAD, ChecksLook
from shipline.capabilities.rollouts.observing.figures import NO_COUNTS
from shipline.capabilities.rollouts.observing.history import AnalysisPoint
from shipline.capabilities.rollouts.steps import Ground, load_rollout, running
from shipline.capabilities.rollouts.usecases import append, awaited, note_analysis, note_promoting
from shipline.domain.codec import from_json, to_json
from shipline.domain.errors import RefusedError, UnavailableError
from shipline.domain.rollout import Rollout
from shipline.domain.verdict import Answer
from shipline.engine.workflow import Again, Done, Failed, Outcome, Save, StepContext
from shipline.ports.controller import Controlled, Controller, Phase, Verb
from shipline.store.transaction import Transaction

TOLD: Mapping[str, Verb] = {
    "pause": Verb.PAUSE,
    "resume": Verb.RESUME,
    "promote": Verb.PROMOTE,
    "skip-wait": Verb.SKIP,
}
"""What people say to a rollout, as a controller is told it."""


NOTHING_SEEN = Observation(NO_COUNTS, NO_COUNTS, 0.0)


@dataclass(frozen=True, slots=True)
class Drive:
    """What is remembered between two looks. `number` counts them. `paused`: a person has said so; `held`: it was paused
    for want of evidence, and is not again before there was some; `holding`: that pause stands, for nobody has ended it;
    `by_person`: a person has promoted it. `refusal` is what could not be told, and why."""

    number: int = 0
    watched: Watched | None = None
    verdict: AnalysisVerdict = AnalysisVerdict.CONTINUE
    paused: bool = False
    held: bool = False
    holding: bool = False
    by_person: bool = False
    refusal: str = ""


@dataclass(frozen=True, slots=True)
class _Look:
    """One look: what was planned, how the controller stands, and what was seen of the traffic."""

    context: StepContext
    rollout: Rollout
    plan: Planned
    state: Controlled
    drive: Drive
    reason: str
    verdict: AnalysisVerdict
    seen: Observation = NOTHING_SEEN
    evidence: float = 1.0
    checks: ChecksLook = UNREAD

    @property
    def weight(self) -> float:
        """The version's share of the traffic: all of it, once the stable side runs it."""
        return 1.0 if is_promoting(self.plan, self.state) else self.state.weight

    @property
    def waiting(self) -> bool:
        """True if only a person can end the wait."""
        is_stuck = self.state.phase is Phase.WAITING and not self.state.awaits_verdict
        undecided = self.verdict is AnalysisVerdict.PAUSE and not self.drive.by_person
        return self.drive.paused or undecided or (is_stuck and not self.drive.by_person)

    @property
    def point(self) -> AnalysisPoint:
        """What is kept of it."""
        return AnalysisPoint(
            id=f"{self.rollout.id}-{self.drive.number}",
            rollout_id=self.rollout.id,
            number=self.drive.number,
            time_us=self.context.now_us,
            weight=self.weight,
            canary_requests=self.seen.canary.requests,
            canary_errors=self.seen.canary.errors,
            baseline_requests=self.seen.baseline.requests,
            baseline_errors=self.seen.baseline.errors,
            evidence_value=self.evidence,
            verdict=self.verdict.value,
            reason=self.reason,
            checks=self.checks.readings,
        )


class DriveStep:
    """The action `drive` of a driven environment's workflow."""

    def __init__(self, ground: Ground, controller: Controller, settings: AnalysisSettings) -> None:
        self.ground = ground
        self.controller = controller
        self.settings = driven_settings(settings, ground.signals.delay_s)
        self.watcher = Watcher(ground, self.settings)

    def __call__(self, context: StepContext) -> Outcome:
        """One look at the controller, and at the traffic where there is something to compare."""
        drive = Drive() if context.memory is None else from_json(Drive, context.memory)
        try:
            state = self.controller.look()
        except UnavailableError as error:
            drive = replace(drive, refusal="it could not be asked. Say it again") if context.signals else drive
            return self._blind(drive, f"{self.controller.name} cannot be asked now: {error.what}.")
        plan, rollout = planned(context), load_rollout(self.ground, context)
        ended = self._ended(plan, rollout, state, drive)
        if ended is not None:
            return ended
        drive = replace(drive, number=drive.number + 1)
        drive = self._obey(context, state, drive)
        unwatched = self._unwatched(context, plan, state)
        if unwatched:
            verdict = AnalysisVerdict.PROMOTE if drive.by_person or self._needs_none(context) else drive.verdict
            return self._answer(_Look(context, rollout, plan, state, drive, unwatched, verdict))
        try:
            return self._answer(self._watch(context, rollout, plan, state, drive))
        except UnavailableError as error:
            return self._blind(drive, f"The traffic cannot be counted now: {error.what}.")

    def _blind(self, drive: Drive, words: str) -> Outcome:
        """Nothing is seen in this look: no point is kept, so whoever asks for the verdict finds none that is new."""
        return Again(self.settings.tick_s, to_json(drive), f"{words} {_refusal(drive)}".strip())

    def _ended(self, plan: Planned, rollout: Rollout, state: Controlled, drive: Drive) -> Outcome | None:
        """What follows where the controller has come to an end, None while it is on its way."""
        if state.wanted.image != plan.ours.image:
            return Failed(changed_words(self.controller.name, state, plan))
        if not state.noticed or state.phase in (Phase.MOVING, Phase.WAITING):
            return None
        if state.phase is Phase.SETTLED:
            return self._promoted(rollout, state, drive)
        return turned_back(self.ground, self.controller.name, rollout, state)

    def _promoted(self, rollout: Rollout, state: Controlled, drive: Drive) -> Outcome:
        """It is promoted. Where nobody had let it, and the evidence was not there yet, that is said."""
        is_early = drive.watched is not None and not drive.by_person and drive.verdict is not AnalysisVerdict.PROMOTE
        name = self.controller.name
        reason = f"{name} has promoted it before there was evidence that it is no worse." if is_early else ""
        body = {"controller": name, "words": state.words, "before_evidence": is_early}

        def save(tx: Transaction) -> None:
            append(tx, self.ground.events, rollout, "ControllerPromoted", body)
            note_promoting(tx, replace(rollout, reason=reason))

        (serves,) = groups_of(state)
        return Done({"before_evidence": is_early, "serves": to_json(serves)}, save=save)

    def _obey(self, context: StepContext, state: Controlled, drive: Drive) -> Drive:
        """What people have said since the last look, told to the controller."""
        for signal in context.signals:
            verb = TOLD.get(signal.kind)
            if verb is None:
                continue
            refusal = self._tell(context, state, verb)
            drive = replace(drive, refusal=refusal)
            if refusal:
                continue
            if verb in (Verb.PAUSE, Verb.RESUME):
                # From now on a pause is this person's, and so is its end.
                drive = replace(drive, paused=verb is Verb.PAUSE, holding=False)
            elif verb is Verb.PROMOTE:
                drive = replace(drive, by_person=True, paused=False, holding=False)
        return drive

    def _tell(self, context: StepContext, state: Controlled, verb: Verb) -> str:
        """Tell it; returns why it cannot be told, "" if it was."""
        refusal = state.refused.get(verb.value, "")
        if refusal:
            return refusal
        try:
            self.controller.tell(verb, revision=context.revision)
        except RefusedError as error:
            return error.sentence()
        except UnavailableError as error:
            return f"it could not be told to {verb.value} now: {error.what}. Say it again"
        return ""

    def _needs_none(self, context: StepContext) -> bool:
        """True if nothing has to be proved: the way back, and what nothing served before."""
        return bool(context.input["rollback"]) or not running(context).stable

    def _unwatched(self, context: StepContext, plan: Planned, state: Controlled) -> str:
        """Why nothing can be compared now, "" if it can."""
        if context.input["rollback"]:
            return "It is the way back, which nobody analyses."
        if not running(context).stable:
            return "Nothing served there before that it could be compared with."
        if state.stable is None or is_promoting(plan, state):
            return "It is being promoted."
        if not state.splits:
            return (
                "All traffic is switched at once: nothing can be compared before. A person promotes it, or aborts it."
            )
        return ""

    def _watch(self, context: StepContext, rollout: Rollout, plan: Planned, state: Controlled, drive: Drive) -> _Look:
        groups, now_us = running(context), context.now_us
        if drive.watched is None:
            watched = self.watcher.begin(groups, state.weight, now_us)
            begun, words = replace(drive, watched=watched), "Waiting for the canary's first requests."
            verdict = AnalysisVerdict.CONTINUE if watched.is_known else AnalysisVerdict.HOLD
            return _Look(context, rollout, plan, state, begun, words, verdict)
        watched, seen, decision = self.watcher.look(groups, drive.watched, state.weight, now_us)
        checks = UNREAD  # What is worse goes back at once: a source that hangs must not hold that up.
        if decision.verdict is not AnalysisVerdict.ROLLBACK:
            checks = self.ground.checks.look(watched.checks, rollout, seen.canary, now_us)
            watched = replace(watched, checks=checks.state)
        drive = replace(drive, watched=watched)
        verdict = _verdict_of(decision, checks, drive)
        parts = [checks.words] if checks.verdict is not Answer.PASS else []
        parts += ["Promoted by a person."] if drive.by_person else []
        parts += ["What this weight does has not been counted yet."] if verdict is AnalysisVerdict.HOLD else []
        # The words are those of a canary with a baseline, and here the stable version stands in its place.
        reason = " ".join((*parts, decision.reason.replace("on the baseline", "on the stable version")))
        evidence = rules.evidence(self.settings, decision.state)
        return _Look(context, rollout, plan, state, drive, reason, verdict, seen, evidence, checks)

    def _answer(self, look: _Look) -> Outcome:
        """Tell the controller what the verdict stands for, and write the look down."""
        look = replace(look, drive=replace(look.drive, verdict=look.verdict))
        if look.verdict is AnalysisVerdict.ROLLBACK:
            # The harm ends here, in this very step; the undo that follows finds it done.
            self.controller.tell(Verb.ABORT, revision=look.context.revision)
            return Failed(look.reason, save=self._save(look))
        look = replace(look, drive=self._let_on(look))
        words = self._words(look)
        return Again(self.settings.tick_s, to_json(look.drive), awaited(words, waiting=look.waiting), self._save(look))

    def _let_on(self, look: _Look) -> Drive:
        drive, context, state = look.drive, look.context, look.state
        if drive.paused:
            return drive
        if drive.by_person or (look.verdict is AnalysisVerdict.PROMOTE and self._needs_none(context)):
            self._tell(context, state, Verb.PROMOTE)
        elif look.verdict is AnalysisVerdict.PROMOTE and drive.holding:
            # Only the pause that was brought here: steps and people have their own.
            if not self._tell(context, state, Verb.UNPAUSE):
                return replace(drive, held=False, holding=False)
        elif look.verdict is AnalysisVerdict.PROMOTE and state.awaits_verdict:
            self._tell(context, state, Verb.RESUME)
        elif look.verdict is AnalysisVerdict.PAUSE and not drive.held:
            refusal = self._tell(context, state, Verb.PAUSE)
            return replace(drive, held=True, holding=not refusal, refusal=refusal)
        return drive

    def _words(self, look: _Look) -> str:
        said = f"{self.controller.name}: {look.state.words or look.state.phase.value}."
        share = f"{look.weight:.0%} of the traffic is on {look.rollout.version}."
        return " ".join(part for part in (said, share, _refusal(look.drive), look.reason) if part)

    def _save(self, look: _Look) -> Save:
        said = replace(
            look.point, reason=look.reason if look.verdict is AnalysisVerdict.ROLLBACK else self._words(look)
        )
        wait = self.ground.wait(look.context, waiting=look.waiting)
        refusals = look.drive.refusal if look.context.signals else ""
        body = {"controller": self.controller.name, "why": refusals}

        def save(tx: Transaction) -> None:
            if refusals:
                append(tx, self.ground.events, look.rollout, "ControllerRefused", body)
            note_analysis(tx, self.ground.events, look.rollout, said, wait)

        return save


def _refusal(drive: Drive) -> str:
    return f"It was not told: {drive.refusal.rstrip('.')}." if drive.refusal else ""


def _verdict_of(decision: Decision, checks: ChecksLook, drive: Drive) -> AnalysisVerdict:
    """The analysis's; but a check that fails turns back too, and nothing is let on before the checks have passed."""
    if decision.verdict is AnalysisVerdict.ROLLBACK or checks.verdict is Answer.FAIL:
        return AnalysisVerdict.ROLLBACK
    if drive.by_person:
        return AnalysisVerdict.PROMOTE
    if checks.awaits_person:
        return AnalysisVerdict.PAUSE
    is_unproved = decision.verdict is AnalysisVerdict.PROMOTE and checks.verdict is Answer.UNKNOWN
    verdict = AnalysisVerdict.CONTINUE if is_unproved else decision.verdict
    is_unknown = drive.watched is not None and not drive.watched.is_known
    return AnalysisVerdict.HOLD if is_unknown and verdict is AnalysisVerdict.CONTINUE else verdict
