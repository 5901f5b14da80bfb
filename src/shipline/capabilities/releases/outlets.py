"""The registries of a project under the names that its settings give them, and what goes where."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from shipline.capabilities.plans import STABLE, scheme_named
from shipline.domain.artifact import Artifact
from shipline.domain.errors import ConflictError
from shipline.domain.package import Package
from shipline.ports.attachments import ImageStore
from shipline.ports.registry import PublishedFile, Registry


@dataclass(frozen=True, slots=True)
class Outlet:
    """A registry as it is configured. `name` is unique; `packages` are those that go there, empty for all. `images` is
    the same registry where it holds images, on which signatures can hang."""

    name: str
    registry: Registry
    packages: tuple[str, ...] = ()
    images: ImageStore | None = None

    def kinds_of(self, package: Package, built: tuple[str, ...]) -> tuple[str, ...]:
        """Of the kinds of artifact that are built of a package, those that go there."""
        if self.packages and package.name not in self.packages:
            return ()
        return tuple(kind for kind in built if not self.registry.kinds or kind in self.registry.kinds)

    def idle_for(self, packages: Sequence[Package], built: Callable[[Package], tuple[str, ...]]) -> tuple[Package, ...]:
        """Of all packages of the project those that are to go there, and of which it would get nothing.

        Those that are named are meant. Where none is named, others may well go elsewhere, as long as one goes there.
        """
        meant = tuple(one for one in packages if not self.packages or one.name in self.packages)
        idle = tuple(one for one in meant if not self.kinds_of(one, built(one)))
        return idle if self.packages or len(idle) == len(meant) else ()

    def wants(self, package: Package, built: tuple[str, ...]) -> str:
        """What it takes, and what there is, in words."""
        takes = f"it takes {', '.join(self.registry.kinds)}" if self.registry.kinds else "it takes whatever is built"
        return f"{takes}, and of {package.name} {', '.join(dict.fromkeys(built)) or 'nothing'} is built"

    def artifacts(self, package: str, built: tuple[Artifact, ...]) -> tuple[Artifact, ...]:
        """Those that go there."""
        if self.packages and package not in self.packages:
            return ()
        return tuple(one for one in built if not self.registry.kinds or one.kind in self.registry.kinds)


IDLE_TODO = (
    "add a [[build]] that makes what it takes, name the packages that go there (packages), or take the [[registry]] out"
    " of shipline.toml"
)


def channel_of(package: Package, version: str, planned: str = STABLE) -> str:
    """The channel that a version belongs to: `stable`, the word that marks it (`rc`), or what was `planned` where that
    is the line of a maintenance branch (`1.x`) or another word for the same."""
    scheme = scheme_named(package.scheme)
    read = scheme.parse(version)
    is_line = planned.endswith(".x")
    if read is None or (read.is_stable and is_line):
        return planned
    if read.channel is None:
        return STABLE
    return planned if planned != STABLE and not is_line and scheme.same_channel(planned, read) else read.channel


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
