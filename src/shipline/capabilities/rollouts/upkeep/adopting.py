"""Both ways out where somebody has changed by hand what an environment serves.

Adopting records what runs; restoring brings back what is recorded, by a rollout like any way back. Promises: only a
version that is known as released is adopted, and only what all users are served by; whose doing it was, and why, is in
the log; nobody else changes the environment meanwhile.
"""

from __future__ import annotations

from dataclasses import replace

from shipline.capabilities.releases import find_release
from shipline.capabilities.rollouts.effects import claiming, lead
from shipline.capabilities.rollouts.ordering import RolloutOrder, open_rollout
from shipline.capabilities.rollouts.queries import (
    DEPLOYMENTS,
    ROLLOUTS,
    open_rollout_of,
    recorded_deployment,
    rollouts_of_version,
)
from shipline.capabilities.rollouts.routing import stable_routes
from shipline.capabilities.rollouts.steps import Ground
from shipline.capabilities.rollouts.strategies import Strategy, StrategyKind
from shipline.capabilities.rollouts.upkeep.drift import SHARE_TOLERANCE
from shipline.capabilities.rollouts.usecases import append
from shipline.capabilities.rollouts.workflow import adopt_name, environment_key
from shipline.domain.actor import Actor
from shipline.domain.codec import from_json, to_json
from shipline.domain.deployment import Deployment
from shipline.domain.errors import RefusedError, UsageError
from shipline.domain.release import Release, ReleaseStatus
from shipline.domain.rollout import Rollout, RolloutPurpose, RolloutStatus
from shipline.engine.engine import Engine
from shipline.engine.journal import Run, holder_of
from shipline.engine.rules import ENDED
from shipline.engine.workflow import Action, Done, Failed, Outcome, StepContext
from shipline.ports.target import Group
from shipline.store.event_writer import EventWriter
from shipline.store.transaction import Transaction

REASON_MAX = 500
BY_HAND = "by-hand"


def order_adoption(tx: Transaction, engine: Engine, environment: str, reason: str, actor: Actor) -> str:
    """Order that what runs is recorded as what is served; returns the run's subject.

    UsageError without a reason, RefusedError while the environment is being changed. Whether it can be adopted is
    looked at by the run.
    """
    why = checked_reason(reason, "adopting")
    _check_is_quiet(tx, environment)
    key = environment_key(environment)
    subject = f"adoption:{engine.ids.new('rol')}"
    given = {"environment": environment, "reason": why, "actor": to_json(actor)}
    engine.start(tx, adopt_name(environment), subject=subject, given=given, exclusive_key=key)
    EventWriter(engine.ids, engine.clock, actor).append(
        tx, key, "AdoptionOrdered", {"environment": environment, "reason": why}
    )
    return subject


def restore_recorded(tx: Transaction, engine: Engine, environment: str, reason: str, actor: Actor) -> Rollout:
    """Order the rollout that brings back what is on record, all at once, without a canary.

    UsageError without a reason; RefusedError where nothing is on record, or while the environment is being changed.
    """
    why = checked_reason(reason, "restoring")
    _check_is_quiet(tx, environment)
    deployment = recorded_deployment(tx, environment)
    before = None if deployment is None else ROLLOUTS.find(tx, deployment.rollout_id)
    if deployment is None or before is None or not before.digests:
        raise RefusedError(
            f"there is nothing on record to bring back to {environment}", todo=f"shipline deploy --to {environment}"
        )
    order = RolloutOrder(
        package=deployment.package,
        version=deployment.version,
        environment=environment,
        strategy=Strategy(StrategyKind.ALL_AT_ONCE),
        digests=before.digests,
        release_id=before.release_id,
        commit=deployment.commit,
        rollback=True,
        is_down=True,
        released_us=before.released_us,
        purpose=RolloutPurpose.RESTORE,
        reason=why,
    )
    return open_rollout(tx, engine, order, actor)


def checked_reason(reason: str, what: str) -> str:
    """The reason as it is kept. UsageError where there is none."""
    kept = reason.strip()[:REASON_MAX]
    if not kept:
        raise UsageError(f"{what} needs a reason", todo="say --reason TEXT: it is kept in the log")
    return kept


def _check_is_quiet(tx: Transaction, environment: str) -> None:
    rollout = open_rollout_of(tx, environment)
    if rollout is not None:
        raise RefusedError(
            f"{environment} is being rolled out to: {rollout.package} {rollout.version}",
            todo=f"wait for it, or say: shipline rollout abort {environment}",
        )
    if holder_of(tx, environment_key(environment)) is not None:
        raise RefusedError(f"{environment} is being changed now", todo="wait for it")


