"""What housekeeping does to a forge, as data: a dry run tells it in sentences, anything else carries it out.

Every act says how something is to be and not what is to be added to it, so carrying one out twice is carrying it out
once. The methods of the port look before they make something, so an answer that was lost doubles nothing either.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from shipline.capabilities.automation.sync.pace import Pace
from shipline.domain.errors import ConflictError, UnavailableError
from shipline.ports.clock import Clock
from shipline.ports.forge import CommitStatus, Forge
from shipline.ports.forge.answers import ItemState, Thread, ThreadKind
from shipline.ports.forge.reviews import MergeMethod
from shipline.ports.forge.tracker import IssueChange, Label

# What is left of a rate limit to all others that use the same token, of GitHub's 5000 an hour: our choice.
RESERVE = 100
PAUSE_US_MAX = 60 * 1_000_000
LABEL_COLOR = "ededed"


@dataclass(frozen=True, slots=True)
class LabelMade:
    """The repository knows a label. One that it knows already is never changed."""

    name: str

    @property
    def sentence(self) -> str:
        """For people."""
        return f"make the label {self.name}"

    def perform(self, forge: Forge) -> None:
        """Make it."""
        forge.ensure_label(Label(self.name, LABEL_COLOR))


@dataclass(frozen=True, slots=True)
class Labelled:
    """A thread bears these labels."""

    thread: Thread
    names: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """For people."""
        return f"{named(self.thread)}: put on {', '.join(self.names)}"

    def perform(self, forge: Forge) -> None:
        """Put them on."""
        forge.add_labels(self.thread, self.names)


@dataclass(frozen=True, slots=True)
class Unlabelled:
    """A thread does not bear these labels."""

    thread: Thread
    names: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """For people."""
        return f"{named(self.thread)}: take off {', '.join(self.names)}"

    def perform(self, forge: Forge) -> None:
        """Take them off."""
        forge.remove_labels(self.thread, self.names)


@dataclass(frozen=True, slots=True)
class Said:
    """A thread holds one comment of ours with this marker, and it says `body`. `why` is for people."""

    thread: Thread
    marker: str
    body: str
    why: str

    @property
    def sentence(self) -> str:
        """For people."""
        return f"{named(self.thread)}: {self.why}"

    def perform(self, forge: Forge) -> None:
        """Write it, or what it says now."""
        forge.put_comment(self.thread, marker=self.marker, body=self.body)


@dataclass(frozen=True, slots=True)
class Unsaid:
    """A comment of ours is gone. `key` is the forge's name for it."""

    thread: Thread
    key: str
    why: str

    @property
    def sentence(self) -> str:
        """For people."""
        return f"{named(self.thread)}: {self.why}"

    def perform(self, forge: Forge) -> None:
        """Remove it."""
        forge.delete_comment(self.thread, self.key)


@dataclass(frozen=True, slots=True)
class Closed:
    """A thread is closed, unmerged. `why` is for people."""

    thread: Thread
    why: str

    @property
    def sentence(self) -> str:
        """For people."""
        return f"{named(self.thread)}: close it, {self.why}"

    def perform(self, forge: Forge) -> None:
        """Close it."""
        if self.thread.kind is ThreadKind.ISSUE:
            forge.edit_issue(self.thread.number, IssueChange(state=ItemState.CLOSED))
        else:
            forge.close_pull_request(self.thread.number)


@dataclass(frozen=True, slots=True)
class StatusSaid:
    """A commit's newest status of this context is this one."""

    commit: str
    status: CommitStatus

    @property
    def sentence(self) -> str:
        """For people."""
        return f"{self.commit[:9]}: {self.status.context} is {self.status.state.value}, {self.status.description}"

    def perform(self, forge: Forge) -> None:
        """Say it."""
        forge.set_status(self.commit, self.status)


@dataclass(frozen=True, slots=True)
class Merged:
    """A pull request is merged, if its head still stands on `head`: what has moved is looked at again later.

    Nor where the branch `base` has left `base_commit`; "" for wherever it stands.
    """

    number: int
    head: str
    method: MergeMethod
    why: str
    base: str = ""
    base_commit: str = ""

    @property
    def sentence(self) -> str:
        """For people."""
        return f"pull request {self.number}: merge it at {self.head[:9]}, {self.why}"

    def perform(self, forge: Forge) -> None:
        """Merge it."""
        there = forge.find_branch(self.base) if self.base else None
        if self.base and (there is None or there.commit != self.base_commit):
            raise ConflictError(f"{self.base} has moved since it was tested")
        forge.merge_pull_request(self.number, head=self.head, method=self.method)


class Act(Protocol):
    """What is done to the forge, and how it is told."""

    @property
    def sentence(self) -> str:
        """For people."""
        ...

    def perform(self, forge: Forge) -> None:
        """Do it. Idempotent; ConflictError where it does not fit what is there any more."""
        ...


def named(thread: Thread) -> str:
    """What a thread is called."""
    return f"{'issue' if thread.kind is ThreadKind.ISSUE else 'pull request'} {thread.number}"


class Carrier:
    """Carries acts out, or with `dry_run` only tells them: then it remembers the labels that would be there.

    With a clock no more is made in a minute, or in an hour, than forges allow: short pauses are waited out.
    """

    def __init__(self, forge: Forge, *, dry_run: bool, clock: Clock | None = None) -> None:
        self._forge = forge
        self._dry_run = dry_run
        self._clock = clock
        self._pace = Pace()
        self._made: set[Act] = set()

    def carry(self, acts: Iterable[Act]) -> Iterator[str]:
        """One by one as they are consumed, each told after it was done.

        What does not fit any more is told as not done: the next look sees what is so then. UnavailableError where the
        rate limit is nearly used up: what was done stays, and the next run does the rest.
        """
        for act in acts:
            if self._dry_run and act in self._made:
                continue
            if not self._dry_run:
                check_budget(self._forge)
                self._keep_pace()
                try:
                    act.perform(self._forge)
                except ConflictError as error:
                    yield f"{act.sentence}: not done, {error.what}"
                    continue
            elif isinstance(act, LabelMade):
                self._made.add(act)
            yield act.sentence

    def _keep_pace(self) -> None:
        """Every act counts as one that makes something: which of them do, each forge sees differently."""
        if self._clock is None:
            return
        pause_us = self._pace.pause_us(self._clock.now_us(), making=True)
        if pause_us > PAUSE_US_MAX:
            raise UnavailableError(
                "this run has made as much as a forge lets anybody make in an hour",
                todo="run it again in an hour: what is done is not done again",
            )
        self._clock.sleep(pause_us / 1_000_000)
        self._pace.note(self._clock.now_us(), making=True)


def check_budget(forge: Forge) -> None:
    """UnavailableError where RESERVE requests or fewer are left."""
    left = forge.budget().remaining
    if left is not None and left <= RESERVE:
        raise UnavailableError(
            f"the forge lets this token ask {left} times more, which are left to others",
            todo="run it again after the limit was reset: what is done is not done again",
        )
