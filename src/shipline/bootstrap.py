"""The only wiring: settings in, rooms with their providers out.

Everything heavy is imported by the function that needs it, so that a command pays only for what it uses.
"""

from __future__ import annotations

import os
from functools import cached_property
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shipline.configuration import EnvironmentSettings, PackageSettings, Settings, find_root, load_settings
from shipline.configuration.load import read_table
from shipline.domain.errors import ConfigurationError, UsageError
from shipline.domain.package import Package
from shipline.ports.provider import ProviderContext
from shipline.providers.clock.system import SystemClock, SystemIds

if TYPE_CHECKING:
    from shipline.engine.engine import Engine
    from shipline.engine.runner import Runner
    from shipline.ports.builder import Builder
    from shipline.ports.registry import Registry
    from shipline.ports.repository import Repository
    from shipline.ports.signer import Signer
    from shipline.store.database import Store
    from shipline.store.event_writer import EventWriter

STATE_FOLDER = ".shipline"
STORE_VARIABLE = "SHIPLINE_STORE"
PAUSED_CANARY_S = 24 * 3600


def provider_class(port: str, name: str) -> Any:
    """The provider of a port by its entry point's name. Unknown: ConfigurationError that lists the known ones."""
    known = {point.name: point for point in entry_points(group=f"shipline.{port}")}
    if name not in known:
        listed = ", ".join(sorted(known)) or "none"
        raise ConfigurationError(f"there is no {port} provider {name[:60]!r}", todo=f"known ones: {listed}")
    return known[name].load()


def build_provider(port: str, table: dict[str, Any], context: ProviderContext, *, default: str) -> Any:
    """A provider from its table: `provider` names it, the rest is checked strictly by its own Settings."""
    settings = dict(table)
    name = str(settings.pop("provider", default))
    kind = provider_class(port, name)
    return kind(read_table(kind.Settings, settings, f"shipline.toml, {port} provider {name}"), context)


class Application:
    """One project's parts, each made when it is first asked for. `start` is where the user stands."""

    def __init__(self, start: Path) -> None:
        self.start = start
        self.clock = SystemClock()
        self.ids = SystemIds()

    @cached_property
    def root(self) -> Path:
        """The top of the project."""
        return find_root(self.start)

    @cached_property
    def settings(self) -> Settings:
        """`shipline.toml`, or the defaults."""
        return load_settings(self.root)

    @cached_property
    def state(self) -> Path:
        """The folder for what this machine knows of the project; it ignores itself in git."""
        folder = self.root / STATE_FOLDER
        folder.mkdir(mode=0o700, exist_ok=True)
        ignore = folder / ".gitignore"
        if not ignore.exists():
            ignore.write_text("*\n")
        return folder

    def context(self, *parts: str, environment: str = "") -> ProviderContext:
        """Where a provider works; `parts` name its folder."""
        return ProviderContext(self.root, self.state.joinpath(*parts), self.clock, environment)

    # --- reading -----------------------------------------------------------------------------------------------

    @cached_property
    def repository(self) -> Repository:
        """The git repository."""
        # Named here and not by its entry point: a plan must not pay for a look through all installed packages.
        from shipline.providers.repository.git import GitRepository

        context = ProviderContext(self.root, self.root / STATE_FOLDER, self.clock)
        return GitRepository(GitRepository.Settings(), context)

    @cached_property
    def packages(self) -> tuple[Package, ...] | None:
        """The configured packages, None where they are to be found in the repository."""
        tables = self.settings.package
        return tuple(self._package(table) for table in tables) if tables else None

    def _package(self, table: PackageSettings) -> Package:
        usual = Package(table.name, table.path)
        ecosystem = table.ecosystem or usual.ecosystem
        scheme = table.scheme or ("pep440" if ecosystem == "python" else "semver")
        return Package(table.name, table.path, ecosystem, scheme, table.tag_format or usual.tag_format)

    # --- providers ---------------------------------------------------------------------------------------------

    def builder(self, ecosystem: str) -> Builder:
        """What builds packages of an ecosystem."""
        built: Builder = build_provider("builder", self.settings.build, self.context("build"), default=ecosystem)
        return built

    @cached_property
    def registry(self) -> Registry | None:
        """Where artifacts are published, None where the settings name no registry."""
        if not self.settings.registry:
            return None
        built: Registry = build_provider("registry", self.settings.registry, self.context("registry"), default="pypi")
        return built

    @cached_property
    def signer(self) -> Signer:
        """What signs evidence."""
        built: Signer = build_provider("signer", self.settings.signer, self.context("signer"), default="file")
        return built

    # --- the record and the engine -----------------------------------------------------------------------------

    @cached_property
    def store_url(self) -> str:
        """The store's URL: the environment's, the settings', or SQLite in the state folder."""
        configured = os.environ.get(STORE_VARIABLE, "") or self.settings.store
        return configured or f"sqlite:///{self.state / 'store.db'}"

    @cached_property
    def store(self) -> Store:
        """The open store."""
        from shipline.store.database import Store

        return Store(self.store_url).open()

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

    def runner(self) -> Runner:
        """What runs the engine in this process, if this process may."""
        from shipline.engine.dbos_scheduler import DBOSScheduler
        from shipline.engine.lease import Lease
        from shipline.engine.runner import Runner

        path = self.store.path
        lease = Lease(path.with_suffix(".lock") if path is not None else None)
        scheduler = DBOSScheduler(self.store, node_id=self.engine.node_id)
        return Runner(self.engine, scheduler, lease, self._chores())

    def environment(self, name: str) -> EnvironmentSettings:
        """An environment's settings. Unknown: UsageError that lists the known ones."""
        for environment in self.settings.environment:
            if environment.name == name:
                return environment
        known = ", ".join(environment.name for environment in self.settings.environment) or "none"
        raise UsageError(
            f"there is no environment {name[:60]!r}", todo=f"known ones: {known}; add [[environment]] to shipline.toml"
        )
