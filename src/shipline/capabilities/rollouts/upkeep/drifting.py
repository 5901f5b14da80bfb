"""Looking for drift, once for a person or again and again for the record.

Promises: a look changes nothing; what it has found is on record once a change, as DriftFound and DriftGone. While a
run changes the environment nothing is compared: whatever is found then is on its way.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from shipline.capabilities.rollouts.queries import ROLLOUTS, latest_rollout, open_rollout_of, recorded_deployment
from shipline.capabilities.rollouts.steps import Ground
from shipline.capabilities.rollouts.upkeep.drift import Drift, DriftAnswer, Finding, Recorded, compared, unknown
from shipline.capabilities.rollouts.workflow import drift_key, drift_name, environment_key
from shipline.domain.codec import from_json, to_json
from shipline.domain.errors import ShiplineError, UnavailableError
from shipline.engine.engine import Engine
from shipline.engine.journal import holder_of, runs_of
from shipline.engine.rules import RunStatus
from shipline.engine.workflow import Action, Again, Done, Outcome, Save, StepContext
from shipline.ports.target import Comparing, Group, StillLooking
from shipline.ports.traffic import Holding, Route
from shipline.store.transaction import Transaction

SECOND_US = 1_000_000
# A run of the engine has an end; the next one knows what this one has found.
RUN_S_MAX = 86_400
# How soon is asked again where a target has begun a look of its own.
PENDING_S = 10.0


@dataclass(frozen=True, slots=True)
class DriftMemory:
    """What the looks know: when the last one was that could tell (None: there was none), what it found, and since when
    there is drift (None: there is none). `why_unknown` says why the last look could not tell, "" if it could."""

    looked_us: int | None = None
    findings: tuple[Finding, ...] = ()
    since_us: int | None = None
    why_unknown: str = ""

    @property
    def is_by_hand(self) -> bool:
        """As of a Drift."""
        return Drift(DriftAnswer.DRIFT, self.findings).is_by_hand

    @property
    def is_adoptable(self) -> bool:
        """As of a Drift."""
        return Drift(DriftAnswer.DRIFT, self.findings).is_adoptable


def look_for_drift(ground: Ground, environment: str) -> Drift:
    """Compare the record with what runs now. Asks the proxy and the target, which may take seconds."""
    with ground.store.begin() as tx:
        busy = _busy(tx, environment)
        deployment = recorded_deployment(tx, environment)
        rollout = None if deployment is None else ROLLOUTS.find(tx, deployment.rollout_id)
        newest = latest_rollout(tx, environment)
    if busy:
        return unknown(busy)
    recorded = None
    if deployment is not None:
        is_warm = newest is not None and newest.warm_until_us is not None
        recorded = Recorded(
            deployment.package,
            deployment.version,
            () if rollout is None else rollout.digests,
            ground.instances if ground.controller is None else None,
            warm=newest.stable_version if newest is not None and is_warm else None,
        )
    try:
        groups = ground.target.groups()
        routes = ground.traffic.routes()
        held = ground.traffic.held() if isinstance(ground.traffic, Holding) else ""
    except UnavailableError as error:
        if recorded is None:
            return compared(None, (), ())  # Nothing is to be there, and no proxy runs.
        return unknown(error.sentence())
    except ShiplineError as error:
        return unknown(error.sentence())
    drift = compared(recorded, routes, groups)
    return replace(drift if drift.findings else _with_contents(ground, recorded, routes, groups), held=held)


def _with_contents(
    ground: Ground, recorded: Recorded | None, routes: tuple[Route, ...], groups: tuple[Group, ...]
) -> Drift:
    """Where all else is as recorded: what the target itself finds changed of what serves, if it can look."""
    if not isinstance(ground.target, Comparing):
        return compared(recorded, routes, groups)
    serving = {route.group_id for route in routes if route.share > 0}
    try:
        seen = tuple(
            replace(group, trouble=ground.target.stands_otherwise(group.id)) if group.id in serving else group
            for group in groups
        )
    except ShiplineError as error:
        return unknown(error.sentence(), is_pending=isinstance(error, StillLooking))
    return compared(recorded, routes, seen)


def _busy(tx: Transaction, environment: str) -> str:
    rollout = open_rollout_of(tx, environment)
    if rollout is not None:
        return f"the rollout of {rollout.package} {rollout.version} is under way there"
    return "it is being changed now" if holder_of(tx, environment_key(environment)) is not None else ""


def drift_of(tx: Transaction, environment: str) -> DriftMemory | None:
    """What the looks of the engine have found, None where nobody has looked."""
    holder = holder_of(tx, drift_key(environment))
    if holder is None:
        return None
    memory = holder.state.memory if holder.state.memory is not None else holder.input["known"]
    return from_json(DriftMemory, memory)


def order_drift_looks(tx: Transaction, engine: Engine, environment: str) -> None:
    """Begin to look again and again, unless that is under way."""
    key = drift_key(environment)
    holder = holder_of(tx, key)
    if holder is not None and holder.state.status is RunStatus.STOPPED:
        engine.abandon(tx, holder.id)
    elif holder is not None:
        return
    before = runs_of(tx, key)
    known = before[-1].state.results.get("look") if before else None
    given = {"known": known if known is not None else to_json(DriftMemory())}
    engine.start(tx, drift_name(environment), subject=key, given=given, exclusive_key=key)


class DriftStep:
    """The action of `drift_workflow`. A look is due every `every_s` seconds; 0: no more."""

    def __init__(self, ground: Ground, environment: str, every_s: int) -> None:
        self.ground = ground
        self.environment = environment
        self.every_s = every_s

    def __call__(self, context: StepContext) -> Outcome:
        """One look. It fails for nothing: what cannot be read is kept as unknown."""
        before = from_json(DriftMemory, context.input["known"] if context.memory is None else context.memory)
        if self.every_s == 0:
            return Done(to_json(DriftMemory()), idle="nobody wants to know any more")
        with self.ground.store.begin() as tx:
            busy = _busy(tx, self.environment)
        if busy:
            return Again(float(self.every_s), to_json(before), f"Not compared now: {busy}.")
        drift = look_for_drift(self.ground, self.environment)
        if drift.is_pending:
            return Again(min(PENDING_S, float(self.every_s)), to_json(before), drift_words(before))
        after = remembered(before, drift, context.now_us)
        save = self._save(before, after, context.now_us)
        if context.now_us - context.started_us >= RUN_S_MAX * SECOND_US:
            return Done(to_json(after), save)
        return Again(float(self.every_s), to_json(after), drift_words(after), save)

    def _save(self, before: DriftMemory, after: DriftMemory, now_us: int) -> Save:
        def save(tx: Transaction) -> None:
            if {one.key for one in after.findings} == {one.key for one in before.findings}:
                return
            body: dict[str, Any] = {"environment": self.environment}
            if after.findings:
                body |= {"findings": to_json(after.findings), "by_hand": after.is_by_hand}
            elif before.since_us is not None:
                body |= {"seconds": (now_us - before.since_us) / SECOND_US}
            kind = "DriftFound" if after.findings else "DriftGone"
            self.ground.events.append(tx, environment_key(self.environment), kind, body)

        return save


def remembered(before: DriftMemory, drift: Drift, now_us: int) -> DriftMemory:
    """What is known after a look: one that could not tell leaves what was found before as it was. Pure."""
    if drift.answer is DriftAnswer.UNKNOWN:
        return DriftMemory(before.looked_us, before.findings, before.since_us, drift.why_unknown)
    since_us = None
    if drift.findings:
        since_us = now_us if before.since_us is None else before.since_us
    return DriftMemory(now_us, drift.findings, since_us)


def drift_words(memory: DriftMemory) -> str:
    """What the looks have found, in sentences. Pure."""
    if memory.why_unknown:
        return f"Whether it is as recorded cannot be told now: {memory.why_unknown}."
    return " ".join(f"{one.words}." for one in memory.findings) or "It is as recorded."


def drift_actions(ground: Ground, environment: str, every_s: int) -> dict[str, Action]:
    """The action of every step of `drift_workflow`, by name."""
    return {"look": DriftStep(ground, environment, every_s)}
