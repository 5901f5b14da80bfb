"""The Forge port: one repository on GitHub, GitLab, Gitea or another forge.

It is cut by nouns: each noun has a Protocol of its own, here or in a module beside this one, and `Forge` is all of them
together. Whoever needs less asks for less. A pull request is what GitLab calls a merge request.

Moving a branch is not here: forges have no compare-and-swap for it that all of them share, and git does (a push with
a lease).

Errors, for every method: RefusedError for a token that is missing, refused or may not do this, naming the permission;
UnavailableError (retryable) for no answer, one of 500 or more, or a rate limit that is too far off; ConflictError where
something else stands under the same name; ShiplineError for an answer that cannot be read. Nobody but the engine calls
again. A method that creates something looks for it by its natural key first, and again after an answer that was lost:
it never sends the same creation twice in one call, so a later call finds what an earlier one has made.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from shipline.domain.errors import InvalidValue
from shipline.ports.forge.answers import Budget, Known, bears, checked_label, hidden, marked
from shipline.ports.forge.git import ForgeGit, GitAccess
from shipline.ports.forge.guards import (
    ForgeEnvironments,
    ForgeGuards,
    ForgeMerging,
    ForgeSecrets,
    ForgeSecurity,
    ForgeVariables,
)
from shipline.ports.forge.hooks import ForgeHooks
from shipline.ports.forge.pulls import ForgePullRequests, PullRequest, PullState
from shipline.ports.forge.reviews import ForgeReviews
from shipline.ports.forge.rights import Capability, Permission
from shipline.ports.forge.speakers import ForgeSpeakers
from shipline.ports.forge.tracker import Comment, ForgeIssues, ForgeLabels, ForgeMilestones, ForgeThreads

__all__ = [
    "API_VERSION",
    "REF_LENGTH_MAX",
    "Asset",
    "Budget",
    "Capability",
    "Comment",
    "CommitStatus",
    "Forge",
    "ForgeGit",
    "ForgePullRequests",
    "ForgeRefs",
    "ForgeRelease",
    "ForgeReleases",
    "ForgeStatuses",
    "GitAccess",
    "Known",
    "Permission",
    "Protection",
    "PullRequest",
    "PullState",
    "Ref",
    "StatusState",
    "bears",
    "checked_label",
    "checked_ref_name",
    "hidden",
    "marked",
]

API_VERSION = 2
REF_LENGTH_MAX = 250


class StatusState(StrEnum):
    """What a check says about a commit. What a forge knows beyond these is read as the nearest."""

    PENDING = "pending"
    SUCCESS = "success"
    FAILURE = "failure"


@dataclass(frozen=True, slots=True)
class Ref:
    """A branch or tag by its short name, and the commit that it leads to (a tag peeled). `protected`: for branches."""

    name: str
    commit: str
    protected: bool = False


@dataclass(frozen=True, slots=True)
class ForgeRelease:
    """A release's page on the forge. `key` is the forge's own name for it.

    `draft`: not yet announced (GitLab: announced in the far future). `prerelease` is False where the forge has no such
    mark. `files` are the names and addresses of its files, as they are listed with it; no part of what makes two the
    same.
    """

    key: str
    tag: str
    title: str
    notes_markdown: str
    draft: bool
    prerelease: bool
    url: str = ""
    files: tuple[tuple[str, str], ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class Asset:
    """A file of a release. `size` in bytes and `digest` (`sha256:…`) are None where the forge does not say;
    `whole` is False for an upload that was cut off and is still listed."""

    key: str
    name: str
    size: int | None
    digest: str | None
    whole: bool = True


@dataclass(frozen=True, slots=True)
class CommitStatus:
    """What `context` says about a commit, the newest of that name. `description` is one short line."""

    context: str
    state: StatusState
    description: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Protection:
    """How a branch is guarded. `may_push` is about this token. `demands` are sentences for people."""

    branch: str
    protected: bool
    may_push: Known
    demands: tuple[str, ...] = ()


class ForgeRefs(Protocol):
    """Branches and tags."""

    def default_branch(self) -> str:
        """The branch that clones begin with."""
        ...

    def find_branch(self, name: str) -> Ref | None:
        """The branch of exactly this name, None where there is none, or none that the token may see."""
        ...

    def create_branch(self, name: str, commit: str) -> Ref:
        """Create a branch on a commit that the forge has. There on the same commit: nothing is done; elsewhere:
        ConflictError."""
        ...

    def delete_branch(self, name: str, commit: str) -> None:
        """Delete a branch that still stands on `commit`; ConflictError where it does not. Gone already: nothing."""
        ...

    def find_tag(self, name: str) -> Ref | None:
        """The tag of exactly this name, None where there is none."""
        ...

    def create_tag(self, name: str, commit: str) -> Ref:
        """Create a lightweight tag. There on the same commit: nothing is done; elsewhere: ConflictError."""
        ...

    def protection(self, branch: str) -> Protection:
        """How a branch is guarded, as far as the token may read it. Changes nothing."""
        ...


class ForgeReleases(Protocol):
    """The pages on which the forge shows releases, with their files."""

    def releases(self) -> tuple[ForgeRelease, ...]:
        """All, drafts included where the token may see them; without a promise about order."""
        ...

    def find_release(self, tag: str) -> ForgeRelease | None:
        """The release of a tag, drafts included."""
        ...

    def create_release(
        self, tag: str, *, title: str, notes_markdown: str, draft: bool, prerelease: bool
    ) -> ForgeRelease:
        """Create it for a tag that exists. If there is one for this tag, that is returned as it is."""
        ...

    def update_release(self, release: ForgeRelease) -> ForgeRelease:
        """Make the forge's release of this `key` as `release` says. Idempotent. Leaving `draft` announces it."""
        ...

    def delete_release(self, release: ForgeRelease) -> None:
        """Remove the page and its files; the tag stays. Gone already: nothing."""
        ...

    def assets(self, release: ForgeRelease) -> tuple[Asset, ...]:
        """Its files, by name."""
        ...

    def upload_asset(self, release: ForgeRelease, file: Path, *, digest: str) -> Asset:
        """Add a file under its own name; `digest` is that of its bytes.

        There with the same digest (or, where the forge states none, of the same size): nothing is done. An upload that
        was cut off is done anew. Other bytes: ConflictError, nothing is replaced.
        """
        ...

    def delete_asset(self, release: ForgeRelease, asset: Asset) -> None:
        """Remove a file. Gone already: nothing."""
        ...


