"""An independent client drives the fake GitHub: PyGithub speaks to it as to the service."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from github import Auth, BadCredentialsException, Github, GithubException
from github.Repository import Repository

from shipline.ports.forge import CommitStatus, StatusState
from shipline.ports.forge.answers import Thread
from shipline.ports.forge.guards import BranchRule
from shipline.ports.forge.hooks import HookEvent
from shipline.ports.forge.reviews import MergeMethod
from tests.providers.forge.places import TOKEN, Place, running


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    """A fake GitHub over a real repository."""
    monkeypatch.setenv("FORGE_TOKEN", TOKEN)
    with running("github", tmp_path) as made:
        yield made


def client(place: Place, token: str = TOKEN) -> Github:
    """Without its own pauses and retries."""
    return Github(
        base_url=place.server.api_url,
        auth=Auth.Token(token),
        retry=None,
        seconds_between_requests=None,
        seconds_between_writes=None,
        timeout=int(socket.getdefaulttimeout() or 10),
    )


@pytest.fixture
def repository(place: Place) -> Iterator[Repository]:
    """The same repository, as PyGithub sees it."""
    with client(place) as github:
        yield github.get_repo(place.model.repository)


def test_milestones_issues_labels_and_comments(place: Place, repository: Repository) -> None:
    """And our own provider finds what the other client has made."""
    milestone = repository.create_milestone("1.4.0", state="open", description="the fourth")
    repository.create_label("kind: bug", "d73a4a", "something is wrong")
    issue = repository.create_issue("one", "a body", milestone=milestone, labels=["kind: bug"])
    issue.create_comment("said")
    issue.edit(state="closed", title="two")
    assert [one.number for one in repository.get_issues(state="closed", milestone=milestone)] == [issue.number]
    found = place.forge.find_issue(issue.number)
    assert found is not None
    assert (found.title, found.labels, found.milestone) == ("two", ("kind: bug",), str(milestone.number))
    assert [one.body for one in place.forge.comments(Thread.issue(issue.number))] == ["said"]
    milestone.edit("1.4.0", state="closed", due_on=date(2026, 12, 24))
    ours = place.forge.find_milestone("1.4.0")
    assert ours is not None
    assert (ours.state.value, ours.due_on) == ("closed", date(2026, 12, 24))
    with pytest.raises(GithubException) as caught:
        repository.create_milestone("1.4.0")
    assert caught.value.status == 422
    milestone.delete()
    assert list(repository.get_milestones(state="all")) == []


def test_a_pull_request_from_its_branch_to_its_merge(place: Place, repository: Repository) -> None:
    repository.create_git_ref("refs/heads/topic", place.commits[1])
    pull = repository.create_pull(base="main", head="topic", title="feat: one", body="")
    pull.add_to_labels("size/s")
    pull.create_review_request(reviewers=["ada"])
    assert [file.filename for file in pull.get_files()] == ["a"]
    with pytest.raises(GithubException) as caught:
        pull.merge(sha=place.commits[0])
    assert caught.value.status == 409
    assert pull.merge(sha=place.commits[1], merge_method="squash").merged
    ours = place.forge.merge_pull_request(pull.number, head=place.commits[1], method=MergeMethod.SQUASH)
    assert repository.get_branch("main").commit.sha == ours.merge_commit


def test_hooks_and_what_they_sent(place: Place, repository: Repository) -> None:
    given = {"url": "http://127.0.0.1:9/", "content_type": "json", "secret": "s"}
    hook = repository.create_hook("web", given, ["push", "milestone"], active=True)
    repository.create_git_ref("refs/tags/v1.0.0", place.commits[0])
    (ours,) = place.forge.hooks()
    assert ours.events == {HookEvent.PUSH, HookEvent.MILESTONE}
    (sent,) = repository.get_hook_deliveries(hook.id)
    assert (sent.event, sent.redelivery) == ("push", False)
    hook.delete()
    assert place.forge.hooks() == ()


def test_pages_are_followed(place: Place, repository: Repository) -> None:
    place.server.faults.page_size = 2
    for number in range(5):
        repository.create_issue(f"issue {number}")
    assert len(list(repository.get_issues())) == 5


def test_a_wrong_token_is_an_error_of_authentication(place: Place) -> None:
    with client(place, "another-token") as github, pytest.raises(BadCredentialsException):
        github.get_repo(place.model.repository)


def test_secrets_of_ci_and_a_check_that_a_rule_demands(place: Place, repository: Repository) -> None:
    """The other client seals with the key that the fake shows; what a rule of ours refuses, it is refused, too."""
    repository.create_secret("REGISTRY_TOKEN", "of-the-registry")
    assert place.model.guards.secrets == {"REGISTRY_TOKEN": "of-the-registry"}
    assert [one.name for one in repository.get_secrets()] == list(place.forge.ci_secrets()) == ["REGISTRY_TOKEN"]
    place.forge.ensure_branch_rule(BranchRule("main", checks=("tests",)))
    place.forge.create_branch("topic", place.commits[1])
    pull = repository.create_pull("main", "topic", title="feat: two", body="")
    with pytest.raises(GithubException, match="not mergeable"):
        pull.merge()
    place.forge.set_status(place.commits[1], CommitStatus("tests", StatusState.SUCCESS))
    assert pull.merge().merged
    assert repository.delete_secret("REGISTRY_TOKEN")
    assert place.forge.ci_secrets() == ()
