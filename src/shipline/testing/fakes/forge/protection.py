"""What the rules of a fake forge refuse, to git and to the interface, in the words of each forge.

`branches` and `tags` of the guards hold for pushes: git's `update` hook asks ref by ref. From: what the forges answer:
docs.github.com/repositories/configuring-branches-and-merges-in-your-repository (GH013), docs.gitlab.com/user/project
(repository/branches/protected, protected_tags), and Gitea's source (routers/private/hook_pre_receive.go, 1.24).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

from shipline.ports.forge.guards import BranchRule
from shipline.testing.fakes.forge.guard_model import Guards

# Fields are parted by tabs: the pattern, what it refuses, and the words for that, with the ref's short name as NAME.
HOOK = """#!/bin/sh
# What the forge says no to. A tag or branch that is new is no change of one; what git cannot find is no ancestor.
tab=$(printf '\\t')
name=${1#refs/heads/}; name=${name#refs/tags/}
kind=forward
case "$2" in *[!0]*) git merge-base --is-ancestor "$2" "$3" 2>/dev/null || kind=rewrite ;; *) kind=new ;; esac
case "$3" in *[!0]*) ;; *) kind=removal ;; esac
printf '%s\\n' "$FORGE_RULES" | while IFS="$tab" read -r pattern refused words; do
    case "$1" in $pattern) ;; *) continue ;; esac
    case " $refused " in
    *" $kind "*)
        printf '%s\\n' "$words" | sed "s|NAME|$name|g" >&2
        exit 1
        ;;
    esac
done
"""
ANY_PUSH, REWRITE, REMOVAL, MOVE = "new forward rewrite", "rewrite", "removal", "forward rewrite removal"


@dataclass(frozen=True)
class Refusals:
    """How a forge says no to a push: anything that is not a pull request, a rewritten branch, one that is deleted, and
    a tag that exists."""

    push: str
    rewrite: str
    removal: str
    tag: str


REFUSALS: Mapping[str, Refusals] = {
    "github": Refusals(
        "error: GH013: Repository rule violations found for NAME. Changes must be made through a pull request.",
        "error: GH013: Repository rule violations found for NAME. Cannot force-push to this branch",
        "error: GH013: Repository rule violations found for NAME. Cannot delete this branch",
        "error: GH013: Repository rule violations found for NAME. Cannot update this protected ref.",
    ),
    "gitlab": Refusals(
        "GitLab: You are not allowed to push code to protected branches on this project.",
        "GitLab: You are not allowed to force push code to a protected branch on this project.",
        "GitLab: You can only delete protected branches using the web interface.",
        "GitLab: You are not allowed to change existing tags on this project.",
    ),
    "gitea": Refusals(
        "Gitea: Not allowed to push to protected branch NAME",
        "Gitea: branch NAME is protected from force push",
        "Gitea: branch NAME is protected from deletion",
        "Gitea: Tag NAME is protected",
    ),
}


def rule_for(branch: str, guards: Guards) -> BranchRule | None:
    """The first rule that fits a branch: the one of its very name before those with a glob."""
    fitting = [rule for pattern, rule in guards.branches.items() if fnmatchcase(branch, pattern)]
    return next((rule for rule in fitting if rule.pattern == branch), fitting[0] if fitting else None)


def refused_pushes(guards: Guards, protected: set[str], tags: set[str], said: Refusals) -> Iterator[str]:
    """The lines that the hook reads. `protected` branches and `tags` take no push at all."""
    for name in sorted(protected):
        yield f"refs/heads/{name}\t{ANY_PUSH} {REMOVAL}\t{said.push}"
    for pattern in sorted(tags):
        yield f"refs/tags/{pattern}\t{ANY_PUSH} {REMOVAL}\t{said.tag}"
    for pattern, rule in sorted(guards.branches.items()):
        ref = f"refs/heads/{pattern}"
        if rule.pull_requests:
            yield f"{ref}\t{ANY_PUSH}\t{said.push}"
        if not rule.force_push:
            yield f"{ref}\t{REWRITE}\t{said.rewrite}"
        yield f"{ref}\t{REMOVAL}\t{said.removal}"
    for pattern in sorted(guards.tags):
        yield f"refs/tags/{pattern}\t{MOVE}\t{said.tag}"
