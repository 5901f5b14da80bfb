"""What guards a repository on Gitea and Forgejo: protected branches and tags, how requests are merged, and variables.

From: docs.gitea.com/api. A tag rule names who may make such tags: the token's account; nobody else may.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from shipline.clients.forge_http import made
from shipline.clients.forge_json import entries, flag, number, number_or_none, text
from shipline.domain.errors import RefusedError
from shipline.ports.forge.guards import RULES_MAX, VARIABLES_MAX, BranchRule, MergeRules, Variable
from shipline.ports.forge.reviews import MergeMethod
from shipline.providers.forge.base import RESTAccess

NEED = "write:repository, as an administrator of the repository"
METHODS = {
    MergeMethod.MERGE: "allow_merge_commits",
    MergeMethod.SQUASH: "allow_squash_merge",
    MergeMethod.REBASE: "allow_rebase",
}


class GiteaGuards(RESTAccess):
    """Gitea's part."""

    def unkept(self) -> frozenset[str]:
        """Hooks are not told of milestones, and code owners are asked, and not required."""
        return frozenset(
            {"webhook.events.milestone", "branch.code_owners", "security", "environment", "environment rule"}
        )

    # --- branches and tags -------------------------------------------------------------------------------------

    def branch_rules(self) -> tuple[BranchRule, ...]:
        """GET the list, which has no pages."""
        found = self._http.get(f"{self._at}/branch_protections", need=NEED)
        return tuple(sorted(map(_branch_rule, found), key=lambda rule: rule.pattern))

    def ensure_branch_rule(self, rule: BranchRule) -> None:
        """PATCH it, or POST it."""
        path, fresh = f"{self._at}/branch_protections", []
        body = {
            "enable_push": not rule.pull_requests,
            "required_approvals": rule.approvals,
            "enable_status_check": bool(rule.checks),
            "status_check_contexts": list(rule.checks),
            "enable_force_push": rule.force_push,
        }

        def look() -> BranchRule | None:
            return next((one for one in self.branch_rules() if one.pattern == rule.pattern), None)

        def make() -> BranchRule:
            fresh.append(self._http.send("POST", path, body | {"rule_name": rule.pattern}, need=NEED))
            return rule

        if made(look, make) != rule and not fresh:
            self._http.send("PATCH", f"{path}/{quote(rule.pattern, safe='')}", body, need=NEED)

    def delete_branch_rule(self, pattern: str) -> None:
        """DELETE it."""
        self._http.remove(f"{self._at}/branch_protections/{quote(pattern, safe='')}", need=NEED)

    def _tag_guards(self) -> list[Any]:
        found = self._http.get(f"{self._at}/tag_protections", need=NEED)
        return list(found)[:RULES_MAX]

    def tag_rules(self) -> tuple[str, ...]:
        """GET the list."""
        return tuple(sorted(text(item, "name_pattern") for item in self._tag_guards()))

    def ensure_tag_rule(self, pattern: str) -> None:
        """POST it where it is not there."""
        if pattern in self.tag_rules():
            return
        who = self.account()
        if not who:
            raise RefusedError("Gitea does not say whose token this is", todo="give the token the scope read:user")
        body = {"name_pattern": pattern, "whitelist_usernames": [who], "whitelist_teams": []}
        made(
            lambda: pattern if pattern in self.tag_rules() else None,
            lambda: self._http.send("POST", f"{self._at}/tag_protections", body, need=NEED),
        )

    def delete_tag_rule(self, pattern: str) -> None:
        """DELETE it."""
        for item in self._tag_guards():
            if text(item, "name_pattern") == pattern:
                self._http.remove(f"{self._at}/tag_protections/{number(item, 'id')}", need=NEED)

    # --- merging -----------------------------------------------------------------------------------------------

    def merge_rules(self) -> MergeRules:
        """GET the repository."""
        found = self._http.get(self._at)
        methods = frozenset(method for method, field in METHODS.items() if flag(found, field))
        return MergeRules(methods, flag(found, "default_delete_branch_after_merge"))

    def set_merge_rules(self, rules: MergeRules) -> None:
        """PATCH the repository."""
        body = {field: method in rules.methods for method, field in METHODS.items()}
        body["default_delete_branch_after_merge"] = rules.delete_branch
        self._http.send("PATCH", self._at, body, need=NEED)

    # --- variables ---------------------------------------------------------------------------------------------

    def variables(self) -> tuple[Variable, ...]:
        """GET the list."""
        items = self._http.pages(f"{self._at}/actions/variables", items_max=VARIABLES_MAX, need=NEED)
        return tuple(sorted((Variable(text(one, "name"), text(one, "data")) for one in items), key=lambda v: v.name))

    def ensure_variable(self, variable: Variable) -> None:
        """POST it, or PUT it."""
        place = f"{self._at}/actions/variables/{quote(variable.name, safe='')}"

        def make() -> Variable:
            self._http.send("POST", place, {"value": variable.value}, need=NEED)
            return variable

        there = made(lambda: next((one for one in self.variables() if one.name == variable.name), None), make)
        if there != variable:
            self._http.send("PUT", place, {"value": variable.value}, need=NEED)

    def delete_variable(self, name: str) -> None:
        """DELETE it."""
        self._http.remove(f"{self._at}/actions/variables/{quote(name, safe='')}", need=NEED)


def _branch_rule(item: Any) -> BranchRule:
    is_checked = flag(item, "enable_status_check")
    checks = [one for one in entries(item, "status_check_contexts") if isinstance(one, str)]
    return BranchRule(
        pattern=text(item, "rule_name"),
        pull_requests=not flag(item, "enable_push"),
        approvals=number_or_none(item, "required_approvals") or 0,
        checks=tuple(sorted(checks)) if is_checked else (),
        force_push=flag(item, "enable_force_push"),
    )
