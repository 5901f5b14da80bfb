"""The commit that is planned: HEAD's, of a repository from which versions can be told."""

from __future__ import annotations

from shipline.domain.errors import ShiplineError
from shipline.ports.repository import Repository


def checked_head(repository: Repository) -> str:
    """HEAD's commit. Raises ShiplineError where there is no repository, no commit or only a shallow history."""
    repository.root()
    head = repository.head()
    if head is None:
        raise ShiplineError("this repository has no commits yet", todo="commit something, then run this again")
    if repository.is_shallow():
        raise ShiplineError(
            "this is a shallow clone",
            why="its history is cut, and versions come from the tags and commits that are cut off",
            todo="run `git fetch --unshallow --tags`; in CI, let the checkout fetch the whole history (fetch-depth: 0)",
        )
    return head
