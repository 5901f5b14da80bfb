"""What GitLab and Gitea send, written by hand: the names of their documentation, values of our own.

From: docs.gitlab.com/user/project/integrations/webhook_events, 18.5; docs.gitea.com/usage/repository/webhooks and
modules/structs/hook.go, 1.25.
"""

from __future__ import annotations

from typing import Any

NOWHERE, OLD, NEW = "0" * 40, "a" * 40, "b" * 40


def gitlab(kind: str, about: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """An event of GitLab: most have what they are about in one object."""
    attributes = {} if about is None else {"object_attributes": about}
    project = {"id": 7, "path_with_namespace": "acme/quotes", "default_branch": "main"}
    return {"object_kind": kind, "project": project, "user": {"username": "ann"}} | attributes | more


def gitlab_push(ref: str = "refs/heads/main", *, before: str = OLD, after: str = NEW, count: int = 1) -> dict[str, Any]:
    """A push; 20 commits are listed at most."""
    listed = [{"id": f"{number:040x}", "message": "feat: x"} for number in range(min(count, 20))]
    return gitlab("push", ref=ref, before=before, after=after, total_commits_count=count, commits=listed)


def gitlab_merge_request(action: str = "merge", state: str = "merged", **changed: Any) -> dict[str, Any]:
    """A merge request from `topic` to `main`."""
    about: dict[str, Any] = {"iid": 5, "title": "feat: quotes", "state": state, "action": action}
    about |= {"source_branch": "topic", "target_branch": "main", "source_project_id": 7, "target_project_id": 7}
    about |= {"last_commit": {"id": OLD}, "merge_commit_sha": NEW if state == "merged" else None}
    return gitlab("merge_request", about | changed, labels=[{"title": "feature"}])


def github_push(ref: str = "refs/heads/main", *, before: str = OLD, after: str = NEW) -> dict[str, Any]:
    """A push as GitHub tells it."""
    return {"ref": ref, "before": before, "after": after, "commits": [{"id": after}], "repository": {"id": 7}}


def gitea_push(ref: str = "refs/heads/main", *, total: int = 1) -> dict[str, Any]:
    """A push as Gitea tells it."""
    return github_push(ref) | {"total_commits": total, "pusher": {"login": "ann"}}


def gitea_pull_request(action: str = "closed", *, merged: bool = True) -> dict[str, Any]:
    """A pull request from `topic` to `main`."""
    side = {"sha": OLD, "repo": {"full_name": "acme/quotes"}}
    pull: dict[str, Any] = {"number": 5, "title": "feat: quotes", "state": "closed" if merged else "open"}
    pull |= {"merged": merged, "merge_commit_sha": NEW if merged else None, "labels": [{"name": "feature"}]}
    return {
        "action": action,
        "number": 5,
        "pull_request": pull | {"head": side | {"ref": "topic"}, "base": side | {"ref": "main"}},
    }
