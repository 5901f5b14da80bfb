"""What is so of milestones, as it was read from forge and git. Values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from shipline.capabilities.automation.milestones.tags import Numbered, Tags


@dataclass(frozen=True, slots=True)
class IssueSeen:
    """An issue of a milestone. `is_told`: its comment says already that the version is out."""

    number: int
    title: str
    is_open: bool
    is_told: bool = False


@dataclass(frozen=True, slots=True)
class Tracking:
    """A tracking issue of ours. `key` is its milestone's, `version` what it was about when it was written last."""

    number: int
    key: str
    version: str
    title: str
    body: str
    is_open: bool


@dataclass(frozen=True, slots=True)
class PullSeen:
    """An open pull request."""

    number: int
    title: str
    body: str


@dataclass(frozen=True, slots=True)
class BranchSeen:
    """Where the branch of a version stands, and what goes with it. `tip` None: there is none. `is_ours` False: people
    have committed to it. `pull` is the open pull request from it, `drafts` are the candidates with a draft."""

    tip: str | None = None
    is_ours: bool = True
    pull: PullSeen | None = None
    drafts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Content:
    """What the branch of a version is to stand on: `commit`, stating `version`; `notes` are those of the final one."""

    commit: str
    version: str
    notes: str = ""


@dataclass(frozen=True, slots=True)
class MilestoneSeen:
    """A milestone whose title is a version.

    `new_tags` are the development tags that are due, `newest` the newest tag of it in the order of the branch with
    those in it, `candidate` the release candidate that stands for `newest` and `makes_candidate` whether it is still to
    be made; both None, and `content` too, where no commit is green yet. `is_merged`: the release branch states the
    version. `url` is that of the final release's page, None where it is not announced. `brings_back` is the effect
    that is due on the development branch after a release: "" for none, "forward" for a fast-forward to `release_tip`,
    or "pull". `held_said` is what the comment about open issues says already.
    """

    key: str
    title: str
    version: str
    url: str
    is_closed: bool
    issues: tuple[IssueSeen, ...] = ()
    tracking: Tracking | None = None
    branch: BranchSeen = field(default_factory=BranchSeen)
    new_tags: tuple[Numbered, ...] = ()
    newest: Numbered | None = None
    candidate: Numbered | None = None
    makes_candidate: bool = False
    content: Content | None = None
    is_merged: bool = False
    is_tagged: bool = False
    page_url: str | None = None
    brings_back: str = ""
    held_said: str = ""

    @property
    def open_issues(self) -> tuple[IssueSeen, ...]:
        """Those that stand in the way."""
        return tuple(one for one in self.issues if one.is_open)


@dataclass(frozen=True, slots=True)
class Left:
    """A tracking issue whose milestone is gone, or is no version any more."""

    tracking: Tracking
    branch: BranchSeen


@dataclass(frozen=True, slots=True)
class Seen:
    """All of it. `ignored` are milestones that lead to nothing, each with why; `waits`: something has not ended yet.

    `former` are what is left of a version that a milestone had before it was renamed, by the milestone's key.
    `development_tip` and `release_tip` are the branches' commits.
    """

    tags: Tags
    milestones: tuple[MilestoneSeen, ...] = ()
    left: tuple[Left, ...] = ()
    former: Mapping[str, BranchSeen] = field(default_factory=dict)
    ignored: tuple[tuple[str, str, str], ...] = ()
    has_label: bool = True
    waits: bool = False
    development_tip: str = ""
    release_tip: str = ""
