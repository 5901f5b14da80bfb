"""The kill matrix: a process dies at every point of a release and of a rollout; the next one ends what it had begun.

Points are before and after every commit to the store and every effect on the outside. What comes out must be what
comes out undisturbed: rows, traffic, registry, tag, and the events, none lost and none doubled.
"""

from __future__ import annotations

import copy
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from shipline.capabilities.releases import YankOrder, evidence_of, order_yank, verdicts_of
from shipline.capabilities.rollouts import (
    Life,
    LifeOrder,
    RehearsalOrder,
    RolloutOrder,
    Strategy,
    StrategyKind,
    analysis_of,
    life_key,
    order_life,
    order_mending,
    order_rehearsal,
    stopped_by,
)
from shipline.capabilities.rollouts.workflow import mending_key
from shipline.engine.journal import runs_of
from shipline.engine.rules import ENDED
from shipline.ports.target import Role
from shipline.store.database import Store
from shipline.store.event_writer import EventWriter
from shipline.store.transaction import Transaction
from shipline.testing.kills import Countdown, Killed, MortalStore
from shipline.testing.world import World
from tests.capabilities.events import check_positions, kinds
from tests.capabilities.releases.release_world import ReleaseWorld, new_remote, new_repository
from tests.capabilities.rollouts.rollout_world import DIGESTS, PERSON, PLACE, RolloutWorld

SEED = 7
ALL_AT_ONCE = Strategy(StrategyKind.ALL_AT_ONCE)


@dataclass(frozen=True)
class Play:
    """How one world went: what came out, and the points that its first process passed."""

    outcome: dict[str, Any]
    passed: list[str]
    killed: bool


def fast(store: Store) -> None:
    """Simulated kills leave the operating system alive: nothing needs to reach the disk."""
    event.listen(store.engine, "connect", lambda connection, _record: connection.execute("PRAGMA synchronous=OFF"))
    store.engine.dispose()


def new_world(template: Path, folder: Path) -> World:
    folder.mkdir()
    shutil.copyfile(template, folder / "world.db")
    world = World(SEED, folder)
    fast(world.store)
    return world


def live_and_die(
    made: ReleaseWorld | RolloutWorld, begin: Callable[[], object], fatal: int | None
) -> tuple[Countdown, bool]:
    """A first process that dies at point `fatal`, from the order on; a second one that goes on."""
    begin()
    countdown = Countdown(fatal)
    mortal = made.engine(MortalStore(made.world.store, countdown), countdown)
    try:
        made.world.run_until_quiet(mortal)
    except Killed:
        made.settle()
        return countdown, True
    return countdown, False


def noted(events: EventWriter, tx: Transaction) -> None:
    """What the gates of an environment write down."""
    events.append(tx, "release:rel_x", "GateDecided", {"answer": "PASS"})


def play_release(template: Path, repository: Path, folder: Path, fatal: int | None) -> Play:
    world = new_world(template, folder)
    shutil.copytree(repository, folder / "repository")
    made = ReleaseWorld(world, folder, moving_tags=("v{major}", "{channel}"), shown=True)
    ordered: list[Any] = []
    countdown, killed = live_and_die(made, lambda: ordered.append(made.order()[1]), fatal)
    release = made.now(ordered[0])
    with world.store.begin() as tx:
        evidence = [(piece.kind.value, piece.format) for piece in evidence_of(tx, release.id)]
        verdicts = [(verdict.gate, verdict.answer.value) for verdict in verdicts_of(tx, release.id)]
    check_positions(world.store)
    outcome = {
        "release": (release.version, release.status.value, release.attempt, release.commit, release.artifacts),
        "evidence": sorted(evidence),
        "verdicts": sorted(verdicts),
        "uploads": made.registry.uploads,
        "mirrored": made.mirror.uploads,
        "forge": made.forge.model.effects,
        "shown": [(page.draft, page.notes, page.title) for page in made.forge.model.pages.values()],
        "served": made.digests("0.1.0"),
        "publications": [(one.registry, one.files) for one in release.publications],
        "tag": made.history.git("rev-parse", "v0.1.0^{commit}"),
        "moving tags": made.history.git("rev-parse", "v0", "stable"),
        "commits": made.history.git("log", "--format=%s").splitlines(),
        "dirty": made.history.git("status", "--porcelain", "--untracked-files=no"),
        "events": kinds(world.store),
        "breaches": made.breaches,
    }
    world.close()
    return Play(outcome, countdown.passed, killed)


