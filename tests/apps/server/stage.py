"""A project to look at: releases and rollouts as the engine leaves them, on fakes and a jumping clock."""

from __future__ import annotations

import copy
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from shipline.apps.server.site import Site
from shipline.bootstrap.orders import DeploymentWish, RollbackWish
from shipline.capabilities.incidents import ROLLOUT_KINDS, follow_rollout
from shipline.capabilities.releases import EVIDENCE, RELEASES, VERDICTS, tick_item
from shipline.capabilities.releases import follow_run as follow_release
from shipline.capabilities.releases.telling import append
from shipline.capabilities.releases.usecases import ReleaseOrder, begin_release
from shipline.capabilities.releases.workflow import release_workflow
from shipline.capabilities.rollouts import (
    AnalysisSettings,
    Checks,
    Concurrency,
    Ground,
    RolloutOrder,
    Strategy,
    StrategyKind,
    actions,
    adopt_actions,
    adopt_workflow,
    analysis_of,
    drift_actions,
    drift_workflow,
    follow_run,
    mend_actions,
    mend_workflow,
    open_rollout,
    rollout_workflow,
    turn_actions,
    turn_workflow,
)
from shipline.configuration import EnvironmentSettings
from shipline.domain.actor import Actor, ActorKind
from shipline.domain.artifact import Artifact
from shipline.domain.calendar import CalendarRule, PeriodKind
from shipline.domain.checklist import Checklist, Tick
from shipline.domain.codec import from_json
from shipline.domain.evidence import Evidence, EvidenceKind
from shipline.domain.package import Package
from shipline.domain.release import Release, ReleaseStatus
from shipline.domain.rollout import Rollout
from shipline.domain.verdict import Answer, Verdict
from shipline.domain.version_file import VersionFile
from shipline.engine import journal
from shipline.engine.engine import Catalogue
from shipline.engine.workflow import Action, Done, Failed, Outcome, StepContext, nothing
from shipline.store.database import Store
from shipline.store.event_writer import EventWriter
from shipline.store.keys import load_or_create_log_key
from shipline.store.log import sequence
from shipline.store.reactors import react
from shipline.store.transaction import Transaction
from shipline.testing.fakes.command import FakeCommands
from shipline.testing.fakes.signals import Behaviour, FakeSignals, Users
from shipline.testing.fakes.target import FakeTarget, TargetWorld
from shipline.testing.fakes.traffic import FakeTraffic, TrafficWorld
from shipline.testing.world import World
from tests.capabilities.rollouts.rollout_world import no_source

CANARY = {"promote_after_s": 45, "deadline_s": 120, "tick_s": 1, "react_s": 3, "growth_period_s": 4, "ramp_every_s": 3}
PRODUCTION = EnvironmentSettings("production", production=True, url="http://quotes.example", canary=dict(CANARY))
STAGING = EnvironmentSettings("staging")
CALENDAR = (
    CalendarRule("year end", PeriodKind.FREEZE, ("staging",), "Europe/Berlin", "2020-01-01 00:00", "2199-01-04 08:00"),
    CalendarRule("weekly", PeriodKind.TRAIN, ("release",), cron="0 10 * * TUE", lasts_s=7200, coordinator="ann"),
    CalendarRule("nights", PeriodKind.WINDOW, ("production",), "Europe/Berlin", cron="0 2 * * *", lasts_s=10_800),
)
CHECKLISTS = (
    Checklist("production", "production", ("the status page says that we deploy", "somebody is on call"), "ben"),
)
KEY_FILE = "log.key"
ADA = Actor(ActorKind.PERSON, "local", "ada")
HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'&{{7*7}}"

NOTES = """## [{version}]

### Features

- **api:** answer with the author of a quote (1a2b3c4)
- search by `author` (5d6e7f8)

### Bug Fixes

- keep the connection open between requests (9a8b7c6)
"""


