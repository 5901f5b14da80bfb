"""The kill matrix: a process dies at every point of a release and of a rollout; the next one ends what it had begun.

Points are before and after every commit to the store and every effect on the outside. What comes out must be what
comes out undisturbed: rows, traffic, registry, tag, and the events, none lost and none doubled.
"""

from __future__ import annotations

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
from shipline.testing.crossroads import Crossroads
from shipline.testing.kills import Countdown, MortalStore
from shipline.testing.world import World
from tests.capabilities.events import check_positions, kinds
from tests.capabilities.releases.release_world import ReleaseWorld, new_remote
from tests.capabilities.rollouts.rollout_world import DIGESTS, PERSON, PLACE, RolloutWorld

SEED = 7
ALL_AT_ONCE = Strategy(StrategyKind.ALL_AT_ONCE)


@dataclass(frozen=True)
class Story:
    """What a first process does in `made`, what happens once it is dead, and what is there in the end, either way."""

    made: ReleaseWorld | RolloutWorld
    folder: Path
    live: Callable[[Countdown], object]
    go_on: Callable[[], object]
    outcome: Callable[[], dict[str, Any]]


def story_of(
    made: ReleaseWorld | RolloutWorld,
    folder: Path,
    outcome: Callable[[], dict[str, Any]],
    go_on: Callable[[], object] | None = None,
) -> Story:
    """One process works on what was ordered, a second one on what is left of it if nothing else is said."""

    def live(countdown: Countdown) -> None:
        made.world.run_until_quiet(made.engine(MortalStore(made.world.store, countdown), countdown))

    return Story(made, folder, live, go_on if go_on is not None else made.settle, outcome)


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


def noted(events: EventWriter, tx: Transaction) -> None:
    """What the gates of an environment write down."""
    events.append(tx, "release:rel_x", "GateDecided", {"answer": "PASS"})


