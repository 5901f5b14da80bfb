"""Whom to ask for a review: the owners of what changes, as CODEOWNERS has them. Pure.

Of each rule's owners so many are asked as it needs, the next ones by the number of the pull request, so that not the
first of them is asked each time. Accounts alone can be asked on all forges: teams, roles and addresses are left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from shipline.capabilities.automation.housekeeping.acts import Act
from shipline.ports.forge import Forge, PullRequest

# From: docs.github.com, docs.gitlab.com and docs.gitea.com on code owners: a team or group has a slash, a role two @.
_ACCOUNT = re.compile(r"@([A-Za-z0-9_][A-Za-z0-9_.-]{0,254})")
ASKED_MAX = 10


@dataclass(frozen=True, slots=True)
class OwnersNeed:
    """So many of these owners, as the file writes them, have to approve."""

    owners: tuple[str, ...]
    count: int


@dataclass(frozen=True, slots=True)
class ReviewerAsked:
    """An account is asked for a review, too."""

    number: int
    name: str

    @property
    def sentence(self) -> str:
        """For people."""
        return f"pull request {self.number}: ask {self.name} for a review"

    def perform(self, forge: Forge) -> None:
        """Ask. ConflictError for one whom the forge cannot ask."""
        forge.request_reviewers(self.number, (self.name,))


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Nobody can be asked, for a reason: only told."""

    number: int
    why: str

    @property
    def sentence(self) -> str:
        """For people."""
        return f"pull request {self.number}: nobody is asked for a review, {self.why}"

    def perform(self, forge: Forge) -> None:
        """There is nothing to be done."""


def reviewer_acts(pull: PullRequest, wanted: Sequence[OwnersNeed], there: Sequence[str]) -> Iterator[Act]:
    """Those who are to be asked. `there` are those who were asked, or have said something: a rule of which enough
    owners are among them needs nobody else."""
    known = {name.casefold() for name in there}
    left = ASKED_MAX
    for need in wanted:
        accounts = [found[1] for found in map(_ACCOUNT.fullmatch, need.owners) if found is not None]
        people = [name for name in dict.fromkeys(accounts) if name.casefold() != pull.author.casefold()]
        missing = need.count - sum(name.casefold() in known for name in people)
        start = pull.number % len(people) if people else 0
        for name in (*people[start:], *people[:start]):
            if missing <= 0 or left <= 0 or name.casefold() in known:
                continue
            known.add(name.casefold())
            missing, left = missing - 1, left - 1
            yield ReviewerAsked(pull.number, name)
