"""What a deployment or a way back needs to know of a project: the release, what gates and calendar say, and the order.

The command line, the page and the interface order here, so that all are held to the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn, TypeVar

from shipline.bootstrap.freezing import calendar_of
from shipline.bootstrap.opening import expedite_of
from shipline.capabilities.releases import find_release, matching_releases, refusal_of
from shipline.capabilities.rollouts import (
    NO_KEY,
    Concurrency,
    KeyedRequest,
    RolloutOrder,
    Strategy,
    StrategyKind,
    Way,
    check_migrations,
    current_deployment,
    has_served,
    impossible,
    is_serving,
    latest_rollout,
    open_rollout,
    ordered_once,
    ordered_with,
    runnable_digests,
    served_before,
)
from shipline.configuration.check import read_strategy
from shipline.domain.errors import RefusedError, UnknownName, UsageError
from shipline.domain.release import Release, ReleaseStatus

if TYPE_CHECKING:
    from collections.abc import Callable

    from shipline.bootstrap.places import OrderingPlace
    from shipline.capabilities.releases import Expedite
    from shipline.configuration import EnvironmentSettings
    from shipline.domain.actor import Actor
    from shipline.domain.calendar import CalendarRule
    from shipline.domain.rollout import Rollout
    from shipline.store.database import Store
    from shipline.store.transaction import Transaction

T = TypeVar("T")
REASON_MAX = 500


@dataclass(frozen=True, slots=True)
class DeploymentWish:
    """What somebody wants deployed. `version` None is the newest published one; `package` and `environment` None are
    the only ones. `request` is the key that it was sent with. `expedited` is why it is to take the shorter way of a
    hotfix, "" for the usual one."""

    version: str | None
    environment: str | None
    package: str | None = None
    request: KeyedRequest = NO_KEY
    expedited: str = ""


@dataclass(frozen=True, slots=True)
class RollbackWish:
    """Where somebody wants to go back to. `version` None is the one before; `environment` None the only one.

    `reason` says what is wrong with what serves, `past_migrations` why a migration that cannot be undone is no
    obstacle; "" for neither. `leaving` is the id of the rollout that is to be the newest there still, "" where any
    may be. `request` is the key that it was sent with. `alerts` are the keys of the alerts that want it.
    """

    environment: str | None
    version: str | None
    reason: str = ""
    past_migrations: str = ""
    request: KeyedRequest = NO_KEY
    leaving: str = ""
    alerts: tuple[str, ...] = ()


def chosen_environment(application: OrderingPlace, name: str | None) -> EnvironmentSettings:
    """The environment of this name, or the only one."""
    if name is not None:
        return application.environment(name)
    known = application.environments
    if not known:
        raise UsageError("no environment is configured", todo="add an [[environment]] to shipline.toml")
    if len(known) > 1:
        raise UsageError("say which environment", todo="known ones: " + ", ".join(one.name for one in known))
    return known[0]


def way_of(environment: EnvironmentSettings) -> Way:
    """What comes before the environment."""
    return Way(environment.after, environment.soak_s)


def _checked_way(where: EnvironmentSettings, release: Release, expedited: str) -> Way:
    """What comes before the environment. RefusedError for a shorter way that there is not, or not for this release."""
    if not expedited:
        return way_of(where)
    if not where.hotfix.allowed:
        raise RefusedError(
            f"nothing is expedited to {where.name}", todo="deploy it as usual, or set `allowed` in [environment.hotfix]"
        )
    if not release.hotfix:
        raise RefusedError(
            f"{release.package} {release.version} is no hotfix, and only a hotfix is expedited",
            why="a hotfix is a final version that was released from a branch named hotfix/…",
        )
    return Way(where.after, where.hotfix.soak_s)


def order_deployment(
    application: OrderingPlace, wish: DeploymentWish, actor: Actor, *, dry_run: bool = False
) -> Rollout:
    """Order the rollout of a published version; what was ordered with the same key already is returned as it is now.

    With `dry_run` all is asked that could refuse it, and nothing is written: the rollout is what would be ordered.
    """
    with application.store.begin() as tx:
        known = ordered_with(tx, wish.request)
    if known is not None:
        return known
    where = chosen_environment(application, wish.environment)
    ground = application.rollout_ground(where)
    is_down, strategy = not is_serving(ground), read_strategy(where)
    with application.store.begin() as tx:
        release = _chosen_release(tx, wish.version, wish.package)
    order = RolloutOrder(
        package=release.package,
        version=release.version,
        environment=where.name,
        strategy=strategy,
        digests=runnable_digests(release, ground.target.artifact_kinds),
        release_id=release.id,
        commit=release.commit,
        is_down=is_down,
        cannot="" if ground.controller is not None else impossible(strategy, ground.traffic),
        way=_checked_way(where, release, wish.expedited),
        expedited=wish.expedited,
        concurrency=Concurrency(where.concurrency),
        released_us=release.created_us,
    )
    stage, expedite = application.stage_of(where.name), expedite_of(where, wish.expedited, str(actor))
    # As for the rollout when its turn has come: only the policy's freezes hold up who takes the shorter way.
    calendar = application.policy.calendar if expedite is not None else calendar_of(application)
    _check_gates(application, release, stage, calendar=calendar, expedite=expedite, dry_run=dry_run)
    return _opened(application, order, actor, wish.request, dry_run=dry_run)


def order_rollback(application: OrderingPlace, wish: RollbackWish, actor: Actor, *, dry_run: bool = False) -> Rollout:
    """Order the way back to a version, or to what the environment served before: all at once, without a canary.

    No freeze holds it up, nor any gate where the version has served there before, and where a deployment would wait for
    its turn it goes first. A migration that cannot be undone does, unless the wish says why not. `dry_run` is as for a
    deployment.
    """
    with application.store.begin() as tx:
        known = ordered_with(tx, wish.request)
    if known is not None:
        return known
    where = chosen_environment(application, wish.environment)
    kinds = application.rollout_ground(where).target.artifact_kinds
    with application.store.begin() as tx:
        release = _release_to_go_back_to(tx, where.name, wish.version)
        serving = current_deployment(tx, where.name, release.package)
        back = has_served(tx, where.name, release.package, release.version)
        newest = latest_rollout(tx, where.name)
    if wish.leaving and (newest is None or newest.id != wish.leaving):
        raise RefusedError(f"{where.name} has another rollout by now")
    if not wish.past_migrations and serving is not None:
        check_migrations(application.repository, application.packages, release, serving)
    _check_gates(application, release, application.stage_of(where.name), has_served=back, dry_run=dry_run)
    order = RolloutOrder(
        package=release.package,
        version=release.version,
        environment=where.name,
        strategy=Strategy(StrategyKind.ALL_AT_ONCE),
        digests=runnable_digests(release, kinds),
        release_id=release.id,
        commit=release.commit,
        rollback=True,
        past_migrations=wish.past_migrations[:REASON_MAX],
        reason=wish.reason[:REASON_MAX],
        alerts=wish.alerts,
        concurrency=Concurrency(where.concurrency),
        released_us=release.created_us,
    )
    return _opened(application, order, actor, wish.request, dry_run=dry_run)


def _opened(
    application: OrderingPlace, order: RolloutOrder, actor: Actor, request: KeyedRequest, *, dry_run: bool
) -> Rollout:
    def opened(tx: Transaction) -> Rollout:
        engine = application.engine
        return ordered_once(tx, engine, request, actor, lambda: open_rollout(tx, engine, order, actor))

    if dry_run:
        return tried(application.store, opened)
    with application.store.begin() as tx:
        return opened(tx)


def _take_back() -> NoReturn:
    raise _Tried


class _Tried(Exception):
    """Takes back all that was tried."""


def tried(store: Store, do: Callable[[Transaction], T]) -> T:
    """What `do` gives, and nothing that it has written: so it is refused by all that would refuse it."""
    found: list[T] = []
    try:
        with store.begin() as tx:
            found.append(do(tx))
            _take_back()
    except _Tried:
        return found[0]


def _check_gates(  # noqa: PLR0913 - each is named where it is given
    application: OrderingPlace,
    release: Release,
    stage: str,
    *,
    calendar: tuple[CalendarRule, ...] = (),
    has_served: bool = False,
    expedite: Expedite | None = None,
    dry_run: bool = False,
) -> None:
    """A closed gate refuses before anything begins; the rollout asks again when its turn has come.

    The calendar is asked only here: a rollout that has begun is not cut short by a freeze that begins.
    """
    ground = application.release_ground
    refusal, save = refusal_of(
        ground, release.id, stage=stage, calendar=calendar, has_served=has_served, expedite=expedite
    )
    name = f"{release.package} {release.version}"
    # That an exemption has let it through is asked nowhere else, and must be on record.
    is_exempted = any(each.release == name for rule in calendar if stage in rule.stages for each in rule.exemptions)
    if (refusal or is_exempted) and not dry_run:
        with application.store.begin() as tx:
            save(tx)
    if refusal:
        raise RefusedError(f"{name} may not enter {stage}", why=refusal)


def _release_to_go_back_to(tx: Transaction, environment: str, version: str | None) -> Release:
    place = served_before(tx, environment) if version is None else latest_rollout(tx, environment)
    if place is None:
        raise UnknownName(f"{environment} has served no other version yet", todo="there is nothing to go back to")
    back_to = place.version if version is None else version
    release = find_release(tx, place.package, back_to)
    if release is None:
        raise UnknownName(
            f"there is no release {place.package} {back_to[:60]}", todo="`shipline releases` lists those that there are"
        )
    return release


def _chosen_release(tx: Transaction, version: str | None, package: str | None) -> Release:
    wanted = matching_releases(tx, version=version, package=package, status=ReleaseStatus.PUBLISHED)
    if not wanted:
        published = matching_releases(tx, package=package, status=ReleaseStatus.PUBLISHED)
        known = ", ".join(f"{release.package} {release.version}" for release in published[:10])
        raise UnknownName(
            f"there is no published version {version[:60]!r}" if version else "nothing has been published yet",
            todo=f"published ones: {known}" if published else "`shipline release` makes one",
        )
    if len({release.package for release in wanted}) > 1:
        raise UsageError("say which package", todo="--package NAME")
    return wanted[0]
