"""A project at work: its providers, the record, the engine, and what each room stands on."""

from __future__ import annotations

import os
from dataclasses import replace
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shipline.bootstrap.project import LOG_KEY_VARIABLE, STATE_FOLDER, STORE_VARIABLE, Project
from shipline.configuration.root import FILE_NAME
from shipline.domain.errors import RefusedError, UnknownName, UsageError
from shipline.ports.provider import ProviderContext

if TYPE_CHECKING:
    from collections.abc import Callable

    from shipline.bootstrap.aside import Aside
    from shipline.bootstrap.lives import OfBranch
    from shipline.bootstrap.reevaluating import Reevaluation
    from shipline.bootstrap.retention import Tidying
    from shipline.bootstrap.schedules import Schedules
    from shipline.capabilities.releases import Candidate, Outlet, ReleaseGround
    from shipline.capabilities.rollouts import CheckRule, Checks, Ground
    from shipline.configuration import EnvironmentSettings
    from shipline.configuration.policy import Policy
    from shipline.domain.event import Event
    from shipline.domain.package import Package
    from shipline.engine.engine import Catalogue, Engine, Observer
    from shipline.engine.journal import Run
    from shipline.engine.runner import Runner
    from shipline.ports.builder import Builder
    from shipline.ports.forge import Forge
    from shipline.ports.load import Load
    from shipline.ports.metrics import Metrics
    from shipline.ports.signals import Signals
    from shipline.ports.signer import Signer
    from shipline.store.database import Store
    from shipline.store.event_writer import EventWriter
    from shipline.store.transaction import Transaction

LOOK_EVERY_S = 2.0


def build_provider(port: str, table: dict[str, Any], context: ProviderContext, *, default: str) -> Any:
    """A provider from its table: `provider` names it, the rest is checked strictly by its own Settings."""
    # Imported here: looking through all installed packages costs more than a whole plan.
    from shipline.configuration.providers import read_provider

    kind, settings = read_provider(port, table, default=default)
    return kind(settings, context)


