"""What runs where since when, by whom and from which release; and all that an environment has served before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from shipline.capabilities.rollouts.observing.history import AnalysisPoint, newest_point
from shipline.capabilities.rollouts.queries import (
    DEPLOYMENTS,
    ROLLOUTS,
    latest_rollout,
    open_rollout_of,
    queued_rollouts,
)
from shipline.capabilities.rollouts.upkeep.drifting import DriftMemory, drift_of
from shipline.capabilities.rollouts.upkeep.lives import life_words
from shipline.capabilities.rollouts.upkeep.mending import mending_words
from shipline.capabilities.rollouts.workflow import life_key
from shipline.domain.codec import to_json
from shipline.domain.deployment import Deployment
from shipline.domain.rollout import Rollout
from shipline.engine.journal import holder_of
from shipline.store.transaction import Transaction


@dataclass(frozen=True, slots=True)
class Served:
    """A deployment and the rollout that brought it, None where the rollout's row is gone. `analysis` is the last look
    at its canary, which says how the analysis ended; None where nothing was analysed."""

    deployment: Deployment
    rollout: Rollout | None
    analysis: AnalysisPoint | None = None


@dataclass(frozen=True, slots=True)
class EnvironmentState:
    """What an environment serves, one deployment a package, and the rollout that has not ended there.

    `mending` says which copies had died and are being brought back, "" where none are. `queued` wait for their turn,
    the next one first. `drift` is what the looks for drift have found, None where nobody looks. `warm` is the rollout
    that keeps the version before it running, None where none does. `life` says whose an ephemeral one is and how it
    stands with it, "" where none is up.
    """

    name: str
    serves: tuple[Served, ...]
    rollout: Rollout | None
    mending: str = ""
    queued: tuple[Rollout, ...] = ()
    drift: DriftMemory | None = None
    warm: Rollout | None = None
    life: str = ""


def environment_state(tx: Transaction, environment: str) -> EnvironmentState:
    """The environment as it is on record; nothing is asked of the machines."""
    found = DEPLOYMENTS.where(tx, environment=environment, ended_us=None, order="began_us")
    newest = {one.package: one for one in found if one.finished_us is not None}
    serves = tuple(_served(tx, one) for _, one in sorted(newest.items()))
    begun = latest_rollout(tx, environment)
    life = holder_of(tx, life_key(environment))
    return EnvironmentState(
        environment,
        serves,
        open_rollout_of(tx, environment),
        mending=mending_words(tx, environment),
        queued=queued_rollouts(tx, environment),
        drift=drift_of(tx, environment),
        warm=begun if begun is not None and begun.warm_until_us is not None else None,
        life="" if life is None else life_words(life),
    )


def deployment_history(tx: Transaction, environment: str, *, limit: int) -> tuple[Served, ...]:
    """The last `limit` deployments, the newest first: those that were rolled back, too."""
    found = DEPLOYMENTS.where(tx, environment=environment, order="began_us", newest_first=True, limit=limit)
    return tuple(_served(tx, one) for one in found)


def _served(tx: Transaction, deployment: Deployment) -> Served:
    return Served(deployment, ROLLOUTS.find(tx, deployment.rollout_id), newest_point(tx, deployment.rollout_id))


def environments_document(states: Sequence[EnvironmentState]) -> dict[str, Any]:
    """`shipline.environments/1`: what each serves, and what is under way, mended, waited for, looked for and kept warm
    there, null where nothing is; and its life where it is ephemeral."""
    environments = [
        {
            "name": state.name,
            "serves": [_document(one) for one in state.serves],
            "rollout": None if state.rollout is None else to_json(state.rollout),
            "mending": state.mending,
            "queued": to_json(state.queued),
            "drift": to_json(state.drift),
            "warm": None if state.warm is None else _warm_document(state.warm),
            "life": state.life,
        }
        for state in states
    ]
    return {"schema": "shipline.environments/1", "environments": environments}


def deployments_document(environment: str, found: Sequence[Served]) -> dict[str, Any]:
    """`shipline.deployments/1`: deployments with their rollouts, in the given order."""
    deployments = [_document(one) for one in found]
    return {"schema": "shipline.deployments/1", "environment": environment, "deployments": deployments}


def _warm_document(rollout: Rollout) -> dict[str, Any]:
    return {"package": rollout.package, "version": rollout.stable_version, "until_us": rollout.warm_until_us}


def _document(served: Served) -> dict[str, Any]:
    rollout = None if served.rollout is None else to_json(served.rollout)
    return {"deployment": to_json(served.deployment), "rollout": rollout, "analysis": _result(served.analysis)}


def _result(last: AnalysisPoint | None) -> dict[str, Any] | None:
    """How an analysis ended, by its last look."""
    if last is None:
        return None
    document = {"looks": last.number, "verdict": last.verdict, "evidence_value": last.evidence_value}
    return document | {"time_us": last.time_us, "reason": last.reason}