def play_cut_short(template: Path, repository: Path, folder: Path, fatal: int | None) -> Play:
    """Killed on the way, and then not gone on with but yanked."""
    world = new_world(template, folder)
    shutil.copytree(repository, folder / "repository")
    made = ReleaseWorld(world, folder)
    _, release = made.order()
    assert release is not None
    countdown, killed = killed_at(made, fatal)
    with world.store.begin() as tx:
        order_yank(tx, made.engine(), release, YankOrder("it loses quotes"))
    made.settle()
    with world.store.begin() as tx:
        runs = runs_of(tx, f"release:{release.id}")
    served = (*made.registry.find("quotes", "0.1.0"), *made.mirror.find("quotes", "0.1.0"))
    outcome = {
        "status": made.now(release).status.value,
        "runs end": all(run.state.status in ENDED for run in runs),
        "left public": [file.name for file in served if not file.yanked],
        "next": made.order()[0].start.value,
        "breaches": made.breaches,
    }
    check_positions(world.store)
    world.close()
    return Play(outcome, countdown.passed, killed)


def killed_at(made: ReleaseWorld, fatal: int | None) -> tuple[Countdown, bool]:
    """A process that dies at point `fatal`, and none that goes on; None: it comes to its end."""
    countdown = Countdown(fatal)
    try:
        made.world.run_until_quiet(made.engine(MortalStore(made.world.store, countdown), countdown))
    except Killed:
        return countdown, True
    return countdown, False


class Released:
    """Two releases, the second of which is to be yanked, made once; each play goes on with copies of all of it."""

    def __init__(self, template: Path, folder: Path) -> None:
        world = new_world(template, folder)
        new_repository(folder / "repository")
        new_remote(folder / "remote.git")
        made = self.world_of(world, folder)
        made.released()
        made.commit("feat: say more")
        self.release = made.released()
        world.close()
        self.folder, self.made = folder, made

    def world_of(self, world: World, folder: Path) -> ReleaseWorld:
        return ReleaseWorld(world, folder, remote=str(folder / "remote.git"), moving_tags=("v{major}",), shown=True)

    def again(self, folder: Path) -> ReleaseWorld:
        shutil.copytree(self.folder, folder)
        world = World(SEED + 1, folder)
        fast(world.store)
        world.clock.jump_to(self.made.world.clock.now_us())
        made = self.world_of(world, folder)
        made.registry, made.mirror, model = copy.deepcopy((self.made.registry, self.made.mirror, self.made.forge.model))
        made.registry._breaches = made.mirror._breaches = made.breaches
        model.refs, made.forge.model = made.forge.model.refs, model
        return made


def play_yank(released: Released, folder: Path, fatal: int | None) -> Play:
    made, release = released.again(folder), released.release
    world = made.world

    def begin() -> None:
        with world.store.begin() as tx:
            order_yank(tx, made.engine(), release, YankOrder("it loses quotes", revert=True))

    countdown, killed = live_and_die(made, begin, fatal)
    now = made.now(release)
    check_positions(world.store)
    outcome = {
        "status": now.status.value,
        "yanks": [(yank.place, yank.done, yank.by_hand, yank.not_done) for yank in now.yanks],
        "yanked": [
            file.yanked for file in (*made.registry.find("quotes", "0.2.0"), *made.mirror.find("quotes", "0.2.0"))
        ],
        "moved": made.history.repository.tags_on(made.remote, ("v0", "v0.1.0")),
        "forge": made.forge.model.effects,
        "branches": made.history.git("ls-remote", "--heads", made.remote),
        "events": kinds(world.store, f"release:{release.id}"),
        "breaches": made.breaches,
    }
    world.close()
    return Play(outcome, countdown.passed, killed)


def play_rollout(template: Path, folder: Path, fatal: int | None, *, error_rate: float) -> Play:
    world = new_world(template, folder)
    writer = EventWriter(world.ids, world.clock)
    made = RolloutWorld(world, instances=1, note_gates=lambda tx: noted(writer, tx))
    made.behave("1.1.0", error_rate=error_rate)
    made.shipped("1.0.0")
    ordered: list[Any] = []
    countdown, killed = live_and_die(made, lambda: ordered.append(made.deploy("1.1.0")), fatal)
    rollout = made.now(ordered[0])
    with world.store.begin() as tx:
        looks = [look.number for look in analysis_of(tx, rollout.id)]
    assert looks == list(range(1, len(looks) + 1))
    check_positions(world.store)
    outcome = {
        "rollout": (rollout.status.value, rollout.weight, rollout.attempt, rollout.strategy, rollout.waiting_for),
        "deployments": [
            (one.version, one.finished_us is None, one.ended_us is None, one.failed) for one in made.deployments()
        ],
        "serving": made.serving(),
        "alive": made.alive(),
        "routes": sorted((route.version, route.share) for route in made.traffic.routes.values()),
        # How often the weight changes depends on what the users met while nobody looked.
        "events": [kind for kind in kinds(world.store) if kind != "CanaryWeightChanged"],
        "breaches": made.breaches,
    }
    world.close()
    return Play(outcome, countdown.passed, killed)


