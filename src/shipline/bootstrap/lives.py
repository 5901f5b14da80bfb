"""Ephemeral environments of a project: which there are now, what is to run in them, and when they come and go."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import cache, partial
from typing import TYPE_CHECKING, Protocol

from shipline.capabilities.gates import periods
from shipline.capabilities.releases import matching_releases, refusal_of, released_base
from shipline.capabilities.rollouts import (
    HealthCheck,
    Life,
    LifeEnd,
    LifeOrder,
    RolloutOrder,
    Strategy,
    StrategyKind,
    Way,
    asleep,
    end_life,
    instance_name,
    is_serving,
    life_key,
    life_of,
    lives_by_name,
    open_lives,
    order_life,
    runnable_digests,
    skip_life,
)
from shipline.configuration import EphemeralSettings
from shipline.configuration.check import life_rule
from shipline.domain.actor import SYSTEM
from shipline.domain.errors import RefusedError, UnknownName, UsageError
from shipline.domain.release import Release, ReleaseStatus
from shipline.engine.journal import Run, runs_of
from shipline.store.event_writer import EventWriter
from shipline.store.transaction import Transaction

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from shipline.capabilities.releases import ReleaseGround
    from shipline.capabilities.rollouts import Ground
    from shipline.configuration import EnvironmentSettings
    from shipline.configuration.policy import Policy
    from shipline.domain.actor import Actor
    from shipline.engine.engine import Engine
    from shipline.ports.clock import Clock
    from shipline.ports.repository import Repository
    from shipline.store.database import Store

SECOND_US = 1_000_000
NEWEST_MAX = 100
RELEASES_MAX = 1000
"""So many of the newest are looked for on a branch: each may cost five processes of git."""


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
        """The configured environments."""
        ...

    @property
    def repository(self) -> Repository:
        """The repository."""
        ...

    @property
    def release_ground(self) -> ReleaseGround:
        """What releases stand on."""
        ...

    def rollout_ground(self, environment: EnvironmentSettings) -> Ground:
        """What an environment's rollouts stand on."""
        ...


@dataclass(frozen=True, slots=True)
class OfBranch:
    """A branch's environment, and the name of the one that it is made after: whose gates and calendar are its own."""

    settings: EnvironmentSettings
    template: str


def branch_environments(policy: Policy, store: Store) -> tuple[OfBranch, ...]:
    """The environments of branches that there are now, each as its template has it, but for its name and its port.

    It is looked for in every round of the engine, so no writer waits for it.
    """
    with store.snapshot() as connection:
        tx = Transaction(connection, store.project, _refuse)
        found = [
            OfBranch(_made_after(template, life_of(run)), template.name)
            for template in policy.environments
            if template.ephemeral.is_on
            for run in open_lives(tx, template.name)
            if life_of(run).branch
        ]
    return tuple(found)


def _refuse() -> str:
    raise RuntimeError("a look for environments has appended an event")


def _made_after(template: EnvironmentSettings, life: Life) -> EnvironmentSettings:
    return replace(
        template,
        name=life.name,
        url=f"http://127.0.0.1:{life.port}/",
        traffic=template.traffic | {"port": life.port},
        ephemeral=EphemeralSettings(),
        drill="",
        drift_every_s=0,
    )


def new_life(place: Place, template: EnvironmentSettings, branch: str) -> Life:
    """The life that begins now, of a branch's environment or, with "", of the configured one itself.

    RefusedError for what does not come and go, UsageError for a branch that it is not for.
    """
    said = template.ephemeral
    if not said.is_on:
        raise RefusedError(
            f"{template.name} does not come and go",
            why="it has no [environment.ephemeral]",
            todo=f"`shipline deploy --to {template.name}` and `shipline down {template.name}` are for such ones",
        )
    expires_us = place.clock.now_us() + said.lifetime_s * SECOND_US if said.lifetime_s else None
    health = HealthCheck(said.health_path, said.health_attempts, said.health_every_s)
    if not branch:
        return Life(template.name, template.name, expires_us=expires_us, health=health)
    name = instance_name(template.name, branch)
    if not (said.branches and fnmatchcase(branch, said.branches)):
        fits = f"those that fit {said.branches!r}" if said.branches else "none"
        raise UsageError(f"{template.name} has no environments for {branch[:60]}", why=f"it has some for {fits}")
    if name in {one.name for one in place.policy.environments}:
        raise RefusedError(f"the name {name} is that of a configured environment", todo="rename one of both")
    return Life(name, template.name, branch, expires_us=expires_us, health=health)


