"""Taking an environment down: users are not served any more, and nothing of it is left running on this machine.

Promises: it is a run like a rollout's, with the same exclusive key, so that neither meets the other half-way; the proxy
ends first, so that no request finds a stopped instance; whoever dies in between, the next engine goes on. Does not
touch the record of what was deployed: `shipline deploy` finds by the proxy that nothing serves.
"""

from __future__ import annotations

from shipline.capabilities.rollouts.effects import claiming, close, stop_group
from shipline.capabilities.rollouts.queries import open_rollout_of, queued_rollouts
from shipline.capabilities.rollouts.steps import Ground
from shipline.capabilities.rollouts.workflow import down_name, drill_key, environment_key
from shipline.domain.actor import Actor
from shipline.domain.errors import RefusedError
from shipline.engine.engine import Engine
from shipline.engine.journal import Run, holder_of
from shipline.engine.rules import RunStatus
from shipline.engine.workflow import Action, Done, Outcome, StepContext
from shipline.ports.target import Group
from shipline.ports.traffic import Lasting
from shipline.store.event_writer import EventWriter
from shipline.store.transaction import Transaction


def take_down(tx: Transaction, engine: Engine, environment: str, actor: Actor) -> str:
    """Order it for a person, or go on with what was ordered and has not ended; returns the run's subject.

    RefusedError while a rollout is under way there, or has left something that is still to be stopped.
    """
    subject = environment_key(environment)
    rollout = open_rollout_of(tx, environment)
    if rollout is not None:
        raise RefusedError(
            f"{environment} is being rolled out to", todo=f"end that first: shipline rollout abort {environment}"
        )
    if queued_rollouts(tx, environment):
        raise RefusedError(
            f"a rollout waits for its turn in {environment}, and would begin when it is down",
            todo=f"shipline rollout withdraw {environment}",
        )
    if holder_of(tx, drill_key(environment)) is not None:
        raise RefusedError(f"a drill is under way in {environment}, and would bring it up again", todo="wait for it")
    holder = holder_of(tx, environment_key(environment))
    if holder is None:
        engine.start(tx, down_name(environment), subject=subject, given={}, exclusive_key=environment_key(environment))
        events = EventWriter(engine.ids, engine.clock, actor)
        events.append(tx, subject, "TakeDownOrdered", {"environment": environment})
    elif holder.workflow != down_name(environment):
        _refuse(environment, holder)
    elif holder.state.status is RunStatus.STOPPED:
        engine.send(tx, holder.id, "retry", {})
    return subject


def _refuse(environment: str, holder: Run) -> None:
    """The last rollout has ended, and what it left is not stopped yet."""
    if holder.state.status is RunStatus.FAILED:
        raise RefusedError(
            f"{environment} is busy: what the last rollout left there could not be stopped",
            why=holder.state.reason,
            todo=f"mend that, then say: shipline rollout retry {environment}; or give-up {environment}",
        )
    raise RefusedError(f"{environment} is busy: what the last rollout left is being stopped", todo="wait for it")


class DownSteps:
    """The actions of `down_workflow`. Each is safe to call again."""

    def __init__(self, ground: Ground) -> None:
        self.ground = ground

    def close(self, context: StepContext) -> Outcome:
        """Stop the proxy; with it goes on record what runs behind it, before any of that is stopped."""
        close(self.ground.traffic, revision=context.revision)
        return Done({"instances": [name for group in self.ground.target.groups() for name in _copies(group)]})

    def stop(self, context: StepContext) -> Outcome:
        """Take away what stands behind the traffic, if the settings say so, then stop all groups that there are."""
        if isinstance(self.ground.traffic, Lasting):
            self.ground.traffic.tear_down(revision=context.revision)
        for group in self.ground.target.groups():
            stop_group(self.ground.target, group.id, revision=context.revision)
        return Done(save=lambda tx: self._note(tx, context))

    def _note(self, tx: Transaction, context: StepContext) -> None:
        environment, stopped = context.subject.removeprefix("environment:"), context.results["close"]["instances"]
        body = {"environment": environment, "instances": stopped}
        self.ground.events.append(tx, context.subject, "EnvironmentTakenDown", body)


def _copies(group: Group) -> tuple[str, ...]:
    """The names of the copies that are alive; the group's own where the platform does not tell one from another."""
    if group.endpoints or not group.ready:
        return tuple(f"{group.id}-{endpoint.id}" for endpoint in group.endpoints)
    return (group.id,)


def down_actions(ground: Ground) -> dict[str, Action]:
    """The action of every step of `down_workflow`, by name."""
    steps = DownSteps(ground)
    return claiming(ground.target, ground.traffic, {"close": steps.close, "stop": steps.stop})


def stopped_by(run: Run) -> tuple[str, ...]:
    """The instances that a run which has ended well has stopped, the ones stopped before a kill among them."""
    return tuple(run.state.results["close"]["instances"])
