"""What becomes of an order while another change of its environment is under way: pure.

Ways back go first. Only the newest release of a package waits: an older one that waits is replaced by it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from shipline.domain.errors import RefusedError
from shipline.domain.rollout import Rollout, RolloutPurpose, RolloutStatus

# Traffic has not moved for good, or not at all: the way back costs nobody anything.
SUPERSEDABLE = frozenset({RolloutStatus.STARTING, RolloutStatus.RUNNING, RolloutStatus.PAUSED})
ABORTABLE = SUPERSEDABLE | {RolloutStatus.PROMOTING}


class Concurrency(StrEnum):
    """What is done with an order that comes while the environment is busy."""

    REFUSE = "refuse"
    QUEUE = "queue"
    SUPERSEDE = "supersede"


@dataclass(frozen=True, slots=True)
class Queueing:
    """An order that waits. `replaced` wait no longer for its sake; with `supersedes` what runs is turned back."""

    replaced: tuple[Rollout, ...]
    supersedes: bool


def queueing(how: Concurrency, new: Rollout, running: Rollout | None, queued: tuple[Rollout, ...]) -> Queueing:
    """How `new` waits behind `running` (None: something that is no rollout) and among those that are `queued`.

    RefusedError for an older release where a newer one waits, or would be superseded by it.
    """
    like = tuple(one for one in queued if one.package == new.package and is_back(one) is is_back(new))
    newer = [one for one in like if not is_back(new) and is_newer(one, new)]
    if running is not None and how is Concurrency.SUPERSEDE and not is_back(new) and not is_back(running):
        newer += [running] if is_newer(running, new) else []
    if newer:
        raise RefusedError(
            f"{new.package} {new.version} would come after {newer[0].version}, which is newer",
            why=f"{newer[0].package} {newer[0].version} is {newer[0].status.value.replace('_', ' ')} there",
            todo=f"to go back on purpose: shipline rollback {new.environment} --to {new.version}",
        )
    return Queueing(like, running is not None and supersedes(how, new, running))


def supersedes(how: Concurrency, new: Rollout, running: Rollout) -> bool:
    """True if what runs is turned back for the new one: never a way back, nor what users are served by already,
    except for a way back."""
    if is_back(running):
        return False
    if is_back(new):
        return running.status in ABORTABLE
    return how is Concurrency.SUPERSEDE and running.status in SUPERSEDABLE


def is_back(rollout: Rollout) -> bool:
    """True for a way back that was ordered."""
    return rollout.purpose is not RolloutPurpose.RELEASE


def is_newer(one: Rollout, other: Rollout) -> bool:
    """True if its release was begun later; where nobody knows, the one that was ordered later is newer."""
    if one.released_us is None or other.released_us is None:
        return one.started_us > other.started_us
    return one.released_us > other.released_us
