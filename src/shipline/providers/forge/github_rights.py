"""What a token may do on GitHub, as far as GitHub tells it.

An app is told its permissions with each token. A classic token's scopes stand in each answer's `X-OAuth-Scopes`. Of a
fine-grained token, and of a workflow's own, nothing is told but what its owner may do, and what is refused.
From: docs.github.com/rest/authentication/permissions-required-for-github-apps;
docs.github.com/apps/oauth-apps/building-oauth-apps/scopes-for-oauth-apps.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from shipline.clients.forge_json import flag
from shipline.domain.errors import RefusedError
from shipline.ports.forge.answers import Known
from shipline.ports.forge.rights import Capability, Permission
from shipline.providers.forge.base import RESTAccess

BY_OWNER = "a workflow asks for it under `permissions:`; an app or a fine-grained token is given it by its owner"
NO_WORKFLOW = "a workflow's own token cannot have it: let the owner of an app or of a fine-grained token give it that"


@dataclass(frozen=True, slots=True)
class Need:
    """What a capability takes: an app's permission (`key`), or a scope of a classic token, and a role of its owner."""

    capability: Capability
    words: str
    key: str
    scopes: frozenset[str]
    role: str


REPO = frozenset({"repo", "public_repo"})
NEEDS = (
    Need(Capability.CONTENT, "contents: write", "contents", REPO, "push"),
    Need(Capability.PULLS, "pull requests: write", "pull_requests", REPO, "push"),
    Need(Capability.ISSUES, "issues: write", "issues", REPO, "triage"),
    Need(Capability.STATUSES, "commit statuses: write", "statuses", REPO | {"repo:status"}, "push"),
    Need(
        Capability.HOOKS,
        "repository webhooks: write",
        "repository_hooks",
        frozenset({"repo", "write:repo_hook", "admin:repo_hook"}),
        "admin",
    ),
    Need(Capability.SETTINGS, "administration: write", "administration", REPO, "admin"),
    Need(Capability.VARIABLES, "variables: write", "actions_variables", REPO, "push"),
    Need(Capability.SECRETS, "secrets: write", "secrets", REPO, "push"),
)
OF_OWNERS = frozenset({Capability.HOOKS, Capability.SETTINGS, Capability.VARIABLES, Capability.SECRETS})


class GitHubRights(RESTAccess):
    """GitHub's part."""

    def _told_to_app(self) -> Mapping[str, str] | None:
        """The permissions of an app's token; None for a token of another kind."""
        raise NotImplementedError

    def permissions(self) -> tuple[Permission, ...]:
        """GET the repository, and see what came with it."""
        repository = self._http.get(self._at)
        told, scopes = self._told_to_app(), self._http.allowance.scopes
        found = []
        for need in NEEDS:
            if told is not None:
                granted = Known.YES if told.get(need.key) == "write" else Known.NO
            elif not isinstance(repository.get("permissions"), dict):
                granted = Known.UNKNOWN
            elif not flag(repository, "permissions", need.role):
                granted = Known.NO
            elif scopes is not None:
                granted = Known.YES if scopes & need.scopes else Known.NO
            else:
                granted = self._guessed(need)
            todo = NO_WORKFLOW if need.capability in OF_OWNERS else BY_OWNER
            found.append(Permission(need.capability, need.words, granted, "" if granted is Known.YES else todo))
        return tuple(found)

    def _guessed(self, need: Need) -> Known:
        """Where nothing is told: the owner may, and what cannot be read cannot be written."""
        if need.capability is Capability.CONTENT:
            return Known.YES
        if need.capability is not Capability.HOOKS:
            return Known.UNKNOWN
        try:
            self._http.get(f"{self._at}/hooks")
        except RefusedError:
            return Known.NO
        return Known.UNKNOWN