def play_down(template: Path, folder: Path, fatal: int | None) -> Play:
    world = new_world(template, folder)
    made = RolloutWorld(world)
    made.shipped("1.0.0")
    countdown, killed = live_and_die(made, made.take_down, fatal)
    with world.store.begin() as tx:
        runs = runs_of(tx, "environment:production")
    outcome = {
        "runs": [(run.state.status.value, stopped_by(run)) for run in runs],
        "serving": made.serving(),
        "alive": made.alive(),
        "proxy runs": made.traffic.running,
        "breaches": list(made.breaches),
        "events": kinds(world.store),
        "deployed again": made.shipped("1.0.0").status.value,
    }
    world.close()
    return Play(outcome, countdown.passed, killed)


def play_mending(template: Path, folder: Path, fatal: int | None) -> Play:
    world = new_world(template, folder)
    made = RolloutWorld(world)
    made.shipped("1.0.0")
    (group,) = made.target.groups
    made.fake_target.kill(group, 1)

    def begin() -> None:
        with world.store.begin() as tx:
            order_mending(tx, made.engine(), PLACE)

    countdown, killed = live_and_die(made, begin, fatal)
    with world.store.begin() as tx:
        runs = runs_of(tx, mending_key(PLACE))
    outcome = {
        "runs": [run.state.status.value for run in runs],
        "serving": made.serving(),
        "alive": made.alive(),
        "routes lead to copies": made.routed() == made.addresses(),
        "breaches": list(made.breaches),
        "events": kinds(world.store),
    }
    world.close()
    return Play(outcome, countdown.passed, killed)


def play_life(template: Path, folder: Path, fatal: int | None) -> Play:
    """An ephemeral environment for ten seconds, in which a version fails on purpose for five."""
    world = new_world(template, folder)
    made = RolloutWorld(world)

    def begin() -> None:
        engine = made.engine()
        life = Life(PLACE, PLACE, expires_us=world.clock.now_us() + 10_000_000)
        order = RolloutOrder("quotes", "1.0.0", PLACE, ALL_AT_ONCE, DIGESTS, is_down=True, id="rol_life")
        with world.store.begin() as tx:
            order_life(tx, engine, LifeOrder(life, order), PERSON)
            order_rehearsal(tx, engine, RehearsalOrder(PLACE, Role.STABLE, 5, errors=0.5), PERSON)

    countdown, killed = live_and_die(made, begin, fatal)
    with world.store.begin() as tx:
        lives = runs_of(tx, life_key(PLACE))
    outcome = {
        "lives": [run.state.status.value for run in lives],
        "alive": made.alive(),
        "proxy runs": made.traffic.running,
        "faults": list(made.traffic.faults),
        "deployments": [(one.version, one.ended_us is None) for one in made.deployments()],
        "breaches": made.breaches,
        # Where the rehearsal finds no proxy yet, it tries again for as long as the kill lets it.
        "events": sorted(kind for kind in kinds(world.store) if not kind.startswith("Rehearsal")),
    }
    world.close()
    return Play(outcome, countdown.passed, killed)


def walk(
    play: Callable[[Path, int | None], Play],
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    *,
    every: int = 1,
    first: int = 0,
    **expected: Any,
) -> None:
    """Play once undisturbed, with what is `expected`, then once for every point that was passed.

    Or for each `every`th of them, from the `first`.
    """
    whole = play(folder / "whole", None)
    assert not whole.killed
    assert {name: whole.outcome[name] for name in expected} == expected
    assert whole.outcome["breaches"] == []
    points = list(enumerate(whole.passed, start=1))[first::every]
    for fatal, point in points:
        disturbed = play(folder / str(fatal), fatal)
        where = f"seed {SEED}, killed at point {fatal}: {point}"
        assert disturbed.killed, where
        assert disturbed.outcome == whole.outcome, where
        shutil.rmtree(folder / str(fatal))
    with capsys.disabled():
        print(f"\nkilled in simulation at {len(points)} of {len(whole.passed)} points, same outcome")  # noqa: T201 - the count is what this walk is for


