"""Which housekeeping there is, and its looks: read from the forge what a rule needs, and give on what is due.

A look changes nothing: what is due comes as acts while it is consumed, so that what was done counts for what comes
next, and a run that ends in the middle has done everything that it told of.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from shipline.capabilities.automation.housekeeping.acts import Act, Carrier, check_budget
from shipline.capabilities.automation.housekeeping.comment import ForgeSaid, PullSeen, comment_acts
from shipline.capabilities.automation.housekeeping.labels import LabelRules, label_acts
from shipline.capabilities.automation.housekeeping.merged import (
    LOOKED_BACK_US,
    Bring,
    backport_acts,
    closing_acts,
    targets_of,
)
from shipline.capabilities.automation.housekeeping.queueing import MergeQueue
from shipline.capabilities.automation.housekeeping.reviewers import OwnersNeed, Unreadable, reviewer_acts
from shipline.capabilities.automation.housekeeping.stale import Quiet, StaleRules, in_order, label_made, stale_acts
from shipline.capabilities.automation.housekeeping.titles import title_acts
from shipline.capabilities.automation.housekeeping.updates import UpdateRules, concerns_update, update_acts
from shipline.capabilities.automation.housekeeping.welcome import welcome_acts
from shipline.capabilities.automation.rules import ALL, OF_COMMIT, QUEUE
from shipline.capabilities.plans import Linter
from shipline.domain.errors import ShiplineError
from shipline.ports.clock import Clock
from shipline.ports.forge import Forge, Known, PullRequest, PullState
from shipline.ports.forge.answers import ItemState, Thread
from shipline.ports.forge.tracker import IssueQuery


class PullKeeper(Protocol):
    """Housekeeping of one pull request at a time."""

    def __call__(self, forge: Forge, pull: PullRequest) -> Iterable[Act]:
        """What is due of an open pull request."""
        ...


MERGE = "merge"
Sweeper = Callable[[Forge], Iterable[Act]]
"""Housekeeping of the whole repository: what is due, as it is consumed."""


@dataclass(frozen=True, slots=True)
class Housekeeping:
    """What is switched on, by name, in the order in which it is done; with a `clock` at the pace of the forges."""

    pulls: Mapping[str, PullKeeper]
    sweeps: Mapping[str, Sweeper]
    queue: MergeQueue | None = None
    clock: Clock | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """All that is switched on."""
        return (*self.pulls, *self.sweeps, *(() if self.queue is None else (MERGE,)))

    def only(self, name: str) -> Housekeeping:
        """That one alone."""
        pulls = {each: keeper for each, keeper in self.pulls.items() if each == name}
        sweeps = {each: sweep for each, sweep in self.sweeps.items() if each == name}
        return Housekeeping(pulls, sweeps, self.queue if name == MERGE else None, self.clock)


def keep_pull(forge: Forge, keeping: Housekeeping, number: int, *, dry_run: bool = False) -> Iterator[str]:
    """Do what is due of one pull request, telling each thing; nothing where it is not open."""
    pull = forge.find_pull_request(number)
    if pull is not None and pull.state is PullState.OPEN:
        yield from _keep(forge, keeping, pull, Carrier(forge, dry_run=dry_run, clock=keeping.clock))


def keep_commit(forge: Forge, keeping: Housekeeping, commit: str, *, dry_run: bool = False) -> Iterator[str]:
    """Do what is due of the open pull requests whose newest commit this is, those of forks too."""
    carrier = Carrier(forge, dry_run=dry_run, clock=keeping.clock)
    for pull in [one for one in forge.each_pull_request(state=PullState.OPEN) if one.head_commit == commit]:
        yield from _keep(forge, keeping, pull, carrier)


def keep_queue(forge: Forge, keeping: Housekeeping, *, dry_run: bool = False) -> Iterator[str]:
    """Carry the queue one step on, where there is one."""
    if keeping.queue is not None:
        yield from Carrier(forge, dry_run=dry_run, clock=keeping.clock).carry(keeping.queue(forge))


def keep_all(forge: Forge, keeping: Housekeeping, *, dry_run: bool = False) -> Iterator[str]:
    """Do what is due of the repository, then of every open pull request: in this order, since a label that a pull
    request gets here is a change, and what changes is not quiet."""
    carrier = Carrier(forge, dry_run=dry_run, clock=keeping.clock)
    for sweep in keeping.sweeps.values():
        yield from carrier.carry(sweep(forge))
    if not keeping.pulls:
        return
    # Collected first: what is done to them changes the list that is read.
    for pull in tuple(forge.each_pull_request(state=PullState.OPEN)):
        check_budget(forge)
        yield from _keep(forge, keeping, pull, carrier)


def keep(forge: Forge, keeping: Housekeeping, about: str, *, dry_run: bool = False) -> Iterator[str]:
    """The one of these that a command is about: see `Command`."""
    if about == ALL:
        return keep_all(forge, keeping, dry_run=dry_run)
    if about == QUEUE:
        return keep_queue(forge, keeping, dry_run=dry_run)
    if about.startswith(OF_COMMIT):
        return keep_commit(forge, keeping, about.removeprefix(OF_COMMIT), dry_run=dry_run)
    return keep_pull(forge, keeping, int(about), dry_run=dry_run)


def _keep(forge: Forge, keeping: Housekeeping, pull: PullRequest, carrier: Carrier) -> Iterator[str]:
    for keeper in keeping.pulls.values():
        yield from carrier.carry(keeper(forge, pull))


@dataclass(frozen=True, slots=True)
class Labeller:
    """Labels pull requests."""

    rules: LabelRules

    def __call__(self, forge: Forge, pull: PullRequest) -> Iterable[Act]:
        """By its files and title."""
        known = [label.name for label in forge.labels()]
        return tuple(label_acts(self.rules, pull, forge.changed_files(pull.number), known))


@dataclass(frozen=True, slots=True)
class TitleJudge:
    """Judges titles of pull requests."""

    linter: Linter

    def __call__(self, forge: Forge, pull: PullRequest) -> Iterable[Act]:
        """As a status of its newest commit."""
        return tuple(title_acts(self.linter, pull, forge.statuses(pull.head_commit) if pull.head_commit else ()))


@dataclass(frozen=True, slots=True)
class Commenter:
    """Keeps the one comment of a pull request up to date. `look` finds out what the forge does not say."""

    look: Callable[[PullRequest], PullSeen]
    queue: MergeQueue | None = None

    def __call__(self, forge: Forge, pull: PullRequest) -> Iterable[Act]:
        """With the verdicts of its gates, as statuses, and where it stands in the queue."""
        seen, head, thread = self.look(pull), pull.head_commit, Thread.pull(pull.number)
        checks, statuses = (forge.checks(head), forge.statuses(head)) if head else ((), ())
        standing = None if self.queue is None else self.queue.standing_of(forge, pull)
        said = ForgeSaid(forge.changed_files(pull.number), checks, statuses, standing)
        return tuple(comment_acts(pull, seen, said, tuple(forge.comments(thread)), forge.account()))


@dataclass(frozen=True, slots=True)
class Welcomer:
    """Welcomes who opens a first pull request; robots are nobody's guests."""

    text: str

    def __call__(self, forge: Forge, pull: PullRequest) -> Iterable[Act]:
        """Once."""
        account = forge.account()
        if pull.author in ("", account) or pull.author.endswith("[bot]"):
            return ()
        opened = forge.pulls_opened_by(pull.author, most=2)
        if opened != (pull.number,) or forge.speaker(pull.author).robot is Known.YES:
            return ()
        return tuple(welcome_acts(self.text, pull, opened, tuple(forge.comments(Thread.pull(pull.number))), account))