class Application(Project):
    """One project's parts, each made when it is first asked for. `start` is where the user stands."""

    _checks_whole = True
    _next_cooling_us = 0
    _next_drift_us = 0
    is_server = False  # A command that runs the engine while it is there does nothing that nobody has asked it for.

    @cached_property
    def _schedules(self) -> Schedules:
        """What begins by itself at its time."""
        from shipline.bootstrap.schedules import Schedules

        return Schedules(self)

    @cached_property
    def _tidying(self) -> Tidying:
        """What removes what has been kept long enough."""
        from shipline.bootstrap.retention import Tidying

        return Tidying(self)

    # --- providers ---------------------------------------------------------------------------------------------

    def builders(self, package: Package) -> tuple[Builder, ...]:
        """What builds a package: its ecosystem's builder first, then whatever else the settings name for it."""
        from shipline.configuration import BuildSettings
        from shipline.configuration.providers import provider_names, read_listed

        made: list[Builder] = []
        for table in self.settings.build:
            said, kind, settings = read_listed("builder", BuildSettings, table)
            if package.name in said.packages or (not said.packages and kind.ecosystem in ("", package.ecosystem)):
                made.append(kind(settings, self.context("build")))
        if package.ecosystem in provider_names("builder") and all(one.ecosystem != package.ecosystem for one in made):
            made.append(build_provider("builder", {}, self.context("build"), default=package.ecosystem))
        return tuple(sorted(made, key=lambda one: one.ecosystem != package.ecosystem))

    @cached_property
    def outlets(self) -> tuple[Outlet, ...]:
        """The registries that the settings name; where there are none, nothing is published."""
        return tuple(self._outlet(table) for table in self.settings.registry)

    def _outlet(self, table: dict[str, Any]) -> Outlet:
        from shipline.capabilities.releases import Outlet
        from shipline.configuration.providers import read_registry
        from shipline.ports.attachments import ImageStore

        said, kind, settings = read_registry(table)
        built = kind(settings, self.context("registries", said.name))
        return Outlet(said.name, built, said.packages, built if isinstance(built, ImageStore) else None)

    @cached_property
    def forge(self) -> Forge | None:
        """Where releases are shown, None where the settings name no forge. What they leave unsaid, the remote says."""
        if not self.settings.forge:
            return None
        from shipline.configuration.forges import completed

        remote = self.settings.release.remote or "origin"
        table = completed(self.settings.forge, self.repository.remote_address(remote) or remote)
        built: Forge = build_provider("forge", table, self.context("forge"), default="")
        return built

    @cached_property
    def load(self) -> Load:
        """What makes requests on purpose."""
        built: Load = build_provider("load", {}, self.context("load"), default="http")
        return built

    @cached_property
    def signer(self) -> Signer:
        """What signs evidence."""
        from shipline.bootstrap.signing import signer_of

        return signer_of(self.settings.signer, self.context("signer"), build_provider)

    def only_read(self, *, whole: bool = True) -> None:
        """Leave nothing where nothing was written yet: what must be written ends with the process.

        For commands that look and change nothing; to be called before anything is looked at. With `whole` False only
        those settings are checked that are looked at: to check all brings every room.
        """
        self._checks_whole = whole
        if os.path.lexists(self.root / STATE_FOLDER):
            return
        import shutil
        import tempfile
        import weakref

        from shipline.store.database import Store

        self.state = Path(tempfile.mkdtemp(prefix="shipline-"))
        weakref.finalize(self, shutil.rmtree, self.state, ignore_errors=True)
        path = Store(self.store_url).path
        if path is not None and not path.exists():
            self.store_url = f"sqlite:///{self.state / 'store.db'}"

    # --- the record and the engine -----------------------------------------------------------------------------

    @cached_property
    def store_url(self) -> str:
        """The store's URL: the environment's, the settings', or SQLite in the state folder."""
        return self._url(os.environ.get(STORE_VARIABLE, "") or self.settings.store)

    def _url(self, configured: str) -> str:
        return configured or f"sqlite:///{self.root / STATE_FOLDER / 'store.db'}"

    def _opened(self, url: str) -> Store:
        """The open store; the folder in which it lies by default is made, and is nobody else's."""
        from shipline.store.database import Store

        if url == self._url(""):
            url = f"sqlite:///{self.state / 'store.db'}"
        return Store(url).open()

    @cached_property
    def store(self) -> Store:
        """The open store. Whoever works with it works by settings that were checked whole: ConfigurationError."""
        if self._checks_whole:
            from shipline.configuration.check import check_settings

            check_settings(self.settings)
        return self._opened(self.store_url)

    @cached_property
    def speaker(self) -> Engine:
        """An engine that can say something to a run, and execute none. It needs no settings but the store's place.

        For a word to what is under way, while the settings or the policy are refused.
        """
        from shipline.configuration import store_named
        from shipline.engine.engine import Catalogue, Engine
        from shipline.store.database import Store

        store = Store(url := self._url(os.environ.get(STORE_VARIABLE, "") or store_named(self.root)))
        if store.path is not None and not store.path.exists():
            raise UsageError(
                "nothing is under way here",
                why=f"there is no {store.path}",
                todo=f"if the record is elsewhere, name it in {STORE_VARIABLE}, or mend {FILE_NAME}",
            )
        return Engine(self._opened(url), Catalogue({}, {}), self.clock, self.ids, node_id=self.ids.new("node"))

    @cached_property
    def events(self) -> EventWriter:
        """Writes events as Shipline itself."""
        from shipline.store.event_writer import EventWriter

        return EventWriter(self.ids, self.clock)

    @cached_property
    def engine(self) -> Engine:
        """This process's engine; it ticks only under a started `runner`."""
        from shipline.engine.engine import Engine

        node_id = self.ids.new("node")
        return Engine(self.store, self._catalogue(), self.clock, self.ids, node_id=node_id)

    def afresh(self) -> Application:
        """The project as its files are at this moment, on the same store and engine."""
        here = type(self)(self.root)
        here.__dict__.update(store=self.store, engine=self.engine, store_url=self.store_url)
        return here

    def runner(self) -> Runner:
        """What runs the engine in this process, if this process may."""
        from shipline.engine.dbos_scheduler import DBOSScheduler
        from shipline.engine.lease import Lease
        from shipline.engine.runner import Runner

        scheduler = DBOSScheduler(self.store, node_id=self.engine.node_id)
        return Runner(self.engine, scheduler, Lease(self.store.path), self._chores())

    @property
    def environments(self) -> tuple[EnvironmentSettings, ...]:
        """The configured environments, and those of branches that there are now."""
        return (*self.policy.environments, *(one.settings for one in self._of_branches))

    def stage_of(self, environment: str) -> str:
        """The stage whose gates and calendar hold there: of a branch's environment, the one that it is made after."""
        return next((one.template for one in self._of_branches if one.settings.name == environment), environment)

    @cached_property
    def _of_branches(self) -> tuple[OfBranch, ...]:
        return self._find_of_branches(self.policy)

    def _find_of_branches(self, policy: Policy) -> tuple[OfBranch, ...]:
        if not any(one.ephemeral.branches for one in policy.environments):
            return ()
        from shipline.bootstrap.lives import branch_environments

        return branch_environments(policy, self.store)

    def environment(self, name: str) -> EnvironmentSettings:
        """An environment's settings. UnknownName, which lists the known ones, for another."""
        for environment in self.environments:
            if environment.name == name:
                return environment
        known = ", ".join(environment.name for environment in self.environments) or "none"
        raise UnknownName(
            f"there is no environment {name[:60]!r}",
            why=f"environments are read from {self.policy.source}",
            todo=f"known ones: {known}; another needs an [[environment]] there",
        )

    # --- rooms -------------------------------------------------------------------------------------------------

    @cached_property
    def release_ground(self) -> ReleaseGround:
        """What releases of this project stand on."""
        import sys
        from functools import partial

        from shipline.bootstrap.compliance import required_frameworks_of
        from shipline.bootstrap.freezing import declared_rules
        from shipline.bootstrap.owners import owners_place_of
        from shipline.bootstrap.reevaluating import waiving_of
        from shipline.bootstrap.signing import formats_of
        from shipline.capabilities.evidence import ScanOrder
        from shipline.capabilities.plans import Show
        from shipline.capabilities.releases import ReleaseGround, TestRun

        return ReleaseGround(
            store=self.store,
            events=self.events,
            repository=self.repository,
            packages=self.known_packages,
            builders=self.builders,
            outlets=self.outlets,
            signer=self.signer,
            commands=build_provider("command", {}, self.context("command"), default="local"),
            folder=self.state / "releases",
            commit_message=self.settings.release.commit_message,
            remote=self.settings.release.remote,
            sign_tags=self.settings.release.sign_tags,
            moving_tags=self.settings.release.moving_tags,
            tests=tuple(TestRun(one.name, one.command, one.reports, one.timeout_s) for one in self.settings.test),
            gates=self.policy.gates,
            approvers=self.policy.approvers,
            calendar=self.policy.calendar,
            declared=partial(declared_rules, self),
            checklists=self.policy.checklists,
            python=sys.executable,
            show=lambda: Show(self.changelog_style, self.changelog_template),
            forge=self.forge,
            told_branch=self.told_branch,
            posts_statuses=self.policy.posts_statuses(self.settings),
            signatures=formats_of(self.settings.release.signatures),
            scan=ScanOrder(self.settings.scan.scanners, self.settings.scan.arguments, self.settings.scan.timeout_s),
            frameworks=partial(required_frameworks_of, self),
            waiving=waiving_of(self.policy),
            added_gates=self.policy.added_gates,
            owners=partial(owners_place_of, self),
            page=self.policy.page(self.settings),
        )

    def attach(self) -> str | None:
        """Put a detached HEAD on the branch that CI says this is; returns that, None where there was nothing to do."""
        if self.told_branch is not None:
            self.repository.attach(self.told_branch)
        return self.told_branch

    @property
    def release_branch(self) -> str:
        """The only branch that may be released from, "" where this one may. RefusedError where no channel fits it."""
        from shipline.capabilities.plans import rule_for

        here, rules = self.branch, self._rules(self.policy.channels)
        if rule_for(here, rules) is not None or not rules or here is None:
            return "" if rules and here is not None else self.policy.branch
        if self.policy.branch:
            return self.policy.branch
        raise RefusedError(
            f"no channel is released from the branch {here}",
            why=f"the [[channel]] tables of {self.policy.source} fit other branches",
            todo="switch to one of those, or give this one a table",
        )

    def candidates(self, names: tuple[str, ...], *, channel: str | None = None) -> tuple[Candidate, ...]:
        """The packages to release, all or those named, each with its plan and the files that a release edits."""
        from shipline.bootstrap.candidates import candidates_of

        return candidates_of(self, names, channel=channel)

    def final_candidate(self, tag: str) -> Candidate:
        """The package whose pre-release has this tag, to be made final from its commit."""
        from shipline.bootstrap.candidates import final_candidate_of

        return final_candidate_of(self, tag)

    def rollout_ground(self, environment: EnvironmentSettings) -> Ground:
        """What an environment's rollouts stand on. Traffic and signals share a folder: one reads the other's log."""
        from functools import partial

        from shipline.bootstrap.driven import platform_of
        from shipline.bootstrap.given import variables_of
        from shipline.bootstrap.opening import approved_by, closed_by_calendar, refusal_of_gates
        from shipline.bootstrap.platform import of_its_target
        from shipline.bootstrap.synthetic import synthetic_of
        from shipline.capabilities.rollouts import Ground, Verification

        name = environment.name
        variables = variables_of(environment, self.context("environments", name, "secrets", environment=name))
        own = self.context("environments", name, "target", environment=name)
        target_context = replace(own, given=variables)
        traffic_context = of_its_target(self, environment)
        platform = platform_of(environment, target_context, traffic_context, build_provider)
        return Ground(
            store=self.store,
            events=self.events,
            **platform,
            signals=build_provider("signals", environment.signals, traffic_context, default="haproxy"),
            instances=environment.instances,
            check_gates=partial(refusal_of_gates, self),
            checks=self.checks(environment),
            commands=build_provider("command", {}, self.context("command"), default="local"),
            root=self.root,
            verifications=tuple(
                Verification(one.name, one.command, one.attempts, one.every_s, one.timeout_s, one.before)
                for one in environment.verify
            ),
            url=environment.url,
            preview_url=environment.preview.url,
            closed=partial(closed_by_calendar, self),
            variables=variables,
            synthetic=synthetic_of(lambda: self.load, environment, platform["traffic"], self.clock),
            signer=lambda: self.signer,
            remind_every_s=environment.remind_every_s,
            approving=partial(approved_by, self),
        )

    def _ground_of(self, name: str) -> Ground:
        return self.rollout_ground(self.environment(name))

    def signals_delay_s(self, environment: EnvironmentSettings) -> float:
        """How late an environment's requests are counted, in seconds. Nothing is made on disk to find that out."""
        context = ProviderContext(self.root, self.root, self.clock, environment.name)
        built: Signals = build_provider("signals", environment.signals, context, default="haproxy")
        return built.delay_s

    def checks(self, environment: EnvironmentSettings) -> Checks:
        """The thresholds that an environment's rollouts are held to. Those with the same table share one source."""
        from shipline.capabilities.rollouts import Checks
        from shipline.configuration.check import read_check

        tables = {table.name: table.metrics or {} for table in environment.check}
        context = self.context("environments", environment.name, "metrics", environment=environment.name)

        @cache
        def source(name: str) -> Metrics:
            built: Metrics = build_provider("metrics", tables[name], context, default="prometheus")
            return built

        def source_of(rule: CheckRule) -> Metrics:
            return source(next(name for name, table in tables.items() if table == tables[rule.name]))

        return Checks(tuple(read_check(table) for table in environment.check), source_of, self.clock)

    def _catalogue(self) -> Catalogue:
        from functools import partial

        from shipline.bootstrap.automations import automation_part
        from shipline.bootstrap.workflows import environment_workflows, life_workflows
        from shipline.capabilities import releases
        from shipline.engine.engine import Catalogue

        workflows = {workflow.name: workflow for workflow in releases.WORKFLOWS}
        actions = dict(releases.actions(self.release_ground))
        observers: dict[str, Observer] = {
            releases.RELEASE_WORKFLOW: partial(_observe, releases.follow_run, self.events)
        }
        automation, looks, observer = automation_part(self, lambda: self.engine)
        workflows[automation.name], observers[automation.name] = automation, observer
        actions |= looks
        for environment in self.environments:
            ground = self.rollout_ground(environment)
            for each, own, follow in (
                *environment_workflows(environment, ground, lambda: self.engine),
                *life_workflows(environment, self._ground_of, lambda: self.engine, self.load),
            ):
                workflows[each.name] = each
                actions |= {f"{each.name}.{step}": action for step, action in own.items()}
                if follow is not None:
                    observers[each.name] = partial(_observe, follow, self.events)
        return Catalogue(workflows, actions, observers)

    def _chores(self) -> tuple[Callable[[], object], ...]:
        """What the engine's owner does in every round: places for new events, then whoever reacts to them."""
        from functools import partial

        from shipline.capabilities.incidents import ROLLOUT_KINDS, follow_rollout
        from shipline.store.keys import load_or_create_log_key, log_key_path
        from shipline.store.log import sequence
        from shipline.store.reactors import react

        setting = os.environ.get(LOG_KEY_VARIABLE, "")
        key = load_or_create_log_key(log_key_path(self.store, Path(setting) if setting else None))
        return (
            self.follow_settings,
            self._look_after_copies,
            self._cool,
            self._look_for_drift,
            self._schedules,
            *(self._server_chores() if self.is_server else ()),
            partial(sequence, self.store, key),
            partial(react, self.store, "incidents", ROLLOUT_KINDS, follow_rollout),
            # Always: who turns the setting on means what comes, and not what was rolled back long ago.
            partial(react, self.store, "yanks", ("RolloutRolledBack",), self._order_yank),
        )

    def _server_chores(self) -> tuple[Callable[[], object], ...]:
        """What a server does by itself. Who asks for one release or rollout is given that, and nothing besides."""
        from shipline.bootstrap.advisories import Watch
        from shipline.bootstrap.automations import automation_chores
        from shipline.bootstrap.keeping import DriftWatch

        return (self._reevaluation, Watch(self), *automation_chores(self), DriftWatch(self), self._tidying)

    def follow_settings(self) -> None:
        """Take in a changed shipline.toml or policy, so that a server decides by the same as the command line."""
        from shipline.configuration import load_settings
        from shipline.configuration.check import check_settings

        settings = load_settings(self.root)
        policy = self._read_policy(settings)
        of_branches = self._find_of_branches(policy)
        if (settings, policy, of_branches) == (self.settings, self.policy, self._of_branches):
            return
        check_settings(settings)
        self.__dict__.update(settings=settings, policy=policy, _of_branches=of_branches)
        for made_from_settings in (
            "_chosen",
            "packages",
            "monorepo",
            "outlets",
            "forge",
            "signer",
            "release_ground",
            "_looks",
        ):
            self.__dict__.pop(made_from_settings, None)
        self.engine.catalogue = self._catalogue()

    @cached_property
    def _reevaluation(self) -> Reevaluation:
        """What asks gates anew when the policy, or what it waives, is not what it was."""
        from shipline.bootstrap.reevaluating import Reevaluation

        return Reevaluation(self)

    @cached_property
    def _looks(self) -> dict[str, Aside]:
        """For each environment, what looks whether copies that serve, or their proxy, have died."""
        from functools import partial

        from shipline.bootstrap.aside import Aside
        from shipline.capabilities.rollouts import needs_mending

        return {
            one.name: Aside(partial(needs_mending, self.rollout_ground(one), one.name), every_s=LOOK_EVERY_S)
            for one in self.environments
            if one.controller is None  # A controller starts its copies again by itself.
        }

    def _look_after_copies(self) -> None:
        """Order that copies which have died are brought back."""
        from shipline.capabilities.rollouts import order_mending

        for environment, look in self._looks.items():
            if look.poll():
                with self.store.begin() as tx:
                    order_mending(tx, self.engine, environment)

    def _cool(self) -> None:
        """Order that what was kept warm is stopped, once its time is over."""
        from shipline.capabilities.rollouts import order_cooling

        now_us = self.clock.now_us()
        if now_us < self._next_cooling_us:
            return
        self._next_cooling_us = now_us + int(LOOK_EVERY_S * 1_000_000)
        for environment in self.environments:
            with self.store.begin() as tx:
                order_cooling(tx, self.engine, environment.name)

    def _look_for_drift(self) -> None:
        """Order that the environments which ask for it are compared with their record again and again."""
        from shipline.capabilities.rollouts import order_drift_looks

        asking = {one.name for one in self.environments if one.drift_every_s}
        now_us = self.clock.now_us()
        if not asking or now_us < self._next_drift_us:
            return
        self._next_drift_us = now_us + int(LOOK_EVERY_S * 1_000_000)
        for environment in sorted(asking):
            with self.store.begin() as tx:
                order_drift_looks(tx, self.engine, environment)

    def _order_yank(self, tx: Transaction, event: Event) -> None:
        """A version that the analysis sent back is yanked, by a run of its own, if the settings say so now."""
        from shipline.capabilities.releases import order_yank_after_rollback

        if self.settings.release.yank_on_rollback:
            order_yank_after_rollback(tx, self.engine, event)


def _observe(
    follow: Callable[[Transaction, EventWriter, Run], None], events: EventWriter, tx: Transaction, run: Run
) -> None:
    follow(tx, events, run)
