"""The way of a merge request on GitLab.

From: docs.gitlab.com/api/{merge_requests,merge_request_approvals}, `detailed_merge_status` among it.
"""

from __future__ import annotations

from itertools import islice
from typing import Any

from shipline.clients.forge_http import made
from shipline.clients.forge_json import entries, flag, number, text, text_or_none
from shipline.domain.errors import ConflictError, InvalidValue
from shipline.ports.forge import Known, PullState, bears, marked
from shipline.ports.forge.reviews import (
    FILES_MAX,
    PULLS_LISTED_MAX,
    ChangedFile,
    FileChange,
    MergeMethod,
    Opinion,
    Readiness,
    Review,
    Suggestion,
    counted,
)
from shipline.providers.forge.gitlab_tracker import API
from shipline.providers.forge.repos_tracker import written
from shipline.providers.forge.reviews import RESTReviews

NOTES_MAX = 10_000
STATES = {PullState.OPEN: "opened", PullState.MERGED: "merged", PullState.CLOSED: "closed"}
UNDECIDED = frozenset({"checking", "unchecked", "preparing", "approvals_syncing"})
BLOCKS = {
    "conflict": "it conflicts with its base",
    "broken_status": "it conflicts with its base",
    "not_approved": "approvals are missing",
    "requested_changes": "a reviewer wants changes",
    "ci_must_pass": "its pipeline must pass first",
    "ci_still_running": "its pipeline still runs",
    "discussions_not_resolved": "discussions are not resolved",
    "draft_status": "it is a draft",
    "need_rebase": "it must be rebased on its base",
    "not_open": "it is not open",
    "merge_request_blocked": "another merge request has to be merged first",
    "status_checks_must_pass": "external checks must pass first",
}