@dataclass(frozen=True, slots=True)
class Reviewers:
    """Asks the owners of what changes for a review. `owners` says whose review paths need."""

    owners: Callable[[PullRequest, tuple[str, ...]], Sequence[OwnersNeed]]

    def __call__(self, forge: Forge, pull: PullRequest) -> Iterable[Act]:
        """Not of a draft. A file that cannot be read is told, and is in no other housekeeping's way."""
        if pull.draft:
            return ()
        files = forge.changed_files(pull.number)
        paths = tuple(dict.fromkeys(path for file in files for path in (file.path, file.before) if path is not None))
        try:
            wanted = self.owners(pull, paths)
        except ShiplineError as error:
            if error.retryable:
                raise
            return (Unreadable(pull.number, error.what),)
        if not wanted:
            return ()
        said = (each.author for each in forge.reviews(pull.number))
        return tuple(reviewer_acts(pull, wanted, (*forge.requested_reviewers(pull.number), *said)))


@dataclass(frozen=True, slots=True)
class Updater:
    """Merges what robots propose."""

    rules: UpdateRules
    now_us: Callable[[], int]

    def __call__(self, forge: Forge, pull: PullRequest) -> Iterable[Act]:
        """Its merge. Most are passed by unasked."""
        if not concerns_update(self.rules, pull, self.now_us()):
            return ()
        files, checks = forge.changed_files(pull.number), forge.checks(pull.head_commit)
        return tuple(update_acts(self.rules, pull, files, checks, forge.readiness(pull.number)))


