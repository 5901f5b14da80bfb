"""What a drill needs to know of a project: which versions it goes between, and whether it may begin now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from shipline.bootstrap.freezing import calendar_of
from shipline.capabilities.gates import periods, standing
from shipline.capabilities.releases import find_release, refusal_of
from shipline.capabilities.rollouts import (
    DrillOrder,
    RolloutOrder,
    Strategy,
    StrategyKind,
    check_migrations,
    has_served,
    last_drill_us,
    order_drill,
    recorded_deployment,
    runnable_digests,
    served_before,
    skip_drill,
)
from shipline.configuration.check import drill_rule
from shipline.domain.actor import SYSTEM
from shipline.domain.errors import RefusedError
from shipline.domain.release import Release, ReleaseStatus
from shipline.ports.traffic import Holding
from shipline.store.event_writer import EventWriter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shipline.capabilities.releases import ReleaseGround
    from shipline.capabilities.rollouts import Ground
    from shipline.configuration import EnvironmentSettings
    from shipline.configuration.policy import Policy
    from shipline.domain.package import Package
    from shipline.engine.engine import Engine
    from shipline.ports.clock import Clock
    from shipline.ports.repository import Repository
    from shipline.store.database import Store
    from shipline.store.transaction import Transaction


class Place(Protocol):
    """What is asked of an application."""

    @property
    def clock(self) -> Clock:
        """The time."""
        ...

    @property
    def store(self) -> Store:
        """The open store."""
        ...

    @property
    def policy(self) -> Policy:
        """Environments and calendar, as they count."""
        ...

    @property
    def repository(self) -> Repository:
        """The repository."""
        ...

    @property
    def packages(self) -> tuple[Package, ...] | None:
        """The packages of the settings, None where those name none."""
        ...

    @property
    def release_ground(self) -> ReleaseGround:
        """What releases stand on."""
        ...

    def rollout_ground(self, environment: EnvironmentSettings) -> Ground:
        """What an environment's rollouts stand on."""
        ...


def drill_order(place: Place, where: EnvironmentSettings, *, scheduled: bool = False) -> DrillOrder:
    """The drill of an environment. RefusedError in a freeze, where one of both versions came there by hand and a gate
    does not open for it, where there is no version before, and past a migration that cannot be undone."""
    with place.store.begin() as tx:
        serving, before = recorded_deployment(tx, where.name), served_before(tx, where.name)
        if serving is None or before is None or before.package != serving.package:
            raise RefusedError(
                f"there is no way back to rehearse in {where.name}",
                why=f"it serves {'nothing' if serving is None else 'its first version'}",
            )
        now, earlier = (_published(tx, one.package, one.version) for one in (serving, before))
        served = {one.id: has_served(tx, where.name, one.package, one.version) for one in (earlier, now)}
    check_migrations(place.repository, place.packages, earlier, serving)
    calendar = standing(calendar_of(place), where.name, place.clock.now_us())
    if not calendar.is_open:
        raise RefusedError(f"a drill is a change, and {calendar.sentence}", todo="drill when it is open")
    for release in (earlier, now):
        refusal, _ = refusal_of(place.release_ground, release.id, stage=where.name, has_served=served[release.id])
        if refusal:
            raise RefusedError(f"{release.package} {release.version} may not enter {where.name}", why=refusal)
    ground = place.rollout_ground(where)
    if isinstance(ground.traffic, Holding):
        raise RefusedError(
            f"there is no drill in {where.name}",
            why="its way back is a commit that holds the version which it leaves, so there is no way forth again",
            todo=f"roll back for once: shipline rollback {where.name}",
        )
    kinds = ground.target.artifact_kinds
    back, forth = (_way(release, where.name, kinds) for release in (earlier, now))
    return DrillOrder(back, forth, scheduled)


def _published(tx: Transaction, package: str, version: str) -> Release:
    release = find_release(tx, package, version)
    if release is None or release.status is not ReleaseStatus.PUBLISHED:
        status = "not known as released" if release is None else release.status.value
        raise RefusedError(f"there is no way back to rehearse: {package} {version} is {status}")
    return release


def _way(release: Release, environment: str, kinds: tuple[str, ...]) -> RolloutOrder:
    return RolloutOrder(
        package=release.package,
        version=release.version,
        environment=environment,
        strategy=Strategy(StrategyKind.ALL_AT_ONCE),
        digests=runnable_digests(release, kinds),
        release_id=release.id,
        commit=release.commit,
        released_us=release.created_us,
    )


def drill_due(where: EnvironmentSettings, last_us: int | None, now_us: int) -> int | None:
    """When the drill was to begin that is due now and was not ordered yet; None where none is. Pure.

    One that could not begin for an hour is left out, and not made up for.
    """
    if not where.drill:
        return None
    covering = [period.begins_us for period in periods(drill_rule(where), now_us, now_us + 1)]
    begins_us = max(covering, default=None)
    return None if begins_us is None or (last_us is not None and last_us >= begins_us) else begins_us


def order_due_drills(
    place: Place, engine: Engine, drilling: Sequence[EnvironmentSettings], refused: dict[str, int]
) -> None:
    """Order those that are due. One that the calendar holds up is due until the hour is over.

    One that is refused for another reason is told of once: `refused` is when it was due, by environment.
    """
    now_us = place.clock.now_us()
    for where in drilling:
        with place.store.begin() as tx:
            last_us = last_drill_us(tx, where.name)
        due_us = drill_due(where, last_us, now_us)
        if due_us is None or refused.get(where.name) == due_us:
            continue
        if not standing(calendar_of(place), where.name, now_us).is_open:
            continue
        try:
            order = drill_order(place, where, scheduled=True)
            with place.store.begin() as tx:
                order_drill(tx, engine, order, SYSTEM)
        except RefusedError as refusal:
            refused[where.name] = due_us
            with place.store.begin() as tx:
                skip_drill(tx, EventWriter(engine.ids, engine.clock), where.name, refusal, due_us=due_us)
