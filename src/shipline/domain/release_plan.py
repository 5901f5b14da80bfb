"""ReleasePlan: for each package the current and next version, why, and the Changes. A value."""

from __future__ import annotations

from dataclasses import dataclass

from shipline.domain.change import Bump, Change


@dataclass(frozen=True, slots=True)
class RequirementEdit:
    """A release of `package` changes what a manifest requires, because it is `broken`: the new version is out of it.

    Where it is not, the manifest follows only because its package is released anyway.

    `path` is the manifest, from the root. `name` is the package as the manifest writes it, `before` and `after` are the
    ranges as written there; `version` is the new version. A `peer` is required of whoever uses the package. What
    requires the package for `development` alone is not released for it: its manifest changes with the package.
    """

    path: str
    name: str
    package: str
    version: str
    before: str
    after: str
    peer: bool = False
    broken: bool = True
    development: bool = False


@dataclass(frozen=True, slots=True)
class PackagePlan:
    """What one package would be released as.

    `current` is the last released version, None before the first release; `next` equals `current` when nothing is
    to be released (`bump` is NONE). `tag` is the tag of `next`. `reasons` are sentences for people.
    `requirements` are the edits of the package's own manifests that other packages' releases make necessary, and those
    of other packages' manifests that require it for development; `changesets` are the files, from the root, that a
    release uses up.
    """

    name: str
    path: str
    current: str | None
    next: str | None
    bump: Bump
    tag: str | None
    channel: str
    reasons: tuple[str, ...]
    changes: tuple[Change, ...]
    requirements: tuple[RequirementEdit, ...] = ()
    changesets: tuple[str, ...] = ()

    @property
    def releasable(self) -> bool:
        """True when there is a new version to release."""
        return self.bump is not Bump.NONE


@dataclass(frozen=True, slots=True)
class ReleasePlan:
    """The plan for one commit of a repository; `commit` is what would be released from.

    `packages` come in the order of their releases: what a package requires comes before it. `notes` are sentences
    about the repository as a whole: what was left aside, what goes in circles.
    """

    commit: str
    packages: tuple[PackagePlan, ...]
    notes: tuple[str, ...] = ()

    @property
    def releasable(self) -> tuple[PackagePlan, ...]:
        """The packages that have something to release."""
        return tuple(package for package in self.packages if package.releasable)