@dataclass(frozen=True, slots=True)
class Closer:
    """Closes the issues of what was merged into other branches than the default one."""

    now_us: Callable[[], int]

    def __call__(self, forge: Forge) -> Iterator[Act]:
        """As it is consumed, of what was merged of late."""
        default = forge.default_branch()
        merged = [pull for pull in _merged(forge, self.now_us()) if pull.base != default]
        account = forge.account() if merged else ""
        for pull in merged:
            check_budget(forge)
            for number in forge.closes(pull.number):
                issue = forge.find_issue(number)
                if issue is not None:
                    comments = tuple(forge.comments(Thread.issue(number)))
                    yield from closing_acts(pull, issue, comments, account)


@dataclass(frozen=True, slots=True)
class Backporter:
    """Brings what was merged to the branches that its labels name."""

    prefix: str
    bring: Bring
    now_us: Callable[[], int]

    def __call__(self, forge: Forge) -> Iterator[Act]:
        """As it is consumed, of what was merged of late."""
        asked = [(pull, targets_of(self.prefix, pull)) for pull in _merged(forge, self.now_us())]
        account = forge.account() if any(targets for _, targets in asked) else ""
        for pull, targets in asked:
            if targets:
                check_budget(forge)
                comments = tuple(forge.comments(Thread.pull(pull.number)))
                yield from backport_acts(pull, targets, comments, account, self.bring)


def _merged(forge: Forge, now_us: int) -> tuple[PullRequest, ...]:
    """Collected before anything changes."""
    return tuple(forge.each_pull_request(state=PullState.MERGED, updated_since_us=now_us - LOOKED_BACK_US))


@dataclass(frozen=True, slots=True)
class StaleSweep:
    """Sees to what is quiet: at most `rules.most` issues and pull requests a run, the longest quiet first."""

    rules: StaleRules
    now_us: Callable[[], int]

    def __call__(self, forge: Forge) -> Iterator[Act]:
        """As it is consumed, so that a limit is noticed between two."""
        now_us, rules = self.now_us(), self.rules
        due = in_order(rules, tuple(_quiet(forge)), now_us)
        if due:
            yield from label_made(rules, [label.name for label in forge.labels()])
        account, left = forge.account() if due else "", rules.most
        for item in due:
            check_budget(forge)
            acts = stale_acts(rules, item, tuple(forge.comments(item.thread)), account, now_us)
            yield from acts
            left -= bool(acts)
            if left == 0:
                return


def _quiet(forge: Forge) -> Iterator[Quiet]:
    """All that is open, collected before anything changes."""
    issues = tuple(forge.issues(IssueQuery(state=ItemState.OPEN)))
    yield from (Quiet(Thread.issue(each.number), each.labels, each.updated_us) for each in issues)
    pulls = tuple(forge.each_pull_request(state=PullState.OPEN))
    yield from (Quiet(Thread.pull(each.number), each.labels, each.updated_us) for each in pulls)
