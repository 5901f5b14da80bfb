"""Events of GitHub, and of Gitea and Forgejo, which speak nearly the same. Pure.

From: docs.github.com/webhooks/webhook-events-and-payloads (November 2026), the examples of @octokit/webhooks-examples
7.6.1, and Gitea 1.25 (docs.gitea.com/usage/repository/webhooks; modules/structs/hook.go).
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

# A push lists no more: docs.github.com, "push".
GITHUB_COMMITS_MAX = 2048
# GitHub's conclusions, and what Gitea calls a state. What is not final, or says nothing (neutral), is left out.
ENDS = {
    "success": ChecksState.SUCCESS,
    "failure": ChecksState.FAILURE,
    "error": ChecksState.FAILURE,
    "timed_out": ChecksState.FAILURE,
    "cancelled": ChecksState.FAILURE,
    "action_required": ChecksState.FAILURE,
}


def push(body: Fields) -> ForgeEvent | None:
    """A branch or tag moved. Gitea says how many commits there are in all, GitHub lists as many as it says."""
    ref, before, after = body.needed("ref"), body.commit("before"), body.commit("after")
    if ref.startswith(TAGS):
        return TagPushed(ref.removeprefix(TAGS), before, after)
    if not ref.startswith(HEADS):
        return None
    listed, said = body.length("commits"), body.number("total_commits")
    truncated = said > listed or listed >= GITHUB_COMMITS_MAX
    return PushReceived(ref.removeprefix(HEADS), before, after, max(listed, said), truncated)


def pull_request(body: Fields) -> ForgeEvent | None:
    """Anything that was done to one, a change of labels included."""
    pull = body.at("pull_request")
    merged = pull.yes("merged") or pull.has("merged_at")
    number = pull.number("number") or body.needed_number("number")
    return PullRequestChanged(
        number=number,
        action=body.needed("action"),
        state=ThingState.MERGED if merged else _state(pull),
        title=pull.text("title", most=TITLE_MAX),
        head=pull.text("head", "ref"),
        base=pull.needed("base", "ref"),
        commit=pull.commit("head", "sha"),
        merge_commit=pull.commit("merge_commit_sha") if merged else "",
        draft=pull.yes("draft"),
        from_fork=_repository(pull, "head") != _repository(pull, "base"),
        labels=pull.titles("labels", key="name"),
    )


def _repository(pull: Fields, side: str) -> str:
    """A fork that was deleted is null."""
    return pull.text(side, "repo", "full_name")


def issue(body: Fields) -> ForgeEvent | None:
    """Anything that was done to one."""
    about = body.at("issue")
    return IssueChanged(
        number=about.needed_number("number"),
        action=body.needed("action"),
        state=_state(about),
        title=about.text("title", most=TITLE_MAX),
        milestone=about.text("milestone", "title"),
        labels=about.titles("labels", key="name"),
    )


def milestone(body: Fields) -> ForgeEvent | None:
    """GitHub alone."""
    about = body.at("milestone")
    return MilestoneChanged(
        about.needed_number("number"), body.needed("action"), _state(about), about.text("title", most=TITLE_MAX)
    )


def comment(body: Fields) -> ForgeEvent | None:
    """On an issue, or on a pull request, which both forges take for an issue there."""
    said = body.at("comment")
    on_pull = body.has("issue", "pull_request") or body.yes("is_pull")
    return CommentWritten(
        key=str(said.needed_number("id")),
        number=body.at("issue").number("number") or body.at("pull_request").needed_number("number"),
        action=body.needed("action"),
        on_pull_request=on_pull,
        author=said.text("user", "login") or body.text("sender", "login"),
        text=said.text("body", most=TEXT_MAX),
    )


def status(body: Fields) -> ForgeEvent | None:
    """One status of a commit."""
    end = ENDS.get(body.text("state"))
    commit = body.commit("sha")
    if end is None or not commit:
        return None
    at_it = (each for each in body.items("branches") if each.text("commit", "sha") == commit)
    return ChecksEnded(commit, end, body.text("context"), tuple(each.text("name") for each in at_it))


def suite(name: str) -> Callable[[Fields], ForgeEvent | None]:
    """The reader of `check_suite` and `workflow_run`, which has what matters in an object of that name."""

    def read(body: Fields) -> ForgeEvent | None:
        about = body.at(name)
        end, commit = ENDS.get(about.text("conclusion")), about.commit("head_sha")
        if body.text("action") != "completed" or end is None or not commit:
            return None
        branch = about.text("head_branch")
        return ChecksEnded(commit, end, about.text("app", "name") or about.text("name"), (branch,) if branch else ())

    return read


def release(body: Fields) -> ForgeEvent | None:
    """Its page."""
    about = body.at("release")
    return ReleaseChanged(about.needed("tag_name"), body.needed("action"), about.yes("draft"), about.yes("prerelease"))


def _state(about: Fields) -> ThingState:
    return ThingState.CLOSED if about.text("state") == "closed" else ThingState.OPEN


READERS: dict[str, Callable[[Fields], ForgeEvent | None]] = {
    "push": push,
    "pull_request": pull_request,
    "issues": issue,
    "milestone": milestone,
    "issue_comment": comment,
    "status": status,
    "check_suite": suite("check_suite"),
    "workflow_run": suite("workflow_run"),
    "release": release,
}
"""By what `X-GitHub-Event` and `X-Gitea-Event` say. Making a tag is a `push` too, so `create` and `delete` say nothing
more."""
