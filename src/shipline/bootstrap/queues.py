"""The merge queue, wired: what git does for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shipline.bootstrap.pulls import PullLook, fetched
from shipline.capabilities.automation import MergeQueue, QueueRules, Trial
from shipline.domain.errors import ShiplineError

if TYPE_CHECKING:
    from shipline.bootstrap.places import Place
    from shipline.configuration import QueueSettings
    from shipline.ports.forge import PullRequest


class GitTrials:
    """Merges that are made beside every branch, in the place's own repository."""

    def __init__(self, place: Place) -> None:
        self._place = place

    def trial(self, pull: PullRequest) -> Trial:
        """Merged as the forge would merge it. UnavailableError where the remote gives no answer."""
        try:
            return self._merged(pull)
        except ShiplineError as error:
            if error.retryable:
                raise
            return Trial("", None, trouble=error.what)

    def _merged(self, pull: PullRequest) -> Trial:
        here = self._place.repository
        base, head = fetched(self._place, pull)
        if here.merge_base((base, head)) == base:
            return Trial(base, head)
        made = here.merge_beside(base, head, f"Merge pull request {pull.number}, to test it on {pull.base}")
        return Trial(base, made.commit, made.conflicts)

    def test(self, branch: str, commit: str, expected: str | None) -> None:
        """Push it. ConflictError where somebody else has moved the branch."""
        place = self._place
        place.repository.move_branch(place.settings.release.remote or "origin", branch, commit, expected=expected)


def queue_of(place: Place, said: QueueSettings) -> MergeQueue:
    """The queue as settings have it."""
    rules = QueueRules(said.label, said.approvals, said.method)
    return MergeQueue(rules, GitTrials(place), PullLook(place).verdicts)
