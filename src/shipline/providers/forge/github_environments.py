"""What guards environments on GitHub: who must approve, and from which branches they are deployed to.

From: docs.github.com/rest/deployments/environments, version 2022-11-28. A rule is set whole, so what is not said here
(teams, waiting times, a policy of named branches) is sent back as it was.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from shipline.clients.forge_json import entries, flag, number, number_or_none, text
from shipline.domain.errors import ConflictError, ShiplineError
from shipline.ports.forge.guards import VARIABLES_MAX, EnvironmentRule
from shipline.providers.forge.base import RESTAccess

NEED = "administration: write"
PAGE = 100


class GitHubEnvironments(RESTAccess):
    """GitHub's part."""

    def environment_rules(self) -> tuple[EnvironmentRule, ...]:
        """GET them; an object holds a page."""
        return tuple(sorted(map(_rule, self._whole_environments()), key=lambda rule: rule.environment))

    def _whole_environments(self) -> list[Any]:
        found: list[Any] = []
        for page in range(1, VARIABLES_MAX // PAGE + 1):
            answer = self._http.get(f"{self._at}/environments", {"per_page": PAGE, "page": page}, need=NEED)
            found += entries(answer, "environments")
            if len(found) >= number(answer, "total_count"):
                return found
        raise ShiplineError(f"GitHub lists more than {VARIABLES_MAX} environments")

    def ensure_environment_rule(self, rule: EnvironmentRule) -> None:
        """PUT it where it is not so."""
        there: Any = next((one for one in self._whole_environments() if text(one, "name") == rule.environment), {})
        now = _rule(there) if there else EnvironmentRule(rule.environment)
        wanted = EnvironmentRule(
            rule.environment,
            rule.reviewers or now.reviewers,
            protected_branches=rule.protected_branches or now.protected_branches,
        )
        if there and wanted == now:
            return
        known = {login: key for login, key in map(_person, _reviewers(there)) if login}
        teams = [{"type": "Team", "id": number(one, "reviewer", "id")} for one in _reviewers(there) if _is_team(one)]
        people = [{"type": "User", "id": known.get(name) or self._number_of(name)} for name in wanted.reviewers]
        policy = {"protected_branches": True, "custom_branch_policies": False}
        body = {
            "wait_timer": _wait_minutes(there),
            "prevent_self_review": any(flag(one, "prevent_self_review") for one in entries(there, "protection_rules")),
            "reviewers": teams + people,
            "deployment_branch_policy": policy if wanted.protected_branches else _policy(there),
        }
        self._http.send("PUT", f"{self._at}/environments/{quote(rule.environment, safe='')}", body, need=NEED)

    def _number_of(self, login: str) -> int:
        found = self._http.find(f"/users/{quote(login, safe='')}")
        if found is None:
            raise ConflictError(f"GitHub knows no account {login[:60]!r}", todo="mend reviewers in [repository]")
        return number(found, "id")


def _rule(item: Any) -> EnvironmentRule:
    people = [login for login, _ in map(_person, _reviewers(item)) if login]
    return EnvironmentRule(
        text(item, "name"),
        tuple(sorted(people)),
        protected_branches=flag(item, "deployment_branch_policy", "protected_branches"),
    )


def _reviewers(item: Any) -> list[Any]:
    return [one for rule in entries(item, "protection_rules") for one in entries(rule, "reviewers")]


def _is_team(item: Any) -> bool:
    return text(item, "type") == "Team"


def _person(item: Any) -> tuple[str, int]:
    """The login of a reviewer, "" for a team's, and its number."""
    return ("" if _is_team(item) else text(item, "reviewer", "login")), number(item, "reviewer", "id")


def _wait_minutes(item: Any) -> int:
    waits = [number_or_none(one, "wait_timer") for one in entries(item, "protection_rules")]
    return next((wait for wait in waits if wait is not None), 0)


def _policy(item: Any) -> dict[str, bool] | None:
    """As it is; None: from all branches."""
    if not flag(item, "deployment_branch_policy", "custom_branch_policies"):
        return None
    return {"protected_branches": False, "custom_branch_policies": True}
