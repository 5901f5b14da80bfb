"""Rollout: the process that brings a release to an environment."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from shipline.domain.transitions import move


class RolloutStatus(StrEnum):
    """Where a rollout stands. A paused rollout keeps being analysed."""

    QUEUED = "queued"  # Ordered while another change of the environment is under way: it waits for its turn.
    STARTING = "starting"
    RUNNING = "running"
    PAUSED = "paused"
    PROMOTING = "promoting"
    PROMOTED = "promoted"
    ROLLING_BACK = "rolling_back"
    ROLLED_BACK = "rolled_back"
    FAILED = "failed"  # The way back failed too: a person must look.
    WITHDRAWN = "withdrawn"  # Taken back, or replaced by a newer release, before its turn had come.
    GIVEN_UP = "given_up"  # And a person has given the way back up: it has not succeeded, and is not tried again.


_BACK = frozenset({RolloutStatus.ROLLING_BACK, RolloutStatus.FAILED})
LEGAL = {
    RolloutStatus.QUEUED: frozenset({RolloutStatus.STARTING, RolloutStatus.WITHDRAWN}),
    RolloutStatus.STARTING: _BACK | {RolloutStatus.RUNNING, RolloutStatus.PROMOTING},
    RolloutStatus.RUNNING: _BACK | {RolloutStatus.PAUSED, RolloutStatus.PROMOTING},
    RolloutStatus.PAUSED: _BACK | {RolloutStatus.RUNNING, RolloutStatus.PROMOTING},
    RolloutStatus.PROMOTING: _BACK | {RolloutStatus.PROMOTED},
    RolloutStatus.PROMOTED: frozenset[RolloutStatus](),
    RolloutStatus.ROLLING_BACK: frozenset({RolloutStatus.ROLLED_BACK, RolloutStatus.FAILED}),
    RolloutStatus.ROLLED_BACK: frozenset[RolloutStatus](),
    RolloutStatus.FAILED: frozenset({RolloutStatus.ROLLING_BACK, RolloutStatus.GIVEN_UP}),
    RolloutStatus.GIVEN_UP: frozenset[RolloutStatus](),
    RolloutStatus.WITHDRAWN: frozenset[RolloutStatus](),
}
ENDED = frozenset({RolloutStatus.PROMOTED, RolloutStatus.ROLLED_BACK, RolloutStatus.GIVEN_UP, RolloutStatus.WITHDRAWN})
UNBEGUN = frozenset({RolloutStatus.QUEUED, RolloutStatus.WITHDRAWN})
"""It has done nothing to its environment, now or ever."""


class RolloutPurpose(StrEnum):
    """What a rollout is for."""

    RELEASE = "release"
    ROLLBACK = "rollback"  # The way back that a person has ordered.
    DRILL = "drill"  # The way back is rehearsed: there, and forward again.
    RESTORE = "restore"  # What is on record is brought back, where something else was found to serve.
    ADOPTION = "adoption"  # What was found to serve is put on record: it was brought there by hand.


@dataclass(frozen=True, slots=True)
class Rollout:
    """One attempt to bring `version` of `package` to `environment`.

    `stable_version` is what served before, None for the first deployment. `weight` is the canary's share of
    traffic, 0 to 1. `evidence_value` is the e-value of "the canary is worse" (1 = no evidence, 100 = roll back at
    the default). `failed_requests` counts the canary's failures seen. `waiting_for` says in words what is awaited.
    `ordered_by` is who ordered it, as `subject@issuer`; "" where that was not kept. `digests` are those of the
    artifacts of which one is what runs: the same for every environment that the release comes to. `warm_until_us` is
    until when the version before is kept running beside it, None where it is not. `released_us` is when its release was
    begun, None where nobody said: of two the later one is newer. `superseded_by` names the newer version for which it
    was turned back, "" otherwise. `paused_us` is since when it has waited for a person, `paused_until_us` when it turns
    back if nobody says anything, `reminded_us` when that was told again last; None where it does not wait.
    `expedited` is why it took the shorter way of a hotfix, "" where it did not. `alerted` are the alerts from outside
    that blame what it has promoted and go on.
    """

    id: str
    package: str
    version: str
    environment: str
    strategy: str
    status: RolloutStatus
    started_us: int
    release_id: str | None = None
    stable_version: str | None = None
    attempt: int = 1
    weight: float = 0.0
    evidence_value: float = 1.0
    failed_requests: int = 0
    waiting_for: str = ""
    reason: str = ""
    rollback_began_us: int | None = None
    ended_us: int | None = None
    ordered_by: str = ""
    digests: tuple[str, ...] = ()
    warm_until_us: int | None = None
    purpose: RolloutPurpose = RolloutPurpose.RELEASE
    released_us: int | None = None
    superseded_by: str = ""
    paused_us: int | None = None
    paused_until_us: int | None = None
    reminded_us: int | None = None
    expedited: str = ""
    alerted: tuple[str, ...] = ()

    def to(self, status: RolloutStatus) -> Rollout:
        """The rollout in another status; IllegalTransition if it cannot get there."""
        return replace(self, status=move("rollout", LEGAL, self.status, status))
