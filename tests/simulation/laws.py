"""What must hold in every world, whatever goes wrong in it: looked at after each turn, and at the end."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from shipline.capabilities.rollouts import (
    DEPLOYMENTS,
    ROLLOUTS,
    DriftAnswer,
    RolloutCommand,
    StrategyKind,
    command_rollout,
    look_for_drift,
)
from shipline.capabilities.rollouts.queries import open_rollout_of, recorded_deployment
from shipline.capabilities.rollouts.workflow import changing_names, down_name, environment_key, mend_name, turn_name
from shipline.clients.route_sets import ROUNDED_MAX
from shipline.domain.errors import ShiplineError
from shipline.domain.rollout import ENDED, Rollout, RolloutStatus
from shipline.engine.journal import Run, load_run, newest_of, runs_of
from shipline.engine.rules import RunStatus, current_step
from shipline.store.log import read_latest
from tests.capabilities.events import check_positions
from tests.capabilities.rollouts.rollout_world import PERSON, PLACE

if TYPE_CHECKING:
    from tests.simulation.world import Node, SimulatedWorld

# A run that is active is looked at within so many seconds, while a node is alive: no pause is longer than a minute.
SILENCE_S_MAX = 90.0
GRACE_S = 130.0


class Laws:
    """Watches one world. `breaches` say what was broken; the first one ends the world."""

    def __init__(self, world: SimulatedWorld) -> None:
        self.world = world
        self.breaches: list[str] = []
        self._killed: set[str] = set()  # Addresses that the world itself took away.
        self._liars_until_s = 0.0
        self._jumps_back = 0
        self._changed: dict[str, tuple[int, float]] = {}
        self._steps: dict[str, tuple[tuple[str, str | None], float]] = {}
        self._nobody_s = 0.0
        self._away_s = 0.0
        self._verbs: dict[str, set[str]] = {}
        self._known: set[str] = set()
        self._going_back: dict[str, float] = {}
        self._newest: dict[str, int] = {}  # By port the highest number that has changed something there.

    def breach(self, words: str) -> None:
        """Something that must never happen has happened."""
        self.world.note(f"BREACH {words}")
        self.breaches.append(words)

    # --- told by the world ------------------------------------------------------------------------------------------

    def said(self, rollout: Rollout, verb: str) -> None:
        """An operator's word was taken."""
        self._verbs.setdefault(rollout.id, set()).add(verb)

    def jumped(self, seconds: float) -> None:
        """The wall clock."""
        self._jumps_back += seconds < 0

    def lied(self) -> None:
        """Somebody says that it is done, and it is not."""
        self._liars_until_s = self.world.now_s

    def held_by(self, node: Node) -> dict[str, int]:
        """The revisions of the runs that a node is at work on."""
        with self.world.place.world.store.begin() as tx:
            found = [load_run(tx, run_id) for run_id in sorted(node.engine._busy)]
        return {run.id: run.revision for run in found if run is not None and run.holder == node.name}

    def came_back(self, node: Node, held: dict[str, int]) -> None:
        """Which of them went on without it: what the node still does for those is too late.

        Somebody who took one over and has not come to a decision yet is not contradicted by what it does.
        """
        mine = (mend_name(PLACE), turn_name(PLACE))
        with self.world.place.world.store.begin() as tx:
            runs = [load_run(tx, run_id) for run_id in held]
        for run in runs:
            if run is None or run.workflow in mine or run.state.cut_off:
                continue
            if run.revision >= held[run.id] + 2:
                node.overtaken.add(run.id)
                self.world.counts["zombies"] += 1
                self.world.note(f"{node.name} was overtaken")

    def watched(self, node: Node, what: str, call: Callable[[], Any], revision: int | None) -> Any:
        """A call reaches the world. One that comes too late must change nothing: by who was overtaken, or after what
        somebody else has changed there with a higher number."""
        if revision is None:
            return call()
        port, before = what.partition(".")[0], self._state()
        is_late = bool(node.overtaken & node.engine._busy) or revision < self._newest.get(port, 0)
        try:
            return call()
        finally:
            if self._state() != before:
                self._newest[port] = max(revision, self._newest.get(port, 0))
                if is_late:
                    self.breach(f"a late {what} of {node.name} took effect")

    def _state(self) -> str:
        target, traffic = self.world.place.target, self.world.place.traffic
        return repr((sorted(target.groups.items()), sorted(traffic.routes.items()), traffic.running))

    # --- after each turn --------------------------------------------------------------------------------------------

    def look(self) -> None:
        """All that must hold at any moment."""
        self._see_deaths()
        if any(node.alive and not node.is_away for node in self.world.nodes):
            pass
        else:
            self._nobody_s = self.world.now_s
        with self.world.place.world.store.begin() as tx:
            rollout = open_rollout_of(tx, PLACE)
            deployment = recorded_deployment(tx, PLACE)
            runs = () if rollout is None else runs_of(tx, f"rollout:{rollout.id}")
        self._look_at_routes()
        self._look_at_versions(rollout, None if deployment is None else deployment.version)
        if rollout is not None:
            self._look_at_weight(rollout, runs[-1])
        for run in runs:
            self._look_at_run(run, rollout)
        for run in self._downs():
            self._look_at_run(run, None)

    def _downs(self) -> tuple[Run, ...]:
        """The runs that take the environment down, the newest last."""
        with self.world.place.world.store.begin() as tx:
            return runs_of(tx, environment_key(PLACE))

    def _is_down(self) -> bool:
        """True if the last that was done there is that it was taken down."""
        with self.world.place.world.store.begin() as tx:
            newest = newest_of(tx, changing_names(PLACE))
        return newest is not None and newest.workflow == down_name(PLACE)

    def _is_up(self) -> bool:
        """True unless it was taken down and nothing has come up since: what was tried then has gone back to nothing."""
        last = [told.event.kind for told in read_latest(self.world.place.world.store, 1000)]
        decisive = [kind for kind in last if kind in ("EnvironmentTakenDown", "RolloutPromoted")]
        return decisive[-1] == "RolloutPromoted"

    def _see_deaths(self) -> None:
        """Copies that nobody stopped are gone because the world took them. Where all was taken down, the proxy begins
        with what it led to last, which is not there until another rollout leads elsewhere."""
        here = self.world.place.addresses()
        groups = self.world.place.target.groups.values()
        self._known |= here
        if any(len(group.copies) < len(group.numbers) for group in groups) or self._is_down():
            self._killed |= self._known - here

    def _look_at_routes(self) -> None:
        """Traffic leads to what lives, or to what the world itself took away."""
        place = self.world.place
        for route in place.traffic.routes.values() if place.traffic.running else ():
            if route.share == 0 or self._somebody_is_busy():
                continue
            living = {one.address for one in route.endpoints} & place.addresses()
            if not living and not {one.address for one in route.endpoints} & self._killed:
                self.breach(f"{route.share:.0%} of the traffic leads to {route.group_id}, which is not there")

    def _somebody_is_busy(self) -> bool:
        return any(node.alive and node.engine._busy for node in self.world.nodes)

    def _look_at_versions(self, rollout: Rollout | None, recorded: str | None) -> None:
        """What serves is on record, or is being rolled out."""
        known = {recorded} if rollout is None else {recorded, rollout.version, rollout.stable_version}
        strange = {version for version in self.world.place.serving() if version not in known}
        if strange and not self._somebody_is_busy():
            self.breach(f"{sorted(strange)} serves, and {sorted(map(str, known))} are on record")

    def _look_at_weight(self, rollout: Rollout, run: Run) -> None:
        """What turns back gets no more traffic; and while a canary is watched, its share is the one on record."""
        place, share = self.world.place, self.world.place.serving().get(rollout.version, 0.0)
        if self._somebody_is_busy() or rollout.version == rollout.stable_version or not place.traffic.running:
            return
        if rollout.status is RolloutStatus.ROLLING_BACK:
            if share > self._going_back.setdefault(rollout.id, share) + 1e-9:
                self.breach(f"{rollout.version} turns back, and got {share:.1%} of the traffic")
            self._going_back[rollout.id] = share
        state = run.state
        was_seen = state.step == "canary" and state.memory is not None and state.memory["number"] > 1
        is_settled = was_seen and state.attempt == 1 and not state.started and not state.cut_off
        # A lie within what rounding may do cannot be told from rounding.
        if is_settled and abs(share - rollout.weight) > ROUNDED_MAX:
            self.breach(f"{rollout.version} has {share:.1%} of the traffic, and {rollout.weight:.1%} is on record")

    def _look_at_run(self, run: Run, rollout: Rollout | None) -> None:
        world, state = self.world, run.state
        revision, since_s = self._changed.get(run.id, (0, 0.0))
        if revision != run.revision:
            self._changed[run.id] = (run.revision, world.now_s)
            since_s = world.now_s
        silent_s = world.now_s - max(since_s, self._nobody_s)
        if state.status is RunStatus.ACTIVE and run.holder is None and silent_s > SILENCE_S_MAX:
            self.breach(f"nobody has looked at “{state.step}” for {silent_s:.0f} s")
        if state.status not in (RunStatus.ACTIVE, RunStatus.DONE, RunStatus.UNDONE, RunStatus.GIVEN_UP):
            words = state.reason if rollout is None else rollout.waiting_for or rollout.reason
            if not words:
                self.breach(f"it is {state.status.value}, and nothing says why")
            return
        at = (state.phase.value, state.step)
        known, began_s = self._steps.get(run.id, (at, world.now_s))
        if known != at:
            began_s = world.now_s
        self._steps[run.id] = (at, began_s)
        step = current_step(world.nodes[0].engine.catalogue.workflows[run.workflow], state)
        if step is None:
            return
        limit_s = step.timeout_s * (1 + self._jumps_back) + GRACE_S + self._away_s
        if world.now_s - began_s > limit_s:
            self.breach(f"“{step.title}” goes on for {world.now_s - began_s:.0f} s, and has {step.timeout_s} s")

    # --- at the end -------------------------------------------------------------------------------------------------

    def is_stuck(self) -> bool:
        """True if something waits for a person."""
        return bool(self._stuck()) or _waits_for_a_person(self._downs())

    def _stuck(self) -> list[Rollout]:
        with self.world.place.world.store.begin() as tx:
            found = ROLLOUTS.where(tx, environment=PLACE)
            return [one for one in found if _waits_for_a_person(runs_of(tx, f"rollout:{one.id}"))]

    def retry(self) -> bool:
        """Say so to what waits for a person, as long as something does."""
        world, found = self.world, self._stuck()
        if _waits_for_a_person(self._downs()):
            world.take_down()
            return True
        for one in found:
            world.note(f"retry {one.version}")
            world.counts["retries by hand"] += 1
            try:
                with world.place.world.store.begin() as tx:
                    command_rollout(tx, world.place.engine(), one, RolloutCommand("retry", "", PERSON))
            except ShiplineError as refusal:
                self.breach(f"retry is refused: {refusal}")
        return bool(found)

    def look_back(self) -> None:
        """All that must hold once nothing goes wrong any more and nothing is left to do."""
        if self.breaches:
            return
        place = self.world.place
        with place.world.store.begin() as tx:
            rollouts = ROLLOUTS.where(tx, environment=PLACE, order="started_us")
            serving = DEPLOYMENTS.where(tx, environment=PLACE, ended_us=None)
        for one in rollouts:
            self.world.counts[one.status.value] += 1
            if one.status not in ENDED:
                self.breach(f"the rollout of {one.version} is {one.status.value} for ever: {one.waiting_for}")
        is_up = self._is_up()
        if not is_up and (place.traffic.running or place.alive()):
            self.breach(f"it was taken down, and {place.alive()} run, the proxy: {place.traffic.running}")
        if is_up and [one.version for one in serving if one.finished_us is not None] != list(place.serving()):
            self.breach(f"on record {[one.version for one in serving]} serves, and in truth {place.serving()}")
        if self._told() != {one.version for one in serving}:
            self.breach(f"the log says that {sorted(self._told())} serves")
        drift = look_for_drift(place.ground(place.world.store), PLACE)
        if is_up and drift.answer is not DriftAnswer.NONE:
            self.breach(f"record and world differ: {[one.words for one in drift.findings] or drift.why_unknown}")
        for one in rollouts:
            self._look_back_at(one)
        self._look_back_at_weights()
        try:
            check_positions(place.world.store)
        except AssertionError as error:
            self.breach(f"the log has a gap: {error}")

    def _look_back_at_weights(self) -> None:
        """By the log a canary's weight never falls before it turns back."""
        weights: dict[str, float] = {}
        for told in read_latest(self.world.place.world.store, 1000):
            body, about = told.event.body, str(told.event.body.get("rollout_id"))
            if told.event.kind == "RolloutStarted" and body["strategy"] == "canary":
                weights[about] = 0.0
            if told.event.kind == "CanaryWeightChanged" and about in weights:
                if 0.0 < body["weight"] < weights[about]:
                    self.breach(
                        f"the weight of {body['version']} fell from {weights[about]:.1%} to {body['weight']:.1%}"
                    )
                weights[about] = body["weight"]

    def _told(self) -> set[str]:
        """What serves, by the log alone."""
        found: dict[str, str] = {}
        for told in read_latest(self.world.place.world.store, 1000):
            body = told.event.body
            match told.event.kind:
                case "DeploymentFinished":
                    found[body["deployment_id"]] = body["version"]
                case "DeploymentEnded":
                    found.pop(body["deployment_id"], None)
        return set(found.values())

    def _look_back_at(self, rollout: Rollout) -> None:
        scenario = self.world.scenario
        judged = rollout.strategy == StrategyKind.CANARY or scenario.has_verification
        excused = self._verbs.get(rollout.id, set()) & {"promote", "skip"}
        if rollout.version != "1.1.0" or not scenario.is_bad or not judged or excused:
            return
        if rollout.status is RolloutStatus.PROMOTED:
            self.breach("a bad version was promoted, and nobody asked for it")


def _waits_for_a_person(runs: tuple[Run, ...]) -> bool:
    stuck = (RunStatus.FAILED, RunStatus.STOPPED, RunStatus.ASKING)
    return any(run.state.status in stuck and run.wake_us is None for run in runs)
