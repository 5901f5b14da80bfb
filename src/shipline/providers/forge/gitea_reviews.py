"""The way of a pull request on Gitea and Forgejo.

From: docs.gitea.com/api. Whether the reviews and checks are there that a branch demands, Gitea says when it refuses a
merge.
"""

from __future__ import annotations

from shipline.clients.forge_json import flag, text
from shipline.domain.errors import ConflictError
from shipline.ports.forge import Known, PullState
from shipline.ports.forge.reviews import MergeMethod, Readiness, Suggestion
from shipline.providers.forge.reviews import ReposReviews

REPOSITORY = "write:repository"


class GiteaReviews(ReposReviews):
    """Gitea's part."""

    merge_need = REPOSITORY

    def _pulls_asked(self, state: PullState | None, since_us: int | None) -> tuple[str, dict[str, str]]:
        del since_us  # Gitea has no such filter.
        word = "all" if state is None else "open" if state is PullState.OPEN else "closed"
        return "pulls", {"state": word, "sort": "recentupdate"}

    def _opened_by(self, author: str) -> dict[str, str]:
        return {"created_by": author, "state": "all", "type": "pulls"}

    def takes_suggestions(self) -> bool:
        """It shows them as code, and nobody can take one over."""
        return False

    def suggest(self, number: int, suggestion: Suggestion) -> None:
        """See the port."""
        raise ConflictError(f"Gitea takes no suggestions, nor one for {suggestion.path} in pull request {number}")

    def readiness(self, number: int) -> Readiness:
        """GET it."""
        found = self._http.get(self._pull_at(number))
        head = text(found, "head", "sha")
        if text(found, "state") != "open":
            return Readiness(head, Known.NO, ("it is not open",))
        if flag(found, "draft"):
            return Readiness(head, Known.NO, ("it is a draft",))
        if not flag(found, "mergeable"):
            return Readiness(head, Known.NO, ("it conflicts with its base, or is still looked through",))
        return Readiness(head, Known.YES)

    def _merge(self, number: int, head: str, method: MergeMethod) -> None:
        body = {"do": method.value, "head_commit_id": head}
        self._http.send("POST", f"{self._pull_at(number)}/merge", body, need=REPOSITORY)
