"""A whole engine in a process of its own, as the product wires it, over fakes whose world is a file.

It orders a release or a rollout unless one was ordered in this folder, works until that has come to its end, and
prints what became of it. With `--fatal N` it kills itself at the Nth point that its ticks pass.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import pickle
import secrets
import sys
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from shipline.capabilities.incidents import ROLLOUT_KINDS, all_incidents, follow_rollout
from shipline.capabilities.releases import RELEASES, YankOrder, evidence_of, order_yank, yank_subject
from shipline.capabilities.rollouts import ROLLOUTS, AnalysisSettings, Ground
from shipline.engine import journal
from shipline.engine.dbos_scheduler import POOL_PREFIX, DBOSScheduler
from shipline.engine.engine import Catalogue, Engine
from shipline.engine.lease import Lease
from shipline.engine.peers import Peers
from shipline.engine.rules import ENDED
from shipline.engine.runner import Runner
from shipline.store.database import Store
from shipline.store.keys import load_or_create_log_key
from shipline.store.log import sequence
from shipline.store.reactors import react
from shipline.testing.fakes.clock import FakeClock, SeededIds
from shipline.testing.kills import Countdown, MortalStore, die_for_real
from shipline.testing.world import World
from tests.capabilities.events import check_positions, kinds
from tests.capabilities.releases import release_world
from tests.capabilities.releases.release_world import ReleaseWorld
from tests.capabilities.rollouts import rollout_world
from tests.capabilities.rollouts.rollout_world import RolloutWorld

# A rollout of a few looks within two seconds; the rate makes up for the time.
SETTINGS = AnalysisSettings(
    promote_after_s=0.9,
    deadline_s=60.0,
    tick_s=0.25,
    react_s=0.5,
    growth=6.0,
    growth_period_s=0.25,
    ramp_every_s=0.25,
)
REQUESTS_PER_S = 16_000.0
ERROR_RATES = {"promoted": 0.0, "rolled-back": 0.2}
NODES_EXPIRE_S = 1.0


class WallClock(FakeClock):
    """The machine's time."""

    def now_us(self) -> int:
        return time.time_ns() // 1000

    def sleep(self, seconds: float) -> None:
        threading.Event().wait(seconds)

    def jump_to(self, time_us: int) -> None:
        self.sleep(max(0, time_us - self.now_us()) / 1_000_000)


class PoolCountdown(Countdown):
    """Counts only what ticks pass: how often the loop looks around depends on the machine's speed."""

    def pass_point(self, name: str) -> None:
        if threading.current_thread().name.startswith(POOL_PREFIX):
            super().pass_point(name)


