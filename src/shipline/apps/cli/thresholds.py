"""What `shipline rollout check` tries its checks on, and how it shows what came of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from shipline.apps.cli.wording import printable
from shipline.capabilities.releases import matching_releases
from shipline.capabilities.rollouts import CheckMode, Trial, environment_state
from shipline.domain.errors import UsageError
from shipline.domain.release import ReleaseStatus
from shipline.domain.rollout import Rollout, RolloutStatus
from shipline.domain.verdict import Answer

if TYPE_CHECKING:
    from shipline.bootstrap import Application
    from shipline.capabilities.rollouts import CountsTrial
    from shipline.configuration import EnvironmentSettings

SCHEMA = "shipline.rollout-check/1"


def imagined_rollout(application: Application, environment: str) -> Rollout:
    """The rollout under way there, or one that might begin now: of what serves, or else of the newest release.

    It is not saved. UsageError where there is nothing that could be rolled out.
    """
    with application.store.begin() as tx:
        state = environment_state(tx, environment)
        published = matching_releases(tx, status=ReleaseStatus.PUBLISHED)
    if state.rollout is not None:
        return state.rollout
    if state.serves:
        deployment = state.serves[0].deployment
        return _imagined(environment, deployment.package, deployment.version, stable_version=deployment.version)
    if published:
        return _imagined(environment, published[0].package, published[0].version, stable_version=None)
    raise UsageError(
        "there is nothing yet that the checks could be tried on",
        why=f"nothing has been published, and {environment} serves nothing",
        todo="`shipline release` makes a release; then try again",
    )


def _imagined(environment: str, package: str, version: str, *, stable_version: str | None) -> Rollout:
    return Rollout(
        id="",
        package=package,
        version=version,
        environment=environment,
        strategy="canary",
        status=RolloutStatus.STARTING,
        started_us=0,
        stable_version=stable_version,
    )


def tried_counts(application: Application, environment: EnvironmentSettings) -> CountsTrial | None:
    """What came of asking for the counts that a canary there is judged by; None where none is."""
    from shipline.capabilities.rollouts import try_counts

    if environment.strategy != "canary" or environment.controller is not None:  # A controller judges its own.
        return None
    ground = application.rollout_ground(environment)
    return try_counts(ground.target, ground.traffic, ground.signals)


def is_well(tried: Sequence[Trial], counts: CountsTrial | None) -> bool:
    """True if a rollout could begin, and no gate would turn it back for a value like the one that was read."""
    if counts is not None and counts.answer is Answer.FAIL:
        return False
    gates = [trial for trial in tried if trial.rule.mode is CheckMode.GATE]
    return not any(trial.refusal or trial.answer is Answer.FAIL for trial in gates)


def document(rollout: Rollout, tried: Sequence[Trial], counts: CountsTrial | None) -> dict[str, Any]:
    """`shipline.rollout-check/1`."""
    told = None if counts is None else {"answer": counts.answer.value, "words": counts.words}
    checks = [
        {
            "name": trial.rule.name,
            "mode": trial.rule.mode.value,
            "query": trial.query,
            "figure": trial.rule.figure,
            "min": trial.rule.value_min,
            "max": trial.rule.value_max,
            "value": trial.value,
            "answer": trial.answer.value,
            "words": trial.words,
            "refusal": trial.refusal,
        }
        for trial in tried
    ]
    subject = {"environment": rollout.environment, "package": rollout.package, "version": _version(rollout)}
    return {"schema": SCHEMA} | subject | {"checks": checks, "counts": told}


def lines(rollout: Rollout, tried: Sequence[Trial], counts: CountsTrial | None) -> Iterator[str]:
    """The same for people."""
    if not tried:
        yield f"{rollout.environment} has no checks: an [[environment.check]] in shipline.toml is one"
    else:
        yield printable(f"{rollout.environment}: tried on {rollout.package} {_version(rollout)}")
    for trial in tried:
        yield printable(f"{trial.answer.value:<8}{trial.rule.name} ({trial.rule.mode.value})")
        asked = trial.query or f"{trial.rule.figure} of the new version's requests"
        yield printable(f"        asks: {' '.join(asked.split())}")
        yield printable(f"        {trial.words}")
        if trial.refusal:
            yield printable(f"        A rollout would be refused. {trial.refusal}")
    if counts is not None:
        yield f"{counts.answer.value:<8}counts of requests (for the analysis)"
        refused = "A canary would be refused. " if counts.answer is Answer.FAIL else ""
        yield printable(f"        {refused}{' '.join(counts.words.split())}")


def _version(rollout: Rollout) -> str:
    """The version that is asked about: what serves, where anything does."""
    return rollout.stable_version or rollout.version
