"""Which events lead to which commands."""

from __future__ import annotations

import pytest

from shipline.capabilities.automation import Command, Duties, ForgeEvent, decide
from shipline.capabilities.automation.events import (
    ChecksEnded,
    ChecksState,
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