class ForgeStatuses(Protocol):
    """What checks say about commits."""

    def statuses(self, commit: str) -> tuple[CommitStatus, ...]:
        """The newest of each context, by context."""
        ...

    def checks(self, commit: str) -> tuple[CommitStatus, ...]:
        """What all that checks it says, by context: its statuses, and what a forge keeps beside them. Of two of one
        name the worse one."""
        ...

    def set_status(self, commit: str, status: CommitStatus) -> CommitStatus:
        """Say `status` about a commit. Said already, as the newest of its context: nothing is done."""
        ...


class Forge(
    ForgeGit,
    ForgeRefs,
    ForgePullRequests,
    ForgeReviews,
    ForgeReleases,
    ForgeStatuses,
    ForgeMilestones,
    ForgeIssues,
    ForgeLabels,
    ForgeThreads,
    ForgeSpeakers,
    ForgeHooks,
    ForgeGuards,
    ForgeMerging,
    ForgeSecurity,
    ForgeEnvironments,
    ForgeVariables,
    ForgeSecrets,
    Protocol,
):
    """One repository on a forge. Addresses and tokens come from settings and the environment."""

    api_version: int

    def account(self) -> str:
        """The login of the token's account; "" where the forge does not tell it, as of a workflow's own token."""
        ...

    def budget(self) -> Budget:
        """What may still be asked, as the last answer said. Asks nobody."""
        ...

    def permissions(self) -> tuple[Permission, ...]:
        """What each capability takes, and whether this token has it; in a fixed order. Changes nothing."""
        ...

    def lacks(self) -> tuple[str, ...]:
        """What this kind of forge does not offer, in sentences. Asks nobody."""
        ...

    def unkept(self) -> frozenset[str]:
        """What of a repository's settings this kind of forge does not have: `kind`, `kind.field`, or `kind.field.word`
        for a field that lists words, as `[repository]` calls them. Asks nobody."""
        ...


def checked_ref_name(name: str) -> str:
    """A branch's or tag's name. InvalidValue for what git takes for none, `..` above all: it would lead elsewhere.

    From: git check-ref-format; narrower, since nothing here needs a leading dot.
    """
    bad = not name or ".." in name or name.startswith(("-", "/", ".")) or name.endswith(("/", ".")) or "//" in name
    bad = bad or not name.isprintable() or any(char in name for char in " ~^:?*[\\") or len(name) > REF_LENGTH_MAX
    if bad:
        raise InvalidValue(f"{name[:80]!r} cannot be the name of a branch or tag")
    return name