@dataclass
class Outside:
    """What outlives an engine. `traffic` is where the `users` go."""

    world: World
    traffic: TrafficWorld
    users: Users
    target: TargetWorld

    @staticmethod
    def empty(folder: Path) -> Outside:
        """Where nothing has happened yet."""
        world, traffic = World(7, folder), TrafficWorld()
        return Outside(world, traffic, Users(traffic, world.clock, seed=7, requests_per_s=220), TargetWorld())

    def copied(self, folder: Path) -> Outside:
        """The same again, with a store of its own; this one's is closed."""
        store = Store(f"sqlite:///{folder / 'world.db'}")
        shutil.copyfile(str(self.world.store.path), str(store.path))
        made = copy.deepcopy(self, {id(self.world.store): store})
        store.open()
        return made


class Stage:
    """The project, its users, and what moves them."""

    def __init__(self, folder: Path, outside: Outside) -> None:
        self.outside = outside
        self.world, self.users = outside.world, outside.users
        self.clock = self.world.clock
        self.events = EventWriter(self.world.ids, self.clock)
        self.target = FakeTarget(self.clock, outside.target)
        ground = Ground(
            store=self.world.store,
            events=self.events,
            target=self.target,
            traffic=FakeTraffic(self.clock, outside.traffic),
            signals=FakeSignals(self.users, self.clock),
            instances=2,
            check_gates=lambda _rollout: ("", nothing),
            checks=Checks((), no_source, self.clock),
            commands=FakeCommands(self.clock, {}),
            root=folder,
        )
        self.outcomes: dict[str, Outcome] = {}
        self.engine = self.world.engine(self._catalogue(ground))
        self.key = load_or_create_log_key(folder / KEY_FILE)
        self.site = Site(
            name="quotes",
            store=self.world.store,
            engine=self.engine,
            clock=self.clock,
            environments=lambda: (PRODUCTION, STAGING),
            calendar=lambda: CALENDAR,
            checklists=lambda: CHECKLISTS,
            deploy=self.deploy,
            roll_back=self.roll_back,
        )

    def _catalogue(self, ground: Ground) -> Catalogue:
        rollout = rollout_workflow("production", wait_timeout_s=3600, drain_timeout_s=10)
        release = release_workflow()
        settings = from_json(AnalysisSettings, dict(CANARY))
        every: dict[str, Action] = {f"{rollout.name}.{name}": one for name, one in actions(ground, settings).items()}
        every |= {f"release.{step.name}": partial(self._release_step, step.name) for step in release.steps}
        mend = mend_workflow("production")
        every |= {f"{mend.name}.{name}": one for name, one in mend_actions(ground, "production").items()}
        adopt, drift = adopt_workflow("production"), drift_workflow("production")
        every |= {f"{adopt.name}.{name}": one for name, one in adopt_actions(ground).items()}
        every |= {f"{drift.name}.{name}": one for name, one in drift_actions(ground, "production", 60).items()}
        turn = turn_workflow("production")
        every |= {f"{turn.name}.{name}": one for name, one in turn_actions(ground, lambda: self.engine).items()}
        observers = {rollout.name: partial(_followed, self.events), "release": partial(_followed_release, self.events)}
        workflows = {each.name: each for each in (rollout, mend, turn, adopt, drift)} | {"release": release}
        return Catalogue(workflows, every, observers)

    # --- releases ----------------------------------------------------------------------------------------------

    def _release_step(self, name: str, context: StepContext) -> Outcome:
        self.clock.sleep(1.4)
        return self.outcomes.get(name, Done(save=partial(self._save_step, name, str(context.input["release_id"]))))

    def _save_step(self, name: str, release_id: str, tx: Transaction) -> None:
        release = RELEASES.find(tx, release_id)
        assert release is not None
        now_us = self.clock.now_us()
        if name == "build":
            RELEASES.save(tx, replace(release, commit="4f" * 20, artifacts=_artifacts(release)))
        elif name == "prove":
            for evidence in _evidence(release, now_us):
                EVIDENCE.save(tx, evidence)
        elif name == "gate":
            self.judge(tx, release, Answer.PASS, "All 12 tests pass; 94% of the lines are covered.")
        elif name == "publish":
            RELEASES.save(tx, replace(release.to(ReleaseStatus.PUBLISHED), published_us=now_us))
            append(tx, self.events, release, "ReleasePublished", {"tag": release.tag})

    def judge(self, tx: Transaction, release: Release, answer: Answer, reason: str) -> None:
        facts: dict[str, str | int | float | bool | None] = {"tests.failed": 0, "coverage.lines": 0.94, "sbom": True}
        verdict = Verdict("quality", answer, (reason,), self.clock.now_us(), facts)
        VERDICTS.save(tx, verdict, row_id=self.world.ids.new("ver"), release_id=release.id, stage="release")

    def tick(self, release: Release, item: str, note: str = "", *, is_done: bool = True) -> None:
        """Ada says that an item of production's checklist is done, or is not."""
        tick = Tick("production", "production", item, is_done, str(ADA), self.clock.now_us(), note)
        with self.world.store.begin() as tx:
            tick_item(tx, EventWriter(self.world.ids, self.clock, ADA), release, CHECKLISTS[0], tick)

    def release(self, version: str, before: str | None, *, notes: str = NOTES, package: str = "quotes") -> Release:
        order = ReleaseOrder(
            package=Package(package),
            version=version,
            tag=f"v{version}",
            previous_version=before,
            time_us=self.clock.now_us(),
            section=notes.replace("{version}", version),
            commits=(("1a2b3c4", self.clock.now_us()), ("5d6e7f8", self.clock.now_us())),
            version_files=(VersionFile("pyproject.toml", "python-project"),),
            changelog="CHANGELOG.md",
        )
        with self.world.store.begin() as tx:
            begun = begin_release(tx, self.engine, order, ADA)
        self.world.run_until_quiet(self.engine)
        with self.world.store.begin() as tx:
            return RELEASES.find(tx, begun.id) or begun

    def refused_release(self, version: str, before: str, reason: str) -> Release:
        """A release that a gate stops."""

        def save(tx: Transaction) -> None:
            release = RELEASES.where(tx, version=version)[0]
            self.judge(tx, release, Answer.FAIL, reason)
            RELEASES.save(tx, release.to(ReleaseStatus.REFUSED))
            append(tx, self.events, release, "ReleaseRefused", {"reason": reason})

        self.outcomes["gate"] = Failed(reason, save=save)
        refused = self.release(version, before)
        self.outcomes.clear()
        with self.world.store.begin() as tx:
            (run,) = journal.runs_of(tx, f"release:{refused.id}")
            self.engine.abandon(tx, run.id)
        return refused

    # --- rollouts ----------------------------------------------------------------------------------------------

    def open(self, release: Release, *, concurrency: Concurrency = Concurrency.REFUSE, expedited: str = "") -> Rollout:
        order = RolloutOrder(
            package=release.package,
            version=release.version,
            environment="production",
            strategy=Strategy(StrategyKind.CANARY),
            digests=tuple(one.digest for one in release.artifacts),
            release_id=release.id,
            commit=release.commit,
            concurrency=concurrency,
            expedited=expedited,
        )
        with self.world.store.begin() as tx:
            return open_rollout(tx, self.engine, order, ADA)

    def deploy(self, wish: DeploymentWish, _actor: Actor) -> Rollout:
        """As a project would, but for its gates and calendar: there are none."""
        return self.open(self.released(wish.version or ""))

    def roll_back(self, wish: RollbackWish, actor: Actor) -> Rollout:
        release = self.released(wish.version or "")
        order = RolloutOrder(
            package=release.package,
            version=release.version,
            environment=wish.environment or "",
            strategy=Strategy(StrategyKind.ALL_AT_ONCE),
            digests=tuple(one.digest for one in release.artifacts),
            release_id=release.id,
            commit=release.commit,
            rollback=True,
            reason=wish.reason,
            concurrency=Concurrency.SUPERSEDE,
            alerts=wish.alerts,
        )
        with self.world.store.begin() as tx:
            return open_rollout(tx, self.engine, order, actor)

    def released(self, version: str) -> Release:
        with self.world.store.begin() as tx:
            return RELEASES.where(tx, version=version)[0]

    def roll_out(self, release: Release) -> Rollout:
        """To its end, whatever that is."""
        rollout = self.open(release)
        self.world.run_until_quiet(self.engine)
        self.clock.sleep(300)
        self.react()
        return rollout

    def watch(self, rollout: Rollout, *, looks: int) -> None:
        """Until its canary was looked at this often."""
        for _ in range(20 * looks):
            with self.world.store.begin() as tx:
                if len(analysis_of(tx, rollout.id)) >= looks:
                    return
            self.step()
        raise AssertionError(f"the canary of {rollout.version} was not looked at {looks} times")

    def step(self) -> None:
        """Tick what is due, or jump to what is due next and tick that."""
        if self.engine.sweep() == 0:
            with self.world.store.begin() as tx:
                wake_us = journal.next_wake_us(tx, after_us=self.clock.now_us())
            if wake_us is not None:
                self.clock.jump_to(wake_us)
                self.engine.sweep()

    def react(self) -> None:
        """As the engine's owner does in every round."""
        sequence(self.world.store, self.key)
        react(self.world.store, "incidents", ROLLOUT_KINDS, follow_rollout)