def life_order(place: Place, template: EnvironmentSettings, life: Life, package: str | None = None) -> RolloutOrder:
    """What is to run there. Of a branch: the newest published version that it holds, a snapshot or pre-release of it or
    the last version before; otherwise the newest one. RefusedError where a gate of the template does not open.

    It comes all at once, whatever the strategy: a life begins where nothing serves, so there is nothing to share with,
    or to preview beside. Settings that would have that preview approved are refused when they are read.
    """
    release = _newest(place, life.branch, package)
    refusal, _ = refusal_of(place.release_ground, release.id, stage=template.name)
    if refusal:
        raise RefusedError(f"{release.package} {release.version} may not enter {template.name}", why=refusal)
    ground = place.rollout_ground(template)
    return RolloutOrder(
        package=release.package,
        version=release.version,
        environment=life.name,
        strategy=Strategy(StrategyKind.ALL_AT_ONCE),
        digests=runnable_digests(release, ground.target.artifact_kinds),
        release_id=release.id,
        commit=release.commit,
        is_down=bool(life.branch) or not is_serving(ground),  # Only its lives bring anything to a branch's.
        way=Way(template.after, template.soak_s),
        released_us=release.created_us,
    )


def _newest(place: Place, branch: str, package: str | None) -> Release:
    """The newest of the last RELEASES_MAX published releases that the branch holds; of all with "".

    Git is asked when the reading has ended, one process after the other: no writer waits for it.
    """
    with place.store.snapshot() as connection:
        tx = Transaction(connection, place.store.project, _refuse)
        limit = RELEASES_MAX if branch else NEWEST_MAX
        found = matching_releases(tx, package=package, status=ReleaseStatus.PUBLISHED, limit=limit)
    if len({one.package for one in found}) > 1:
        raise UsageError("say which package", todo="--package NAME")
    if not found:
        raise UnknownName("nothing has been published yet", todo="`shipline release` makes one")
    if not branch:
        return found[0]
    holds = cache(partial(_contains, place.repository, _tip(place.repository, branch)))
    held = next((one for one in found if _is_held(place.repository, holds, one)), None)
    if held is not None:
        return held
    raise UnknownName(
        f"{branch[:60]} holds no published version",
        why=f"it holds none of the last {RELEASES_MAX}" if len(found) == RELEASES_MAX else "",
        todo="`shipline release` makes one; on a channel `snapshot` one of every commit",
    )


def _is_held(repository: Repository, holds: Callable[[str], bool], release: Release) -> bool:
    """True if the branch has what was released: the release's commit, or that which a pre-release's own stands on.

    A pre-release that changes no file has no commit of its own: what its commit stands on is then other branches', too.
    """
    if release.commit is None or holds(release.commit):
        return release.commit is not None
    if not release.is_prerelease or repository.find_commit(release.commit) is None:
        return False
    below = released_base(repository, release.commit, release.package, release.version)
    return below is not None and holds(below)


def _contains(repository: Repository, tip: str, commit: str) -> bool:
    """True if the commit is here, and `tip` is upon it or is it."""
    found = repository.find_commit(commit)
    return found is not None and repository.merge_base((found, tip)) == found


def _tip(repository: Repository, branch: str) -> str:
    for place in ("refs/heads", "refs/remotes/origin"):
        if (tip := repository.find_commit(f"{place}/{branch}")) is not None:
            return tip
    raise UnknownName(f"there is no branch {branch[:60]!r} here", todo="fetch it, then bring its environment up")


