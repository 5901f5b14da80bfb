"""A place that has a yanked version, and the registries among them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from shipline.capabilities.releases.ground import ReleaseGround
from shipline.capabilities.releases.outlets import Outlet
from shipline.capabilities.releases.yank.before import Before
from shipline.domain.release import Release
from shipline.domain.verdict import Answer
from shipline.ports.registry import Finding, PublishedFile, YankAnswer


class Place(Protocol):
    """Where a version is, and can be taken back or marked.

    `name` is unique in a release. Names of registries hold no space, so that those of other places never meet them.
    """

    @property
    def name(self) -> str:
        """What people call it."""
        ...

    def take_back(self, release: Release) -> YankAnswer | None:
        """Look what is there, and do what is missing; None where the place has nothing of the release. Idempotent.

        Raises ShiplineError, retryable where another try may help.
        """
        ...

    def look(self, release: Release) -> Finding:
        """Whether the place shows the release as taken back. Changes nothing."""
        ...


@dataclass(frozen=True, slots=True)
class RegistryPlace:
    """A registry that serves the release, or, unless it is `recorded`, one that may: publishing was cut off before it
    was written down. `outlet` None: it is not in the settings any more."""

    name: str
    outlet: Outlet | None
    ground: ReleaseGround
    recorded: bool = True

    def take_back(self, release: Release) -> YankAnswer | None:
        """As the registry has it; its channels go back to the version that was good before.

        Where it is not on record what is there is looked at first: somebody else's files are left alone.
        """
        if self.outlet is None:
            words = f"{self.name} is not in shipline.toml any more: take {release.version} back there"
            return YankAnswer((), (words,))
        if not self.recorded:
            served = self.outlet.registry.find(release.package, release.version)
            if not served:
                return None
            if not _are_any_ours(release, served):
                words = f"the files of {release.version} that it serves are not those of this release: they stay"
                return YankAnswer((), (), (words,))
        back_to = Before(self.ground, release).in_registry(self.outlet)
        registry = self.outlet.registry
        return registry.yank(release.package, release.version, reason=release.yank_reason, back_to=back_to)

    def look(self, release: Release) -> Finding:
        """Ask it."""
        if self.outlet is None:
            return Finding(Answer.UNKNOWN, "it is not in shipline.toml any more, so it cannot be asked")
        return self.outlet.registry.verify_yank(release.package, release.version)


def registry_places(ground: ReleaseGround, release: Release) -> tuple[RegistryPlace, ...]:
    """The registries that serve it, in the order in which it came to them; then, where it was never published whole,
    those that it was on its way to."""
    outlets = {outlet.name: outlet for outlet in ground.outlets}
    names = dict.fromkeys(publication.registry for publication in release.publications)
    recorded = tuple(RegistryPlace(name, outlets.get(name), ground) for name in names)
    if release.published_us is not None:
        return recorded
    others = (one for one in ground.outlets if one.name not in names)
    going = (one for one in others if one.artifacts(release.package, release.artifacts))
    return (*recorded, *(RegistryPlace(one.name, one, ground, recorded=False) for one in going))


def _are_any_ours(release: Release, served: tuple[PublishedFile, ...]) -> bool:
    """True unless all of them are surely other bytes. A registry may not say what its bytes are."""
    ours = {artifact.name: artifact.digest for artifact in release.artifacts}
    return any(file.name in ours and file.digest in (ours[file.name], None) for file in served)
