"""The queue of what is to be merged when it is ready, looked at and carried one step on.

One look at a time carries it on: on a server that is the command `housekeeping:queue`, in CI a job's concurrency group.
A merge is sent only while the base stands where it was tested.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from shipline.capabilities.automation.housekeeping.acts import Act, Merged, check_budget
from shipline.capabilities.automation.housekeeping.queue import (
    ASK,
    QueueRules,
    QueueSeen,
    Standing,
    Trial,
    Turn,
    asked_by_label,
    lined_up,
    verb_of,
)
from shipline.capabilities.automation.rules import QUEUE_BRANCH
from shipline.domain.verdict import Verdict
from shipline.ports.forge import Forge, Known, PullRequest, PullState
from shipline.ports.forge.answers import Thread
from shipline.ports.forge.reviews import MergeMethod, Opinion, Review
from shipline.ports.forge.speakers import Role

ASKING_MAX = 20
"""Comments of one pull request whose authors are asked about: those that ask for a merge, the newest first."""
QUEUED_MAX = 100


class Trials(Protocol):
    """What git does for the queue. Errors as for the port `repository`."""

    def trial(self, pull: PullRequest) -> Trial:
        """What a merge would be now; nothing of it is run. The same call gives the same commit again."""
        ...

    def test(self, branch: str, commit: str, expected: str | None) -> None:
        """Have the forge test a commit: make its branch stand there, if it still stands on `expected`."""
        ...


@dataclass(frozen=True, slots=True)
class Tested:
    """The branch of a queue stands on what a merge would make, so that the forge tests that."""

    number: int
    branch: str
    commit: str
    expected: str | None
    trials: Trials

    @property
    def sentence(self) -> str:
        """For people."""
        return f"pull request {self.number}: test it as {self.commit[:9]}, on the branch {self.branch}"

    def perform(self, forge: Forge) -> None:
        """Move it there."""
        del forge  # A branch is moved by git, which compares and swaps.
        self.trials.test(self.branch, self.commit, self.expected)


@dataclass(frozen=True, slots=True)
class MergeQueue:
    """Merges what is asked for, ready, and tested on what its base stands on."""

    rules: QueueRules
    trials: Trials
    verdicts: Callable[[PullRequest], tuple[Verdict, ...]]

    def __call__(self, forge: Forge) -> Iterator[Act]:
        """The next step of each base's queue."""
        for one in self.standings(forge):
            yield from self._step(forge, one)

    def _step(self, forge: Forge, one: Standing) -> Iterator[Act]:
        pull = one.pull
        if one.turn is Turn.READY:
            method = MergeMethod(self.rules.method)
            yield Merged(pull.number, pull.head_commit, method, "asked for and ready", pull.base, one.base)
        elif one.turn is Turn.WAITING and one.waits_for is None:
            branch = f"{QUEUE_BRANCH}{pull.base}"
            there = forge.find_branch(branch)
            yield Tested(pull.number, branch, one.tested, None if there is None else there.commit, self.trials)

    def standings(self, forge: Forge) -> tuple[Standing, ...]:
        """Where each stands that is to be merged, by number."""
        asked = [pull for pull in forge.each_pull_request(state=PullState.OPEN) if self.is_asked(forge, pull)]
        asked.sort(key=lambda pull: pull.number)
        return self._lined_up(forge, asked[:QUEUED_MAX])

    def standing_of(self, forge: Forge, pull: PullRequest) -> Standing | None:
        """Where one stands by itself; None where nobody has asked for its merge. Whose turn it is is not said."""
        return next(iter(self._lined_up(forge, [pull])), None) if self.is_asked(forge, pull) else None

    def _lined_up(self, forge: Forge, asked: Sequence[PullRequest]) -> tuple[Standing, ...]:
        branches = {base: forge.find_branch(f"{QUEUE_BRANCH}{base}") for base in {pull.base for pull in asked}}
        testing = {base: branch.commit for base, branch in branches.items() if branch is not None}
        seen = [(pull, self._seen(forge, pull, testing.get(pull.base, ""))) for pull in asked]
        return lined_up(self.rules, seen, testing)

    def _seen(self, forge: Forge, pull: PullRequest, testing: str) -> QueueSeen:
        check_budget(forge)
        trial = self.trials.trial(pull)
        return QueueSeen(
            checks=forge.checks(pull.head_commit),
            reviews=tuple(each for each in forge.reviews(pull.number) if _counts(forge, each)),
            readiness=forge.readiness(pull.number),
            verdicts=self.verdicts(pull),
            trial=trial,
            trial_checks=forge.checks(testing) if testing and trial.commit == testing else (),
        )

    def is_asked(self, forge: Forge, pull: PullRequest) -> bool:
        """Whether its label asks for a merge, or the newest comment about that by somebody who may merge."""
        if not pull.head_commit:
            return False
        return asked_by_label(self.rules, pull) or self._is_spoken_for(forge, pull)

    def _is_spoken_for(self, forge: Forge, pull: PullRequest) -> bool:
        thread = Thread.pull(pull.number)
        asking = [each for each in forge.comments(thread) if verb_of(each)]
        for each in reversed(asking[-ASKING_MAX:]):
            speaker = forge.speaker(each.author) if each.author else None
            if speaker is None or not speaker.role.reaches(Role.WRITE) or speaker.robot is not Known.NO:
                continue
            remark = forge.remark(thread, each.key)
            if remark is not None and not remark.edited:
                return verb_of(remark.comment) == ASK
        return False


def _counts(forge: Forge, review: Review) -> bool:
    """Anyone may review what is public, and a program may approve what it has written under another name: only people
    who may write approve. Where that is not known, a review counts only against a merge."""
    speaker = forge.speaker(review.author)
    if review.opinion is Opinion.CHANGES_REQUESTED:
        return speaker.role.reaches(Role.WRITE) or speaker.role is Role.UNKNOWN
    return speaker.role.reaches(Role.WRITE) and speaker.robot is Known.NO
