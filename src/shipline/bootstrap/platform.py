"""What the traffic of an environment is told where one platform runs and routes: the target's settings, and a forge."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

from shipline.configuration.forges import PUBLIC_GITHUB, completed, read_remote
from shipline.configuration.providers import read_provider
from shipline.domain.errors import ConfigurationError

if TYPE_CHECKING:
    from shipline.configuration import EnvironmentSettings, Settings
    from shipline.ports.forge import Forge
    from shipline.ports.provider import ProviderContext
    from shipline.ports.repository import Repository


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
    """The forge of the repository that an address names: the project's own, or the same with another repository.

    It is on the host of that forge's API, or of the project's remote where that is the forge's repository;
    ConfigurationError where the address leads elsewhere: the project's token is for its forge alone.
    """
    if place.forge is None:
        raise _no_forge("the settings name no forge")
    name = place.settings.release.remote or "origin"
    own = place.repository.remote_address(name)
    table = completed(place.settings.forge, own or name)
    wanted, mine = read_remote(address), None if own is None else read_remote(own)
    if wanted is None:
        raise _no_forge("the address of the manifests leads to no forge")
    kind, settings = read_provider("forge", table | {"repository": wanted.path}, default="")
    hosts = {_web_host(getattr(settings, "api_url", ""))}
    if mine is not None and table.get("repository") == mine.path:
        hosts.add(mine.host)
    if not wanted.host or wanted.host not in hosts:
        raise _no_forge(f"the manifests are on {wanted.host}, which is not the forge of this project")
    if table.get("repository") == wanted.path:
        return place.forge
    # Where the API is stays as it is for the project, so that its token goes nowhere else.
    built: Forge = kind(settings, place.context("forge"))
    return built


def _web_host(api_url: str) -> str:
    """The host that people know the forge of an API by, "" for none."""
    host = urlsplit(api_url).hostname or ""
    return PUBLIC_GITHUB if host == f"api.{PUBLIC_GITHUB}" else host


def _no_forge(why: str) -> ConfigurationError:
    return ConfigurationError(
        'mode = "pull-request" needs the manifests on the forge of this project',
        why=why,
        todo='move them there, or set mode = "commit"',
    )
