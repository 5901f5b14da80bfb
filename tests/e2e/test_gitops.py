"""Whole rollouts by git: the engine, the store and both providers over real repositories and a cluster that follows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from shipline.apps.cli.env_by_hand import drift_lines
from shipline.capabilities.rollouts import (
    DriftAnswer,
    Ground,
    RolloutOrder,
    Strategy,
    StrategyKind,
    impossible,
    look_for_drift,
    open_rollout,
    order_adoption,
    restore_recorded,
    rollout_workflow,
)
from shipline.domain.errors import RefusedError
from shipline.domain.rollout import Rollout, RolloutStatus
from shipline.engine.engine import Engine
from shipline.engine.journal import runs_of
from shipline.store.database import Store
from shipline.testing.conformance.target import BETTER, BROKEN, GOOD
from shipline.testing.fakes.forge.memory import FakeForge
from shipline.testing.fakes.forge.model import GitRefs
from shipline.testing.kills import Countdown, Killed, Mortal
from shipline.testing.world import World
from tests.capabilities.rollouts.rollout_world import (
    PACKAGE,
    PERSON,
    PLACE,
    TARGET_EFFECTS,
    RolloutWorld,
    catalogue_of,
)
from tests.clusters import digests_of
from tests.gitops import FIRST, Manifests, manifests


class GitOpsPlace(RolloutWorld):
    """An environment of a RolloutWorld whose cluster follows git."""

    def __init__(self, world: World, place: Manifests) -> None:
        self.place = place
        super().__init__(world)

    def ground(self, store: Store, countdown: Countdown | None = None) -> Ground:
        target, traffic = self.place.target(), self.place.traffic()
        base = replace(super().ground(store), target=target, traffic=traffic)
        if countdown is None:
            return base
        return replace(
            base,
            target=Mortal(target, countdown, name="target", effects=TARGET_EFFECTS),
            traffic=Mortal(traffic, countdown, name="git", effects=("apply", "forget")),
        )

    def order(self, version: str, *, back: bool = False, kind: StrategyKind = StrategyKind.ALL_AT_ONCE) -> Rollout:
        order = RolloutOrder(
            package=PACKAGE,
            version=version,
            environment=PLACE,
            strategy=Strategy(kind),
            digests=digests_of(version),
            release_id="rel_x",
            commit="c0ffee",
            rollback=back,
            cannot=impossible(Strategy(kind), self.place.traffic()),
        )
        with self.world.store.begin() as tx:
            return open_rollout(tx, self.engine(), order, PERSON)

    def ended(self, version: str, *, back: bool = False) -> Rollout:
        rollout = self.order(version, back=back)
        self.settle()
        return self.now(rollout)

    def engine(self, store: Store | None = None, countdown: Countdown | None = None) -> Engine:
        ground = self.ground(store if store is not None else self.world.store, countdown)
        made: list[Engine] = []
        catalogue = catalogue_of(ground, lambda: made[0])
        switch_s = getattr(ground.traffic, "switch_s", 0)
        workflow = rollout_workflow(PLACE, wait_timeout_s=3600, drain_timeout_s=30, switch_s=switch_s)
        workflows = {**catalogue.workflows, workflow.name: workflow}
        made.append(self.world.engine(replace(catalogue, workflows=workflows), store))
        return made[0]

    def waiting_for(self, rollout: Rollout) -> str:
        with self.world.store.begin() as tx:
            return runs_of(tx, f"rollout:{rollout.id}")[-1].state.waiting_for


@contextmanager
def opened(tmp_path: Path, **settings: Any) -> Iterator[GitOpsPlace]:
    world = World(7, tmp_path)
    with manifests(tmp_path, clock=world.clock, **settings) as made:
        yield GitOpsPlace(world, made)
    world.close()


@pytest.fixture(autouse=True)
def no_credentials_of_this_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))


def test_a_version_is_brought_by_a_commit_and_taken_back_by_one(tmp_path: Path) -> None:
    """The engine waits for the cluster as long as it takes, in its words; a version that fails there is held."""
    with opened(tmp_path) as env:
        env.place.syncing.lag_s = 60.0
        rollout = env.order(GOOD)
        env.run_until(rollout, "promote")
        assert "Argo CD has taken no commit in yet" in env.waiting_for(rollout)
        env.settle()
        assert env.now(rollout).status is RolloutStatus.PROMOTED
        failed = env.ended(BROKEN)
        assert failed.status is RolloutStatus.ROLLED_BACK
        assert "Degraded: quotes has timed out progressing" in failed.reason
        assert env.place.syncing.runs().endswith(digests_of(GOOD)[0])
        drift = look_for_drift(env.ground(env.world.store), PLACE)
        assert (drift.answer, drift.held) == (DriftAnswer.NONE, BROKEN)
        held = f"{PLACE}: {BROKEN} is held: it is not brought there again before another one"
        assert drift_lines(PLACE, drift) == [f"{PLACE}: as recorded", held]
        again = env.ended(BROKEN)
        assert again.status is RolloutStatus.ROLLED_BACK
        assert f"{BROKEN} is held: production went back from it" in again.reason
        assert env.place.subjects() == [
            f"revert(deploy): production goes back to {PACKAGE} {GOOD}",
            f"chore(deploy): production runs {PACKAGE} {BROKEN}",
            f"chore(deploy): production runs {PACKAGE} {GOOD}",
            "chore: begin",
        ]


def test_a_rollback_is_a_commit_that_holds_what_it_leaves(tmp_path: Path) -> None:
    """Another version ends that."""
    versions = (GOOD, BETTER, "1.3.0")
    with opened(tmp_path, versions=versions) as env:
        for version in (GOOD, BETTER):
            assert env.ended(version).status is RolloutStatus.PROMOTED
        assert env.ended(GOOD, back=True).status is RolloutStatus.PROMOTED
        assert env.place.traffic().held() == BETTER
        assert env.ended(BETTER).status is RolloutStatus.ROLLED_BACK
        assert env.place.syncing.runs().endswith(digests_of(GOOD)[0])
        assert env.ended("1.3.0").status is RolloutStatus.PROMOTED
        assert env.place.traffic().held() == ""


def test_a_cluster_that_does_not_follow_is_not_waited_for_without_end(tmp_path: Path) -> None:
    """Automatic sync is off: the time is over, and the branch says what runs again."""
    with opened(tmp_path, deadline_s=900) as env:
        assert env.ended(GOOD).status is RolloutStatus.PROMOTED
        env.place.syncing.paused = True
        rollout = env.order(BETTER)
        env.run_until(rollout, "promote")
        for seconds in (880.0, 890.0):
            env.world.clock.sleep(seconds)
            env.look(env.engine(), 30.0)
        assert env.now(rollout).status is RolloutStatus.FAILED, "and back it does not go, either"
        env.place.syncing.paused = False
        env.say(rollout, "retry")
        env.settle()
        assert env.now(rollout).status is RolloutStatus.ROLLED_BACK
        assert "did not end within 900 s. Last known: Argo CD says OutOfSync" in env.now(rollout).reason
        assert digests_of(GOOD)[0].encode() in env.place.shown()


def test_a_pull_request_that_nobody_merges_is_closed(tmp_path: Path) -> None:
    """Nothing was changed, so nothing is taken back."""
    with opened(tmp_path, mode="pull-request", deadline_s=900) as env:
        env.place.forge = forge = FakeForge(GitRefs(env.place.bare))
        rollout = env.order(GOOD)
        env.run_until(rollout, "promote")
        env.world.clock.sleep(880.0)
        env.settle()
        rollout = env.now(rollout)
        assert rollout.status is RolloutStatus.ROLLED_BACK
        assert "pull request #1 waits to be merged into main" in rollout.reason
        assert env.place.subjects() == ["chore: begin"]
        env.run_until(env.order(BETTER), "promote")
        assert next(pull.state.value for pull in forge.model.pulls.values()) == "closed"


def test_what_a_platform_cannot_do_is_refused(tmp_path: Path) -> None:
    """It splits by itself, and not by us."""
    with opened(tmp_path) as env:
        for kind in (StrategyKind.CANARY, StrategyKind.ROLLING):
            with pytest.raises(RefusedError, match=f"production cannot have {kind.value}"):
                env.order(BETTER, kind=kind)


def test_a_change_by_hand_is_drift_that_may_be_restored(tmp_path: Path) -> None:
    """A person said it in git: the record says something else until somebody decides."""
    with opened(tmp_path) as env:
        env.ended(GOOD)
        env.place.by_hand("fix: back to what was", digests_of(GOOD)[0], FIRST)
        env.place.later()
        drift = look_for_drift(env.ground(env.world.store), PLACE)
        assert drift.is_by_hand
        assert f"{FIRST} has 100.0% of the traffic, and {PACKAGE} {GOOD} is on record" in drift.findings[0].words
        refused = env.ended(BETTER)
        assert "which Shipline did not write" in refused.reason
        with env.world.store.begin() as tx:
            order_adoption(tx, env.engine(), PLACE, "it is known to be good", PERSON)
        env.settle()
        with env.world.store.begin() as tx:
            restored = restore_recorded(tx, env.engine(), PLACE, "that was a mistake", PERSON)
        env.settle()
        assert env.now(restored).status is RolloutStatus.PROMOTED
        assert look_for_drift(env.ground(env.world.store), PLACE).answer is DriftAnswer.NONE
        assert env.place.syncing.runs().endswith(digests_of(GOOD)[0])


def test_a_kill_at_any_effect_costs_nothing(tmp_path: Path) -> None:
    """Each version is brought by one commit, wherever the first process died."""
    versions = tuple(f"2.{number}.0" for number in range(40))
    with opened(tmp_path, versions=versions) as env:
        env.ended(versions[0])
        for fatal, version in enumerate(versions[1:], start=1):
            rollout, countdown = env.order(version), Countdown(fatal)
            try:
                env.world.run_until_quiet(env.engine(countdown=countdown))
            except Killed:
                env.settle()
            assert env.now(rollout).status is RolloutStatus.PROMOTED
            assert env.place.subjects().count(f"chore(deploy): production runs {PACKAGE} {version}") == 1
            assert env.place.syncing.runs().endswith(digests_of(version)[0])
            if len(countdown.passed) < fatal:
                break
        assert fatal > 2 * len(("prepare", "run", "apply", "stop", "forget")), "before and after each of them"