class AdoptStep:
    """The action of `adopt_workflow`."""

    def __init__(self, ground: Ground) -> None:
        self.ground = ground

    def __call__(self, context: StepContext) -> Outcome:
        """Look what serves, make it the stable version for the proxy, and record it. Done twice, it is done once."""
        environment = str(context.input["environment"])
        groups = self._serving()
        refusal = unadoptable(groups)
        if refusal:
            return Failed(refusal)
        one = groups[0]
        with self.ground.store.begin() as tx:
            recorded = recorded_deployment(tx, environment)
            release = find_release(tx, one.package, one.version)
        if recorded is not None and (recorded.package, recorded.version) == (one.package, one.version):
            return Failed(f"{one.package} {one.version} is on record already")
        if recorded is not None and recorded.package != one.package:
            return Failed(f"{environment} serves {recorded.package}, and an environment serves one package")
        refusal = unreleased(release, groups)
        if refusal or release is None:
            return Failed(refusal)
        lead(self.ground.traffic, stable_routes(groups), revision=context.revision)
        return Done(
            {"package": one.package, "version": one.version},
            save=lambda tx: self._record(tx, context, release, groups),
        )

    def _serving(self) -> tuple[Group, ...]:
        """The groups that have all of the traffic; none where some of it goes elsewhere."""
        groups = {group.id: group for group in self.ground.target.groups()}
        serving = [route for route in self.ground.traffic.routes() if route.share > SHARE_TOLERANCE]
        found = [groups[route.group_id] for route in serving if route.group_id in groups]
        return tuple(found) if len(found) == len(serving) else ()

    def _record(self, tx: Transaction, context: StepContext, release: Release, groups: tuple[Group, ...]) -> None:
        environment, reason = str(context.input["environment"]), str(context.input["reason"])
        actor = from_json(Actor, context.input["actor"])
        events = EventWriter(self.ground.events.ids, self.ground.events.clock, actor)
        now_us = events.clock.now_us()
        before = DEPLOYMENTS.where(tx, environment=environment, ended_us=None, order="began_us")
        rollout = Rollout(
            id=events.ids.new("rol"),
            package=release.package,
            version=release.version,
            environment=environment,
            strategy=BY_HAND,
            status=RolloutStatus.PROMOTED,
            started_us=now_us,
            release_id=release.id,
            stable_version=before[-1].version if before else None,
            attempt=len(rollouts_of_version(tx, environment, release.version)) + 1,
            weight=1.0,
            reason=reason,
            ended_us=now_us,
            ordered_by=str(actor),
            digests=groups[0].digests,
            purpose=RolloutPurpose.ADOPTION,
            released_us=release.created_us,
        )
        ROLLOUTS.save(tx, rollout)
        for one in before:
            DEPLOYMENTS.save(tx, replace(one, ended_us=now_us))
            append(tx, events, rollout, "DeploymentEnded", {"deployment_id": one.id, "ended_version": one.version})
        deployment = Deployment(
            id=events.ids.new("dep"),
            environment=environment,
            package=release.package,
            version=release.version,
            rollout_id=rollout.id,
            began_us=now_us,
            commit=release.commit,
            finished_us=now_us,
        )
        DEPLOYMENTS.save(tx, deployment)
        body = {"deployment_id": deployment.id, "commit": release.commit, "reason": reason}
        append(tx, events, rollout, "DeploymentAdopted", body)


def unadoptable(groups: tuple[Group, ...]) -> str:
    """Why what serves cannot be adopted, "" if it can: pure. `groups` are those that have all of the traffic."""
    if not groups:
        return "what serves is not wholly run by this environment's target"
    names = sorted({f"{group.package} {group.version}" for group in groups})
    if len(names) > 1:
        return f"{' and '.join(names)} share the traffic: lead all of it to one of them first"
    changed = [group for group in groups if group.is_whole and group.trouble]
    if changed:
        return (
            f"{changed[0].id} does not run what its version is: {changed[0].trouble[:200]}; "
            "bring the version that it runs there by a rollback, or what is on record by restoring it"
        )
    return ""


def unreleased(release: Release | None, groups: tuple[Group, ...]) -> str:
    """Why what serves is not known as released, "" if it is: pure."""
    name = f"{groups[0].package} {groups[0].version}"
    if release is None:
        return f"{name} is not known as released"
    if release.status is not ReleaseStatus.PUBLISHED:
        return f"{name} is {release.status.value}, and only a published release can be adopted"
    known = {one.digest for one in release.artifacts}
    if not all(set(group.digests) <= known for group in groups):
        return f"what runs as {name} is not made of the artifacts of that release"
    return ""


def follow_adoption(tx: Transaction, events: EventWriter, run: Run) -> None:
    """An adoption that came to nothing is told."""
    if run.state.status in ENDED and run.state.undone:
        environment = str(run.input["environment"])
        body = {"environment": environment, "reason": run.state.reason}
        events.append(tx, environment_key(environment), "AdoptionRefused", body)


def adopt_actions(ground: Ground) -> dict[str, Action]:
    """The action of every step of `adopt_workflow`, by name."""
    return claiming(ground.target, ground.traffic, {"adopt": AdoptStep(ground)})
