"""What a forge knows of what guards a repository, and how each of the three says it.

From: docs.github.com/rest/repos/rules; docs.gitlab.com/api/protected_branches; docs.gitea.com/api.
"""

from __future__ import annotations

from typing import Any

from shipline.ports.forge.guards import BranchRule, EnvironmentRule, SecurityFeature
from shipline.ports.forge.reviews import MergeMethod
from shipline.testing.fakes.forge.guard_model import Guards
from shipline.testing.fakes.forge.model import ForgeModel
from shipline.testing.fakes.forge.refusals import Refused
from shipline.testing.fakes.forge.server import Handler, Reply, Request

MASKED_MIN = 8
FEATURES = {
    SecurityFeature.SECRETS: "secret_scanning",
    SecurityFeature.PUSHED_SECRETS: "secret_scanning_push_protection",
}


class Guarded:
    """A dialect's model."""

    model: ForgeModel

    @property
    def guards(self) -> Guards:
        """The model's."""
        return self.model.guards

    def _drop(self, known: dict[str, Any], name: str) -> Reply:
        self.guards.drop(known, name)
        return Reply(None, 204)


class GitHubGuards(Guarded):
    """Rulesets as they were sent, from which the rules follow."""

    def guard_routes(self, at: str) -> list[tuple[str, str, Handler]]:
        """Rulesets and variables."""
        self.rulesets: dict[int, dict[str, Any]] = {}
        one = rf"{at}/rulesets/(\d+)"
        return [
            ("GET", f"{at}/rulesets", lambda _: Reply([_short(each) for each in self.rulesets.values()])),
            ("POST", f"{at}/rulesets", self.add_ruleset),
            ("GET", one, lambda asked: Reply(self._ruleset(asked.number(0)))),
            ("PUT", one, self.change_ruleset),
            ("DELETE", one, self.drop_ruleset),
            ("GET", f"{at}/actions/variables", self.list_variables),
            ("GET", f"{at}/environments", self.list_environments),
            ("PUT", f"{at}/environments/([^/]+)", self.add_environment),
            ("GET", "/api/v3/users/([^/]+)", self.show_user),
            (
                "DELETE",
                f"{at}/environments/([^/]+)",
                lambda asked: self._drop(self.guards.environments, asked.names[0]),
            ),
            ("POST", f"{at}/actions/variables", self.add_variable),
            ("PATCH", f"{at}/actions/variables/([^/]+)", self.change_variable),
            (
                "DELETE",
                f"{at}/actions/variables/([^/]+)",
                lambda asked: self._drop(self.guards.variables, asked.names[0]),
            ),
        ]

    def _ruleset(self, key: int) -> dict[str, Any]:
        if key not in self.rulesets:
            raise Refused("missing", "Not Found")
        return self.rulesets[key]

    def add_ruleset(self, asked: Request) -> Reply:
        key = 1 + max(self.rulesets, default=0)
        if any(each["name"] == asked.body["name"] for each in self.rulesets.values()):
            raise Refused("duplicate", "Name must be unique")
        self.rulesets[key] = {"id": key, "source_type": "Repository", "bypass_actors": []} | asked.body
        self._follow()
        return Reply(self.rulesets[key], 201)

    def change_ruleset(self, asked: Request) -> Reply:
        self._ruleset(asked.number(0)).update(asked.body)
        self._follow()
        return Reply(self._ruleset(asked.number(0)))

    def drop_ruleset(self, asked: Request) -> Reply:
        self._ruleset(asked.number(0))
        del self.rulesets[asked.number(0)]
        self._follow()
        return Reply(None, 204)

    def _follow(self) -> None:
        """What holds, by the active rulesets."""
        self.guards.branches, self.guards.tags = {}, {}
        for key, each in self.rulesets.items():
            rules = {rule["type"]: rule.get("parameters", {}) for rule in each["rules"]}
            for ref in each["conditions"]["ref_name"]["include"] if each["enforcement"] == "active" else ():
                if each["target"] == "tag":
                    self.guards.tags[ref.removeprefix("refs/tags/")] = key
                    continue
                pull, checks = rules.get("pull_request", {}), rules.get("required_status_checks", {})
                pattern = ref.removeprefix("refs/heads/")
                self.guards.branches[pattern] = BranchRule(
                    pattern,
                    "pull_request" in rules,
                    pull.get("required_approving_review_count", 0),
                    pull.get("require_code_owner_review", False),
                    tuple(one["context"] for one in checks.get("required_status_checks", ())),
                    "non_fast_forward" not in rules,
                )

    def list_variables(self, asked: Request) -> Reply:
        """An object holds a page."""
        size, page = int(asked.query.get("per_page", "10")), int(asked.query.get("page", "1"))
        listed = [{"name": name, "value": value} for name, value in sorted(self.guards.variables.items())]
        return Reply({"total_count": len(listed), "variables": listed[(page - 1) * size : page * size]})

    def list_environments(self, asked: Request) -> Reply:
        """An object holds a page."""
        size, page = int(asked.query.get("per_page", "30")), int(asked.query.get("page", "1"))
        listed = [self._environment(name) for name in sorted(self.guards.environments)]
        return Reply({"total_count": len(listed), "environments": listed[(page - 1) * size : page * size]})

    def add_environment(self, asked: Request) -> Reply:
        """As a whole: what is not sent is there no more."""
        (name,), body = asked.names, asked.body
        self.guards.environments.setdefault(name, 1 + max(self.guards.environments.values(), default=0))
        logins = {self._account_key(login): login for login in self.model.people}
        people = tuple(sorted(logins[each["id"]] for each in body.get("reviewers") or () if each["type"] == "User"))
        policy = body.get("deployment_branch_policy") or {}
        self.guards.environment_rules[name] = EnvironmentRule(
            name, people, protected_branches=policy.get("protected_branches", False)
        )
        return Reply(self._environment(name))

    def show_user(self, asked: Request) -> Reply:
        """Those whom the forge knows."""
        if asked.names[0] not in self.model.people:
            raise Refused("missing", "Not Found")
        return Reply(self._account_of(asked.names[0]))

    def _account_of(self, login: str) -> dict[str, Any]:
        return {"login": login, "id": self._account_key(login), "type": "User"}

    def _account_key(self, login: str) -> int:
        return 1000 + sorted(self.model.people).index(login)

    def _environment(self, name: str) -> dict[str, Any]:
        rule = self.guards.environment_rules.get(name, EnvironmentRule(name))
        reviewers = [{"type": "User", "reviewer": self._account_of(login)} for login in rule.reviewers]
        policy = {"protected_branches": True, "custom_branch_policies": False} if rule.protected_branches else None
        guards: list[dict[str, Any]] = [{"id": 1, "node_id": "", "type": "branch_policy"}] if policy else []
        if reviewers:
            guards.append({"id": 2, "node_id": "", "type": "required_reviewers", "reviewers": reviewers})
        return {
            "id": self.guards.environments[name],
            "name": name,
            "protection_rules": guards,
            "deployment_branch_policy": policy,
        }

    def add_variable(self, asked: Request) -> Reply:
        self.guards.new(self.guards.variables, asked.body["name"])
        self.guards.variables[asked.body["name"]] = asked.body["value"]
        return Reply({}, 201)

    def change_variable(self, asked: Request) -> Reply:
        self.guards.old(self.guards.variables, asked.names[0])
        self.guards.variables[asked.names[0]] = asked.body["value"]
        return Reply(None, 204)

    def _merging(self) -> dict[str, Any]:
        """What the repository says of it."""
        methods = self.guards.methods
        return {
            "allow_merge_commit": MergeMethod.MERGE in methods,
            "allow_squash_merge": MergeMethod.SQUASH in methods,
            "allow_rebase_merge": MergeMethod.REBASE in methods,
            "delete_branch_on_merge": self.guards.delete_branch,
            "security_and_analysis": {
                word: {"status": "enabled" if feature in self.guards.security else "disabled"}
                for feature, word in FEATURES.items()
            },
        }

    def _set_merging(self, body: dict[str, Any]) -> None:
        said = self._merging() | body
        for feature, word in FEATURES.items():
            status = body.get("security_and_analysis", {}).get(word, {}).get("status", "")
            self.guards.security |= {feature} if status == "enabled" else set()
            self.guards.security -= {feature} if status == "disabled" else set()
        words = zip(MergeMethod, ("allow_merge_commit", "allow_squash_merge", "allow_rebase_merge"), strict=True)
        self.guards.methods = {method for method, word in words if said[word]}
        self.guards.delete_branch = said["delete_branch_on_merge"]