def _followed(events: EventWriter, tx: Transaction, run: journal.Run) -> None:
    follow_run(tx, events, run)


def _followed_release(events: EventWriter, tx: Transaction, run: journal.Run) -> None:
    follow_release(tx, events, run)


def _artifacts(release: Release) -> tuple[Artifact, ...]:
    name = f"{release.package}-{release.version}".replace("/", "_")
    return (
        Artifact(f"{name}-py3-none-any.whl", "wheel", "sha256:" + "3c" * 32, 14_812),
        Artifact(f"{name}.tar.gz", "sdist", "sha256:" + "b7" * 32, 11_204),
    )


def _evidence(release: Release, now_us: int) -> Iterator[Evidence]:
    kinds = (
        (EvidenceKind.TESTS, "pytest", "junit", {"total": 12, "failed": 0, "seconds": 3.21}),
        (EvidenceKind.COVERAGE, "coverage.py", "cobertura", {"lines": 0.94, "branches": 0.88}),
        (EvidenceKind.SBOM, "shipline", "cyclonedx", {"components": 17}),
        (EvidenceKind.PROVENANCE, "shipline", "in-toto", {"signed": True}),
    )
    for kind, tool, form, summary in kinds:
        identity = f"evi-{release.version}-{kind.value}"
        yield Evidence(identity, release.id, kind, tool, form, "sha256:" + "9e" * 32, now_us, (), dict(summary))


