"""An independent client drives the fake GitLab: what it speaks is not our own invention."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import gitlab
import pytest
from gitlab.v4.objects import Project

from shipline.ports.forge.answers import ItemState, Thread
from shipline.ports.forge.hooks import HookEvent
from shipline.ports.forge.reviews import Opinion
from tests.providers.forge.places import TOKEN, Place, running


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    """A fake GitLab over a real repository."""
    monkeypatch.setenv("FORGE_TOKEN", TOKEN)
    with running("gitlab", tmp_path) as made:
        yield made


@pytest.fixture
def project(place: Place) -> Iterator[Project]:
    """The same project, as python-gitlab sees it."""
    with gitlab.Gitlab(place.server.origin, private_token=TOKEN) as client:
        yield client.projects.get(place.model.repository)


def test_branches_and_tags(place: Place, project: Project) -> None:
    commit = place.commits[0]
    project.branches.create({"branch": "topic/one", "ref": commit})
    assert project.branches.get("topic/one").commit["id"] == commit
    project.tags.create({"tag_name": "v1.0.0", "ref": commit})
    assert project.tags.get("v1.0.0").commit["id"] == commit
    with pytest.raises(gitlab.GitlabCreateError, match="already exists"):
        project.tags.create({"tag_name": "v1.0.0", "ref": commit})
    project.branches.delete("topic/one")
    with pytest.raises(gitlab.GitlabGetError):
        project.branches.get("topic/one")


def test_merge_requests_and_their_notes(place: Place, project: Project) -> None:
    given = {"source_branch": "topic", "target_branch": "main", "title": "one", "description": "two"}
    project.branches.create({"branch": "topic", "ref": place.commits[0]})
    made = project.mergerequests.create(given)
    with pytest.raises(gitlab.GitlabCreateError) as caught:
        project.mergerequests.create(given)
    assert caught.value.response_code == 409
    (listed,) = project.mergerequests.list(state="opened", source_branch="topic", get_all=True)
    assert (listed.iid, listed.title) == (made.iid, "one")
    made.notes.create({"body": "said"})
    assert [note.body for note in made.notes.list(get_all=True)] == ["said"]
    made.state_event = "close"
    made.save()
    assert project.mergerequests.get(made.iid).state == "closed"


def test_pages_are_followed(place: Place, project: Project) -> None:
    for number in range(5):
        project.branches.create({"branch": f"topic-{number}", "ref": place.commits[0]})
        project.mergerequests.create({"source_branch": f"topic-{number}", "target_branch": "main", "title": "one"})
    assert len(project.mergerequests.list(per_page=2, get_all=True)) == 5


def test_releases_with_packages_and_links(place: Place, project: Project, tmp_path: Path) -> None:
    """And our own provider finds what the other client has made."""
    project.tags.create({"tag_name": "v1.0.0", "ref": place.commits[0]})
    release = project.releases.create({"tag_name": "v1.0.0", "name": "one", "description": "notes"})
    file = tmp_path / "a.whl"
    file.write_bytes(b"bytes\r\n\x00")
    project.generic_packages.upload("release-assets", "v1.0.0", "a.whl", str(file))
    (package,) = project.packages.list(package_name="release-assets", package_version="v1.0.0", get_all=True)
    (stored,) = package.package_files.list(get_all=True)
    release.links.create({"name": "a.whl", "url": "https://127.0.0.1/a.whl", "link_type": "package"})
    found = place.forge.find_release("v1.0.0")
    assert found is not None
    assert (found.title, found.notes_markdown, found.draft) == ("one", "notes", False)
    (asset,) = place.forge.assets(found)
    assert (asset.name, asset.digest) == ("a.whl", f"sha256:{stored.file_sha256}")


def test_commit_statuses(place: Place, project: Project) -> None:
    commit = place.commits[0]
    place.model.refs.put("refs/heads/main", commit)
    wanted = {"state": "success", "name": "gates", "description": "open"}
    project.manager.gitlab.http_post(f"/projects/{project.get_id()}/statuses/{commit}", post_data=wanted)
    (said,) = place.forge.statuses(commit)
    assert (said.context, said.state.value, said.description) == ("gates", "success", "open")


def test_a_wrong_token_is_an_error_of_authentication(place: Place) -> None:
    with (
        gitlab.Gitlab(place.server.origin, private_token="another-token") as client,
        pytest.raises(gitlab.GitlabAuthenticationError),
    ):
        client.projects.get(place.model.repository)


def test_milestones_issues_labels_and_notes(place: Place, project: Project) -> None:
    """And our own provider finds what the other client has made."""
    milestone = project.milestones.create({"title": "1.4.0", "due_date": "2026-12-24"})
    project.labels.create({"name": "kind: bug", "color": "#d73a4a"})
    given = {"title": "one", "description": "a body", "milestone_id": milestone.id, "labels": ["kind: bug"]}
    issue = project.issues.create(given)
    issue.notes.create({"body": "said"})
    issue.state_event = "close"
    issue.save()
    found = place.forge.find_issue(issue.iid)
    assert found is not None
    assert (found.state.value, found.labels, found.milestone) == ("closed", ("kind: bug",), str(milestone.id))
    assert [one.body for one in place.forge.comments(Thread.issue(issue.iid))] == ["said"]
    assert [one.iid for one in project.issues.list(state="closed", labels=["kind: bug"], get_all=True)] == [issue.iid]
    milestone.state_event = "close"
    milestone.save()
    assert place.forge.milestones(state=ItemState.OPEN) == ()
    milestone.delete()
    assert place.forge.milestones() == ()


def test_a_merge_request_is_reviewed_and_merged(place: Place, project: Project) -> None:
    project.branches.create({"branch": "topic", "ref": place.commits[1]})
    made = project.mergerequests.create({"source_branch": "topic", "target_branch": "main", "title": "one"})
    place.model.review(made.iid, "ada", Opinion.APPROVED)
    assert [one["user"]["username"] for one in made.approvals.get().approved_by] == ["ada"]
    with pytest.raises(gitlab.GitlabMRClosedError):
        made.merge(sha=place.commits[0])
    made.merge(sha=place.commits[1], squash=True)
    merged = place.forge.find_pull_request(made.iid)
    assert merged is not None
    assert project.branches.get("main").commit["id"] == merged.merge_commit


def test_hooks(place: Place, project: Project) -> None:
    hook = project.hooks.create({"url": "http://127.0.0.1:9/", "push_events": True, "token": "s"})
    (ours,) = place.forge.hooks()
    assert (ours.key, ours.events, ours.active) == (str(hook.id), frozenset({HookEvent.PUSH}), True)
    hook.delete()
    assert place.forge.hooks() == ()


def test_masked_variables_and_protected_branches(place: Place, project: Project) -> None:
    """What is masked is a secret to us, and no variable; what is protected there is a rule here."""
    project.variables.create({"key": "REGISTRY_TOKEN", "value": "of-the-registry", "masked_and_hidden": True})
    project.variables.create({"key": "STAGE", "value": "production"})
    assert place.forge.ci_secrets() == ("REGISTRY_TOKEN",)
    assert [one.name for one in place.forge.variables()] == ["STAGE"]
    assert {one.key: one.masked for one in project.variables.list(iterator=True)} == {
        "REGISTRY_TOKEN": True,
        "STAGE": False,
    }
    with pytest.raises(gitlab.GitlabError):
        project.variables.create({"key": "SHORT", "value": "short", "masked_and_hidden": True})
    project.protectedbranches.create({"name": "main", "push_access_level": 0, "allow_force_push": False})
    (rule,) = place.forge.branch_rules()
    assert (rule.pattern, rule.pull_requests) == ("main", True)
    with pytest.raises(gitlab.GitlabError):
        project.branches.delete("main")


def test_what_a_hook_sent_is_listed_with_its_key(place: Place, project: Project) -> None:
    """And sent again under the same one."""
    hook = project.hooks.create({"url": "http://127.0.0.1:9/hooks", "push_events": True, "tag_push_events": True})
    place.forge.create_tag("v1.4.0", place.commits[0])
    (sent,) = place.forge.deliveries(str(hook.id))
    place.forge.redeliver(str(hook.id), sent.key)
    assert [one.identity for one in place.forge.deliveries(str(hook.id))] == [sent.identity] * 2
    assert sent.identity