def _short(ruleset: dict[str, Any]) -> dict[str, Any]:
    return {name: ruleset[name] for name in ("id", "name", "target", "enforcement", "source_type")}


class GitLabGuards(Guarded):
    """Protected branches and tags by name, and variables."""

    def guard_routes(self, at: str) -> list[tuple[str, str, Handler]]:
        """All of it."""
        guards = self.guards
        self.stopped: set[int] = set()
        self.project_says: dict[str, Any] = {"merge_method": "merge", "squash_option": "default_off"}
        branch, tag, variable = (
            f"{at}/{name}/([^/]+)" for name in ("protected_branches", "protected_tags", "variables")
        )
        return [
            ("GET", f"{at}/protected_branches", lambda _: Reply([self._rule(name) for name in guards.branches])),
            ("POST", f"{at}/protected_branches", self.protect),
            ("GET", branch, lambda asked: Reply(self._rule(asked.names[0]))),
            ("PATCH", branch, self.change_rule),
            ("DELETE", branch, lambda asked: self._drop(guards.branches, asked.names[0])),
            ("GET", f"{at}/protected_tags", lambda _: Reply([{"name": name} for name in guards.tags])),
            ("POST", f"{at}/protected_tags", self.protect_tag),
            ("GET", tag, self.tag_rule),
            ("DELETE", tag, lambda asked: self._drop(guards.tags, asked.names[0])),
            ("GET", f"{at}/variables", lambda _: Reply(self._variables())),
            ("GET", f"{at}/environments", lambda _: Reply([_named(*each) for each in guards.environments.items()])),
            ("POST", f"{at}/environments", self.add_environment),
            ("POST", rf"{at}/environments/(\d+)/stop", self.stop_environment),
            ("DELETE", rf"{at}/environments/(\d+)", self.drop_environment),
            ("POST", f"{at}/variables", self.add_variable),
            ("PUT", variable, self.change_variable),
            ("DELETE", variable, lambda asked: self._drop(self._shelf(asked.names[0]), asked.names[0])),
        ]

    def add_environment(self, asked: Request) -> Reply:
        name, known = asked.body["name"], self.guards.environments
        self.guards.new(known, name)
        known[name] = 1 + max([*known.values(), *self.stopped], default=0)
        return Reply(_named(name, known[name]), 201)

    def stop_environment(self, asked: Request) -> Reply:
        """Out of use; only then may it be deleted."""
        names = {key: name for name, key in self.guards.environments.items()}
        self.guards.drop(self.guards.environments, names.get(asked.number(0), ""))
        self.stopped.add(asked.number(0))
        return Reply({"id": asked.number(0), "state": "stopped"})

    def drop_environment(self, asked: Request) -> Reply:
        if asked.number(0) not in self.stopped:
            raise Refused("forbidden", "Forbidden")
        self.stopped.remove(asked.number(0))
        return Reply(None, 204)

    def _rule(self, name: str) -> dict[str, Any]:
        self.guards.old(self.guards.branches, name)
        rule = self.guards.branches[name]
        return {
            "name": name,
            "push_access_levels": [{"access_level": 0 if rule.pull_requests else 40}],
            "merge_access_levels": [{"access_level": 40}],
            "allow_force_push": rule.force_push,
            "code_owner_approval_required": rule.code_owners,
        }

    def protect(self, asked: Request) -> Reply:
        body = asked.body
        self.guards.new(self.guards.branches, body["name"])
        self._keep(body["name"], body, pull_requests=body["push_access_level"] == 0)
        return Reply(self._rule(body["name"]), 201)

    def change_rule(self, asked: Request) -> Reply:
        (name,) = asked.names
        self.guards.old(self.guards.branches, name)
        self._keep(name, asked.body, pull_requests=self.guards.branches[name].pull_requests)
        return Reply(self._rule(name))

    def _keep(self, name: str, body: dict[str, Any], *, pull_requests: bool) -> None:
        owners = body.get("code_owner_approval_required", False)
        self.guards.branches[name] = BranchRule(
            name, pull_requests, code_owners=owners, force_push=body["allow_force_push"]
        )

    def tag_rule(self, asked: Request) -> Reply:
        self.guards.old(self.guards.tags, asked.names[0])
        return Reply({"name": asked.names[0]})

    def protect_tag(self, asked: Request) -> Reply:
        self.guards.new(self.guards.tags, asked.body["name"])
        self.guards.tags[asked.body["name"]] = asked.body["create_access_level"]
        return Reply({"name": asked.body["name"]}, 201)

    def _shelf(self, name: str) -> dict[str, str]:
        """Where a variable is: masked ones apart."""
        return self.guards.secrets if name in self.guards.secrets else self.guards.variables

    def _variables(self) -> list[dict[str, Any]]:
        plain = [_variable(*each) for each in self.guards.variables.items()]
        # A hidden one has no value. From: docs.gitlab.com/ci/variables, "Hide a CI/CD variable".
        return plain + [_variable(name, None) | {"masked": True, "hidden": True} for name in self.guards.secrets]

    def add_variable(self, asked: Request) -> Reply:
        name, value = asked.body["key"], asked.body["value"]
        self.guards.new(self._shelf(name), name)
        masked = asked.body.get("masked_and_hidden", False)
        if masked:
            _check_masked(value)
        (self.guards.secrets if masked else self.guards.variables)[name] = value
        return Reply(_variable(name, None if masked else value) | {"masked": masked, "hidden": masked}, 201)

    def change_variable(self, asked: Request) -> Reply:
        (name,) = asked.names
        shelf = self._shelf(name)
        self.guards.old(shelf, name)
        if shelf is self.guards.secrets:
            _check_masked(asked.body["value"])
        shelf[name] = asked.body["value"]
        return Reply(_variable(name, asked.body["value"]))

    def change_project(self, asked: Request) -> Reply:
        """How requests are merged."""
        self.project_says |= asked.body
        squash = self.project_says["squash_option"]
        plain = MergeMethod.MERGE if self.project_says["merge_method"] == "merge" else MergeMethod.REBASE
        self.guards.methods = {plain} if squash != "always" else set()
        self.guards.methods |= {MergeMethod.SQUASH} if squash != "never" else set()
        self.guards.delete_branch = self.project_says["remove_source_branch_after_merge"]
        return Reply(self.project_says)


