"""Release: one package at one version, carried out in numbered attempts; a ReleaseBatch groups those of one plan."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from shipline.domain.artifact import Artifact
from shipline.domain.transitions import move


class ReleaseStatus(StrEnum):
    """Where a release stands. Illegal moves raise IllegalTransition."""

    PREPARING = "preparing"
    STOPPED = "stopped"  # Resumable: `shipline release` again does only what is missing.
    REFUSED = "refused"  # A gate said no.
    PUBLISHED = "published"
    WITHDRAWN = "withdrawn"


LEGAL = {
    ReleaseStatus.PREPARING: frozenset({ReleaseStatus.STOPPED, ReleaseStatus.REFUSED, ReleaseStatus.PUBLISHED}),
    ReleaseStatus.STOPPED: frozenset({ReleaseStatus.PREPARING}),
    ReleaseStatus.REFUSED: frozenset({ReleaseStatus.PREPARING}),
    ReleaseStatus.PUBLISHED: frozenset({ReleaseStatus.WITHDRAWN}),
    ReleaseStatus.WITHDRAWN: frozenset[ReleaseStatus](),
}


@dataclass(frozen=True, slots=True)
class Release:
    """One package at one version.

    `version` is unique per package. `commit` is the released commit, None until the tag is made. `attempt` counts
    from 1. `published_us` is None until published. `reasons` are the plan's,
    in sentences: why this version. `withdrawal` says in words what was withdrawn and what was not.
    """

    id: str
    package: str
    version: str
    tag: str
    status: ReleaseStatus
    attempt: int
    created_us: int
    previous_version: str | None = None
    commit: str | None = None
    notes_markdown: str = ""
    reasons: tuple[str, ...] = ()
    artifacts: tuple[Artifact, ...] = ()
    published_us: int | None = None
    withdrawal: str = ""

    def to(self, status: ReleaseStatus) -> Release:
        """The release in another status; IllegalTransition if it cannot get there."""
        return replace(self, status=move("release", LEGAL, self.status, status))


@dataclass(frozen=True, slots=True)
class ReleaseBatch:
    """The releases of one plan, in dependency order."""

    id: str
    commit: str
    releases: tuple[str, ...]
