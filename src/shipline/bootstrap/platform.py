"""What the traffic of an environment is told where one platform runs and routes: the target's settings, and a forge."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

from shipline.configuration.providers import read_provider

if TYPE_CHECKING:
    from shipline.configuration import EnvironmentSettings, Settings
    from shipline.ports.forge import Forge
    from shipline.ports.provider import ProviderContext
    from shipline.ports.repository import Repository

# What a [forge] says of one repository; the rest is about the forge, whichever repository is asked for.
OF_ONE_REPOSITORY = ("repository", "api_url")


class Place(Protocol):
    """What is asked of an application."""

    @property
    def settings(self) -> Settings:
        """The settings."""
        ...

    @property
    def repository(self) -> Repository:
        """The repository."""
        ...

    @property
    def forge(self) -> Forge | None:
        """The forge of the settings."""
        ...

    def context(self, *parts: str, environment: str = "") -> ProviderContext:
        """Where a provider works."""
        ...


def of_its_target(place: Place, environment: EnvironmentSettings) -> ProviderContext:
    """The traffic's context; with the target's settings where both providers have one name."""
    context = place.context("environments", environment.name, "traffic", environment=environment.name)
    name = environment.traffic.get("provider")
    if name is None or name != environment.target.get("provider"):
        return context
    _, settings = read_provider("target", environment.target, default="")
    return replace(context, target=settings, forge_of=lambda address: _forge_of(place, address))


def _forge_of(place: Place, address: str) -> Forge:
    """The forge of the repository that an address names: the project's own, or another one with the same account."""
    from shipline.configuration.forges import completed, read_remote

    wanted, own = read_remote(address), place.repository.remote_address(place.settings.release.remote or "origin")
    if place.forge is not None and (wanted is None or (own is not None and read_remote(own) == wanted)):
        return place.forge
    table: dict[str, Any] = {key: each for key, each in place.settings.forge.items() if key not in OF_ONE_REPOSITORY}
    kind, settings = read_provider("forge", completed(table, address), default="")
    built: Forge = kind(settings, place.context("forge"))
    return built
