"""A place that has a yanked version, and the registries among them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from shipline.capabilities.releases.ground import ReleaseGround
from shipline.capabilities.releases.outlets import Outlet
from shipline.capabilities.releases.yank.before import Before
from shipline.domain.release import Release
from shipline.domain.verdict import Answer
from shipline.ports.registry import Finding, YankAnswer


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
    """A registry that serves the release. `outlet` None: it is not in the settings any more."""

    name: str
    outlet: Outlet | None
    ground: ReleaseGround

    def take_back(self, release: Release) -> YankAnswer | None:
        """As the registry has it; its channels go back to the version that was good before."""
        if self.outlet is None:
            words = f"{self.name} is not in shipline.toml any more: take {release.version} back there"
            return YankAnswer((), (words,))
        back_to = Before(self.ground, release).in_registry(self.outlet)
        registry = self.outlet.registry
        return registry.yank(release.package, release.version, reason=release.yank_reason, back_to=back_to)

    def look(self, release: Release) -> Finding:
        """Ask it."""
        if self.outlet is None:
            return Finding(Answer.UNKNOWN, "it is not in shipline.toml any more, so it cannot be asked")
        return self.outlet.registry.verify_yank(release.package, release.version)


def registry_places(ground: ReleaseGround, release: Release) -> tuple[RegistryPlace, ...]:
    """The registries that serve it, in the order in which it came to them."""
    outlets = {outlet.name: outlet for outlet in ground.outlets}
    names = dict.fromkeys(publication.registry for publication in release.publications)
    return tuple(RegistryPlace(name, outlets.get(name), ground) for name in names)