@dataclass(frozen=True, slots=True)
class Staged:
    """The project with a history: one version promoted, one refused, one rolled back, one on its way.

    `ids` are those of these rollouts and releases by name. It is for copies: its store is closed.
    """

    folder: Path
    outside: Outside
    ids: dict[str, str]

    @staticmethod
    def made(folder: Path) -> Staged:
        """Let it all happen."""
        stage = Stage(folder, Outside.empty(folder))
        stage.users.behaviours = {"1.2.0": Behaviour(error_rate=0.05), "1.0.0": Behaviour(error_rate=0.0006)}
        stage.users.behaviours |= {"1.1.0": Behaviour(error_rate=0.0006), "1.3.0": Behaviour(error_rate=0.004)}
        first = stage.release("1.0.0", None)
        stage.roll_out(first)
        good = stage.release("1.1.0", "1.0.0")
        promoted = stage.roll_out(good)
        refused = stage.refused_release("1.1.1", "1.1.0", "2 of 12 tests fail: test_search, test_author.")
        bad = stage.release("1.2.0", "1.1.0")
        rolled_back = stage.roll_out(bad)
        running = stage.release("1.3.0", "1.2.0")
        for item in CHECKLISTS[0].items:
            stage.tick(good, item)
        stage.tick(running, CHECKLISTS[0].items[1], "carl until 18:00")
        stage.react()
        live = stage.open(running, expedited="the till does not open")
        stage.watch(live, looks=28)
        ids = {"promoted": promoted.id, "rolled_back": rolled_back.id, "live": live.id}
        ids |= {"good": good.id, "refused": refused.id, "bad": bad.id, "running": running.id}
        stage.world.close()
        return Staged(folder, stage.outside, ids)

    @contextmanager
    def copied(self, folder: Path) -> Iterator[Stage]:
        """A stage that goes on from there."""
        shutil.copy(self.folder / KEY_FILE, folder / KEY_FILE)
        outside = self.outside.copied(folder)
        try:
            yield Stage(folder, outside)
        finally:
            outside.world.close()
