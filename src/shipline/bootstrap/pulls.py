"""Pull requests, looked at with what a project knows: what a merge would release, reports, and gates.

Nothing of a pull request is run, whoever opened it: its commits are fetched, merged beside every branch, and read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from shipline.capabilities.automation import PullSeen, foreseen
from shipline.capabilities.releases import CommitQuestion, records_of_commit, verdicts_of_commit
from shipline.domain.errors import RefusedError, ShiplineError
from shipline.domain.gate import PULL_STAGE

if TYPE_CHECKING:
    from shipline.bootstrap.places import Place
    from shipline.capabilities.automation import Foreseen
    from shipline.domain.verdict import Verdict
    from shipline.ports.forge import PullRequest

CONFLICTS_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Merges:
    """What a merge would release, as a merge commit and as one commit, and the commits that its reports are compared
    with: where it parted from its base, and what that stands on now."""

    merged: tuple[Foreseen, ...]
    squashed: tuple[Foreseen, ...]
    bases: tuple[str, ...]


class PullLook:
    """Looks at one pull request. UnavailableError where remote or forge give no answer now."""

    def __init__(self, place: Place) -> None:
        self._place = place

    def __call__(self, pull: PullRequest) -> PullSeen:
        """What can be known of it. What stands in the way of a plan is said, and the rest is known all the same."""
        place, trouble = self._place, ""
        try:
            merges = self._merges(pull)
        except ShiplineError as error:
            if error.retryable:
                raise
            trouble, merges = error.what, Merges((), (), ())
        if not pull.head_commit:
            return PullSeen(trouble=trouble)
        now_us, ground = place.clock.now_us(), place.release_ground
        records = records_of_commit(ground, pull.head_commit, merges.bases, now_us)
        planned = tuple((each.package, each.version) for each in merges.merged)
        verdicts = verdicts_of_commit(ground, CommitQuestion(pull.head_commit, planned, records), now_us)
        return PullSeen(merges.merged, merges.squashed, trouble, records, verdicts)

    def verdicts(self, pull: PullRequest) -> tuple[Verdict, ...]:
        """What the gates of pull requests say of it."""
        ground = self._place.release_ground
        asks = any(gate.stage == PULL_STAGE for gate in ground.gates)
        return self(pull).verdicts if asks or any(PULL_STAGE in rule.stages for rule in ground.calendar_now()) else ()

    def _merges(self, pull: PullRequest) -> Merges:
        place, here, branch = self._place, self._place.repository, pull.base
        base, head = fetched(place, pull)
        parted = here.merge_base((base, head))
        bases = tuple(dict.fromkeys(each for each in (parted, base) if each is not None))
        if not place.releases_from(branch):
            return Merges((), (), bases)
        before, found = place.plan_at(base, branch=branch), []
        for message, squash in ((f"Merge pull request #{pull.number}", False), (pull.title, True)):
            made = here.merge_beside(base, head, message, squash=squash)
            if made.commit is None:
                listed = ", ".join(made.conflicts[:CONFLICTS_SHOWN])
                raise RefusedError(f"it conflicts with {branch} in {listed}")
            found.append(foreseen(before, place.plan_at(made.commit, branch=branch)))
        return Merges(found[0], found[1], bases)


def fetched(place: Place, pull: PullRequest) -> tuple[str, str]:
    """The commits of base and head, both in this repository. RefusedError where one of them cannot be had."""
    here, remote = place.repository, place.settings.release.remote or "origin"
    base = here.fetch_branch(remote, pull.base)
    if base is None:
        raise RefusedError(f"{remote} has no branch {pull.base}")
    if not pull.head_commit or not here.fetch_commit(remote, pull.head_commit):
        raise RefusedError(f"{remote} does not hand out its newest commit")
    return base, pull.head_commit
