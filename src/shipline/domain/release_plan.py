"""ReleasePlan: for each package the current and next version, why, and the Changes. A value."""

from __future__ import annotations

from dataclasses import dataclass

from shipline.domain.change import Bump, Change


@dataclass(frozen=True, slots=True)
class PackagePlan:
    """What one package would be released as.

    `current` is the last released version, None before the first release; `next` equals `current` when nothing is
    to be released (`bump` is NONE). `tag` is the tag of `next`. `reasons` are sentences for people.
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

    @property
    def releasable(self) -> bool:
        """True when there is a new version to release."""
        return self.bump is not Bump.NONE


@dataclass(frozen=True, slots=True)
class ReleasePlan:
    """The plan for one commit of a repository; `commit` is what would be released from."""

    commit: str
    packages: tuple[PackagePlan, ...]

    @property
    def releasable(self) -> tuple[PackagePlan, ...]:
        """The packages that have something to release."""
        return tuple(package for package in self.packages if package.releasable)
