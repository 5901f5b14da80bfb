"""The durable steps of a rollout. Each is safe to call again; all effects carry the run's revision as a fence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from shipline.capabilities.rollouts.effects import close, lead, run_group
from shipline.capabilities.rollouts.letting import Approving, nobody
from shipline.capabilities.rollouts.observing.checking import Checks
from shipline.capabilities.rollouts.observing.countable import groups_led_to, stable_groups, try_counts
from shipline.capabilities.rollouts.observing.synthetic import NoSender, Synthetic
from shipline.capabilities.rollouts.queries import ROLLOUTS
from shipline.capabilities.rollouts.reminding import Wait
from shipline.capabilities.rollouts.routing import group_id, stable_routes
from shipline.capabilities.rollouts.strategies import Strategy, StrategyKind, impossible
from shipline.capabilities.rollouts.usecases import note_promoting, note_start, note_under_way
from shipline.capabilities.rollouts.verification import Verification
from shipline.capabilities.rollouts.waiting import awaited_copies, changed_by_hand, hopeless_trouble, pause_s
from shipline.domain.codec import from_json, to_json
from shipline.domain.errors import ShiplineError, UnavailableError
from shipline.domain.rollout import Rollout
from shipline.domain.verdict import Answer
from shipline.engine.workflow import Again, Done, Failed, Outcome, Save, StepContext
from shipline.ports.command import Commands
from shipline.ports.controller import Controller
from shipline.ports.signals import Signals
from shipline.ports.signer import Signer
from shipline.ports.target import Group, GroupSpec, Role, Target
from shipline.ports.traffic import Traffic, UnderWay
from shipline.ports.variables import Variables
from shipline.store.database import Store
from shipline.store.event_writer import EventWriter

# How long the way back waits for copies that had died, once others have all the traffic. The rest is mended later.
RESTORE_GRACE_S = 30


@dataclass(frozen=True, slots=True)
class Ground:
    """What the rollouts of one environment stand on.

    `instances` is how many copies of a version serve. `check_gates` returns why they do not open, "" if they do, and
    what writes their answers down with the step's. `verifications` are tried against what was deployed by `commands`,
    in the folder `root`; `url` is where users reach the environment, "" for the address of its proxy, and `preview_url`
    where a version is seen before them, "" for the same place. `checks` are the
    thresholds that a rollout is held to. `closed` says why the calendar lets nothing begin there now, "" if it does.
    `variables` are what the target gives to what it starts. `controller` is what drives there, None where Shipline
    does; where one drives, target and traffic only tell what it does. `synthetic` fills up traffic that is too thin.
    `signer` gives what signs statements of plans; None states nothing. `remind_every_s` is how often is told again, in
    seconds, of a rollout that waits for a person; 0: never. `approving` tells who has approved.
    """

    store: Store
    events: EventWriter
    target: Target
    traffic: Traffic
    signals: Signals
    instances: int
    check_gates: Callable[[Rollout], tuple[str, Save]]
    checks: Checks
    commands: Commands
    root: Path
    verifications: tuple[Verification, ...] = ()
    url: str = ""
    preview_url: str = ""
    closed: Callable[[Rollout], str] = lambda _rollout: ""
    variables: Variables = field(default_factory=Variables)
    controller: Controller | None = None
    synthetic: Synthetic = field(default_factory=lambda: Synthetic(NoSender()))
    signer: Callable[[], Signer] | None = None
    remind_every_s: int = 0
    approving: Approving = nobody

    def wait(self, context: StepContext, *, waiting: bool) -> Wait:
        """How a look of the step has found the rollout. `waiting`: for a person."""
        return Wait(waiting, self.remind_every_s, context.ends_us)


@dataclass(frozen=True, slots=True)
class Running:
    """The groups of a rollout, as the `start` step leaves them.

    `new` is of one copy for a canary, of a batch for rolling, of all otherwise; `baseline` is None without a canary.
    `cursor` reads the traffic since `started_us`, when the stable version still had all of it. `dead` is what was
    stable where all copies of that had died: nothing to compare with, and all that there is to go back to.
    """

    cursor: str
    started_us: int
    new: Group
    stable: tuple[Group, ...]
    baseline: Group | None
    dead: tuple[Group, ...] = ()

    @property
    def before(self) -> tuple[Group, ...]:
        """What the way back leads to."""
        return self.stable or self.dead

    @property
    def young(self) -> tuple[Group, ...]:
        """What this rollout has begun."""
        return (self.new,) if self.baseline is None else (self.new, self.baseline)


def load_rollout(ground: Ground, context: StepContext) -> Rollout:
    """The rollout that a run is about."""
    with ground.store.begin() as tx:
        rollout = ROLLOUTS.find(tx, str(context.input["rollout_id"]))
    if rollout is None:
        raise ShiplineError(f"the rollout {context.input['rollout_id']} is not in the store")
    return rollout


def running(context: StepContext) -> Running:
    """What `start` left."""
    return from_json(Running, context.results["start"])


def strategy_of(context: StepContext) -> Strategy:
    """The strategy as it was written down when the rollout was ordered."""
    return from_json(Strategy, context.input["strategy"])


def serving_group(context: StepContext) -> Group:
    """What serves once all traffic has moved: what was begun, or the group that a controller has brought it to."""
    serves = context.results.get("drive", {}).get("serves")
    return running(context).new if serves is None else from_json(Group, serves)


class RolloutSteps:
    """The actions of `rollout_workflow` that every strategy has."""

    def __init__(self, ground: Ground) -> None:
        self.ground = ground

    def gate(self, context: StepContext) -> Outcome:
        """Ask the gates again: they may have closed since the rollout was ordered. Then try the checks' queries,
        and for a canary the counts.

        The way back asks for no query: a source that is down must not block it.
        """
        cannot = impossible(strategy_of(context), self.ground.traffic)
        if cannot:
            return Failed(cannot)
        rollout = load_rollout(self.ground, context)
        refusal, save = self.ground.check_gates(rollout)
        if not refusal and rollout.stable_version is not None and not context.input["rollback"]:
            refusal = self._built_on_sand(context, rollout) or self.ground.checks.preflight(rollout)
            refusal = refusal or self._uncounted(context)
        return Failed(refusal, save=save) if refusal else Done(save=save)

    def _built_on_sand(self, context: StepContext, rollout: Rollout) -> str:
        """Why nothing may be compared with what serves, or grow out of it: somebody has made something else of it."""
        if not strategy_of(context).splits:
            return ""
        try:
            changed = changed_by_hand(stable_groups(self.ground.target, self.ground.traffic))
        except UnavailableError:
            return ""  # Later steps open the proxy, and wait for it.
        if not changed:
            return ""
        place = rollout.environment
        return (
            f"{changed}\n  do:  bring back what is on record (shipline env restore {place} --reason TEXT), "
            f"or the version that it runs now (shipline rollback {place} --to VERSION), and deploy again"
        )

    def _uncounted(self, context: StepContext) -> str:
        """Why a canary could not be judged: what serves now cannot be counted. "" where nothing speaks against it."""
        if strategy_of(context).kind is not StrategyKind.CANARY:
            return ""
        found = try_counts(self.ground.target, self.ground.traffic, self.ground.signals)
        # What is not known yet stops nothing: later steps open the proxy, read the counts, and wait for both.
        return found.words if found.answer is Answer.FAIL else ""

    def prepare(self, context: StepContext) -> Outcome:
        """Install the version; nothing serves it yet. A secret that cannot be had ends it here, before anything runs.

        The way back may find its version running, and must not wait for a secret manager that is down.
        """
        rollout = load_rollout(self.ground, context)
        if not context.input["rollback"]:
            self.ground.variables.secrets()
        self.ground.target.prepare(rollout.package, rollout.version, rollout.digests)
        return Done()

    def start(self, context: StepContext) -> Outcome:
        """Run the new version, or find it still warm, and for a canary a clone of the stable one as young as it is.

        What is stable is read from the proxy, not from the record: a store begun anew must not cost the canary.
        """
        rollout = load_rollout(self.ground, context)
        self.ground.traffic.open(revision=context.revision)
        begun = self._begin(context, rollout) if context.memory is None else self._begun(context)
        trouble = hopeless_trouble(begun.young)
        if trouble:
            return Failed(trouble)
        waiting_for = awaited_copies(begun.young)
        if waiting_for:
            return Again(pause_s(context.now_us - context.started_us), to_json(begun), waiting_for)
        stable_version = begun.stable[0].version if begun.stable else rollout.stable_version
        # Without anything to compare it with, a canary is none, and nothing can be replaced batch by batch.
        kind = strategy_of(context).kind
        if not begun.stable or (kind is StrategyKind.CANARY and begun.baseline is None):
            kind = StrategyKind.ALL_AT_ONCE
        found = replace(rollout, strategy=kind.value, stable_version=stable_version)
        result: dict[str, Any] = to_json(begun)
        return Done(result, save=lambda tx: note_start(tx, self.ground.events, found, context.input))

    def _begin(self, context: StepContext, rollout: Rollout) -> Running:
        cursor = self.ground.signals.cursor()
        led_to = groups_led_to(self.ground.target, self.ground.traffic)
        stable = tuple(group for group in led_to if group.lives)
        strategy = strategy_of(context)
        is_canary = strategy.kind is StrategyKind.CANARY and _is_another_version(stable, rollout.version)
        size = self._first_size(strategy, stable, is_canary=is_canary)
        new = self._warm(context, rollout, stable) or self._run(context, self._new(rollout, size))
        baseline = self._run(context, _clone(rollout, stable[0])) if is_canary else None
        return Running(cursor, context.now_us, new, stable, baseline, dead=() if stable else led_to)

    def _begun(self, context: StepContext) -> Running:
        """What was begun, with its groups as they stand now."""
        known = from_json(Running, context.memory)
        new, *rest = self._as_they_stand(context, known.young)
        return replace(known, new=new, baseline=rest[0] if rest else None)

    def promote(self, context: StepContext) -> Outcome:
        """Run what is missing of the new version, then move all traffic to it.

        That it is promoted is noted when the run goes on to its closing steps: until then an abort turns it back.
        """
        rollout = load_rollout(self.ground, context)
        started = running(context).new
        self.ground.traffic.open(revision=context.revision)
        if context.memory is None:
            new = self._run(context, replace(started.spec, size=max(started.size, self.ground.instances)))
        else:
            (new,) = self._as_they_stand(context, (from_json(Group, context.memory),))
        trouble = hopeless_trouble((new,))
        if trouble:
            return Failed(trouble)
        waiting_for = awaited_copies((new,))
        if waiting_for:
            return Again(pause_s(context.now_us - context.started_us), to_json(new), waiting_for)
        try:
            lead(self.ground.traffic, stable_routes((new,)), revision=context.revision)
        except UnderWay as way:
            return _under_way(context, way, to_json(new))
        return Done(save=lambda tx: note_promoting(tx, rollout))

    def restore(self, context: StepContext) -> Outcome:
        """Give all traffic back to the stable groups; where nothing was stable, stop serving what is taken back.

        A rollout that did not get beyond `start` has moved no traffic.
        """
        if "start" not in context.results:
            return Done()
        stable = running(context).before
        self.ground.traffic.open(revision=context.revision)
        if stable:
            try:
                return self._give_back(context, stable)
            except UnderWay as way:
                return _under_way(context, way, {})
        if any(route.share > 0 for route in self.ground.traffic.routes()):
            close(self.ground.traffic, revision=context.revision)
        return Done()

    def _give_back(self, context: StepContext, stable: tuple[Group, ...]) -> Outcome:
        """To the copies that live first, since that ends the harm; those that have died are run again."""
        now = {group.id: group for group in self.ground.target.groups()}
        living = tuple(now[one.id] for one in stable if one.id in now and now[one.id].lives)
        waited_us = context.now_us - context.started_us
        is_over = waited_us >= RESTORE_GRACE_S * 1_000_000
        if living and (context.memory is None or is_over):
            lead(self.ground.traffic, stable_routes(living), revision=context.revision)
        back = tuple(self._whole_again(context, one, now.get(one.id)) for one in stable)
        waiting_for = awaited_copies(back)
        if not waiting_for:
            lead(self.ground.traffic, stable_routes(back), revision=context.revision)
            return Done()
        return Done() if living and is_over else Again(pause_s(waited_us), {}, waiting_for)

    def _whole_again(self, context: StepContext, before: Group, now: Group | None) -> Group:
        """The group as large as it was: copies may have died, or have been let go since. What somebody has made
        something else of stays as it is: nothing can be added to it."""
        if now is not None and now.is_whole and (now.size >= before.size or changed_by_hand((now,))):
            return now
        return self._run(context, before.spec if now is None or now.size < before.size else now.spec)

    def _first_size(self, strategy: Strategy, stable: tuple[Group, ...], *, is_canary: bool) -> int:
        if strategy.kind is StrategyKind.ROLLING and stable:
            return min(strategy.batch, self.ground.instances)
        return 1 if is_canary else self.ground.instances

    def _warm(self, context: StepContext, rollout: Rollout, stable: tuple[Group, ...]) -> Group | None:
        """The version's group that was kept for the way back, if this is one and all of it is ready."""
        if not context.input["rollback"]:
            return None
        serving = {group.id for group in stable}
        what = (rollout.package, rollout.version, rollout.digests)
        fit = (
            group
            for group in self.ground.target.groups()
            if group.id not in serving
            and group.is_whole
            and not changed_by_hand((group,))
            and (group.package, group.version, group.digests) == what
        )
        return next(fit, None)

    def _new(self, rollout: Rollout, size: int) -> GroupSpec:
        name = group_id(rollout.package, rollout.version, rollout.attempt, Role.CANARY)
        return GroupSpec(name, Role.CANARY, rollout.package, rollout.version, size, rollout.digests)

    def _run(self, context: StepContext, spec: GroupSpec) -> Group:
        return run_group(self.ground.target, spec, revision=context.revision)

    def _as_they_stand(self, context: StepContext, groups: tuple[Group, ...]) -> tuple[Group, ...]:
        """These groups now. What died stays dead: that it did is what the step wants to know. One that is not there
        at all is run again."""
        now = {group.id: group for group in self.ground.target.groups()}
        return tuple(now[one.id] if one.id in now else self._run(context, one.spec) for one in groups)


def _under_way(context: StepContext, way: UnderWay, memory: dict[str, Any]) -> Again:
    """Look again when it is worth it, and let people see what is waited for."""
    words, rollout_id = f"{way.what}.", str(context.input["rollout_id"])
    return Again(way.after_s, memory, words, save=lambda tx: note_under_way(tx, rollout_id, words))


def _clone(rollout: Rollout, stable: Group) -> GroupSpec:
    """The baseline. Its name ends with the rollout's: another rollout beside the same stable version has its own."""
    name = group_id(rollout.package, stable.version, rollout.attempt, Role.BASELINE)
    return replace(stable.spec, id=f"{name[:49]}-{rollout.id[-10:]}", role=Role.BASELINE, size=1)


def _is_another_version(stable: tuple[Group, ...], version: str) -> bool:
    """True if there is something to compare a canary with."""
    return bool(stable) and all(group.version != version for group in stable)


def is_serving(ground: Ground) -> bool:
    """True if the proxy sends traffic to a group of which something lives."""
    living = {group.id for group in ground.target.groups() if group.lives}
    try:
        routes = ground.traffic.routes()
    except UnavailableError:
        return False
    return any(route.share > 0 and route.group_id in living for route in routes)
