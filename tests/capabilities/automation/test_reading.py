"""From payloads to events: the same few for all forges, whatever is added to or missing from what they send."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from shipline.capabilities.automation import ForgeEvent, Unknown, event_name, forge_of_headers, read_event
from shipline.capabilities.automation.events import (
    ChecksEnded,
    ChecksState,
    CommentWritten,
    IssueChanged,
    MilestoneChanged,
    PullRequestChanged,
    PushReceived,
    ReleaseChanged,
    TagPushed,
    ThingState,
)
from shipline.domain.errors import InvalidValue
from tests.capabilities.automation.payloads import (
    NEW,
    NOWHERE,
    OLD,
    gitea_pull_request,
    gitea_push,
    github_push,
    gitlab,
    gitlab_merge_request,
    gitlab_push,
)
from tests.npm_packages import installed

SAMPLES = Path(__file__).parents[2] / "data" / "webhooks" / "github.json"
MERGED = PullRequestChanged(
    5, "closed", ThingState.MERGED, "feat: quotes", "topic", "main", OLD, NEW, labels=("feature",)
)


def samples() -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for sample in json.loads(SAMPLES.read_text("utf-8")):
        found.setdefault(sample["event"], []).append(read_event("github", sample["event"], sample["payload"]))
    return found


def test_githubs_own_examples_are_read() -> None:
    """Each to the event that it is; what is not followed is no error."""
    read = samples()
    commit = "6113728f27ae82c7b1a177c8d03f9e96e0adf246"
    assert read["push"] == [PushReceived("master", "", commit, 1), TagPushed("simple-tag", "", commit)]
    closed, opened = read["pull_request"]
    assert (closed.number, closed.state, closed.base, closed.labels) == (2, ThingState.CLOSED, "master", ("bug",))
    assert (opened.action, opened.state, opened.from_fork) == ("opened", ThingState.OPEN, False)
    assert read["issues"] == [
        IssueChanged(
            2, "milestoned", ThingState.OPEN, "Update the README with new information.", "v1.0", labels=("bug",)
        )
    ]
    assert read["milestone"] == [MilestoneChanged(1, "closed", ThingState.CLOSED, "v1.0")]
    (comment,) = read["issue_comment"]
    assert isinstance(comment, CommentWritten)
    assert (comment.author, comment.on_pull_request) == ("Codertocat", False)
    assert read["status"] == [ChecksEnded(commit, ChecksState.SUCCESS, "default")]
    assert read["check_suite"][0].branches == ("changes",)
    assert read["release"] == [ReleaseChanged("0.0.1", "published")]
    assert {name for name, found in read.items() if isinstance(found[0], Unknown)} == {"ping", "star", "workflow_run"}


def test_all_of_githubs_examples_are_accepted(request: pytest.FixtureRequest) -> None:
    """329 payloads of 58 events; none of those that are followed lacks anything."""
    cache = request.config.cache
    assert cache is not None
    folder = installed(Path(cache.mkdir("npm")), "@octokit/webhooks-examples", "7.6.1")
    path = folder / "node_modules/@octokit/webhooks-examples/api.github.com/index.json"
    examples = [(one["name"], each) for one in json.loads(path.read_text("utf-8")) for each in one["examples"]]
    read = [read_event("github", name, payload) for name, payload in examples]
    assert len(read) == 329
    assert sum(not isinstance(each, Unknown) for each in read) == 102


@pytest.mark.parametrize(
    ("payload", "event"),
    [
        (gitlab_push(count=3), PushReceived("main", OLD, NEW, 3)),
        (gitlab_push(count=45), PushReceived("main", OLD, NEW, 45, truncated=True)),
        (gitlab_push("refs/heads/new", before=NOWHERE), PushReceived("new", "", NEW, 1)),
        (gitlab("tag_push", ref="refs/tags/v1.0.0", before=NOWHERE, after=NEW), TagPushed("v1.0.0", "", NEW)),
        (
            gitlab_merge_request(),
            PullRequestChanged(
                5, "merge", ThingState.MERGED, "feat: quotes", "topic", "main", OLD, NEW, labels=("feature",)
            ),
        ),
        (
            gitlab("issue", {"iid": 3, "title": "it fails", "state": "closed", "action": "close"}),
            IssueChanged(3, "close", ThingState.CLOSED, "it fails"),
        ),
        (
            gitlab("milestone", {"iid": 2, "title": "1.4.0", "state": "closed"}, action="close"),
            MilestoneChanged(2, "close", ThingState.CLOSED, "1.4.0"),
        ),
        (
            gitlab("note", {"id": 9, "noteable_type": "MergeRequest", "note": "/release"}, merge_request={"iid": 5}),
            CommentWritten("9", 5, "create", on_pull_request=True, author="ann", text="/release"),
        ),
        (
            gitlab("pipeline", {"status": "success", "sha": NEW, "ref": "main", "tag": False, "name": None}),
            ChecksEnded(NEW, ChecksState.SUCCESS, "pipeline", ("main",)),
        ),
        (gitlab("release", tag="v1.0.0", action="create"), ReleaseChanged("v1.0.0", "create")),
    ],
)
def test_gitlabs_documented_events_are_read(payload: dict[str, Any], event: ForgeEvent) -> None:
    assert event_name("gitlab", {}, payload) == payload["object_kind"]
    assert read_event("gitlab", payload["object_kind"], payload) == event


@pytest.mark.parametrize(
    ("kind", "payload", "event"),
    [
        ("push", gitea_push(total=40), PushReceived("main", OLD, NEW, 40, truncated=True)),
        ("push", gitea_push("refs/tags/v1"), TagPushed("v1", OLD, NEW)),
        ("pull_request", gitea_pull_request(), MERGED),
        (
            "issue_comment",
            {
                "action": "created",
                "issue": {"number": 5},
                "is_pull": True,
                "comment": {"id": 8, "body": "/freeze", "user": {"login": "ann"}},
            },
            CommentWritten("8", 5, "created", on_pull_request=True, author="ann", text="/freeze"),
        ),
    ],
)
def test_giteas_events_are_read(kind: str, payload: dict[str, Any], event: ForgeEvent) -> None:
    assert read_event("gitea", kind, payload) == event


def test_gitea_is_known_by_its_own_headers() -> None:
    """It sends GitHub's besides."""
    headers = {"x-github-event": "push", "x-gogs-event": "push", "x-gitea-event": "push"}
    assert forge_of_headers(headers) == "gitea"
    assert forge_of_headers({"x-github-event": "push"}) == "github"
    assert forge_of_headers({"x-gitlab-event": "Push Hook"}) == "gitlab"
    assert forge_of_headers({"accept": "*/*"}) == ""


