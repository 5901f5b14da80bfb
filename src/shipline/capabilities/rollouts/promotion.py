"""The way of a release along the environments: what it runs there, and where it has to have been before."""

from __future__ import annotations

from dataclasses import dataclass

from shipline.capabilities.rollouts.queries import DEPLOYMENTS
from shipline.domain.deployment import Deployment
from shipline.domain.errors import RefusedError
from shipline.domain.release import Release
from shipline.store.transaction import Transaction

DEPLOYMENTS_MAX = 100


@dataclass(frozen=True, slots=True)
class Way:
    """What comes before an environment: the environments `after` which it stands, in each of which a release has to
    have served everybody for `soak_s` seconds."""

    after: tuple[str, ...] = ()
    soak_s: int = 0


ANY_WAY = Way()


def runnable_digests(release: Release, kinds: tuple[str, ...]) -> tuple[str, ...]:
    """The digests of the release's artifacts of these kinds, or of all where no kind is named.

    RefusedError where it has none: there is nothing that the environment could run, and be sure of what it is.
    """
    found = tuple(one.digest for one in release.artifacts if not kinds or one.kind in kinds)
    if not found:
        had = ", ".join(sorted({one.kind for one in release.artifacts})) or "none"
        raise RefusedError(
            f"{release.package} {release.version} has no artifact that its target can run",
            why=f"the target runs {', '.join(kinds) or 'any artifact'}; the release has {had}",
            todo="release it with a builder that makes one, or choose another target",
        )
    return found


def missing_on_the_way(deployments: tuple[Deployment, ...], place: str, soak_s: int, now_us: int) -> str:
    """What a version still lacks in an environment that comes before, "" if nothing: pure.

    `deployments` are those of the version there, the newest first. The newest that has taken all traffic counts: one
    that failed after it had soaked has failed. A deployment that ended has served as long as it did.
    """
    counting = next((one for one in deployments if one.finished_us is not None or one.failed), None)
    if counting is None:
        return f"it has not been deployed to {place}"
    if counting.failed or counting.finished_us is None:
        return f"it failed in {place}"
    until_us = now_us if counting.ended_us is None else counting.ended_us
    served_s = (until_us - counting.finished_us) / 1e6
    if served_s >= soak_s:
        return ""
    words = "has served" if counting.ended_us is None else "served"
    return f"it {words} {place} for {served_s:.0f} s, and {soak_s} s are asked for"


def check_way(tx: Transaction, package: str, version: str, way: Way, now_us: int) -> None:
    """Refuse (RefusedError) a version that has not been where it has to come from."""
    for place in way.after:
        found = DEPLOYMENTS.where(
            tx,
            environment=place,
            package=package,
            version=version,
            order="began_us",
            newest_first=True,
            limit=DEPLOYMENTS_MAX,
        )
        missing = missing_on_the_way(found, place, way.soak_s, now_us)
        if missing:
            raise RefusedError(
                f"{package} {version} may not come here yet",
                why=missing,
                todo=f"shipline deploy {version} --to {place}"
                if not found
                else f"wait, or see: shipline env history {place}",
            )


def promotable_version(tx: Transaction, way: Way, package: str | None) -> tuple[str, str]:
    """The package and version that the environment before serves now. RefusedError where none does."""
    served = [
        one
        for place in way.after[:1]
        for one in DEPLOYMENTS.where(tx, environment=place, ended_us=None, order="began_us", newest_first=True)
        if one.finished_us is not None and package in (None, one.package)
    ]
    if not served:
        before = way.after[0] if way.after else "no other environment, as its settings stand"
        raise RefusedError(
            "there is nothing to promote",
            why=f"it comes after {before}" + (", which serves nothing" if way.after else ""),
            todo="shipline deploy brings a version to an environment",
        )
    return served[0].package, served[0].version
