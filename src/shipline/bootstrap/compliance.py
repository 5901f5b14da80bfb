"""The frameworks that a project's releases have to keep, read from where its policy is."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from shipline.capabilities.gates import Coverage, Framework
    from shipline.capabilities.releases import ReleaseGround
    from shipline.configuration import Settings
    from shipline.configuration.policy import Policy
    from shipline.domain.release import Release
    from shipline.ports.repository import Repository

    class Place(Protocol):
        """What is asked of an application."""

        @property
        def root(self) -> Path:
            """The top of the project."""
            ...

        @property
        def settings(self) -> Settings:
            """The settings that lie here."""
            ...

        @property
        def policy(self) -> Policy:
            """What decides."""
            ...

        @property
        def repository(self) -> Repository:
            """The git repository."""
            ...

    class Showing(Place, Protocol):
        """An application that shows releases."""

        @property
        def release_ground(self) -> ReleaseGround:
            """What releases stand on."""
            ...


def required_frameworks_of(place: Place) -> tuple[Framework, ...]:
    """Those that the policy requires, as they are there, and what this commit adds. ConfigurationError for one that
    cannot be read: what is not known is no permission."""
    from shipline.configuration.compliance import required_frameworks
    from shipline.domain.errors import ConfigurationError

    trusted = place.policy.trusted
    names = required_frameworks(None if trusted is None else trusted.compliance, place.settings.compliance)
    found = tuple(_framework(place, name, is_trusted=is_trusted) for name, is_trusted in names)
    known = [one.name for one in found]
    doubled = next((name for name in known if known.count(name) > 1), None)
    if doubled is not None:
        raise ConfigurationError(f"two required frameworks are named {doubled!r}", todo="give yours another name")
    return found


def framework_named(name: str) -> Framework:
    """One that comes with Shipline, or the file of this path. UsageError for what is neither."""
    from shipline.capabilities.evidence import read_file
    from shipline.capabilities.gates import FRAMEWORK_BYTES_MAX, FRAMEWORKS, built_in, read_framework
    from shipline.domain.errors import UsageError

    if name in FRAMEWORKS:
        return built_in(name)
    if not name.endswith(".toml"):
        todo = f"known ones: {', '.join(FRAMEWORKS)}; one of your own is the path of a .toml file"
        raise UsageError(f"there is no framework {name[:60]!r}", todo=todo)
    return read_framework(read_file(Path(name), limit_bytes=FRAMEWORK_BYTES_MAX), where=name)


def required_coverages(place: Showing, release: Release) -> tuple[Coverage, ...]:
    """How a release stands to the frameworks that are required."""
    from shipline.capabilities.releases import coverages_of

    frameworks = required_frameworks_of(place)
    return coverages_of(place.release_ground, release, frameworks) if frameworks else ()


def _framework(place: Place, name: str, *, is_trusted: bool) -> Framework:
    from shipline.capabilities.gates import FRAMEWORKS, read_framework
    from shipline.domain.errors import ConfigurationError

    if not name.endswith(".toml"):
        if name not in FRAMEWORKS:
            raise ConfigurationError(f"there is no framework {name[:60]!r}", todo="known: " + ", ".join(FRAMEWORKS))
        return framework_named(name)
    return read_framework(_trusted_file(place, name) if is_trusted else _own_file(place.root, name), where=name)


def _trusted_file(place: Place, name: str) -> bytes:
    """The file as it is where the policy is: in the commit that holds it, or beside the file that SHIPLINE_POLICY
    names."""
    from shipline.configuration.policy import POLICY_VARIABLE
    from shipline.domain.errors import ConfigurationError

    commit = place.policy.commit
    if commit is None:
        return _own_file(Path(os.environ.get(POLICY_VARIABLE, "")).parent, name)
    folder = place.root.resolve().relative_to(place.repository.root().resolve()).as_posix()
    path = name if folder == "." else f"{folder}/{name}"
    content = place.repository.read_files((path,), commit).get(path)
    if content is None:
        raise ConfigurationError(
            f"the framework {name} is not in {commit[:12]}",
            why=f"{place.policy.source} requires it, and frameworks count as they are there",
            todo=f"commit {name} on that branch",
        )
    return content


def _own_file(folder: Path, name: str) -> bytes:
    from shipline.capabilities.version_files import content_of
    from shipline.domain.errors import ConfigurationError, ShiplineError

    try:
        return content_of(folder, name)
    except ShiplineError as error:
        todo = "write it, or leave it out of [compliance] required"
        raise ConfigurationError(f"the framework {name} cannot be read", why=error.sentence(), todo=todo) from None
