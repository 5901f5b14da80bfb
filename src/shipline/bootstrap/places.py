"""What automations ask of an application, and whose settings say what is done by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shipline.capabilities.plans import Linter
    from shipline.capabilities.releases import Candidate, ReleaseGround
    from shipline.capabilities.rollouts import Ground
    from shipline.capabilities.version_files import Found
    from shipline.configuration import EnvironmentSettings, PackageSettings, Settings
    from shipline.configuration.policy import Policy
    from shipline.domain.package import Package
    from shipline.domain.release_plan import ReleasePlan
    from shipline.engine.engine import Engine
    from shipline.ports.forge import Forge
    from shipline.ports.provider import ProviderContext
    from shipline.ports.repository import Repository
    from shipline.providers.clock.system import SystemClock
    from shipline.store.database import Store
    from shipline.store.event_writer import EventWriter


class Place(Protocol):
    """What is asked of an application."""

    clock: SystemClock

    @property
    def settings(self) -> Settings:
        """Those of the work tree."""
        ...

    @property
    def policy(self) -> Policy:
        """What the protected branch says."""
        ...

    @property
    def branch(self) -> str | None:
        """The branch that HEAD is on."""
        ...

    @property
    def release_branch(self) -> str:
        """The only branch that may be released from, "" where this one may. RefusedError where none may."""
        ...

    @property
    def repository(self) -> Repository:
        """The repository."""
        ...

    @property
    def store(self) -> Store:
        """The open store."""
        ...

    @property
    def engine(self) -> Engine:
        """This process's engine."""
        ...

    @property
    def events(self) -> EventWriter:
        """Writes events as Shipline itself."""
        ...

    @property
    def forge(self) -> Forge | None:
        """Where releases are shown."""
        ...

    @property
    def release_ground(self) -> ReleaseGround:
        """What releases stand on."""
        ...

    def known_packages(self) -> tuple[Package, ...]:
        """The configured packages, or those that are found."""
        ...

    def version_files(self, package: Package, everyone: Sequence[Package]) -> Found:
        """The files that state its version."""
        ...

    def table_of(self, package: Package) -> PackageSettings:
        """Its table, or the defaults."""
        ...

    def final_candidate(self, tag: str) -> Candidate:
        """The package whose pre-release has this tag, to be made final."""
        ...

    @property
    def linter(self) -> Linter:
        """What commit messages must be like."""
        ...

    def plan_at(self, commit: str, *, branch: str) -> ReleasePlan:
        """The plan of a commit as if it were the newest of a branch."""
        ...

    def releases_from(self, branch: str) -> bool:
        """True where versions are released from a branch of this name."""
        ...

    def candidates(self, names: tuple[str, ...], *, channel: str | None = None) -> tuple[Candidate, ...]:
        """The packages to release."""
        ...

    def context(self, *parts: str, environment: str = "") -> ProviderContext:
        """Where a provider works."""
        ...

    def afresh(self) -> Place:
        """The project as its files are at this moment, on the same store and engine."""
        ...


class OrderingPlace(Place, Protocol):
    """What orders of releases and rollouts ask, beside that. `is_server`: its work tree is its own."""

    is_server: bool

    @property
    def packages(self) -> tuple[Package, ...] | None:
        """The configured packages, None where they are found."""
        ...

    @property
    def environments(self) -> tuple[EnvironmentSettings, ...]:
        """The environments that there are now."""
        ...

    def environment(self, name: str) -> EnvironmentSettings:
        """One of them; UnknownName where there is none."""
        ...

    def stage_of(self, environment: str) -> str:
        """The stage whose gates and calendar hold there."""
        ...

    def rollout_ground(self, environment: EnvironmentSettings) -> Ground:
        """What an environment's rollouts stand on."""
        ...

    def afresh(self) -> OrderingPlace:
        """The project as its files are at this moment, on the same store and engine."""
        ...


def trusted_settings(application: Place) -> Settings:
    """The settings that say what is done by itself: those of the protected branch where there is one, as for gates."""
    trusted = application.policy.trusted
    return application.settings if trusted is None else trusted
