"""Which branch a CI job is about: only what its variables and the remote's branch both say is certain."""

from __future__ import annotations

import pytest

from shipline.bootstrap.ci_branch import branch_told

REMOTE = {
    "refs/remotes/origin/main": "a1",
    "refs/remotes/origin/PR-12": "a1",
    "refs/remotes/origin/HEAD": "a1",
    "refs/remotes/origin/moved": "b2",
    "refs/remotes/up/topic": "a1",
}


@pytest.mark.parametrize(
    ("environment", "remote", "told"),
    [
        ({}, "origin", None),
        ({"CI_COMMIT_BRANCH": "main"}, "origin", "main"),
        ({"GITHUB_REF_NAME": "main"}, "origin", "main"),
        ({"BRANCH_NAME": "topic"}, "up", "topic"),
        ({"CI_COMMIT_BRANCH": "", "GITHUB_REF_NAME": "12/merge", "BRANCH_NAME": "main"}, "origin", "main"),
        ({"CI_COMMIT_BRANCH": "moved"}, "origin", None),
        ({"CI_COMMIT_BRANCH": "topic"}, "origin", None),
        ({"GITHUB_REF_NAME": "v1.0.0"}, "origin", None),
        # Jenkins fetches a request's head to where a branch would be.
        ({"BRANCH_NAME": "PR-12", "CHANGE_ID": "12"}, "origin", None),
        ({"BRANCH_NAME": "PR-12", "CHANGE_ID": ""}, "origin", "PR-12"),
        # What else git would resolve is no branch's name.
        ({"GITHUB_REF_NAME": "HEAD"}, "origin", None),
        ({"GITHUB_REF_NAME": "../origin/main"}, "origin", None),
    ],
)
def test_a_branch_is_told_by_the_variables_and_the_remote(
    environment: dict[str, str], remote: str, told: str | None
) -> None:
    assert branch_told(environment, head="a1", remote=remote, find_commit=REMOTE.get) == told


def test_without_a_commit_nothing_is_told() -> None:
    assert branch_told({"CI_COMMIT_BRANCH": "gone"}, head=None, remote="origin", find_commit=REMOTE.get) is None
