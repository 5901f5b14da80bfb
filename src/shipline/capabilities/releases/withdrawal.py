"""Withdrawing a published version: ask the registry, then write down what it did and what it does not allow."""

from __future__ import annotations

from shipline.capabilities.releases.ground import ReleaseGround
from shipline.capabilities.releases.queries import RELEASES
from shipline.capabilities.releases.usecases import note_withdrawal
from shipline.capabilities.releases.workflow import WITHDRAWAL_WORKFLOW
from shipline.domain.errors import NothingToDo, RefusedError, ShiplineError
from shipline.domain.event import Event
from shipline.domain.release import Release, ReleaseStatus
from shipline.engine.engine import Engine
from shipline.engine.workflow import Done, Outcome, StepContext
from shipline.ports.registry import Withdrawal
from shipline.store.transaction import Transaction

# What is not the registry's to take back.
REMAINS = ("the tag stays: others may have it",)


def withdraw_release(ground: ReleaseGround, release: Release, *, reason: str) -> Release:
    """Withdraw, as far as the registry allows. RefusedError for a release that was never published."""
    if release.status is ReleaseStatus.WITHDRAWN:
        raise NothingToDo(f"{release.package} {release.version} is withdrawn already", why=release.withdrawal)
    if release.status is not ReleaseStatus.PUBLISHED:
        raise RefusedError(f"{release.package} {release.version} was never published: it is {release.status.value}")
    answer = Withdrawal((), ("no registry is configured, so none serves it",))
    if ground.registry is not None:
        answer = ground.registry.withdraw(release.package, release.version, reason=reason[:500])
    if not answer.done:
        raise RefusedError(
            f"{release.package} {release.version} could not be withdrawn by Shipline",
            why="; ".join((*answer.not_done, *REMAINS)),
        )
    with ground.store.begin() as tx:
        current = RELEASES.find(tx, release.id, lock=True)
        if current is None:
            raise ShiplineError(f"the release {release.id} is gone from the store")
        if current.status is ReleaseStatus.WITHDRAWN:
            return current  # Somebody else did the same meanwhile: it is written down once.
        return note_withdrawal(tx, ground.events, current, done=answer.done, not_done=(*answer.not_done, *REMAINS))


def order_withdrawal(tx: Transaction, engine: Engine, event: Event) -> None:
    """React to a `RolloutRolledBack`: order the withdrawal of the release that the analysis found worse.

    An abort by a person says nothing about the version.
    """
    release = RELEASES.find(tx, str(event.body.get("release_id")))
    if release is None or release.status is not ReleaseStatus.PUBLISHED or not event.body.get("found_worse"):
        return
    given = {"release_id": release.id, "reason": f"rolled back: {event.body.get('reason', '')}"[:500]}
    engine.start(tx, WITHDRAWAL_WORKFLOW, subject=f"withdrawal:{release.id}", given=given)


def withdraw_step(ground: ReleaseGround, context: StepContext) -> Outcome:
    """The action of the withdrawal's workflow. A version that is withdrawn already stays so."""
    release = ground.release(context)
    if release.status is ReleaseStatus.PUBLISHED:
        withdraw_release(ground, release, reason=str(context.input["reason"]))
    return Done()