def begin_life(place: Place, engine: Engine, order: LifeOrder, actor: Actor) -> str:
    """Order that it comes up; returns the run's subject. RefusedError where as many branches have one as may."""
    (template,) = (one for one in place.policy.environments if one.name == order.life.template)
    ports = _ports(template) if order.life.branch else range(0)
    named = replace(order, rollout=replace(order.rollout, id=engine.ids.new("rol")), ports=ports)
    with place.store.begin() as tx:
        return order_life(tx, engine, named, actor)


def _ports(template: EnvironmentSettings) -> range:
    """Where the environments of its branches are served: above the port that it names."""
    first = int(template.traffic["port"]) + 1
    return range(first, first + template.ephemeral.branches_max)


def due(environment: EnvironmentSettings, now_us: int) -> tuple[str, int] | None:
    """What the schedule asks for now, `up` or `down`, and since when: the later of both. None for neither. Pure.

    What could not begin for an hour is left out, and not made up for.
    """
    found = [
        (period.begins_us, verb)
        for verb in ("up", "down")
        if getattr(environment.ephemeral, verb)
        for period in periods(life_rule(environment, verb), now_us, now_us + 1)
    ]
    return None if not found else max(found)[::-1]


def follow_schedules(place: Place, engine: Engine, refused: dict[str, int]) -> None:
    """Bring up and take down what is due. What is refused is told of once: `refused` is when it was due, by name."""
    now_us = place.clock.now_us()
    for template in place.policy.environments:
        asked = due(template, now_us)
        if asked is None:
            continue
        verb, due_us = asked
        if verb == "down":
            _take_down_all(place, engine, template, due_us)
            continue
        for name, again in _due_to_rise(place, template, due_us, now_us):
            if refused.get(name) == due_us:
                continue
            try:
                life, package = again()
                rollout = life_order(place, template, life, package)
                begin_life(place, engine, LifeOrder(life, rollout, scheduled=True), SYSTEM)
            except (RefusedError, UnknownName, UsageError) as refusal:
                refused[name] = due_us
                with place.store.begin() as tx:
                    skip_life(tx, EventWriter(engine.ids, engine.clock), name, refusal, due_us=due_us)


def _take_down_all(place: Place, engine: Engine, template: EnvironmentSettings, due_us: int) -> None:
    with place.store.begin() as tx:
        for run in open_lives(tx, template.name):
            if run.created_us < due_us and run.state.step != "lower":
                end_life(tx, engine, life_of(run).name, LifeEnd("by schedule", SYSTEM, f"{run.id}-{due_us}"))


def _due_to_rise(
    place: Place, template: EnvironmentSettings, due_us: int, now_us: int
) -> Iterator[tuple[str, Callable[[], tuple[Life, str | None]]]]:
    """The environment itself, or, where it is there for branches, those of them that the schedule has taken down.

    Each by its name, with what gives the life that begins, and the package that it is of (None: the only one).
    """
    name = template.name
    with place.store.begin() as tx:
        is_up = name in lives_by_name(open_lives(tx, name))
        lives = runs_of(tx, life_key(name))
        sleeping = asleep(tx, name, now_us)
    if not template.ephemeral.branches:
        was_ordered = bool(lives) and lives[-1].created_us >= due_us
        if not (is_up or was_ordered):
            yield name, lambda: (new_life(place, template, ""), None)
        return
    for run in sleeping:
        if run.created_us < due_us:
            yield life_of(run).name, partial(_again, place, template, run)


def _again(place: Place, template: EnvironmentSettings, run: Run) -> tuple[Life, str | None]:
    """A branch's environment as it was, until it was to end anyway."""
    before = life_of(run)
    life = replace(new_life(place, template, before.branch), expires_us=before.expires_us)
    return life, str(run.input["order"]["package"])
