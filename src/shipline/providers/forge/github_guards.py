"""What guards a repository on GitHub: rulesets, how requests are merged, and variables of Actions.

From: docs.github.com/rest/repos/rules, docs.github.com/rest/actions/variables, version 2022-11-28. A ruleset is the
rule of a pattern if that is all that it is about. Rules in it that Shipline does not know, and who may bypass it, stay.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from shipline.clients.forge_http import made
from shipline.clients.forge_json import entries, flag, number, number_or_none, text, text_or_none
from shipline.domain.errors import RefusedError, ShiplineError
from shipline.ports.forge.guards import RULES_MAX, VARIABLES_MAX, BranchRule, MergeRules, SecurityFeature, Variable
from shipline.ports.forge.reviews import MergeMethod
from shipline.providers.forge.base import RESTAccess

ADMINISTRATION, VARIABLES = "administration: write", "variables: write"
PAGE = 30
METHODS = {
    MergeMethod.MERGE: "allow_merge_commit",
    MergeMethod.SQUASH: "allow_squash_merge",
    MergeMethod.REBASE: "allow_rebase_merge",
}
FEATURES = {
    SecurityFeature.SECRETS: "secret_scanning",
    SecurityFeature.PUSHED_SECRETS: "secret_scanning_push_protection",
}
# What Shipline says of branches and tags; other types of rules are other people's.
OURS = {
    "branch": frozenset({"deletion", "non_fast_forward", "pull_request", "required_status_checks"}),
    "tag": frozenset({"deletion", "update"}),
}
FOLDERS = {"branch": "refs/heads/", "tag": "refs/tags/"}
UNSAID = {
    "dismiss_stale_reviews_on_push": False,
    "require_last_push_approval": False,
    "required_review_thread_resolution": False,
}


class GitHubGuards(RESTAccess):
    """GitHub's part."""

    # --- branches and tags -------------------------------------------------------------------------------------

    def _rulesets(self, target: str) -> Iterator[tuple[str, Any]]:
        """Pattern and ruleset, those about one pattern alone, the oldest first."""
        asked = {"includes_parents": "false"}
        listed = self._http.pages(f"{self._at}/rulesets", asked, items_max=RULES_MAX, need=ADMINISTRATION)
        for item in sorted(listed, key=lambda each: number(each, "id")):
            if text_or_none(item, "target") != target:
                continue
            whole = self._http.get(f"{self._at}/rulesets/{number(item, 'id')}", need=ADMINISTRATION)
            includes = entries(whole, "conditions", "ref_name", "include")
            if len(includes) == 1 and not entries(whole, "conditions", "ref_name", "exclude"):
                yield str(includes[0]).removeprefix(FOLDERS[target]), whole

    def _found(self, target: str) -> dict[str, Any]:
        """The rulesets that hold, by pattern: the oldest of each."""
        found: dict[str, Any] = {}
        for pattern, whole in self._rulesets(target):
            if text(whole, "enforcement") == "active":
                found.setdefault(pattern, whole)
        return found

    def branch_rules(self) -> tuple[BranchRule, ...]:
        """GET each."""
        return tuple(_branch_rule(pattern, whole) for pattern, whole in sorted(self._found("branch").items()))

    def tag_rules(self) -> tuple[str, ...]:
        """Those that let nobody move or delete."""
        found = self._found("tag").items()
        return tuple(sorted(pattern for pattern, whole in found if OURS["tag"] <= set(_rules(whole))))

    def ensure_branch_rule(self, rule: BranchRule) -> None:
        """PUT it, or POST it."""
        self._ensure("branch", rule.pattern, rule)

    def ensure_tag_rule(self, pattern: str) -> None:
        """PUT it, or POST it."""
        self._ensure("tag", pattern, None)

    def _ensure(self, target: str, pattern: str, rule: BranchRule | None) -> None:
        fresh: list[Any] = []

        def look() -> Any | None:
            return next((whole for found, whole in self._rulesets(target) if found == pattern), None)

        def make() -> Any:
            rules = _told_branch(rule, {}) if rule is not None else _told_tag()
            body = {
                "name": f"shipline: {target} {pattern}",
                "target": target,
                "enforcement": "active",
                "conditions": {"ref_name": {"include": [FOLDERS[target] + pattern], "exclude": []}},
                "rules": rules,
            }
            fresh.append(self._http.send("POST", f"{self._at}/rulesets", body, need=ADMINISTRATION))
            return fresh[0]

        there = made(look, make)
        if not fresh:
            known = _rules(there)
            others = [each for kind, each in known.items() if kind not in OURS[target]]
            rules = _told_branch(rule, known) if rule is not None else _told_tag()
            body = {"enforcement": "active", "rules": rules + others}
            self._http.send("PUT", f"{self._at}/rulesets/{number(there, 'id')}", body, need=ADMINISTRATION)

    def delete_branch_rule(self, pattern: str) -> None:
        """DELETE all of this pattern."""
        self._delete("branch", pattern)

    def delete_tag_rule(self, pattern: str) -> None:
        """DELETE all of this pattern."""
        self._delete("tag", pattern)

    def _delete(self, target: str, pattern: str) -> None:
        for found, whole in list(self._rulesets(target)):
            if found == pattern:
                self._http.remove(f"{self._at}/rulesets/{number(whole, 'id')}", need=ADMINISTRATION)

    # --- merging -----------------------------------------------------------------------------------------------

    def merge_rules(self) -> MergeRules:
        """GET the repository; who may not administer it is not told."""
        found = self._http.get(self._at)
        if METHODS[MergeMethod.MERGE] not in found:
            raise RefusedError(
                "GitHub does not tell this token how requests are merged",
                todo=f"give the token the permission {ADMINISTRATION!r}",
            )
        methods = frozenset(method for method, field in METHODS.items() if flag(found, field))
        return MergeRules(methods, flag(found, "delete_branch_on_merge"))

    def set_merge_rules(self, rules: MergeRules) -> None:
        """PATCH the repository."""
        body = {field: method in rules.methods for method, field in METHODS.items()}
        body["delete_branch_on_merge"] = rules.delete_branch
        self._http.send("PATCH", self._at, body, need=ADMINISTRATION)

    # --- security and environments -----------------------------------------------------------------------------

    def security(self) -> frozenset[SecurityFeature]:
        """GET the repository; who may not administer it is not told."""
        found = self._http.get(self._at)
        if not isinstance(found.get("security_and_analysis"), dict):
            raise RefusedError(
                "GitHub does not tell this token about security features",
                todo=f"give the token the permission {ADMINISTRATION!r}",
            )
        said = (
            (feature, text_or_none(found, "security_and_analysis", key, "status")) for feature, key in FEATURES.items()
        )
        return frozenset(feature for feature, status in said if status == "enabled")

    def set_security(self, features: frozenset[SecurityFeature]) -> None:
        """PATCH what differs: GitHub refuses what it does not offer a repository, also to be off."""
        changed = features ^ self.security()
        said = {FEATURES[one]: {"status": "enabled" if one in features else "disabled"} for one in sorted(changed)}
        if said:
            self._http.send("PATCH", self._at, {"security_and_analysis": said}, need=ADMINISTRATION)

    def environments(self) -> tuple[str, ...]:
        """GET them; an object holds a page."""
        found: list[str] = []
        for page in range(1, VARIABLES_MAX // PAGE + 1):
            answer = self._http.get(f"{self._at}/environments", {"per_page": PAGE, "page": page}, need=ADMINISTRATION)
            found += [text(each, "name") for each in entries(answer, "environments")]
            if len(found) >= number(answer, "total_count"):
                return tuple(sorted(found))
        raise ShiplineError(f"GitHub lists more than {VARIABLES_MAX} environments")

    def _environment_at(self, name: str) -> str:
        return f"{self._at}/environments/{quote(name, safe='')}"

    def ensure_environment(self, name: str) -> None:
        """PUT it where it is not there: that would take away what guards it."""
        made(
            lambda: name if name in self.environments() else None,
            lambda: self._http.send("PUT", self._environment_at(name), {}, need=ADMINISTRATION),
        )

    def delete_environment(self, name: str) -> None:
        """DELETE it."""
        self._http.remove(self._environment_at(name), need=ADMINISTRATION)

    # --- variables ---------------------------------------------------------------------------------------------

    def variables(self) -> tuple[Variable, ...]:
        """GET them; an object holds a page of 30."""
        found: list[Variable] = []
        for page in range(1, VARIABLES_MAX // PAGE + 1):
            asked = {"per_page": PAGE, "page": page}
            answer = self._http.get(f"{self._at}/actions/variables", asked, need=VARIABLES)
            found += [Variable(text(each, "name"), text(each, "value")) for each in entries(answer, "variables")]
            if len(found) >= number(answer, "total_count"):
                return tuple(sorted(found, key=lambda each: each.name))
        raise ShiplineError(f"GitHub lists more than {VARIABLES_MAX} variables")

    def ensure_variable(self, variable: Variable) -> None:
        """POST it, or PATCH it."""
        path = f"{self._at}/actions/variables"
        body = {"name": variable.name, "value": variable.value}

        def make() -> Variable:
            self._http.send("POST", path, body, need=VARIABLES)
            return variable

        there = made(lambda: next((one for one in self.variables() if one.name == variable.name), None), make)
        if there != variable:
            self._http.send("PATCH", f"{path}/{quote(variable.name, safe='')}", body, need=VARIABLES)

    def delete_variable(self, name: str) -> None:
        """DELETE it."""
        self._http.remove(f"{self._at}/actions/variables/{quote(name, safe='')}", need=VARIABLES)


def _rules(whole: Any) -> dict[str, Any]:
    """The rules of a ruleset by their type."""
    return {text(rule, "type"): rule for rule in entries(whole, "rules")}


def _branch_rule(pattern: str, whole: Any) -> BranchRule:
    rules = _rules(whole)
    pull, checks = rules.get("pull_request"), rules.get("required_status_checks")
    listed = entries(checks, "parameters", "required_status_checks")
    return BranchRule(
        pattern=pattern,
        pull_requests=pull is not None,
        approvals=number_or_none(pull, "parameters", "required_approving_review_count") or 0,
        code_owners=flag(pull, "parameters", "require_code_owner_review"),
        checks=tuple(sorted(text(each, "context") for each in listed)),
        force_push="non_fast_forward" not in rules,
    )


def _told_branch(rule: BranchRule, known: dict[str, Any]) -> list[dict[str, Any]]:
    """A rule as GitHub's; what is known already of a request, and not said here, stays."""
    rules: list[dict[str, Any]] = [{"type": "deletion"}]
    if not rule.force_push:
        rules.append({"type": "non_fast_forward"})
    if rule.pull_requests:
        said = {"required_approving_review_count": rule.approvals, "require_code_owner_review": rule.code_owners}
        before = known.get("pull_request", {}).get("parameters") or {}
        rules.append({"type": "pull_request", "parameters": UNSAID | before | said})
    if rule.checks:
        before = known.get("required_status_checks", {}).get("parameters") or {}
        apps = {each["context"]: each for each in before.get("required_status_checks", ())}
        listed = [apps.get(name, {"context": name}) for name in rule.checks]
        unsaid = {"strict_required_status_checks_policy": False}
        rules.append(
            {"type": "required_status_checks", "parameters": unsaid | before | {"required_status_checks": listed}}
        )
    return rules


def _told_tag() -> list[dict[str, Any]]:
    return [{"type": "deletion"}, {"type": "update"}]
