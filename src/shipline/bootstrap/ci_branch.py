"""Which branch a CI job is about, where its checkout has left HEAD detached. Pure.

Known for certain only: the job's own variables name it, and HEAD is the commit on which the remote has it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

# From: the systems' lists of predefined variables, November 2026. Only jobs of branches have them so: a job of a tag or
# of a merge request names no branch, or one that no remote has.
VARIABLES = ("CI_COMMIT_BRANCH", "GITHUB_REF_NAME", "BRANCH_NAME")
"""GitLab's; GitHub's, which Gitea and Forgejo set too; Jenkins'."""
# Jenkins' job of a change request has a name for it in BRANCH_NAME, and its head where the remote's branches are. From:
# https://www.jenkins.io/doc/book/pipeline/multibranch/.
CHANGE_REQUEST = "CHANGE_ID"


def branch_told(
    environment: Mapping[str, str], *, head: str | None, remote: str, find_commit: Callable[[str], str | None]
) -> str | None:
    """The branch that CI says this is and that `remote` has on `head`; None where nothing tells.

    `find_commit` gives the commit of a reference here, None where there is none.
    """
    if environment.get(CHANGE_REQUEST):
        return None
    named = dict.fromkeys(environment.get(variable, "") for variable in VARIABLES)
    branches = (name for name in named if name not in ("", "HEAD") and ".." not in name)  # `HEAD` is the default one.
    held = (name for name in branches if find_commit(f"refs/remotes/{remote}/{name}") == head)
    return next(held, None) if head is not None else None
