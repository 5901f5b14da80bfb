"""Release: one package at one version, carried out in numbered attempts."""

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
    YANKED = "yanked"  # Taken back, as far as that goes: nobody should use it.


LEGAL = {
    # Yanked from both: some of it may be public.
    ReleaseStatus.PREPARING: frozenset(
        {ReleaseStatus.STOPPED, ReleaseStatus.REFUSED, ReleaseStatus.PUBLISHED, ReleaseStatus.YANKED}
    ),
    ReleaseStatus.STOPPED: frozenset({ReleaseStatus.PREPARING, ReleaseStatus.YANKED}),
    ReleaseStatus.REFUSED: frozenset({ReleaseStatus.PREPARING}),
    ReleaseStatus.PUBLISHED: frozenset({ReleaseStatus.YANKED}),
    ReleaseStatus.YANKED: frozenset[ReleaseStatus](),
}


@dataclass(frozen=True, slots=True)
class Publication:
    """That a registry serves a release, read back. `registry` is its name in the settings, unique in a release;
    `files` are the artifacts' names, `seconds` what it took."""

    registry: str
    files: tuple[str, ...]
    channel: str
    seconds: float
    published_us: int


@dataclass(frozen=True, slots=True)
class Yank:
    """What became of a yank in one place. `place` is a registry's name in the settings (or another place that had the
    version), unique in a release. `by_hand` is left to a person, since there is no call for it; `verified_us` is when
    the place was seen to show the version as taken back, None until then. `seconds` is what it took.
    """

    place: str
    done: tuple[str, ...]
    by_hand: tuple[str, ...]
    not_done: tuple[str, ...]
    seconds: float
    verified_us: int | None = None

    @property
    def is_open(self) -> bool:
        """True while a person has something to do."""
        return bool(self.by_hand) and self.verified_us is None


@dataclass(frozen=True, slots=True)
class Release:
    """One package at one version.

    `version` is unique per package. `commit` is the released commit, None until the tag is made. `attempt` counts
    from 1. `published_us` is None until published. `reasons` are the plan's, in sentences: why this version.
    `channel` is `stable`, the word of a pre-release (`rc`), `snapshot`, or the line of a maintenance branch
    (`1.x`), whose versions must not become the newest for everybody. `hotfix`: it is a final version from a hotfix
    branch. `publications` are the registries that serve it. `yank_reason` says why it was taken back, "" if it was
    not, and `yanks` what came of that, place by place.
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
    publications: tuple[Publication, ...] = ()
    yank_reason: str = ""
    yanks: tuple[Yank, ...] = ()
    channel: str = "stable"
    hotfix: bool = False

    @property
    def is_prerelease(self) -> bool:
        """True for what is not final; a line ends in `.x`, which no word may hold."""
        return self.channel != "stable" and not self.channel.endswith(".x")

    def to(self, status: ReleaseStatus) -> Release:
        """The release in another status; IllegalTransition if it cannot get there."""
        return replace(self, status=move("release", LEGAL, self.status, status))
