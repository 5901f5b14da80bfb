"""What forges with a REST API do alike: look before something is made, make it once, read it back.

A forge says where its things are and how it puts them into JSON; what makes a call safe to repeat stands here. The
forges that took over GitHub's API share more than that: see `ReposForge`.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import replace
from typing import Any

from shipline.clients.forge_http import made
from shipline.clients.forge_json import number, text
from shipline.domain.secrecy import redacted
from shipline.ports.forge import CommitStatus, ForgeRelease, PullRequest, PullState, Ref
from shipline.providers.forge.access import (
    RELEASES_MAX,
    STATUSES_MAX,
    commit_in_path,
    in_path,
    newest_of_each,
    same,
)
from shipline.providers.forge.reviews import RESTReviews
from shipline.providers.forge.tracker import RESTTracker


class RESTForge(RESTTracker, RESTReviews):
    """The part of the Forge port that does not depend on which forge it is.

    `content_need` names the permission that branches, tags and releases take. A tag's commit stands under `commit_key`,
    and is given as `tag_target`. `description_max` bounds what a status says, in characters.
    """

    content_need: str
    commit_key = "id"
    tag_target = "ref"
    description_max = 255

    # --- branches and tags -------------------------------------------------------------------------------------

    def default_branch(self) -> str:
        """GET the repository."""
        return text(self._http.get(self._at), "default_branch")

    @abstractmethod
    def find_branch(self, name: str) -> Ref | None:
        """As the port has it."""

    def _refs_at(self, kind: str) -> str:
        """Where the `branches` or `tags` are."""
        return f"{self._at}/{kind}"

    def _ref_at(self, kind: str, name: str) -> str:
        """Where one of them is."""
        return f"{self._refs_at(kind)}/{in_path(name)}"

    def find_tag(self, name: str) -> Ref | None:
        """GET the tag."""
        found = self._http.find(self._ref_at("tags", name))
        return None if found is None else Ref(name, text(found, "commit", self.commit_key))

    @abstractmethod
    def _make_branch(self, name: str, commit: str) -> Ref:
        """POST it, once."""

    def _make_tag(self, name: str, commit: str) -> Ref:
        """POST it, once."""
        body = {"tag_name": name, self.tag_target: commit}
        answer = self._http.send("POST", self._refs_at("tags"), body, need=self.content_need)
        return Ref(name, text(answer, "commit", self.commit_key))

    def create_branch(self, name: str, commit: str) -> Ref:
        """Made once; ConflictError where it stands elsewhere."""
        in_path(name)
        target = commit_in_path(commit)
        return same(made(lambda: self.find_branch(name), lambda: self._make_branch(name, target)), commit, "branch")

    def create_tag(self, name: str, commit: str) -> Ref:
        """Made once; ConflictError where it stands elsewhere."""
        in_path(name)
        target = commit_in_path(commit)
        return same(made(lambda: self.find_tag(name), lambda: self._make_tag(name, target)), commit, "tag")

    def _remove_branch(self, name: str) -> None:
        """DELETE it; gone already is as good."""
        self._http.remove(self._ref_at("branches", name), need=self.content_need)

    def delete_branch(self, name: str, commit: str) -> None:
        """Where it is, and stands on `commit`; ConflictError where it stands elsewhere."""
        found = self.find_branch(name)
        if found is not None:
            same(found, commit, "branch")
            self._remove_branch(name)

    # --- pull requests -----------------------------------------------------------------------------------------

    @abstractmethod
    def open_pull_requests(self, *, head: str = "", base: str = "") -> tuple[PullRequest, ...]:
        """As the port has it."""

    @abstractmethod
    def _pull(self, item: Any) -> PullRequest:
        """A pull request out of JSON."""

    @abstractmethod
    def _pull_at(self, number: int) -> str:
        """Where one is."""

    @abstractmethod
    def _make_pull(self, *, head: str, base: str, title: str, body: str) -> PullRequest:
        """POST it, once."""

    @abstractmethod
    def _turn_pull(self, number: int, state: PullState) -> PullRequest:
        """Close an open one, or open a closed one."""

    def find_pull_request(self, number: int) -> PullRequest | None:
        """GET it."""
        found = self._http.find(self._pull_at(number))
        return None if found is None else self._pull(found)

    def create_pull_request(self, *, head: str, base: str, title: str, body: str) -> PullRequest:
        """Opened once: each forge refuses a second one between the same branches."""
        return made(
            lambda: next(iter(self.open_pull_requests(head=head, base=base)), None),
            lambda: self._make_pull(head=head, base=base, title=title, body=body),
        )

    def close_pull_request(self, number: int) -> PullRequest:
        """Close it where it is open."""
        found = self._pull(self._http.get(self._pull_at(number)))
        return found if found.state is not PullState.OPEN else self._turn_pull(number, PullState.CLOSED)

    def reopen_pull_request(self, number: int) -> PullRequest:
        """Open it where it is closed."""
        found = self._pull(self._http.get(self._pull_at(number)))
        return found if found.state is not PullState.CLOSED else self._turn_pull(number, PullState.OPEN)

    # --- releases ----------------------------------------------------------------------------------------------

    @abstractmethod
    def _release(self, item: Any) -> ForgeRelease:
        """A release out of JSON."""

    def releases(self) -> tuple[ForgeRelease, ...]:
        """GET the list."""
        return tuple(self._release(item) for item in self._list("releases", RELEASES_MAX))

    @abstractmethod
    def find_release(self, tag: str) -> ForgeRelease | None:
        """As the port has it."""

    @abstractmethod
    def _make_release(self, release: ForgeRelease) -> ForgeRelease:
        """POST it, once; its key is not known yet."""

    def create_release(
        self, tag: str, *, title: str, notes_markdown: str, draft: bool, prerelease: bool
    ) -> ForgeRelease:
        """Made once."""
        in_path(tag)
        wanted = ForgeRelease("", tag, title, notes_markdown, draft, prerelease)
        return made(lambda: self.find_release(tag), lambda: self._make_release(wanted))

    # --- statuses ----------------------------------------------------------------------------------------------

    @abstractmethod
    def _statuses_at(self, commit: str) -> str:
        """Where they are listed, from the repository."""

    @abstractmethod
    def _status(self, item: Any) -> CommitStatus:
        """A status out of JSON."""

    def statuses(self, commit: str) -> tuple[CommitStatus, ...]:
        """GET the list; the highest number is the newest."""
        items = list(self._list(self._statuses_at(commit_in_path(commit)), STATUSES_MAX))
        items.sort(key=lambda item: number(item, "id"), reverse=True)
        return newest_of_each(self._status(item) for item in items)

    def checks(self, commit: str) -> tuple[CommitStatus, ...]:
        """The statuses, where nothing is kept beside them."""
        return self.statuses(commit)

    @abstractmethod
    def _make_status(self, commit: str, status: CommitStatus) -> CommitStatus:
        """POST it, once."""

    def set_status(self, commit: str, status: CommitStatus) -> CommitStatus:
        """Said where it is not the newest of its context already."""
        wanted = replace(status, description=redacted(status.description)[: self.description_max])
        return made(
            lambda: next((one for one in self.statuses(commit) if one == wanted), None),
            lambda: self._make_status(commit_in_path(commit), wanted),
        )
