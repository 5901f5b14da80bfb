"""A time in which a new version is previewed: by those who ask for it, or by copies of the requests of all."""

from __future__ import annotations

from dataclasses import dataclass, replace

from shipline.capabilities.rollouts.proving import proved_plan
from shipline.capabilities.rollouts.routing import preview_routes
from shipline.capabilities.rollouts.steps import Ground, load_rollout, running, strategy_of
from shipline.capabilities.rollouts.strategies import Preview, PreviewBy
from shipline.capabilities.rollouts.usecases import awaited, note_wait
from shipline.capabilities.rollouts.waiting import heard_pause, is_told, passed_on
from shipline.domain.codec import from_json, to_json
from shipline.engine.workflow import Again, Done, Outcome, StepContext

LOOK_EVERY_S = 2.0


@dataclass(frozen=True, slots=True)
class Previewing:
    """What is remembered between two looks: since when it is previewed, and whether a person has paused it."""

    began_us: int
    paused: bool = False


class PreviewStep:
    """The action `preview` of a rollout's workflow."""

    def __init__(self, ground: Ground) -> None:
        self.ground = ground

    def __call__(self, context: StepContext) -> Outcome:
        """Route the preview, then wait until its time is over, and for a person where the strategy says so."""
        preview, groups = strategy_of(context).preview, running(context)
        if preview is None or not groups.stable:
            return Done(passed_on(context), idle="it is not previewed")
        if is_told(context, "promote") or is_told(context, "skip-wait"):
            return self._passed(context)
        self.ground.traffic.open()
        if context.memory is None:
            routes = preview_routes(groups.stable, groups.new, mirror=preview.by is PreviewBy.MIRROR)
            self.ground.traffic.apply(routes, revision=context.revision)
            return self._wait(context, preview, Previewing(context.now_us), is_first=True)
        return self._wait(context, preview, from_json(Previewing, context.memory), is_first=False)

    def _passed(self, context: StepContext) -> Outcome:
        """It goes on, and of what is planned is stated who has let it."""
        new = running(context).new
        return Done(passed_on(context), proved_plan(self.ground, context, load_rollout(self.ground, context), new))

    def _wait(self, context: StepContext, preview: Preview, memory: Previewing, *, is_first: bool) -> Outcome:
        said = heard_pause(context)
        memory = memory if said is None else replace(memory, paused=said)
        left_s = preview.hold_s - (context.now_us - memory.began_us) / 1e6
        is_over = left_s <= 0 and not memory.paused
        if is_over and (not preview.approve or (said is False and not is_first)):
            return self._passed(context)
        waiting = memory.paused or is_over
        words, wait = _words(preview, left_s), self.ground.wait(context, waiting=waiting)
        rollout = load_rollout(self.ground, context)
        return Again(
            LOOK_EVERY_S,
            to_json(memory),
            awaited(words, waiting=waiting),
            save=lambda tx: note_wait(tx, self.ground.events, rollout, words, wait),
        )


def _words(preview: Preview, left_s: float) -> str:
    who = "a copy of every request" if preview.by is PreviewBy.MIRROR else "the requests that ask for it"
    held = f" for another {left_s:.0f} s" if left_s > 0 else ""
    return f"The new version gets {who}{held}."
