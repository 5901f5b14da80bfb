"""From an event to commands: pure.

A command says what is to be looked at, and not what to do: whoever carries it out sees what is so then, and does what
is missing. Events may therefore come late, twice, in any order or not at all, and commands with the same key are one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from shipline.capabilities.automation.events import (
    ChecksEnded,
    ChecksState,
    CommentWritten,
    ForgeEvent,
    IssueChanged,
    MilestoneChanged,
    PullRequestChanged,
    PushReceived,
    ReleaseChanged,
    TagPushed,
    ThingState,
)
from shipline.capabilities.automation.words import read_command
from shipline.ports.forge.answers import ThreadKind

RELEASE = "release"
MILESTONES = "milestones"
SYNC = "sync"
SYNC_TEST = "sync-test"  # Of `all`: a marked item is sent round.
HOUSEKEEPING = "housekeeping"
HOOKS = "hooks"
COMMENT = "comment"
ASKED = "asked"
REMEDIATION = "remediation"
ASSISTANT = "assistant"
ALL = "all"
OF_COMMIT = "commit:"
QUEUE_BRANCH = "shipline/queue/"
QUEUE = "queue"
KEY_MAX = 180
SYNCED = (
    IssueChanged,
    CommentWritten,
    MilestoneChanged,
    PullRequestChanged,
    PushReceived,
    ReleaseChanged,
    TagPushed,
)
CREATED = frozenset({"created", "create"})


@dataclass(frozen=True, slots=True)
class Command:
    """See to `about` in the way of `kind`: `release` of a branch releases what is due there, and keeps its release pull
    request up to date; `sync` of `all` makes two forges alike; `milestones` of the development branch does what
    milestones ask for; `housekeeping` of a pull request (its number), of those with a newest commit (`commit:` and its
    id), of the merge `queue`, or of `all` but that, does what that asks for; `hooks` of `all` sees that the forge's
    hook works; `comment` of one comment carries out what it asks for; `asked` carries out what was asked of a
    server; `remediation` of `all` does what rules about findings ask for; `assistant` of a pull request, of those with
    a newest commit, or of `all` asks for advice about it."""

    kind: str
    about: str

    @property
    def key(self) -> str:
        """What it is told apart by: there is one of each at a time, however many events want it."""
        return f"{self.kind}:{self.about}"[:KEY_MAX]


@dataclass(frozen=True, slots=True)
class Duties:
    """What is done by itself here. `release_branches` are the branches that are released from when something comes to
    them; none: nothing is. `release_heads` are the branches of their release pull requests: Shipline's own. `sync`:
    another forge is kept alike. `milestones` is the development branch of the milestone flow, "" where that is off.
    `housekeeping`: some of it is switched on, and `queue`: pull requests are merged when they are ready. `commands` are
    the verbs that comments may give. `assistant`: somebody is asked for advice."""

    release_branches: tuple[str, ...] = ()
    release_heads: tuple[str, ...] = ()
    sync: bool = False
    milestones: str = ""
    housekeeping: bool = False
    queue: bool = False
    commands: frozenset[str] = frozenset()
    assistant: bool = False


Decided: TypeAlias = tuple[Command, ...]


def is_working_branch(branch: str) -> bool:
    """True for a branch that Shipline moves for itself, and that nobody is asked to merge: it is of no use to others.

    Those of its pull requests are none: people look at them.
    """
    return branch.startswith(QUEUE_BRANCH)


def decide(event: ForgeEvent, duties: Duties) -> Decided:
    """The commands that an event leads to."""
    released = tuple(Command(RELEASE, branch) for branch in _moved(event, duties) if branch in duties.release_branches)
    synced = duties.sync and isinstance(event, SYNCED)
    follows = duties.milestones and _is_for_milestones(event, duties.milestones)
    others = (Command(SYNC, ALL),) if synced else ()
    kept = (*(_kept(event) if duties.housekeeping else ()), *((QUEUE,) if duties.queue and _moves_queue(event) else ()))
    return (
        *released,
        *others,
        *((Command(MILESTONES, duties.milestones),) if follows else ()),
        *(Command(HOUSEKEEPING, about) for about in kept),
        *(Command(COMMENT, about) for about in _spoken(event, duties.commands)),
        *(Command(ASSISTANT, about) for about in (_advised(event) if duties.assistant else ())),
    )


def _spoken(event: ForgeEvent, verbs: frozenset[str]) -> tuple[str, ...]:
    """A comment that begins with a command. Whether it is one, whose it is and whether they may, is seen by looking."""
    match event:
        case CommentWritten() if event.action in CREATED and verbs and event.key.isdigit():
            asked = read_command(event.text)
            if asked is not None and asked.verb in verbs:
                kind = ThreadKind.PULL if event.on_pull_request else ThreadKind.ISSUE
                return (f"{kind}-{event.number}-{event.key}",)
    return ()


def _is_for_milestones(event: ForgeEvent, branch: str) -> bool:
    """Whether something may be due of milestones: of their own, of their issues, of commits and of releases."""
    match event:
        case MilestoneChanged() | ReleaseChanged():
            return True
        case IssueChanged():
            return event.milestone != "" or event.state is ThingState.CLOSED
        case PushReceived():
            return event.after != "" and event.branch == branch
        case PullRequestChanged():
            return not event.from_fork and event.state is not ThingState.OPEN
        case ChecksEnded():
            return not event.branches or branch in event.branches
        case _:
            return False


def _kept(event: ForgeEvent) -> tuple[str, ...]:
    """What housekeeping is due of: a pull request, forks' too, or those whose checks have ended. The rest is found by
    looking at everything at times."""
    match event:
        case PullRequestChanged() if event.state is ThingState.OPEN:
            return (str(event.number),)
        case ChecksEnded():
            return (f"{OF_COMMIT}{event.commit}",)
        case _:
            return ()


def _advised(event: ForgeEvent) -> tuple[str, ...]:
    """What advice is due about, as for housekeeping; but nothing of a fork, or a draft, is given to an assistant."""
    match event:
        case PullRequestChanged() if event.from_fork or event.draft:
            return ()
        case _:
            return _kept(event)


def _moves_queue(event: ForgeEvent) -> bool:
    """Whether something may have become ready to be merged, or not be so any more."""
    match event:
        case PullRequestChanged() | ChecksEnded():
            return True
        case CommentWritten():
            return event.on_pull_request and event.text.startswith("/merge")
        case PushReceived():
            return not is_working_branch(event.branch)
        case _:
            return False


def _moved(event: ForgeEvent, duties: Duties) -> tuple[str, ...]:
    """The branches on which something may be due now.

    What was merged comes by a push too, whose hook may be lost. Checks that pass may open a gate that was closed. Any
    other change of a pull request counts where it is the release's own: somebody has closed it, or changed its words.
    """
    match event:
        case PushReceived() if event.after:
            return (event.branch,)
        case PullRequestChanged() if not event.from_fork and (
            event.state is ThingState.MERGED or event.head in duties.release_heads
        ):
            return (event.base,)
        case ChecksEnded() if event.state is ChecksState.SUCCESS:
            return event.branches
        case _:
            return ()
