"""What git's refusals mean, in people's words."""

from __future__ import annotations

import re

from shipline.clients.git_command import GitFailed
from shipline.domain.errors import ConflictError, RefusedError, ShiplineError, UnavailableError

# How forges say that a branch is protected. From: what they answer to a push, docs.github.com (GH006, GH013),
# docs.gitlab.com ("You are not allowed to push code to protected branches"), Gitea's and Azure DevOps' sources.
PROTECTED = re.compile(
    r"GH006|GH013|TF402455|protected|(?:pull|merge) request|not (?:allowed|permitted)", re.IGNORECASE
)


def signing_error(name: str, why: str) -> ShiplineError:
    """A tag that git would not sign."""
    return RefusedError(
        f"the tag {name!r} could not be signed",
        why=why,
        todo="see that git can sign here: `git config gpg.format` (openpgp or ssh), `git config user.signingKey`, and "
        "that the key asks for no passphrase",
    )


def not_moving(name: str, place: str) -> ConflictError:
    """A tag that must stay where it is."""
    return ConflictError(
        f"the tag {name!r} {place} is an annotated one",
        why="annotated tags are releases, which stay where they are",
        todo="give the moving tag another name in shipline.toml",
    )


def push_error(remote: str, failure: GitFailed) -> ShiplineError:
    """What a push that failed means: moved on, refused, or out of reach."""
    rejected = " ".join(line for line in failure.output.splitlines() if line.startswith("!"))[:300].replace("\t", " ")
    if "[remote rejected]" in rejected:
        why = f"{rejected}: {failure.remote}" if failure.remote else rejected
        return ConflictError(f"{remote} refused the push", why=why, todo=_todo(rejected, why))
    if rejected:
        todo = "fetch, look at what is there, then run this again"
        return ConflictError(f"{remote} did not take the push", why=rejected, todo=todo)
    if any(word in failure.complaint for word in ("Authentication failed", "Permission denied", "could not read User")):
        return RefusedError(f"{remote} refused the credentials", why=failure.complaint)
    return UnavailableError(f"{remote} cannot be reached", why=failure.complaint)


def _todo(rejected: str, said: str) -> str:
    """What gets a push through that the remote itself refused, by its hooks or its rules."""
    if PROTECTED.search(said) is None:
        return "do what it asks for, then run this again"
    todo = "it is protected: let whoever releases push to it, then run this again"
    if "refs/heads/" not in rejected:
        return todo
    return (
        f'{todo}; or release by pull requests: mode = "pull-request" under [release] in shipline.toml;'
        ' or, where no file states a version, by tags alone: mode = "tag"'
    )
