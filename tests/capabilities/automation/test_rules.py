"""Which events lead to which commands."""

from __future__ import annotations

import pytest

from shipline.capabilities.automation import Command, Duties, ForgeEvent, decide
from shipline.capabilities.automation.events import (
    ChecksEnded,
    ChecksState,
    CommentWritten,
    IssueChanged,
    MilestoneChanged,
    PullRequestChanged,
    PushReceived,
    TagPushed,
    ThingState,
)

DUTIES = Duties(("main",), ("shipline/release-main",))
NEW = "b" * 40


def pull(state: ThingState, head: str = "topic", base: str = "main", *, from_fork: bool = False) -> PullRequestChanged:
    return PullRequestChanged(5, "closed", state, "feat: x", head, base, from_fork=from_fork)


@pytest.mark.parametrize(
    "event",
    [
        PushReceived("main", "", NEW),
        pull(ThingState.MERGED),
        pull(ThingState.CLOSED, "shipline/release-main"),
        ChecksEnded(NEW, ChecksState.SUCCESS, "ci", ("topic", "main")),
    ],
)
def test_what_may_make_a_release_due_has_the_branch_looked_at(event: ForgeEvent) -> None:
    assert decide(event, DUTIES) == (Command("release", "main"),)
    assert decide(event, Duties()) == ()


@pytest.mark.parametrize(
    "event",
    [
        PushReceived("topic", "", NEW),
        PushReceived("main", NEW, ""),
        pull(ThingState.OPEN),
        pull(ThingState.MERGED, base="topic"),
        pull(ThingState.CLOSED, "shipline/release-main", from_fork=True),
        ChecksEnded(NEW, ChecksState.FAILURE, "ci", ("main",)),
        TagPushed("v1", "", NEW),
        MilestoneChanged(1, "closed", ThingState.CLOSED, "1.0.0"),
    ],
)
def test_what_makes_nothing_due_leads_to_nothing(event: ForgeEvent) -> None:
    assert decide(event, DUTIES) == ()


@pytest.mark.parametrize(
    "event",
    [
        IssueChanged(1, "opened", ThingState.OPEN, "slow"),
        CommentWritten("7", 1, "created", on_pull_request=False, author="ada", text="Very."),
        MilestoneChanged(1, "closed", ThingState.CLOSED, "1.0.0"),
        PushReceived("topic", "", NEW),
        TagPushed("v1", "", NEW),
        pull(ThingState.OPEN, from_fork=True),
    ],
)
def test_what_is_kept_alike_elsewhere_has_both_forges_looked_at(event: ForgeEvent) -> None:
    assert decide(event, Duties(sync=True)) == (Command("sync", "all"),)
    assert decide(event, DUTIES) == ()


@pytest.mark.parametrize(
    ("event", "moves"),
    [
        (pull(ThingState.MERGED), True),
        (ChecksEnded(NEW, ChecksState.FAILURE, "ci"), True),
        (PushReceived("main", "", NEW), True),
        (PushReceived("shipline/queue/main", "", NEW), False),
        (CommentWritten("7", 1, "created", on_pull_request=True, author="ada", text="/merge"), True),
        (CommentWritten("7", 1, "created", on_pull_request=True, author="ada", text="well"), False),
        (IssueChanged(1, "opened", ThingState.OPEN, "slow"), False),
    ],
)
def test_what_may_move_the_queue_has_it_looked_at(event: ForgeEvent, moves: bool) -> None:  # noqa: FBT001 - a table
    wanted = (Command("housekeeping", "queue"),) if moves else ()
    assert decide(event, Duties(queue=True)) == wanted


def test_an_open_pull_request_is_kept_in_order_where_that_is_switched_on() -> None:
    """Of a fork, too, and when its checks have ended; one that has ended is not."""
    kept = Duties(housekeeping=True)
    assert decide(pull(ThingState.OPEN, from_fork=True), kept) == (Command("housekeeping", "5"),)
    checked = ChecksEnded(NEW, ChecksState.FAILURE, "ci")
    assert decide(checked, kept) == (Command("housekeeping", f"commit:{NEW}"),)
    assert decide(pull(ThingState.CLOSED), kept) == decide(pull(ThingState.OPEN), Duties()) == ()
