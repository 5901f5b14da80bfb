"""The durable steps of a rollout that a controller carries out, but for the following of it (`driving.py`).

Each is safe to call again; what is written in the cluster carries the run's revision as a fence.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from shipline.capabilities.rollouts.driven.controlled import groups_of
from shipline.capabilities.rollouts.driven.way_back import note_way_back
from shipline.capabilities.rollouts.observing.counting import counted_as
from shipline.capabilities.rollouts.steps import Ground, Running, load_rollout, strategy_of
from shipline.capabilities.rollouts.strategies import StrategyKind
from shipline.capabilities.rollouts.usecases import append, note_start
from shipline.domain.codec import from_json, to_json
from shipline.domain.errors import UnavailableError
from shipline.domain.rollout import Rollout
from shipline.engine.workflow import Again, Done, Failed, Outcome, Save, StepContext, nothing
from shipline.ports.controller import Content, Controlled, Controller, Phase, Verb
from shipline.ports.target import Role

LOOK_EVERY_S, LOOK_S_MAX = 2.0, 10.0
NOTICE_S = 300
"""A controller that has not noticed a new image for so long does not run, or does not look there."""
ASKED_S = 120
"""One that asks has had its turn to hear that it is to turn back; after that the image is set back under it."""


@dataclass(frozen=True, slots=True)
class Planned:
    """What the rollout sets, and what was wanted there before it: what is set back."""

    ours: Content
    before: Content


def planned(context: StepContext) -> Planned:
    """What `prepare` has found."""
    return from_json(Planned, context.results["prepare"])


def is_promoting(plan: Planned, state: Controlled) -> bool:
    """True once what serves as the stable version is what the rollout has set."""
    return state.stable is not None and state.stable.content.image == plan.ours.image


def changed_words(name: str, state: Controlled, plan: Planned) -> str:
    """Why a rollout ends whose image somebody has replaced."""
    return (
        f"somebody has set the image to {state.wanted.image[:200]} while {plan.ours.version} was being rolled out: "
        f"what {name} does with it is not this rollout's"
    )


def turned_back(ground: Ground, name: str, rollout: Rollout, state: Controlled) -> Failed:
    """The controller has ended it by its own decision: on record with its own words."""
    body = {"controller": name, "words": state.words}
    verb = "turned back by itself" if state.phase is Phase.BACK else "come to a stop"
    return Failed(
        f"{name} has {verb}: {state.words}",
        save=lambda tx: append(tx, ground.events, rollout, "ControllerTurnedBack", body),
    )


class DrivenSteps:
    """The actions of a driven environment's workflow."""

    def __init__(self, ground: Ground, controller: Controller) -> None:
        self.ground = ground
        self.controller = controller

    def gate(self, context: StepContext) -> Outcome:
        """Ask the gates again, then try the checks' queries and the counts; the way back asks for neither."""
        kind = strategy_of(context).kind
        if kind not in (StrategyKind.DRIVEN, StrategyKind.ALL_AT_ONCE):
            return Failed(f"{self.controller.name} brings versions to users there: the strategy {kind.value} cannot")
        rollout = load_rollout(self.ground, context)
        refusal, save = self.ground.check_gates(rollout)
        if not refusal and rollout.stable_version is not None and not context.input["rollback"]:
            refusal = self.ground.checks.preflight(rollout) or self._uncounted()
        return Failed(refusal, save=save) if refusal else Done(save=save)

    def _uncounted(self) -> str:
        """Why a canary could not be judged, "" where nothing speaks against it."""
        stable = [one for one in groups_of(self.controller.look()) if one.role is Role.STABLE]
        try:
            return self.ground.signals.trouble(tuple(counted_as(one, Role.STABLE) for one in stable))
        except UnavailableError:
            return ""  # They are read by a step that waits for them.

    def prepare(self, context: StepContext) -> Outcome:
        """Find the image, see that the controller is free and can be turned back, and note what to set back."""
        rollout = load_rollout(self.ground, context)
        ours = self.controller.prepare(rollout.package, rollout.version, rollout.digests)
        state = self.controller.look()
        before = state.wanted
        if state.stable is not None and state.phase is not Phase.SETTLED:
            before = state.stable.content
        result: dict[str, object] = to_json(Planned(ours, before))
        return Done(result)

    def start(self, context: StepContext) -> Outcome:
        """Set the image, and wait until the controller has noticed."""
        plan, rollout = planned(context), load_rollout(self.ground, context)
        # The cursor first: what the stable version served before is what latencies are held to.
        cursor = self.ground.signals.cursor() if context.memory is None else str(context.memory["cursor"])
        if context.memory is None:
            self.controller.set(plan.ours, revision=context.revision)
        state = self.controller.look()
        if state.wanted.image != plan.ours.image:
            return Failed(changed_words(self.controller.name, state, plan))
        if self._has_ended(state):
            return turned_back(self.ground, self.controller.name, rollout, state)
        if state.noticed and state.phase not in (Phase.BACK, Phase.BROKEN) and self._has_ours(state, plan):
            begun = self._running(context, state, cursor)
            result: dict[str, object] = to_json(begun)
            found = self._started(rollout, begun)
            return Done(result, save=lambda tx: note_start(tx, self.ground.events, found, context.input))
        waited_s = (context.now_us - context.started_us) / 1e6
        if waited_s >= NOTICE_S:
            return Failed(
                f"{self.controller.name} has not begun to bring {rollout.version} there within {NOTICE_S} s: "
                f"{state.words}. Does it run, and watch this namespace?"
            )
        words = f"Waiting for {self.controller.name} to begin: {state.words or 'it says nothing'}."
        return Again(min(LOOK_S_MAX, max(LOOK_EVERY_S, waited_s / 10)), {"cursor": cursor}, words)

    def _has_ended(self, state: Controlled) -> bool:
        """True if it has come to an end with what was set. Of one that asks the same state may be that of before."""
        return state.noticed and state.phase in (Phase.BACK, Phase.BROKEN) and not self.controller.asks

    def _has_ours(self, state: Controlled, plan: Planned) -> bool:
        """True if one of the sides runs what was set."""
        return any(side.content.image == plan.ours.image for side in (state.stable, state.canary) if side is not None)

    def _running(self, context: StepContext, state: Controlled, cursor: str) -> Running:
        groups = {group.role: group for group in groups_of(state)}
        new = groups.get(Role.CANARY) or groups[Role.STABLE]
        stable = () if Role.CANARY not in groups or Role.STABLE not in groups else (groups[Role.STABLE],)
        return Running(cursor, context.now_us, new, stable, baseline=None)

    def _started(self, rollout: Rollout, begun: Running) -> Rollout:
        stable_version = begun.stable[0].version if begun.stable else rollout.stable_version
        return replace(rollout, strategy=StrategyKind.DRIVEN.value, stable_version=stable_version)

    def restore(self, context: StepContext) -> Outcome:
        """Have the controller give all traffic back, then set the image back, and wait until it has settled.

        What somebody else has set meanwhile is left alone.
        """
        if "prepare" not in context.results:
            return Done()
        plan, state = planned(context), self.controller.look()
        if state.wanted.image == plan.before.image:
            return self._settled_back(context, state, plan)
        if state.wanted.image != plan.ours.image:
            return Done(idle="somebody has set another image meanwhile")
        # Once it is being promoted it is too late for an abort, and too early to set the image back: nothing is asked
        # then, so who is silent is not deaf.
        promoting = is_promoting(plan, state)
        is_deaf = not promoting and self._is_deaf(context)
        if state.phase is Phase.BACK or not self._is_at_work(state) or is_deaf:
            return self._set_back(context, state, plan)
        if not promoting:
            self.controller.tell(Verb.ABORT, revision=context.revision)
        return Again(LOOK_EVERY_S, {}, _waiting_words(self.controller.name, state, "give all traffic back"))

    def _is_at_work(self, state: Controlled) -> bool:
        """True while something is to be aborted, or waited for, before the image is set back."""
        if state.phase is Phase.BROKEN:
            return not self.controller.asks
        if not state.noticed:
            return False
        return state.phase is not Phase.SETTLED

    def _is_deaf(self, context: StepContext) -> bool:
        waited_s = (context.now_us - context.started_us) / 1e6
        return self.controller.asks and waited_s >= ASKED_S

    def _set_back(self, context: StepContext, state: Controlled, plan: Planned) -> Outcome:
        words = f"Waiting for {self.controller.name} to bring {plan.before.version} back."
        save = self._noting(context, state, plan, words)
        is_noted = bool((context.memory or {}).get("noted"))
        if save is not nothing and not is_noted:
            # First the note, and the image in the next look: it may ask as soon as the image is set.
            return Again(0.0, {"noted": True}, words, save)
        self.controller.set(plan.before, revision=context.revision)
        return Again(LOOK_EVERY_S, {}, words, save)

    def _noting(self, context: StepContext, state: Controlled, plan: Planned, words: str) -> Save:
        """What notes that it is the way back: where the version has been promoted, and the controller asks."""
        if not (self.controller.asks and is_promoting(plan, state)):
            return nothing
        rollout, now_us = load_rollout(self.ground, context), context.now_us
        return lambda tx: note_way_back(tx, rollout, words, now_us)

    def _settled_back(self, context: StepContext, state: Controlled, plan: Planned) -> Outcome:
        """The image is back: the controller finds that it serves already, or brings it there without looking back."""
        name = self.controller.name
        if state.phase is Phase.SETTLED:
            return Done()
        if state.phase in (Phase.BACK, Phase.BROKEN) and state.noticed:
            return Failed(f"{name} does not bring the version before back: {state.words}")
        if state.noticed and not self.controller.asks:
            self.controller.tell(Verb.PROMOTE, revision=context.revision)
        words = _waiting_words(name, state, "bring the version before back")
        return Again(LOOK_EVERY_S, {}, words, self._noting(context, state, plan, words))

    def settle(self, _context: StepContext) -> Outcome:
        """Nothing is left to do: what does not serve any more, the controller stops."""
        return Done(idle=f"{self.controller.name} stops what serves nothing")


def _waiting_words(name: str, state: Controlled, what: str) -> str:
    return f"Waiting for {name} to {what}: {state.words}."