@pytest.mark.parametrize("first", [0, 1, 2])
def test_a_release_survives_a_kill_at_every_point(
    sqlite_template: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], first: int
) -> None:
    """One commit, one tag, one upload of each file to the registry and to the forge, whatever dies when.

    In thirds, since it is the longest walk and several processes run the tests.
    """
    new_repository(tmp_path / "repository")

    def play(folder: Path, fatal: int | None) -> Play:
        return play_release(sqlite_template, tmp_path / "repository", folder, fatal)

    uploads = ["quotes-0.1.0-py3-none-any.whl", "quotes-0.1.0.tar.gz"]
    commits = ["chore(release): quotes 0.1.0", "feat: say something", "chore: begin"]
    shown = ["create release v0.1.0", *(f"add {name}" for name in [*uploads, "bundle.tar"]), "change release v0.1.0"]
    walk(
        play,
        tmp_path,
        capsys,
        every=3,
        first=first,
        uploads=uploads,
        mirrored=uploads,
        commits=commits,
        dirty="",
        forge=shown,
    )


@pytest.mark.parametrize("every", [2, pytest.param(1, marks=pytest.mark.kill)])
def test_what_was_killed_between_two_registries_is_taken_back_whole(
    sqlite_template: Path, tmp_path: Path, every: int
) -> None:
    """From the moment that the first one may have a file: nothing is left public, and nothing goes up afterwards."""
    new_repository(tmp_path / "repository")

    def play(folder: Path, fatal: int | None) -> Play:
        return play_cut_short(sqlite_template, tmp_path / "repository", folder, fatal)

    passed = play(tmp_path / "whole", None).passed
    last = len(passed) - passed[::-1].index("after mirror.publish")
    for fatal in range(passed.index("before index.publish") + 1, last + 1, every):
        cut = play(tmp_path / str(fatal), fatal)
        wanted = {"status": "yanked", "runs end": True, "left public": [], "next": "nothing", "breaches": []}
        assert (cut.killed, cut.outcome) == (True, wanted), f"killed at point {fatal}: {passed[fatal - 1]}"


@pytest.mark.parametrize("every", [3, pytest.param(1, marks=pytest.mark.kill)])
def test_a_yank_survives_a_kill_at_every_point(
    sqlite_template: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], every: int
) -> None:
    """Each place is written down once, and one pull request is opened. `make test-kill` walks all points."""
    released = Released(sqlite_template, tmp_path / "released")

    def play(folder: Path, fatal: int | None) -> Play:
        return play_yank(released, folder, fatal)

    walk(play, tmp_path, capsys, every=every, status="yanked", yanked=[True] * 4)


def test_a_promoted_rollout_survives_a_kill_at_every_point(
    sqlite_template: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """All traffic on the new version, and nothing of the old one left."""

    def play(folder: Path, fatal: int | None) -> Play:
        return play_rollout(sqlite_template, folder, fatal, error_rate=0.0)

    walk(play, tmp_path, capsys, serving={"1.1.0": 1.0}, alive=["1.1.0"], routes=[("1.1.0", 1.0)])


def test_a_rolled_back_rollout_survives_a_kill_at_every_point(
    sqlite_template: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """No traffic on the version that was rolled back, whatever dies when."""

    def play(folder: Path, fatal: int | None) -> Play:
        return play_rollout(sqlite_template, folder, fatal, error_rate=0.2)

    walk(play, tmp_path, capsys, serving={"1.0.0": 1.0}, alive=["1.0.0"], routes=[("1.0.0", 1.0)])


def test_taking_an_environment_down_survives_a_kill_at_every_point(
    sqlite_template: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is left running, all that was stopped is on record, and the environment is free for the next rollout."""

    def play(folder: Path, fatal: int | None) -> Play:
        return play_down(sqlite_template, folder, fatal)

    rest: dict[str, Any] = {"proxy runs": False, "deployed again": "promoted"}
    walk(play, tmp_path, capsys, serving={}, alive=[], **rest)


@pytest.mark.parametrize("every", [4, pytest.param(1, marks=pytest.mark.kill)])
def test_mending_survives_a_kill_at_every_point(
    sqlite_template: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], every: int
) -> None:
    """The copy is back, its requests too, and the log tells of it once. `make test-kill` walks all points."""

    def play(folder: Path, fatal: int | None) -> Play:
        return play_mending(sqlite_template, folder, fatal)

    alive = ["1.0.0", "1.0.0"]
    expected: dict[str, Any] = {"serving": {"1.0.0": 1.0}, "alive": alive, "routes lead to copies": True}
    walk(play, tmp_path, capsys, every=every, **expected)


def test_an_ephemeral_environment_survives_a_kill_at_every_point(
    sqlite_template: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It has come and gone, nothing of it is left, and nothing fails any more."""

    def play(folder: Path, fatal: int | None) -> Play:
        return play_life(sqlite_template, folder, fatal)

    walk(play, tmp_path, capsys, every=6, lives=["done"], alive=[], faults=[], **{"proxy runs": False})
