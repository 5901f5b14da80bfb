"""A time in which a new version is previewed: by those who ask for it, or by copies of the requests of all."""

from __future__ import annotations

from dataclasses import dataclass, replace

from shipline.capabilities.evidence import Approval as PlanApproval
from shipline.capabilities.rollouts.effects import lead
from shipline.capabilities.rollouts.letting import lacking, todo
from shipline.capabilities.rollouts.proving import proved_plan
from shipline.capabilities.rollouts.routing import preview_routes
from shipline.capabilities.rollouts.steps import Ground, load_rollout, running, strategy_of
from shipline.capabilities.rollouts.strategies import Preview, PreviewBy
from shipline.capabilities.rollouts.usecases import awaited, note_wait
from shipline.capabilities.rollouts.verifying import noted, run_verification
from shipline.capabilities.rollouts.waiting import heard_pause, is_told, passed_on
from shipline.domain.actor import Actor, ActorKind
from shipline.domain.codec import from_json, to_json
from shipline.engine.workflow import Again, Done, Failed, Outcome, StepContext
from shipline.ports.target import Planning

LOOK_EVERY_S = 2.0


@dataclass(frozen=True, slots=True)
class Previewing:
    """What is remembered between two looks: since when it is previewed, whether a person has paused it, which
    verification of the preview is next, and how often that was tried."""

    began_us: int
    paused: bool = False
    number: int = 0
    tries: int = 0


