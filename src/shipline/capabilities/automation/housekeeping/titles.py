"""Titles of pull requests, judged as commit messages are: a squashed pull request's title becomes one. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from shipline.capabilities.automation.housekeeping.acts import Act, StatusSaid
from shipline.capabilities.plans import Linter
from shipline.ports.forge import CommitStatus, PullRequest, StatusState

TITLE_CONTEXT = "shipline/title"
# From: docs.github.com/rest/commits/statuses: a description of more than 140 characters is refused.
DESCRIPTION_MAX = 140


def title_status(linter: Linter, title: str) -> CommitStatus:
    """What the rules of `[lint]` say of a title: of several errors the first, with a better title if there is one."""
    linted = linter.linted(" ".join(title.split()))
    errors = [each.message for each in linted.problems if each.is_error]
    if not errors:
        return CommitStatus(TITLE_CONTEXT, StatusState.SUCCESS, "the title is as the rules want it")
    better = f"; write: {linted.proposal}" if linted.proposal else ""
    said = f"{errors[0]}{better}"
    return CommitStatus(
        TITLE_CONTEXT, StatusState.FAILURE, said if len(said) <= DESCRIPTION_MAX else errors[0][:DESCRIPTION_MAX]
    )


def title_acts(linter: Linter, pull: PullRequest, statuses: Sequence[CommitStatus]) -> Iterator[Act]:
    """The status of its newest commit, where it says something else, or nothing, so far."""
    wanted = title_status(linter, pull.title)
    said = next((each for each in statuses if each.context == TITLE_CONTEXT), None)
    if pull.head_commit and (said is None or (said.state, said.description) != (wanted.state, wanted.description)):
        yield StatusSaid(pull.head_commit, wanted)