def _named(name: str, key: int) -> dict[str, Any]:
    return {"id": key, "name": name, "state": "available"}


def _check_masked(value: str) -> None:
    """From: docs.gitlab.com/ci/variables, "Mask a CI/CD variable"."""
    if len(value) < MASKED_MIN or any(char.isspace() for char in value):
        raise Refused("invalid", "The value cannot contain the following characters: whitespace characters.")


def _variable(name: str, value: str | None) -> dict[str, Any]:
    return {"key": name, "value": value, "masked": False, "protected": False, "environment_scope": "*"}


class GiteaGuards(Guarded):
    """Protections by their rule's name, those of tags by number, and variables."""

    def guard_routes(self, at: str) -> list[tuple[str, str, Handler]]:
        """All of it."""
        guards = self.guards
        branch, variable = f"{at}/branch_protections/(.+)", f"{at}/actions/variables/([^/]+)"
        return [
            (
                "GET",
                f"{at}/branch_protections",
                lambda _: Reply([_protection(each) for each in guards.branches.values()]),
            ),
            ("POST", f"{at}/branch_protections", self.protect),
            ("PATCH", branch, self.change_rule),
            ("DELETE", branch, lambda asked: self._drop(guards.branches, asked.names[0])),
            ("GET", f"{at}/tag_protections", lambda _: Reply([_tag(*each) for each in guards.tags.items()])),
            ("POST", f"{at}/tag_protections", self.protect_tag),
            ("DELETE", rf"{at}/tag_protections/(\d+)", self.drop_tag),
            ("GET", f"{at}/actions/variables", lambda _: Reply(self._variables())),
            ("POST", variable, self.add_variable),
            ("PUT", variable, self.change_variable),
            ("DELETE", variable, lambda asked: self._drop(guards.variables, asked.names[0])),
        ]

    def protect(self, asked: Request) -> Reply:
        name = asked.body["rule_name"]
        self.guards.new(self.guards.branches, name)
        return Reply(self._keep(name, asked.body), 201)

    def change_rule(self, asked: Request) -> Reply:
        self.guards.old(self.guards.branches, asked.names[0])
        return Reply(self._keep(asked.names[0], asked.body))

    def _keep(self, name: str, body: dict[str, Any]) -> dict[str, Any]:
        checks = tuple(body["status_check_contexts"]) if body["enable_status_check"] else ()
        made = BranchRule(
            name,
            not body["enable_push"],
            body["required_approvals"],
            checks=checks,
            force_push=body["enable_force_push"],
        )
        self.guards.branches[name] = made
        return _protection(made)

    def protect_tag(self, asked: Request) -> Reply:
        name = asked.body["name_pattern"]
        self.guards.new(self.guards.tags, name)
        self.guards.tags[name] = 1 + max(self.guards.tags.values(), default=0)
        return Reply(_tag(name, self.guards.tags[name]), 201)

    def drop_tag(self, asked: Request) -> Reply:
        names = {key: name for name, key in self.guards.tags.items()}
        return self._drop(self.guards.tags, names.get(asked.number(0), ""))

    def _variables(self) -> list[dict[str, Any]]:
        return [{"name": name, "data": value} for name, value in self.guards.variables.items()]

    def add_variable(self, asked: Request) -> Reply:
        self.guards.new(self.guards.variables, asked.names[0])
        self.guards.variables[asked.names[0]] = asked.body["value"]
        return Reply(None, 201)

    def change_variable(self, asked: Request) -> Reply:
        self.guards.old(self.guards.variables, asked.names[0])
        self.guards.variables[asked.names[0]] = asked.body["value"]
        return Reply(None, 204)

    def _merging(self) -> dict[str, Any]:
        methods = self.guards.methods
        return {
            "allow_merge_commits": MergeMethod.MERGE in methods,
            "allow_squash_merge": MergeMethod.SQUASH in methods,
            "allow_rebase": MergeMethod.REBASE in methods,
            "default_delete_branch_after_merge": self.guards.delete_branch,
        }

    def _set_merging(self, body: dict[str, Any]) -> None:
        said = self._merging() | body
        words = zip(MergeMethod, ("allow_merge_commits", "allow_squash_merge", "allow_rebase"), strict=True)
        self.guards.methods = {method for method, word in words if said[word]}
        self.guards.delete_branch = said["default_delete_branch_after_merge"]


def _protection(rule: BranchRule) -> dict[str, Any]:
    return {
        "rule_name": rule.pattern,
        "enable_push": not rule.pull_requests,
        "required_approvals": rule.approvals,
        "enable_status_check": bool(rule.checks),
        "status_check_contexts": list(rule.checks),
        "enable_force_push": rule.force_push,
    }


def _tag(name: str, key: int) -> dict[str, Any]:
    return {"id": key, "name_pattern": name}