class PreviewStep:
    """The action `preview` of a rollout's workflow."""

    def __init__(self, ground: Ground) -> None:
        self.ground = ground

    def __call__(self, context: StepContext) -> Outcome:
        """Route the preview, then wait until its time is over, and for a person where the strategy says so."""
        preview, groups = strategy_of(context).preview, running(context)
        if preview is None or not (groups.stable or preview.approvals):
            return Done(passed_on(context), idle="it is not previewed")
        if preview.approvals:
            return self._asked(context, preview)
        if is_told(context, "promote") or is_told(context, "skip-wait"):
            return self._passed(context)
        self._route(context, preview)
        trial = self._try(context)
        if trial is not None:
            return trial
        if context.memory is None:
            return self._wait(context, preview, Previewing(context.now_us), is_first=True)
        return self._wait(context, preview, from_json(Previewing, context.memory), is_first=False)

    def _route(self, context: StepContext, preview: Preview) -> None:
        """Where nothing serves, nobody can be shown anything beside it."""
        groups = running(context)
        self.ground.traffic.open(revision=context.revision)
        if context.memory is None and groups.stable:
            routes = preview_routes(groups.stable, groups.new, mirror=preview.by is PreviewBy.MIRROR)
            lead(self.ground.traffic, routes, revision=context.revision)

    def _try(self, context: StepContext) -> Outcome | None:
        """One try of a verification of the preview; None where none is left, or nobody can be shown anything."""
        memory = Previewing(context.now_us) if context.memory is None else from_json(Previewing, context.memory)
        said = heard_pause(context)
        memory = memory if said is None else replace(memory, paused=said)
        left = [one for one in self.ground.verifications if one.before][memory.number :]
        if not (left and running(context).stable):
            return None
        verification, rollout, tries = left[0], load_rollout(self.ground, context), memory.tries + 1
        url = self.ground.preview_url or self.ground.url or f"http://{self.ground.traffic.address()}"
        trouble = run_verification(self.ground, verification, rollout, url)
        if not trouble:
            following = replace(memory, number=memory.number + 1, tries=0)
            words = f"{verification.name} has passed on the preview."
            return Again(0.0, to_json(following), words, save=noted(self.ground, rollout, verification, tries))
        if tries >= verification.attempts:
            reason = f"{verification.name} failed on the preview {tries} times, the last time so: {trouble}"
            return Failed(reason, save=noted(self.ground, rollout, verification, tries, passed=False))
        words = f"{verification.name} has failed {tries} of {verification.attempts} times on the preview: {trouble}"
        memory, wait = replace(memory, tries=tries), self.ground.wait(context, waiting=False)
        return Again(
            verification.every_s,
            to_json(memory),
            words,
            save=lambda tx: note_wait(tx, self.ground.events, rollout, words, wait),
        )

    def _asked(self, context: StepContext, preview: Preview) -> Outcome:
        """Wait for those who have to sign. What others say, and their `promote` and `skip`, lets nothing through."""
        self._route(context, preview)
        trial = self._try(context)
        if trial is not None:
            return trial
        memory = Previewing(context.now_us) if context.memory is None else from_json(Previewing, context.memory)
        said = heard_pause(context)
        memory = memory if said is None else replace(memory, paused=said)
        rollout, new = load_rollout(self.ground, context), running(context).new
        digest = ""
        if isinstance(self.ground.target, Planning):
            plan = self.ground.target.planned(new.id)
            if plan is None:  # Nobody can have signed for it, and the release's approvals are for something else.
                return Failed(f"the plan of {rollout.package} {rollout.version} is gone")
            digest = plan.digest
        given = self.ground.approving(rollout, digest)
        missing = lacking(preview.approvals, given)
        left_s = preview.hold_s - (context.now_us - memory.began_us) / 1e6
        if not missing and left_s <= 0 and not memory.paused:
            names = sorted({name for people in given.values() for name in people})
            people = Actor(ActorKind.PERSON, "approver", ", ".join(names), authenticated=True)
            signed = PlanApproval(people, context.now_us, "")
            result = {"promote": False, "paused": False, "passed": memory.number}
            return Done(result, proved_plan(self.ground, context, rollout, new, signed))
        words = f"It waits for the approval of {' and '.join(missing)}: {todo(rollout, digest)}." if missing else ""
        words = words or _words(preview, left_s, self.ground.preview_url)
        waiting = bool(missing) or memory.paused
        wait = replace(self.ground.wait(context, waiting=waiting), signs=bool(missing))
        return Again(
            LOOK_EVERY_S,
            to_json(memory),
            awaited(words, waiting=waiting and not missing),
            save=lambda tx: note_wait(tx, self.ground.events, rollout, words, wait),
        )

    def _passed(self, context: StepContext) -> Outcome:
        """It goes on, and of what is planned is stated who has let it."""
        new = running(context).new
        passed = 0 if context.memory is None else from_json(Previewing, context.memory).number
        return Done(
            passed_on(context) | {"passed": passed},
            proved_plan(self.ground, context, load_rollout(self.ground, context), new),
        )

    def _wait(self, context: StepContext, preview: Preview, memory: Previewing, *, is_first: bool) -> Outcome:
        said = heard_pause(context)
        memory = memory if said is None else replace(memory, paused=said)
        memory = replace(memory, began_us=min(memory.began_us, context.now_us))  # The clock may have been set back.
        left_s = preview.hold_s - (context.now_us - memory.began_us) / 1e6
        is_over = left_s <= 0 and not memory.paused
        if is_over and (not preview.approve or (said is False and not is_first)):
            return self._passed(context)
        waiting = memory.paused or is_over
        words = _words(preview, left_s, self.ground.preview_url)
        wait = self.ground.wait(context, waiting=waiting)
        rollout = load_rollout(self.ground, context)
        return Again(
            LOOK_EVERY_S,
            to_json(memory),
            awaited(words, waiting=waiting),
            save=lambda tx: note_wait(tx, self.ground.events, rollout, words, wait),
        )


def _words(preview: Preview, left_s: float, url: str) -> str:
    who = "a copy of every request" if preview.by is PreviewBy.MIRROR else "the requests that ask for it"
    held = f" for another {left_s:.0f} s" if left_s > 0 else ""
    seen = f" It is seen at {url}" if url else ""
    return f"The new version gets {who}{held}.{seen}"
