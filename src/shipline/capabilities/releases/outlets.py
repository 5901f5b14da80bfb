"""The registries of a project under the names that its settings give them, and what goes where."""

from __future__ import annotations

from dataclasses import dataclass

from shipline.capabilities.plans import STABLE, compare, scheme_named
from shipline.domain.artifact import Artifact
from shipline.domain.errors import ConflictError
from shipline.domain.package import Package
from shipline.domain.release import Release
from shipline.ports.registry import PublishedFile, Registry


@dataclass(frozen=True, slots=True)
class Outlet:
    """A registry as it is configured. `name` is unique; `packages` are those that go there, empty for all."""

    name: str
    registry: Registry
    packages: tuple[str, ...] = ()

    def kinds_of(self, package: Package, built: tuple[str, ...]) -> tuple[str, ...]:
        """Of the kinds of artifact that are built of a package, those that go there."""
        if self.packages and package.name not in self.packages:
            return ()
        return tuple(kind for kind in built if not self.registry.kinds or kind in self.registry.kinds)

    def artifacts(self, package: str, built: tuple[Artifact, ...]) -> tuple[Artifact, ...]:
        """Those that go there."""
        if self.packages and package not in self.packages:
            return ()
        return tuple(one for one in built if not self.registry.kinds or one.kind in self.registry.kinds)


def channel_of(package: Package, version: str) -> str:
    """The channel that a version belongs to: `stable`, or the word that marks it (`rc`)."""
    read = scheme_named(package.scheme).parse(version)
    return STABLE if read is None or read.channel is None else read.channel


def check_same(where: str, artifacts: tuple[Artifact, ...], served: tuple[PublishedFile, ...]) -> None:
    """Refuse (ConflictError) where a registry serves other bytes under the name of one of `artifacts`."""
    digests = {file.name: file.digest for file in served}
    for artifact in artifacts:
        if digests.get(artifact.name) not in (artifact.digest, None):
            raise ConflictError(
                f"the registry {where} serves other bytes as {artifact.name}",
                why=f"ours are {artifact.digest}, there are {digests[artifact.name]}",
                todo="find out who published them; a version's bytes never change, so release the next version",
            )


def good_before(release: Release, published: tuple[Release, ...], registry: str) -> str | None:
    """The version that a registry's channel should name instead of a yanked one: the highest below it that is still
    published there in the same channel. None where there is none.

    Not the newest: a maintenance release may have come after it.
    """
    channels = {publication.registry: publication.channel for publication in release.publications}
    others = {
        other.version
        for other in published
        for publication in other.publications
        if registry == publication.registry and publication.channel == channels.get(registry)
    }
    for scheme in map(scheme_named, ("semver", "pep440")):
        mine, read = scheme.parse(release.version), [scheme.parse(version) for version in sorted(others)]
        known = [version for version in read if version is not None]
        if mine is not None and len(known) == len(read):
            lower = [version for version in known if compare(version, mine) < 0]
            return max(lower, key=lambda version: version.key).text if lower else None
    return None
