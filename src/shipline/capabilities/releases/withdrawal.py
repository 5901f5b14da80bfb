"""Withdrawing a published version: ask the registry, then write down what it did and what it does not allow."""

from __future__ import annotations

from shipline.capabilities.releases.ground import ReleaseGround
from shipline.capabilities.releases.queries import RELEASES
from shipline.capabilities.releases.usecases import note_withdrawal
from shipline.domain.errors import NothingToDo, RefusedError, ShiplineError
from shipline.domain.release import Release, ReleaseStatus
from shipline.ports.registry import Withdrawal

# What no registry can take back.
REMAINS = ("The tag stays: others may have it.", "Copies that were installed or mirrored stay where they are.")


def withdraw_release(ground: ReleaseGround, release: Release, *, reason: str) -> Release:
    """Withdraw, as far as the registry allows. RefusedError for a release that was never published."""
    if release.status is ReleaseStatus.WITHDRAWN:
        raise NothingToDo(f"{release.package} {release.version} is withdrawn already", why=release.withdrawal)
    if release.status is not ReleaseStatus.PUBLISHED:
        raise RefusedError(f"{release.package} {release.version} was never published: it is {release.status.value}")
    answer = Withdrawal((), ("No registry is configured.",))
    if ground.registry is not None:
        answer = ground.registry.withdraw(release.package, release.version, reason=reason[:500])
    with ground.store.begin() as tx:
        current = RELEASES.find(tx, release.id)
        if current is None:
            raise ShiplineError(f"the release {release.id} is gone from the store")
        return note_withdrawal(tx, ground.events, current, done=answer.done, not_done=(*answer.not_done, *REMAINS))