@pytest.mark.parametrize(
    ("forge", "kind", "payload"),
    [
        ("github", "push", {}),
        ("github", "pull_request", {"action": "closed", "pull_request": None}),
        ("github", "issues", {"action": "opened", "issue": {"number": -1}}),
        ("gitlab", "merge_request", {"object_attributes": {"iid": "5"}}),
        ("gitea", "push", {"ref": ["refs/heads/main"]}),
    ],
)
def test_a_known_event_that_lacks_what_it_is_about_says_so(forge: str, kind: str, payload: dict[str, Any]) -> None:
    with pytest.raises(InvalidValue, match="it lacks"):
        read_event(forge, kind, payload)


def test_what_is_hostile_is_bounded() -> None:
    """Long names and lists are cut, ids that are none are none, and a strange event is named without its signs."""
    push = read_event("github", "push", github_push("refs/heads/" + "x" * 10_000, after="; rm -rf /"))
    assert isinstance(push, PushReceived)
    assert (len(push.branch) <= 250, push.after) == (True, "")
    many = gitlab_merge_request() | {"labels": [{"title": "x" * 10_000}] * 10_000}
    merged = read_event("gitlab", "merge_request", many)
    assert isinstance(merged, PullRequestChanged)
    assert (len(merged.labels), {len(label) for label in merged.labels}) == (100, {250})
    strange = read_event("github", "\x1b[2J" + "e" * 5000, {})
    assert isinstance(strange, Unknown)
    assert "\x1b" not in strange.sentence
    assert len(strange.sentence) < 300