class Kept:
    """A provider whose world is on the disk before a call of it returns."""

    def __init__(self, provider: object, keep: Callable[[], None]) -> None:
        self._provider = provider
        self._keep = keep

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._provider, name)
        return self._kept(found) if callable(found) else found

    def _kept(self, found: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            try:
                return found(*args, **kwargs)
            finally:
                self._keep()

        return call


def kept(provider: object, keep: Callable[[], None]) -> Any:
    """`provider`, kept; it stands for the fake that it wraps."""
    return Kept(provider, keep)


class RealWorld(World):
    """The machine's clock, and a process that has a name of its own."""

    def __init__(self, folder: Path, url: str) -> None:
        super().__init__(0, folder, url=url)
        self.clock = WallClock()
        self.ids = SeededIds(secrets.randbits(64), self.clock)

    def engine(self, catalogue: Catalogue, store: Store | None = None) -> Engine:
        made = Engine(store or self.store, catalogue, self.clock, self.ids, node_id=f"node-{os.getpid()}")
        made.peers = Peers(expires_s=NODES_EXPIRE_S)
        return made


class RolloutStory:
    """1.0.0 serves, 1.1.0 is rolled out."""

    def __init__(self, world: World, folder: Path, *, error_rate: float) -> None:
        self.file = folder / "world.pickle"
        self.made = RolloutWorld(world, instances=1)
        if self.file.exists():
            self._wake_up()
        self.made.users.requests_per_s = REQUESTS_PER_S
        self.made.behave("1.1.0", error_rate=error_rate)
        keep = self.keep
        self.made.fake_target = kept(self.made.fake_target, keep)
        self.made.fake_traffic = kept(self.made.fake_traffic, keep)
        self.made.fake_signals = kept(self.made.fake_signals, keep)

    def _wake_up(self) -> None:
        target, traffic, users = pickle.loads(self.file.read_bytes())  # noqa: S301 - this script's own file
        self.made = RolloutWorld(self.made.world, instances=1, target=target, traffic=traffic)
        traffic.before_change[:] = [users._catch_up]
        self.made.users = self.made.fake_signals._users = users

    def keep(self) -> None:
        """Write the world down, whole or not at all."""
        draft = self.file.with_suffix(".draft")
        draft.write_bytes(pickle.dumps((self.made.target, self.made.traffic, self.made.users)))
        draft.replace(self.file)

    def order(self) -> str:
        self.made.shipped("1.0.0")
        return f"rollout:{self.made.deploy('1.1.0').id}"

    def engine(self, store: Store, countdown: Countdown) -> Engine:
        ground: Ground = self.made.ground(store, countdown)
        return self.made.world.engine(rollout_world.catalogue_of(ground, settings=SETTINGS), store)

    def outcome(self, subject: str) -> dict[str, Any]:
        store = self.made.world.store
        with store.begin() as tx:
            rollout = ROLLOUTS.find(tx, subject.partition(":")[2])
            incidents = all_incidents(tx)
        assert rollout is not None
        told = [kind for kind in kinds(store, "rollout:") if kind != "CanaryWeightChanged"]
        return {
            "status": rollout.status.value,
            "serving": self.made.serving(),
            "alive": self.made.alive(),
            "routes": sorted(self.made.traffic.routes[name].version for name in self.made.traffic.routes),
            "deployments": [
                [one.version, one.finished_us is None, one.ended_us is None, one.failed]
                for one in self.made.deployments()
            ],
            "events": told,
            "incidents": [incident.status.value for incident in incidents],
            "events of incidents": kinds(store, "incident:"),
            "breaches": self.made.breaches,
        }


class ReleaseStory:
    """0.1.0 is released."""

    def __init__(self, world: World, folder: Path) -> None:
        self.file = folder / "world.pickle"
        self.made = ReleaseWorld(world, folder)
        if self.file.exists():
            self.made.registry, self.made.mirror = pickle.loads(self.file.read_bytes())  # noqa: S301 - this script's own file
            self.made.registry._breaches = self.made.mirror._breaches = self.made.breaches
        self.registry, self.mirror = self.made.registry, self.made.mirror
        self.made.registry, self.made.mirror = kept(self.registry, self.keep), kept(self.mirror, self.keep)

    def keep(self) -> None:
        """Write the registries down, whole or not at all."""
        draft = self.file.with_suffix(".draft")
        draft.write_bytes(pickle.dumps((self.registry, self.mirror)))
        draft.replace(self.file)

    def order(self) -> str:
        _, release = self.made.order()
        assert release is not None
        return f"release:{release.id}"

    def engine(self, store: Store, countdown: Countdown) -> Engine:
        return self.made.world.engine(release_world.catalogue_of(self.made.ground(store, countdown)), store)

    def outcome(self, subject: str) -> dict[str, Any]:
        store, git = self.made.world.store, self.made.history.git
        with store.begin() as tx:
            release = RELEASES.find(tx, subject.partition(":")[2])
            assert release is not None
            evidence = sorted(piece.kind.value for piece in evidence_of(tx, release.id))
        return {
            "status": release.status.value,
            "attempt": release.attempt,
            "tag is the commit": git("rev-parse", "v0.1.0^{commit}") == release.commit == git("rev-parse", "HEAD"),
            "commits": git("log", "--format=%s").splitlines(),
            "dirty": git("status", "--porcelain", "--untracked-files=no"),
            "uploads": self.registry.uploads,
            "mirrored": self.mirror.uploads,
            "served is built": self.made.digests("0.1.0") == {artifact.digest for artifact in release.artifacts},
            "evidence": evidence,
            "events": kinds(store),
            "breaches": self.made.breaches,
        }


class YankStory(ReleaseStory):
    """0.1.0 was released, and is taken back."""

    def order(self) -> str:
        release = self.made.released()
        with self.made.world.store.begin() as tx:
            return yank_subject(order_yank(tx, self.made.engine(), release, YankOrder("it loses quotes")))

    def outcome(self, subject: str) -> dict[str, Any]:
        store = self.made.world.store
        with store.begin() as tx:
            release = RELEASES.find(tx, subject.partition(":")[2])
        assert release is not None
        files = (*self.registry.find("quotes", "0.1.0"), *self.mirror.find("quotes", "0.1.0"))
        return {
            "status": release.status.value,
            "yanks": [yank.place for yank in release.yanks],
            "yanked": [file.yanked for file in files],
            "events": kinds(store, f"release:{release.id}")[-5:],
            "breaches": self.made.breaches,
        }


def story_of(name: str, world: World, folder: Path) -> RolloutStory | ReleaseStory:
    if name in ("release", "yanked"):
        return (ReleaseStory if name == "release" else YankStory)(world, folder)
    return RolloutStory(world, folder, error_rate=ERROR_RATES[name])


def ordered(story: RolloutStory | ReleaseStory, folder: Path) -> str:
    """What this folder is about; the first process orders it."""
    note = folder / "subject"
    if not note.exists():
        note.write_text(story.order())
    return note.read_text()


def has_ended(store: Store, subject: str) -> bool:
    with store.begin() as tx:
        return all(run.state.status in ENDED for run in journal.runs_of(tx, subject))


@contextlib.contextmanager
def working(engine: Engine, store: Store, folder: Path) -> Iterator[None]:
    """The engine runs as in the product: DBOS, the lease, and the chores of every round."""
    key = load_or_create_log_key(folder / "log.key")
    chores = (partial(sequence, store, key), partial(react, store, "incidents", ROLLOUT_KINDS, follow_rollout))
    lease = Lease(store.path)
    runner = Runner(engine, DBOSScheduler(store, node_id=engine.node_id), lease, chores)
    assert runner.start()
    yield
    runner.stop()
    runner._do_chores()


def main() -> NoReturn:
    parser = argparse.ArgumentParser()
    parser.add_argument("story", choices=["release", "yanked", "promoted", "rolled-back"])
    parser.add_argument("--url", required=True)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--fatal", type=int)
    given = parser.parse_args()
    world = RealWorld(given.folder, given.url)
    story = story_of(given.story, world, given.folder)
    subject = ordered(story, given.folder)
    countdown = PoolCountdown(given.fatal, die_for_real)
    engine = story.engine(MortalStore(world.store, countdown), countdown)
    with working(engine, world.store, given.folder):
        while not has_ended(world.store, subject):
            time.sleep(0.02)  # noqa: TID251 - the engine works in its own threads
    check_positions(world.store)
    said = {"outcome": story.outcome(subject), "passed": len(countdown.passed)}
    world.close()
    sys.stdout.write(json.dumps(said) + "\n")
    sys.exit(0)


if __name__ == "__main__":
    main()
