"""A version brought by a pull request: opened once, waited for, and closed where something else is wanted.

The request's branch is `shipline/ENVIRONMENT/PLACE/GROUP/…`, by which it is found again. PLACE tells it from those of
other projects that share the repository; it is a digest, since a path may hold what no branch's name can. People merge
the request, or close it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from shipline.clients.git_tree import Proposal
from shipline.clients.gitops.repository import GitOpsRepository
from shipline.domain.errors import ConflictError, ShiplineError
from shipline.ports.forge import Forge, PullRequest, PullState
from shipline.ports.traffic import UnderWay

PREFIX = "shipline"
SHOWN = PLACE_DIGITS = 12
# People take their time, and forges count requests.
LOOK_EVERY_S = 30.0


@dataclass(frozen=True, slots=True)
class Pulls:
    """The pull requests of one environment, to `base`. `place` is what its commits call it."""

    forge: Forge
    repository: GitOpsRepository
    environment: str
    place: str
    base: str

    def close_others(self, group_id: str | None) -> None:
        """Close the open ones that bring another group (None: all), and remove their branches."""
        for pull in self._open():
            if group_id is None or not pull.head.startswith(self._prefix(group_id)):
                self.forge.close_pull_request(pull.number)
                branch = self.forge.find_branch(pull.head)
                if branch is not None:
                    self._remove(pull.head, branch.commit)

    def bring(self, group_id: str, tip: str, proposal: Proposal, known: int | None) -> int:
        """The number of the request that brings a group; opened where there is none.

        `known` is the one that was opened before, None for none: ShiplineError where people have closed it, or where
        it was merged and brought nothing.
        """
        for pull in self._open():
            if pull.head.startswith(self._prefix(group_id)):
                return pull.number
        before = None if known is None else self.forge.find_pull_request(known)
        if before is not None and before.state is not PullState.OPEN:
            was = "merged, and the branch does not say so" if before.state is PullState.MERGED else "closed unmerged"
            raise ShiplineError(
                f"pull request #{before.number} was {was}",
                why=before.url,
                todo="deploy again, which opens another, if that version is wanted",
            )
        head = f"{self._prefix(group_id)}{tip[:SHOWN]}"
        branch = self.repository.branch(head)
        there = branch.tip()
        branch.push(self.repository.branch().commit(proposal, tip), there)
        # With the trailers: a squash may take the request's words for the commit's.
        _, _, body = proposal.message.partition("\n\n")
        return self.forge.create_pull_request(head=head, base=self.base, title=proposal.subject, body=body).number

    def waiting(self, number: int) -> UnderWay:
        """What is waited for."""
        pull = self.forge.find_pull_request(number)
        where = f": {pull.url}" if pull is not None and pull.url else ""
        return UnderWay(f"pull request #{number} waits to be merged into {self.base}{where}", after_s=LOOK_EVERY_S)

    def _open(self) -> tuple[PullRequest, ...]:
        found = self.forge.open_pull_requests(base=self.base)
        return tuple(pull for pull in found if pull.head.startswith(self._own()))

    def _own(self) -> str:
        digest = hashlib.sha256(self.place.encode()).hexdigest()[:PLACE_DIGITS]
        return f"{PREFIX}/{self.environment}/{digest}/"

    def _prefix(self, group_id: str) -> str:
        return f"{self._own()}{group_id}/"

    def _remove(self, head: str, commit: str) -> None:
        try:
            self.forge.delete_branch(head, commit)
        except ConflictError:
            return  # Somebody works on it: it is closed, and theirs.
