"""A word to somebody who opens their first pull request. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from shipline.capabilities.automation.housekeeping.acts import Act, Said
from shipline.ports.forge import Comment, PullRequest, bears
from shipline.ports.forge.answers import Thread

WELCOME_MARKER = "shipline:welcome"


def welcome_acts(
    text: str, pull: PullRequest, opened: Sequence[int], comments: Sequence[Comment], account: str
) -> Iterator[Act]:
    """The comment, once, where this is the only one that its author has opened. `{author}` in the text calls them.

    `account` is as in `stale_acts`. What was written stays as it was, whatever the text is later.
    """
    said = any(bears(each.body, WELCOME_MARKER) and account in ("", each.author) for each in comments)
    if tuple(opened) == (pull.number,) and not said:
        body = text.replace("{author}", f"@{pull.author}")
        yield Said(Thread.pull(pull.number), WELCOME_MARKER, body, "welcome its author")
