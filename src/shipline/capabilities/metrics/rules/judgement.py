"""How each deployment of a service (a package in an environment) went."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from shipline.capabilities.metrics.rules.history import Deployed, Harm, History


@dataclass(frozen=True, slots=True)
class Judged:
    """A deployment, judged. Seconds may be negative where clocks disagree.

    `at_us` places it in a window: when it finished, or when it began to be turned back. `finished` is false for the
    latter. `recovery_s` is None while a failed deployment has not recovered, and for one that did not fail.
    `lead_times_s` has one entry a commit. `baseline`: the first one there, which has no lead time. `unexplained`: its
    commits are not in the log. `rework`, `lead_times_s` and the like speak of finished ones only.
    """

    at_us: int
    finished: bool
    failed: bool
    recovery_s: float | None
    rework: bool = False
    lead_times_s: tuple[float, ...] = ()
    baseline: bool = False
    unexplained: bool = False


def judge(history: History, package: str, environment: str) -> tuple[Judged, ...]:
    """Judge every deployment of a service that finished or was turned back, whenever that was.

    Failed is one that was turned back after it was exposed, that an incident is tied to, or that a rollback followed.
    It recovers when a rollback has taken its place or its last incident is resolved, whichever is first; that counts
    from when it finished or, for one that never did, from when its first request could arrive.

    Rework is a rollback, and what began while an incident of the service was open. That somebody released a fix in
    haste after the incident had ended does not show in the log, so it is not counted.
    """
    deployed = [one for one in history.deployments.values() if (one.package, one.environment) == (package, environment)]
    harms = [harm for harm in history.harms.values() if (harm.package, harm.environment) == (package, environment)]
    finished = sorted((one for one in deployed if one.finished_us is not None), key=_finish)
    judged = [_judge_turned(one, harms) for one in deployed if one.finished_us is None and one.turned_us is not None]
    for index, one in enumerate(finished):
        before = finished[index - 1] if index > 0 else None
        after = finished[index + 1] if index + 1 < len(finished) else None
        judged.append(_judge_finished(history, _Neighbours(one, before, after), harms))
    return tuple(sorted(judged, key=lambda each: each.at_us))


@dataclass(frozen=True, slots=True)
class _Neighbours:
    """A finished deployment between the one before and the one after it in the same place."""

    one: Deployed
    before: Deployed | None
    after: Deployed | None


def _finish(one: Deployed) -> int:
    assert one.finished_us is not None  # noqa: S101 - only finished ones are sorted by it
    return one.finished_us


def _judge_turned(one: Deployed, harms: Sequence[Harm]) -> Judged:
    assert one.turned_us is not None  # noqa: S101 - the caller has looked
    ended_us = _earliest(one.restored_us, _calmed(one, harms))
    return Judged(
        at_us=one.turned_us,
        finished=False,
        failed=True,
        recovery_s=None if ended_us is None else (ended_us - one.began_us) / 1e6,
    )


def _judge_finished(history: History, place: _Neighbours, harms: Sequence[Harm]) -> Judged:
    one, finished_us = place.one, _finish(place.one)
    replaced_us = _finish(place.after) if place.after is not None and place.after.rollback else None
    failed = replaced_us is not None or any(harm.deployment_id == one.id for harm in harms)
    ended_us = _earliest(replaced_us, _calmed(one, harms))
    commits = _changes(history, one, place.before)
    return Judged(
        at_us=finished_us,
        finished=True,
        failed=failed,
        recovery_s=None if ended_us is None else (ended_us - finished_us) / 1e6,
        rework=_is_rework(one, harms),
        lead_times_s=tuple((finished_us - time_us) / 1e6 for time_us in (commits or {}).values()),
        baseline=place.before is None,
        unexplained=commits is None,
    )


def _changes(history: History, one: Deployed, before: Deployed | None) -> dict[str, int] | None:
    """The commits, with their times, of the versions that lead to this one and not to the one before, as `before..one`
    means in git. A rollback and a redeployment bring none. None: the log does not know the version."""
    if before is None or one.rollback or one.version == before.version:
        return {}
    if (one.package, one.version) not in history.commits:
        return None
    known = set(_line(history, before.package, before.version))
    fresh = [version for version in _line(history, one.package, one.version) if version not in known]
    return {commit: us for version in fresh for commit, us in history.commits.get((one.package, version), ())}


def _line(history: History, package: str, version: str) -> tuple[str, ...]:
    """A version and those before it, newest first, as far as the log knows them."""
    line: dict[str, None] = {}
    following: str | None = version
    while following is not None and following not in line:
        line[following] = None
        following = history.previous.get((package, following))
    return tuple(line)


def _calmed(one: Deployed, harms: Sequence[Harm]) -> int | None:
    """When the last incident of a deployment was resolved; None if it had none, or one is still open."""
    times = [harm.resolved_us for harm in harms if harm.deployment_id == one.id]
    known = [time_us for time_us in times if time_us is not None]
    return max(known) if known and len(known) == len(times) else None


def _earliest(*times: int | None) -> int | None:
    return min((time_us for time_us in times if time_us is not None), default=None)


def _is_rework(one: Deployed, harms: Sequence[Harm]) -> bool:
    def was_open(harm: Harm) -> bool:
        return harm.opened_us <= one.began_us and (harm.resolved_us is None or one.began_us < harm.resolved_us)

    return one.rollback or any(was_open(harm) for harm in harms if harm.deployment_id != one.id)
