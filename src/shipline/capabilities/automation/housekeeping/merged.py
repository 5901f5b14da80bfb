"""What follows from a merge: issues that it closes on branches other than the default one, and backports. Pure.

Forges close issues by keywords where a merge goes into the default branch, and nowhere else. What was done is known by
a comment of ours, so an issue that a person opens again stays open, and a backport is asked for once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from shipline.capabilities.automation.housekeeping.acts import Act, Closed, Said
from shipline.domain.errors import InvalidValue
from shipline.ports.forge import Comment, Forge, PullRequest, bears, checked_ref_name
from shipline.ports.forge.answers import ItemState, Thread
from shipline.ports.forge.tracker import Issue

DAY_US = 86_400 * 1_000_000
LOOKED_BACK_US = 30 * DAY_US
"""What was merged, or changed since, longer ago is left alone."""
PICKS_MAX = 10


Bring = Callable[[PullRequest, str], str]
"""Bring what a pull request became to a branch, by another pull request, and say in Markdown what came of it, or what
is left to a person. Idempotent; raises what is worth trying again."""


def closed_marker(number: int) -> str:
    """The marker of the comment that says which pull request has closed an issue."""
    return f"shipline:closed-by:{number}"


def closing_acts(pull: PullRequest, issue: Issue, comments: Sequence[Comment], account: str) -> Iterator[Act]:
    """The end of an open issue that a merge closes, once. The comment comes after it: one that is missing is mended,
    and an end that is missing would never be seen. `account` is as in `stale_acts`."""
    marker = closed_marker(pull.number)
    if issue.state is ItemState.CLOSED or _said(comments, marker, account):
        return
    thread = Thread.issue(issue.number)
    yield Closed(thread, f"pull request {pull.number} was merged into {pull.base}")
    yield Said(thread, marker, f"Closed by {pull.url}, which was merged into `{pull.base}`.", "say what closed it")


def targets_of(prefix: str, pull: PullRequest) -> tuple[str, ...]:
    """The branches that its labels ask for, by order; neither its base, nor what no branch can be called."""
    return tuple(sorted({name for name in map(_branch, _labelled(prefix, pull)) if name not in ("", pull.base)}))[
        :PICKS_MAX
    ]


def _labelled(prefix: str, pull: PullRequest) -> Iterator[str]:
    for label in pull.labels:
        if label.casefold().startswith(prefix.casefold()):
            yield label[len(prefix) :].strip()


def _branch(name: str) -> str:
    try:
        return checked_ref_name(name)
    except InvalidValue:
        return ""


def backport_marker(target: str) -> str:
    """The marker of the comment on a backport to a branch."""
    return f"shipline:backport:{target}"


@dataclass(frozen=True, slots=True)
class BroughtTo:
    """A merged pull request is brought to a branch, or its comment says why a person has to do that."""

    pull: PullRequest
    target: str
    bring: Bring

    @property
    def sentence(self) -> str:
        """For people."""
        return f"pull request {self.pull.number}: bring it to {self.target}"

    def perform(self, forge: Forge) -> None:
        """By another pull request, then the comment: whoever dies in between finds the first one made."""
        body = self.bring(self.pull, self.target)
        forge.put_comment(Thread.pull(self.pull.number), marker=backport_marker(self.target), body=body)


def backport_acts(
    pull: PullRequest, targets: Sequence[str], comments: Sequence[Comment], account: str, bring: Bring
) -> Iterator[Act]:
    """The backports that its labels ask for and no comment of ours tells of: also of one that a person has to make."""
    for target in targets:
        if not _said(comments, backport_marker(target), account):
            yield BroughtTo(pull, target, bring)


def _said(comments: Sequence[Comment], marker: str, account: str) -> bool:
    return any(bears(each.body, marker) and account in ("", each.author) for each in comments)
