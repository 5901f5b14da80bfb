"""Events of GitLab. Pure.

From: docs.gitlab.com/user/project/integrations/webhook_events, 18.5. What an event is stands in `object_kind`; the
header `X-Gitlab-Event` says it in words for people.
"""

from __future__ import annotations

from collections.abc import Callable

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
from shipline.capabilities.automation.reading.fields import HEADS, TAGS, TEXT_MAX, TITLE_MAX, Fields

ABOUT = "object_attributes"
# A pipeline's states that are final: docs.gitlab.com/api/pipelines. `skipped` says nothing.
ENDS = {"success": ChecksState.SUCCESS, "failed": ChecksState.FAILURE, "canceled": ChecksState.FAILURE}
STATES = {"closed": ThingState.CLOSED, "merged": ThingState.MERGED}
# To which object of the payload a comment belongs. Those on commits and snippets belong to nothing of ours.
COMMENTED = {"mergerequest": "merge_request", "issue": "issue"}


def push(body: Fields) -> ForgeEvent | None:
    """A branch moved; 20 commits are listed at most."""
    said = body.number("total_commits_count")
    listed = body.length("commits")
    branch = body.needed("ref").removeprefix(HEADS)
    return PushReceived(branch, body.commit("before"), body.commit("after"), max(said, listed), said > listed)


def tag_push(body: Fields) -> ForgeEvent | None:
    """A tag was made or deleted."""
    return TagPushed(body.needed("ref").removeprefix(TAGS), body.commit("before"), body.commit("after"))


def merge_request(body: Fields) -> ForgeEvent | None:
    """Anything that was done to one. A change of its labels is an `update`."""
    about = body.at(ABOUT)
    return PullRequestChanged(
        number=about.needed_number("iid"),
        action=about.text("action") or "update",
        state=_state(about),
        title=about.text("title", most=TITLE_MAX),
        head=about.text("source_branch"),
        base=about.needed("target_branch"),
        commit=about.commit("last_commit", "id"),
        merge_commit=about.commit("merge_commit_sha"),
        draft=about.yes("draft") or about.yes("work_in_progress"),
        from_fork=about.number("source_project_id") != about.number("target_project_id"),
        labels=body.titles("labels", key="title"),
    )


def issue(body: Fields) -> ForgeEvent | None:
    """Anything that was done to one. It names its milestone by a number that people never see."""
    about = body.at(ABOUT)
    return IssueChanged(
        number=about.needed_number("iid"),
        action=about.text("action") or "update",
        state=_state(about),
        title=about.text("title", most=TITLE_MAX),
        labels=body.titles("labels", key="title"),
    )


def milestone(body: Fields) -> ForgeEvent | None:
    """Since 18.2; `action` stands at the top."""
    about = body.at(ABOUT)
    return MilestoneChanged(
        number=about.needed_number("iid"),
        action=body.text("action") or about.text("action"),
        state=_state(about),
        title=about.text("title", most=TITLE_MAX),
    )


def note(body: Fields) -> ForgeEvent | None:
    """A comment."""
    about = body.at(ABOUT)
    thing = COMMENTED.get(about.text("noteable_type").lower())
    if thing is None:
        return None
    return CommentWritten(
        key=str(about.needed_number("id")),
        number=body.at(thing).needed_number("iid"),
        action=about.text("action") or "create",
        on_pull_request=thing == "merge_request",
        author=body.text("user", "username"),
        text=about.text("note", most=TEXT_MAX),
    )


def pipeline(body: Fields) -> ForgeEvent | None:
    """All checks of a commit together."""
    about = body.at(ABOUT)
    end, commit = ENDS.get(about.text("status")), about.commit("sha")
    if end is None or not commit:
        return None
    branch = "" if about.yes("tag") else about.text("ref")
    return ChecksEnded(commit, end, about.text("name") or "pipeline", (branch,) if branch else ())


def release(body: Fields) -> ForgeEvent | None:
    """Its page. GitLab knows neither drafts nor pre-releases."""
    return ReleaseChanged(body.needed("tag"), body.text("action") or "update")


def _state(about: Fields) -> ThingState:
    return STATES.get(about.text("state"), ThingState.OPEN)


READERS: dict[str, Callable[[Fields], ForgeEvent | None]] = {
    "push": push,
    "tag_push": tag_push,
    "merge_request": merge_request,
    "issue": issue,
    "milestone": milestone,
    "note": note,
    "pipeline": pipeline,
    "release": release,
}
"""By `object_kind`."""