def release_story(template: Path, folder: Path, *, tag_only: bool = False) -> Story:
    world = new_world(template, folder)
    made = ReleaseWorld(
        world, folder, moving_tags=("v{major}", "{channel}"), shown=True, tag_only=tag_only, statuses=True
    )
    made.imaged = not tag_only
    _, ordered = made.order()
    assert ordered is not None

    def outcome() -> dict[str, Any]:
        release = made.now(ordered)
        with world.store.begin() as tx:
            evidence = [(piece.kind.value, piece.format) for piece in evidence_of(tx, release.id)]
            verdicts = [(verdict.gate, verdict.answer.value) for verdict in verdicts_of(tx, release.id)]
        check_positions(world.store)
        return {
            "release": (release.version, release.status.value, release.attempt, release.commit, release.artifacts),
            "evidence": sorted(evidence),
            "verdicts": sorted(verdicts),
            "uploads": made.registry.uploads,
            "mirrored": made.mirror.uploads,
            "forge": made.forge.model.effects,
            "images": made.images.uploads,
            "hung": {name: sorted(held.manifests) for name, held in made.images.hung.items()},
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

    return story_of(made, folder, outcome)


def cut_short_story(template: Path, folder: Path) -> Story:
    """Killed on the way, and then not gone on with but yanked."""
    world = new_world(template, folder)
    made = ReleaseWorld(world, folder)
    _, ordered = made.order()
    assert ordered is not None

    def yank() -> None:
        with world.store.begin() as tx:
            order_yank(tx, made.engine(), ordered, YankOrder("it loses quotes"))
        made.settle()

    def outcome() -> dict[str, Any]:
        with world.store.begin() as tx:
            runs = runs_of(tx, f"release:{ordered.id}")
        served = (*made.registry.find("quotes", "0.1.0"), *made.mirror.find("quotes", "0.1.0"))
        found = {
            "status": made.now(ordered).status.value,
            "runs end": all(run.state.status in ENDED for run in runs),
            "left public": [file.name for file in served if not file.yanked],
            "next": made.order()[0].start.value,
            "breaches": made.breaches,
        }
        check_positions(world.store)
        return found

    return story_of(made, folder, outcome, yank)


def yank_story(template: Path, folder: Path) -> Story:
    """Two releases, the second of which is yanked."""
    world = new_world(template, folder)
    made = ReleaseWorld(world, folder, remote=new_remote(folder / "remote.git"), moving_tags=("v{major}",), shown=True)
    made.released()
    made.commit("feat: say more")
    release = made.released()
    with world.store.begin() as tx:
        order_yank(tx, made.engine(), release, YankOrder("it loses quotes", revert=True))

    def outcome() -> dict[str, Any]:
        now = made.now(release)
        check_positions(world.store)
        return {
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

    return story_of(made, folder, outcome)


def rollout_story(template: Path, folder: Path, *, error_rate: float) -> Story:
    world = new_world(template, folder)
    writer = EventWriter(world.ids, world.clock)
    made = RolloutWorld(world, instances=1, note_gates=lambda tx: noted(writer, tx))
    made.behave("1.1.0", error_rate=error_rate)
    made.shipped("1.0.0")
    ordered = made.deploy("1.1.0")

    def outcome() -> dict[str, Any]:
        rollout = made.now(ordered)
        with world.store.begin() as tx:
            looks = [look.number for look in analysis_of(tx, rollout.id)]
        assert looks == list(range(1, len(looks) + 1))
        check_positions(world.store)
        return {
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

    return story_of(made, folder, outcome)


def down_story(template: Path, folder: Path) -> Story:
    world = new_world(template, folder)
    made = RolloutWorld(world)
    made.shipped("1.0.0")
    made.take_down()

    def outcome() -> dict[str, Any]:
        with world.store.begin() as tx:
            runs = runs_of(tx, "environment:production")
        return {
            "runs": [(run.state.status.value, stopped_by(run)) for run in runs],
            "serving": made.serving(),
            "alive": made.alive(),
            "proxy runs": made.traffic.running,
            "breaches": list(made.breaches),
            "events": kinds(world.store),
            "deployed again": made.shipped("1.0.0").status.value,
        }

    return story_of(made, folder, outcome)


def mending_story(template: Path, folder: Path) -> Story:
    world = new_world(template, folder)
    made = RolloutWorld(world)
    made.shipped("1.0.0")
    (group,) = made.target.groups
    made.fake_target.kill(group, 1)
    with world.store.begin() as tx:
        order_mending(tx, made.engine(), PLACE)

    def outcome() -> dict[str, Any]:
        with world.store.begin() as tx:
            runs = runs_of(tx, mending_key(PLACE))
        return {
            "runs": [run.state.status.value for run in runs],
            "serving": made.serving(),
            "alive": made.alive(),
            "routes lead to copies": made.routed() == made.addresses(),
            "breaches": list(made.breaches),
            "events": kinds(world.store),
        }

    return story_of(made, folder, outcome)


def life_story(template: Path, folder: Path) -> Story:
    """An ephemeral environment for ten seconds, in which a version fails on purpose for five."""
    world = new_world(template, folder)
    made = RolloutWorld(world)
    engine = made.engine()
    life = Life(PLACE, PLACE, expires_us=world.clock.now_us() + 10_000_000)
    order = RolloutOrder("quotes", "1.0.0", PLACE, ALL_AT_ONCE, DIGESTS, is_down=True, id="rol_life")
    with world.store.begin() as tx:
        order_life(tx, engine, LifeOrder(life, order), PERSON)
        order_rehearsal(tx, engine, RehearsalOrder(PLACE, Role.STABLE, 5, errors=0.5), PERSON)

    def outcome() -> dict[str, Any]:
        with world.store.begin() as tx:
            lives = runs_of(tx, life_key(PLACE))
        return {
            "lives": [run.state.status.value for run in lives],
            "alive": made.alive(),
            "proxy runs": made.traffic.running,
            "faults": list(made.traffic.faults),
            "deployments": [(one.version, one.ended_us is None) for one in made.deployments()],
            "breaches": made.breaches,
            # Where the rehearsal finds no proxy yet, it tries again for as long as the kill lets it.
            "events": sorted(kind for kind in kinds(world.store) if not kind.startswith("Rehearsal")),
        }

    return story_of(made, folder, outcome)


def each(every: int) -> Callable[[int, str], bool]:
    """Each `every`th point, from the first."""
    return lambda number, _name: (number - 1) % every == 0


class Between:
    """Each `every`th point, from the first of one name to the first of another."""

    def __init__(self, first: str, last: str, every: int) -> None:
        self._first, self._last, self._every = first, last, every
        self._began = 0
        self._ended = False

    def __call__(self, number: int, name: str) -> bool:
        if self._began == 0 and name == self._first:
            self._began = number
        if self._began == 0 or self._ended:
            return False
        self._ended = name == self._last
        return (number - self._began) % self._every == 0


def tell(story: Story, chosen: Callable[[int, str], bool]) -> Crossroads:
    """The first process lives to the end; beside it, at each point that is chosen, it dies and another one goes on."""

    def afterwards() -> dict[str, Any]:
        story.go_on()
        return story.outcome()

    store = story.made.world.store
    store.engine.dispose()  # SQLite writes what was done so far into the file, and what is copied becomes less.
    crossroads = Crossroads(story.folder, store, story.made, afterwards=afterwards, chosen=chosen)
    story.live(crossroads)
    return crossroads


def walk(
    story: Story,
    capsys: pytest.CaptureFixture[str],
    *,
    every: int = 1,
    **expected: Any,
) -> None:
    """Undisturbed the story ends as `expected`, and in the same way if its first process dies, at whatever point.

    Or at each `every`th of them.
    """
    crossroads = tell(story, each(every))
    whole = story.outcome()
    assert {name: whole[name] for name in expected} == expected
    assert whole["breaches"] == []
    for number, outcome in crossroads.ways.items():
        assert outcome == whole, f"seed {SEED}, killed at point {number}: {crossroads.passed[number - 1]}"
    story.made.world.close()
    with capsys.disabled():
        points = f"{len(crossroads.ways)} of {len(crossroads.passed)} points, which leave {crossroads.worlds} worlds"
        print(f"\nkilled in simulation at {points}, same outcome")  # noqa: T201 - the count is what this walk is for


def test_a_release_survives_a_kill_at_every_point(
    sqlite_template: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One commit, one tag, one upload of each file to the registry and to the forge, one signature of each kind on the
    image, and no tag on it before; whatever dies when."""
    uploads = ["quotes-0.1.0-py3-none-any.whl", "quotes-0.1.0.tar.gz"]
    commits = ["chore(release): quotes 0.1.0", "feat: say something", "chore: begin"]
    signatures = [f"{name}.sigstore.json" for name in uploads]
    signatures += [f"quotes-0.1.0.{kind}.sigstore.json" for kind in ("slsaprovenance1", "testresult", "vsa")]
    files = [*uploads, "bundle.tar", *sorted(signatures)]
    asked = [f"status shipline/release/{gate}" for gate in ("tests pass", "proof")]
    shown = [*asked, "create release v0.1.0", *(f"add {name}" for name in files), "change release v0.1.0"]
    walk(
        release_story(sqlite_template, tmp_path / "world"),
        capsys,
        uploads=uploads,
        mirrored=uploads,
        commits=commits,
        dirty="",
        forge=shown,
        images=["quotes-0.1.0.oci"],
    )


@pytest.mark.parametrize("every", [13, pytest.param(1, marks=pytest.mark.kill)])
def test_a_release_by_its_tag_alone_survives_a_kill_at_every_point(
    sqlite_template: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], every: int
) -> None:
    """One tag, one upload of each file, and no commit. `make test-kill` walks all points."""
    story = release_story(sqlite_template, tmp_path / "world", tag_only=True)
    walk(story, capsys, every=every, commits=["feat: say something", "chore: begin"], dirty="")


@pytest.mark.parametrize("every", [2, pytest.param(1, marks=pytest.mark.kill)])
def test_what_was_killed_between_two_registries_is_taken_back_whole(
    sqlite_template: Path, tmp_path: Path, every: int
) -> None:
    """From the moment that the first one may have a file: nothing is left public, and nothing goes up afterwards."""
    story = cut_short_story(sqlite_template, tmp_path / "world")
    crossroads = tell(story, Between("before index.publish", "after mirror.publish", every))
    assert crossroads.passed.count("after mirror.publish") == 1
    wanted = {"status": "yanked", "runs end": True, "left public": [], "next": "nothing", "breaches": []}
    assert crossroads.ways
    for number, outcome in crossroads.ways.items():
        assert outcome == wanted, f"killed at point {number}: {crossroads.passed[number - 1]}"
    story.made.world.close()


@pytest.mark.parametrize("every", [7, pytest.param(1, marks=pytest.mark.kill)])
def test_a_yank_survives_a_kill_at_every_point(
    sqlite_template: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], every: int
) -> None:
    """Each place is written down once, and one pull request is opened. `make test-kill` walks all points."""
    story = yank_story(sqlite_template, tmp_path / "world")
    walk(story, capsys, every=every, status="yanked", yanked=[True] * 4)


def test_a_promoted_rollout_survives_a_kill_at_every_point(
    sqlite_template: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """All traffic on the new version, and nothing of the old one left."""
    story = rollout_story(sqlite_template, tmp_path / "world", error_rate=0.0)
    walk(story, capsys, serving={"1.1.0": 1.0}, alive=["1.1.0"], routes=[("1.1.0", 1.0)])


def test_a_rolled_back_rollout_survives_a_kill_at_every_point(
    sqlite_template: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """No traffic on the version that was rolled back, whatever dies when."""
    story = rollout_story(sqlite_template, tmp_path / "world", error_rate=0.2)
    walk(story, capsys, serving={"1.0.0": 1.0}, alive=["1.0.0"], routes=[("1.0.0", 1.0)])


def test_taking_an_environment_down_survives_a_kill_at_every_point(
    sqlite_template: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is left running, all that was stopped is on record, and the environment is free for the next rollout."""
    rest: dict[str, Any] = {"proxy runs": False, "deployed again": "promoted"}
    walk(down_story(sqlite_template, tmp_path / "world"), capsys, serving={}, alive=[], **rest)


@pytest.mark.parametrize("every", [11, pytest.param(1, marks=pytest.mark.kill)])
def test_mending_survives_a_kill_at_every_point(
    sqlite_template: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], every: int
) -> None:
    """The copy is back, its requests too, and the log tells of it once. `make test-kill` walks all points."""
    alive = ["1.0.0", "1.0.0"]
    expected: dict[str, Any] = {"serving": {"1.0.0": 1.0}, "alive": alive, "routes lead to copies": True}
    walk(mending_story(sqlite_template, tmp_path / "world"), capsys, every=every, **expected)


@pytest.mark.parametrize("every", [13, pytest.param(1, marks=pytest.mark.kill)])
def test_an_ephemeral_environment_survives_a_kill_at_every_point(
    sqlite_template: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], every: int
) -> None:
    """It has come and gone, nothing of it is left, and nothing fails any more. `make test-kill` walks all points."""
    story = life_story(sqlite_template, tmp_path / "world")
    walk(story, capsys, every=every, lives=["done"], alive=[], faults=[], **{"proxy runs": False})
