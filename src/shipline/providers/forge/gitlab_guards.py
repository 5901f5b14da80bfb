"""What guards a project on GitLab: protected branches and tags, how requests are merged, and variables.

From: docs.gitlab.com/api/{protected_branches,protected_tags,projects,project_level_variables}. Who may push is changed
by protecting anew, since only Premium changes it in place; in between the branch is unprotected for a moment.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from shipline.clients.forge_http import made
from shipline.clients.forge_json import entries, flag, number, number_or_none, text, text_or_none
from shipline.domain.errors import ConflictError
from shipline.ports.forge.guards import RULES_MAX, VARIABLES_MAX, BranchRule, MergeRules, Variable
from shipline.ports.forge.reviews import MergeMethod
from shipline.providers.forge.base import RESTAccess

NEED = "scope api, role Maintainer"
NOBODY, MAINTAINER = 0, 40
# What stands for a set of methods: `merge_method` ("" leaves it) and `squash_option`.
OFFERED = {
    frozenset({MergeMethod.MERGE}): ("merge", "never"),
    frozenset({MergeMethod.REBASE}): ("ff", "never"),
    frozenset({MergeMethod.SQUASH}): ("", "always"),
    frozenset({MergeMethod.MERGE, MergeMethod.SQUASH}): ("merge", "default_off"),
    frozenset({MergeMethod.REBASE, MergeMethod.SQUASH}): ("ff", "default_off"),
}


class GitLabGuards(RESTAccess):
    """GitLab's part."""

    def unkept(self) -> frozenset[str]:
        """Approvals and checks are rules of the whole project; security features are in Ultimate, rules of
        environments in Premium."""
        return frozenset({"branch.approvals", "branch.checks", "security", "environment rule"})

    # --- branches and tags -------------------------------------------------------------------------------------

    def branch_rules(self) -> tuple[BranchRule, ...]:
        """GET the list."""
        items = self._http.pages(f"{self._at}/protected_branches", items_max=RULES_MAX, need=NEED)
        return tuple(sorted(map(_branch_rule, items), key=lambda rule: rule.pattern))

    def _guard_at(self, kind: str, pattern: str) -> str:
        return f"{self._at}/protected_{kind}/{quote(pattern, safe='')}"

    def ensure_branch_rule(self, rule: BranchRule) -> None:
        """PATCH it; or POST it, after a DELETE where who may push is to be another."""
        place = self._guard_at("branches", rule.pattern)
        there = self._http.find(place, need=NEED)
        if there is not None and _branch_rule(there).pull_requests == rule.pull_requests:
            self._http.send("PATCH", place, _flags(rule), need=NEED)
            return
        levels = [number_or_none(each, "access_level") or 0 for each in entries(there, "merge_access_levels")]
        if there is not None:
            self._http.remove(place, need=NEED)
        body = {
            "name": rule.pattern,
            "push_access_level": NOBODY if rule.pull_requests else MAINTAINER,
            "merge_access_level": min((level for level in levels if level), default=MAINTAINER),
        }
        path = f"{self._at}/protected_branches"
        made(
            lambda: self._http.find(place, need=NEED),
            lambda: self._http.send("POST", path, body | _flags(rule), need=NEED),
        )

    def delete_branch_rule(self, pattern: str) -> None:
        """DELETE it."""
        self._http.remove(self._guard_at("branches", pattern), need=NEED)

    def tag_rules(self) -> tuple[str, ...]:
        """GET the list."""
        items = self._http.pages(f"{self._at}/protected_tags", items_max=RULES_MAX, need=NEED)
        return tuple(sorted(text(item, "name") for item in items))

    def ensure_tag_rule(self, pattern: str) -> None:
        """POST it where it is not there."""
        body = {"name": pattern, "create_access_level": MAINTAINER}
        made(
            lambda: self._http.find(self._guard_at("tags", pattern), need=NEED),
            lambda: self._http.send("POST", f"{self._at}/protected_tags", body, need=NEED),
        )

    def delete_tag_rule(self, pattern: str) -> None:
        """DELETE it."""
        self._http.remove(self._guard_at("tags", pattern), need=NEED)

    # --- merging -----------------------------------------------------------------------------------------------

    def merge_rules(self) -> MergeRules:
        """GET the project. Squashing is a method beside the other, or the only one."""
        found = self._http.get(self._at)
        squash = text_or_none(found, "squash_option") or "default_off"
        plain = MergeMethod.MERGE if text_or_none(found, "merge_method") in (None, "merge") else MergeMethod.REBASE
        methods = {plain} if squash != "always" else set()
        methods |= {MergeMethod.SQUASH} if squash != "never" else set()
        return MergeRules(frozenset(methods), flag(found, "remove_source_branch_after_merge"))

    def set_merge_rules(self, rules: MergeRules) -> None:
        """PUT the project."""
        if rules.methods not in OFFERED:
            raise ConflictError(
                "GitLab does not offer merging and rebasing together", todo="leave merge or rebase out of `methods`"
            )
        method, squash = OFFERED[rules.methods]
        body: dict[str, Any] = {"squash_option": squash, "remove_source_branch_after_merge": rules.delete_branch}
        self._http.send("PUT", self._at, body | ({"merge_method": method} if method else {}), need=NEED)

    # --- environments ------------------------------------------------------------------------------------------

    def _environments(self) -> dict[str, int]:
        """Numbers by name, of those that are in use."""
        path, asked = f"{self._at}/environments", {"states": "available"}
        items = self._http.pages(path, asked, items_max=VARIABLES_MAX, need=NEED)
        return {text(item, "name"): number(item, "id") for item in items}

    def environments(self) -> tuple[str, ...]:
        """GET the list."""
        return tuple(sorted(self._environments()))

    def ensure_environment(self, name: str) -> None:
        """POST it where it is not there."""
        made(
            lambda: self._environments().get(name),
            lambda: self._http.send("POST", f"{self._at}/environments", {"name": name}, need=NEED),
        )

    def delete_environment(self, name: str) -> None:
        """Stop it, which takes it out of use, and DELETE it."""
        key = self._environments().get(name)
        if key is not None:
            self._http.send("POST", f"{self._at}/environments/{key}/stop", need=NEED)
            self._http.remove(f"{self._at}/environments/{key}", need=NEED)

    # --- variables ---------------------------------------------------------------------------------------------

    def variables(self) -> tuple[Variable, ...]:
        """GET the list; what is masked, or for one environment, is not among them."""
        items = self._http.pages(f"{self._at}/variables", items_max=VARIABLES_MAX, need=NEED)
        found = (item for item in items if not flag(item, "masked") and text(item, "environment_scope") == "*")
        return tuple(sorted((Variable(text(one, "key"), text(one, "value")) for one in found), key=lambda v: v.name))

    def ensure_variable(self, variable: Variable) -> None:
        """POST it, or PUT it."""
        body = {"value": variable.value}

        def make() -> Variable:
            self._http.send("POST", f"{self._at}/variables", {"key": variable.name} | body, need=NEED)
            return variable

        there = made(lambda: next((one for one in self.variables() if one.name == variable.name), None), make)
        if there != variable:
            self._http.send("PUT", f"{self._at}/variables/{quote(variable.name, safe='')}", body, need=NEED)

    def delete_variable(self, name: str) -> None:
        """DELETE it."""
        self._http.remove(f"{self._at}/variables/{quote(name, safe='')}", need=NEED)


def _branch_rule(item: Any) -> BranchRule:
    levels = [number_or_none(each, "access_level") for each in entries(item, "push_access_levels")]
    return BranchRule(
        pattern=text(item, "name"),
        pull_requests=all(level == NOBODY for level in levels),
        code_owners=flag(item, "code_owner_approval_required"),
        force_push=flag(item, "allow_force_push"),
    )


def _flags(rule: BranchRule) -> dict[str, Any]:
    """Code owners are left out where they are not wanted: GitLab without Premium does not know them."""
    owners = {"code_owner_approval_required": True} if rule.code_owners else {}
    return {"allow_force_push": rule.force_push} | owners
