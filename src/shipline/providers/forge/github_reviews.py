"""The way of a pull request on GitHub.

From: docs.github.com/rest/pulls, version 2022-11-28; the words of `mergeable_state` from its GraphQL enum
MergeStateStatus.
"""

from __future__ import annotations

from typing import Any

from shipline.clients.forge_http import made
from shipline.clients.forge_json import text, text_or_none
from shipline.ports.forge import Known, PullState, bears, marked
from shipline.ports.forge.reviews import MergeMethod, Readiness, Suggestion
from shipline.providers.forge.reviews import ReposReviews

CONTENTS, PULLS = "contents: write", "pull_requests: write"
COMMENTS_MAX = 10_000
BLOCKS = {
    "dirty": "it conflicts with its base",
    "blocked": "reviews or checks that its base demands are missing",
    "behind": "its base has moved on, and demands that it be up to date",
    "draft": "it is a draft",
}
READY = frozenset({"clean", "has_hooks", "unstable"})


class GitHubReviews(ReposReviews):
    """GitHub's part."""

    merge_need = CONTENTS

    def _pulls_asked(self, state: PullState | None, since_us: int | None) -> tuple[str, dict[str, str]]:
        del since_us  # GitHub has no such filter.
        word = "all" if state is None else "open" if state is PullState.OPEN else "closed"
        return "pulls", {"state": word, "sort": "updated", "direction": "desc"}

    def _opened_by(self, author: str) -> dict[str, str]:
        return {"creator": author, "state": "all"}

    def takes_suggestions(self) -> bool:
        """It does."""
        return True

    def suggest(self, number: int, suggestion: Suggestion) -> None:
        """POST a comment on the lines, unless one of ours bears the marker."""
        path = f"{self._pull_at(number)}/comments"
        block = f"```suggestion\n{suggestion.replacement}\n```"
        place: dict[str, Any] = {"commit_id": suggestion.commit, "path": suggestion.path, "side": "RIGHT"}
        place |= {"line": suggestion.last_line}
        if suggestion.last_line != suggestion.line:
            place |= {"start_line": suggestion.line, "start_side": "RIGHT"}
        body = {"body": marked(f"{suggestion.text}\n\n{block}", suggestion.marker)} | place

        def look() -> bool | None:
            said = self._http.pages(path, items_max=COMMENTS_MAX)
            ours = (one for one in said if self._is_ours(text_or_none(one, "user", "login") or ""))
            return any(bears(text_or_none(one, "body") or "", suggestion.marker) for one in ours) or None

        def make() -> bool:
            self._http.send("POST", path, body, need=PULLS)
            return True

        made(look, make)

    def readiness(self, number: int) -> Readiness:
        """GET it. GitHub makes up its mind when it is asked, and says `unknown` until then."""
        found = self._http.get(self._pull_at(number))
        head, word = text(found, "head", "sha"), text_or_none(found, "mergeable_state") or ""
        if text(found, "state") != "open":
            return Readiness(head, Known.NO, ("it is not open",))
        if word in BLOCKS:
            return Readiness(head, Known.NO, (BLOCKS[word],))
        return Readiness(head, Known.YES if word in READY else Known.UNKNOWN)

    def _merge(self, number: int, head: str, method: MergeMethod) -> None:
        body: dict[str, Any] = {"sha": head, "merge_method": method.value}
        self._http.send("PUT", f"{self._pull_at(number)}/merge", body, need=CONTENTS)
