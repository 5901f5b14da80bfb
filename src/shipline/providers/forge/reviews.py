"""What becomes of pull requests, as all forges with a REST API do it: a merge is looked for before and after it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from itertools import islice
from typing import Any

from shipline.clients.forge_http import made
from shipline.clients.forge_json import entries, flag, number_or_none, text, text_or_none
from shipline.clients.forge_json import number as number_in
from shipline.domain.errors import ConflictError
from shipline.ports.forge import PullRequest, PullState
from shipline.ports.forge.reviews import (
    FILES_MAX,
    PULLS_LISTED_MAX,
    ChangedFile,
    FileChange,
    MergeMethod,
    Opinion,
    Review,
    closing_numbers,
    counted,
)
from shipline.providers.forge.base import RESTAccess

CHANGES = {
    "added": FileChange.ADDED,
    "removed": FileChange.REMOVED,
    "deleted": FileChange.REMOVED,
    "renamed": FileChange.RENAMED,
}
OPINIONS = {
    "APPROVED": Opinion.APPROVED,
    "CHANGES_REQUESTED": Opinion.CHANGES_REQUESTED,
    "REQUEST_CHANGES": Opinion.CHANGES_REQUESTED,
    "COMMENTED": Opinion.COMMENTED,
    "COMMENT": Opinion.COMMENTED,
}


class RESTReviews(RESTAccess):
    """What the forges have alike. `merge_need` names the permission that a merge takes."""

    merge_need: str

    @abstractmethod
    def _pull(self, item: Any) -> PullRequest:
        """A pull request out of JSON."""

    @abstractmethod
    def _pull_at(self, number: int) -> str:
        """Where one is."""

    @abstractmethod
    def _pulls_asked(self, state: PullState | None, since_us: int | None) -> tuple[str, dict[str, str]]:
        """Where they are listed, the latest change first."""

    @abstractmethod
    def _merge(self, number: int, head: str, method: MergeMethod) -> None:
        """Send the merge, once."""

    def each_pull_request(
        self, *, state: PullState | None = None, updated_since_us: int | None = None
    ) -> Iterator[PullRequest]:
        """GET the list, up to the first that is older."""
        path, asked = self._pulls_asked(state, updated_since_us)
        for item in self._list(path, PULLS_LISTED_MAX, asked):
            found = self._pull(item)
            if found.updated_us < (updated_since_us or 0):
                return
            if state in (None, found.state):
                yield found

    def merge_pull_request(self, number: int, *, head: str, method: MergeMethod) -> PullRequest:
        """Sent once, with the head that is meant: the forge compares it."""

        def look() -> PullRequest | None:
            found = self._pull(self._http.get(self._pull_at(number)))
            return found if found.state is PullState.MERGED else None

        def make() -> PullRequest:
            found = self._pull(self._http.get(self._pull_at(number)))
            if found.state is not PullState.OPEN or found.head_commit != head:
                raise ConflictError(
                    f"the pull request {number} is {found.state.value}, and its head on {found.head_commit[:12]}",
                    why=f"what was to be merged is {head[:12]}",
                    todo="look at it again, then decide anew",
                )
            self._merge(number, head, method)
            return self._pull(self._http.get(self._pull_at(number)))

        return made(look, make)


class ReposReviews(RESTReviews):
    """What GitHub and Gitea have alike."""

    pull_need: str

    def reviews(self, number: int) -> tuple[Review, ...]:
        """GET the list, in the order in which they came. One that was dismissed counts no more."""
        items = self._http.pages(f"{self._pull_at(number)}/reviews", items_max=FILES_MAX)
        return counted(found for found in map(_review, items) if found is not None)

    def request_reviewers(self, number: int, names: tuple[str, ...]) -> None:
        """POST them."""
        if names:
            path = f"{self._pull_at(number)}/requested_reviewers"
            self._http.send("POST", path, {"reviewers": list(names)}, need=self.pull_need)

    def requested_reviewers(self, number: int) -> tuple[str, ...]:
        """GET it: it names them."""
        found = self._http.get(self._pull_at(number))
        return tuple(sorted(text(one, "login") for one in entries(found, "requested_reviewers")))

    @abstractmethod
    def _opened_by(self, author: str) -> dict[str, str]:
        """The query for issues, or pull requests alone, that an account has opened, in any state."""

    def pulls_opened_by(self, author: str, *, most: int) -> tuple[int, ...]:
        """GET the list of issues, which pull requests are among."""
        items = self._list("issues", PULLS_LISTED_MAX, self._opened_by(author))
        found = (number_in(one, "number") for one in items if one.get("pull_request") is not None)
        return tuple(sorted(islice(found, most)))

    def changed_files(self, number: int) -> tuple[ChangedFile, ...]:
        """GET the list."""
        items = self._http.pages(f"{self._pull_at(number)}/files", items_max=FILES_MAX)
        return tuple(sorted((_file(item) for item in items), key=lambda file: file.path))

    def closes(self, number: int) -> tuple[int, ...]:
        """By the keywords in its body: the REST API does not list them."""
        return closing_numbers(self._pull(self._http.get(self._pull_at(number))).body)


def _review(item: Any) -> Review | None:
    opinion = OPINIONS.get(text(item, "state"))
    author = text_or_none(item, "user", "login")
    if opinion is None or author is None or flag(item, "dismissed"):
        return None
    return Review(author, opinion, text_or_none(item, "commit_id") or None)


def _file(item: Any) -> ChangedFile:
    change = CHANGES.get(text(item, "status"), FileChange.MODIFIED)
    before = text_or_none(item, "previous_filename") if change is FileChange.RENAMED else None
    added, removed = number_or_none(item, "additions") or 0, number_or_none(item, "deletions") or 0
    return ChangedFile(text(item, "filename"), change, before, added, removed)