class GitLabReviews(RESTReviews):
    """GitLab's part."""

    merge_need = API

    def _pulls_asked(self, state: PullState | None, since_us: int | None) -> tuple[str, dict[str, str]]:
        asked = {"scope": "all", "order_by": "updated_at", "sort": "desc"}
        asked |= {} if state is None else {"state": STATES[state]}
        asked |= {} if since_us is None else {"updated_after": written(since_us)}
        return "merge_requests", asked

    def takes_suggestions(self) -> bool:
        """It does."""
        return True

    def suggest(self, number: int, suggestion: Suggestion) -> None:
        """POST a discussion on the first line, unless a note of ours bears the marker; its block reaches further down.

        From: docs.gitlab.com/api/discussions, and user/project/merge_requests/reviews/suggestions.
        """
        path = self._pull_at(number)
        below = suggestion.last_line - suggestion.line
        block = f"```suggestion:-0+{below}\n{suggestion.replacement}\n```"

        def look() -> bool | None:
            said = self._http.pages(f"{path}/notes", items_max=NOTES_MAX)
            ours = (one for one in said if self._is_ours(text_or_none(one, "author", "username") or ""))
            return any(bears(text_or_none(one, "body") or "", suggestion.marker) for one in ours) or None

        def make() -> bool:
            refs = self._http.get(path)
            ends = {name: text(refs, "diff_refs", name) for name in ("base_sha", "start_sha", "head_sha")}
            if ends["head_sha"] != suggestion.commit:
                raise ConflictError(f"the merge request {number} has moved on from {suggestion.commit[:12]}")
            place: dict[str, Any] = {"position_type": "text", "new_line": suggestion.line} | ends
            place |= {"new_path": suggestion.path, "old_path": suggestion.path}
            place |= {} if suggestion.old_line is None else {"old_line": suggestion.old_line}
            said = {"body": marked(f"{suggestion.text}\n\n{block}", suggestion.marker), "position": place}
            self._http.send("POST", f"{path}/discussions", said, need=API)
            return True

        made(look, make)

    def reviews(self, number: int) -> tuple[Review, ...]:
        """GET who wants changes, and who has approved."""
        reviewers = self._http.pages(f"{self._pull_at(number)}/reviewers", items_max=FILES_MAX)
        asking = [text(one, "user", "username") for one in reviewers if text(one, "state") == "requested_changes"]
        approving = entries(self._http.get(f"{self._pull_at(number)}/approvals"), "approved_by")
        said = [Review(text(one, "user", "username"), Opinion.APPROVED) for one in approving]
        return counted(said + [Review(name, Opinion.CHANGES_REQUESTED) for name in asking])

    def readiness(self, number: int) -> Readiness:
        """GET it."""
        found = self._http.get(self._pull_at(number))
        head, word = text(found, "sha"), text_or_none(found, "detailed_merge_status") or "unchecked"
        if word == "mergeable" or word in UNDECIDED:
            return Readiness(head, Known.YES if word == "mergeable" else Known.UNKNOWN)
        return Readiness(head, Known.NO, (BLOCKS.get(word, f"GitLab says {word!r}"),))

    def _merge(self, number: int, head: str, method: MergeMethod) -> None:
        """Whether merges are by commit or fast-forward is a setting of the project."""
        if method is MergeMethod.REBASE:
            raise InvalidValue("GitLab rebases when a project is set to fast-forward merges, and not for one merge")
        body = {"sha": head, "squash": method is MergeMethod.SQUASH}
        self._http.send("PUT", f"{self._pull_at(number)}/merge", body, need=API)

    def request_reviewers(self, number: int, names: tuple[str, ...]) -> None:
        """PUT their numbers beside those that are there: the list is set as a whole."""
        if not names:
            return
        known = entries(self._http.get(self._pull_at(number)), "reviewers")
        there = {text(one, "username"): _id(one) for one in known}
        for name in names:
            if name not in there:
                there[name] = self._user(name)
        self._http.send("PUT", self._pull_at(number), {"reviewer_ids": list(there.values())}, need=API)

    def requested_reviewers(self, number: int) -> tuple[str, ...]:
        """GET it: it names them."""
        found = self._http.get(self._pull_at(number))
        return tuple(sorted(text(one, "username") for one in entries(found, "reviewers")))

    def pulls_opened_by(self, author: str, *, most: int) -> tuple[int, ...]:
        """GET the list."""
        items = self._list("merge_requests", PULLS_LISTED_MAX, {"scope": "all", "author_username": author})
        return tuple(sorted(_iid(one) for one in islice(items, most)))

    def _user(self, name: str) -> int:
        found = self._http.get("/users", {"username": name})
        if not found:
            raise ConflictError(f"GitLab knows no account {name[:80]!r}")
        return number(found[0], "id")

    def changed_files(self, number: int) -> tuple[ChangedFile, ...]:
        """GET the differences, and count their lines."""
        items = self._http.pages(f"{self._pull_at(number)}/diffs", items_max=FILES_MAX)
        return tuple(sorted((_file(item) for item in items), key=lambda file: file.path))

    def closes(self, number: int) -> tuple[int, ...]:
        """GET them, and leave out those of other projects."""
        own = _project_of(self._http.get(self._pull_at(number)))
        items = self._http.pages(f"{self._pull_at(number)}/closes_issues", items_max=FILES_MAX)
        return tuple(sorted(_iid(item) for item in items if _project_of(item, "project_id") == own))


def _id(item: Any) -> int:
    return number(item, "id")


def _iid(item: Any) -> int:
    return number(item, "iid")


def _project_of(item: Any, name: str = "target_project_id") -> int:
    return number(item, name)


def _file(item: Any) -> ChangedFile:
    change = FileChange.MODIFIED
    for name, meant in (
        ("new_file", FileChange.ADDED),
        ("deleted_file", FileChange.REMOVED),
        ("renamed_file", FileChange.RENAMED),
    ):
        change = meant if flag(item, name) else change
    lines = (text_or_none(item, "diff") or "").splitlines()
    return ChangedFile(
        path=text(item, "new_path"),
        change=change,
        before=text(item, "old_path") if change is FileChange.RENAMED else None,
        added=len([line for line in lines if line.startswith("+")]),
        removed=len([line for line in lines if line.startswith("-")]),
    )
