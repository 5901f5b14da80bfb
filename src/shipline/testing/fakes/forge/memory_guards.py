"""What guards a repository, of the forge in memory."""

from __future__ import annotations

from shipline.domain.errors import ConflictError
from shipline.ports.forge.guards import BranchRule, EnvironmentRule, MergeRules, SecurityFeature, Variable
from shipline.testing.fakes.forge.memory_access import MemoryAccess


class MemoryGuards(MemoryAccess):
    """Rules, merging and variables over the model."""

    def branch_rules(self) -> tuple[BranchRule, ...]:
        """By pattern."""
        self._reach()
        return tuple(rule for _, rule in sorted(self.model.guards.branches.items()))

    def ensure_branch_rule(self, rule: BranchRule) -> None:
        """As given."""
        self._write()
        self.model.guards.branches[rule.pattern] = rule
        self._answer()

    def delete_branch_rule(self, pattern: str) -> None:
        """It goes."""
        self._write()
        self.model.guards.branches.pop(pattern, None)
        self._answer()

    def tag_rules(self) -> tuple[str, ...]:
        """By pattern."""
        self._reach()
        return tuple(sorted(self.model.guards.tags))

    def ensure_tag_rule(self, pattern: str) -> None:
        """There."""
        self._write()
        self.model.guards.tags.setdefault(pattern, 0)
        self._answer()

    def delete_tag_rule(self, pattern: str) -> None:
        """It goes."""
        self._write()
        self.model.guards.tags.pop(pattern, None)
        self._answer()

    def merge_rules(self) -> MergeRules:
        """As they are."""
        self._reach()
        return MergeRules(frozenset(self.model.guards.methods), self.model.guards.delete_branch)

    def set_merge_rules(self, rules: MergeRules) -> None:
        """As given."""
        self._write()
        self.model.guards.methods, self.model.guards.delete_branch = set(rules.methods), rules.delete_branch
        self._answer()

    def security(self) -> frozenset[SecurityFeature]:
        """As it is."""
        self._reach()
        return frozenset(self.model.guards.security)

    def set_security(self, features: frozenset[SecurityFeature]) -> None:
        """As given."""
        self._write()
        self.model.guards.security = set(features)
        self._answer()

    def environments(self) -> tuple[str, ...]:
        """By name."""
        self._reach()
        return tuple(sorted(self.model.guards.environments))

    def ensure_environment(self, name: str) -> None:
        """There."""
        self._write()
        self.model.guards.environments.setdefault(name, 0)
        self._answer()

    def delete_environment(self, name: str) -> None:
        """It goes."""
        self._write()
        self.model.guards.environments.pop(name, None)
        self._answer()

    def environment_rules(self) -> tuple[EnvironmentRule, ...]:
        """By name."""
        self._reach()
        guards = self.model.guards
        return tuple(guards.environment_rules.get(name, EnvironmentRule(name)) for name in sorted(guards.environments))

    def ensure_environment_rule(self, rule: EnvironmentRule) -> None:
        """As given; what it does not say stays."""
        self._write()
        guards, name = self.model.guards, rule.environment
        if unknown := [each for each in rule.reviewers if each not in self.model.people]:
            raise ConflictError(f"there is no account {unknown[0]!r}")
        guards.environments.setdefault(name, 0)
        now = guards.environment_rules.get(name, EnvironmentRule(name))
        branches = rule.protected_branches or now.protected_branches
        reviewers = tuple(sorted(rule.reviewers)) or now.reviewers
        guards.environment_rules[name] = EnvironmentRule(name, reviewers, protected_branches=branches)
        self._answer()

    def ci_secrets(self) -> tuple[str, ...]:
        """By name."""
        self._reach()
        return tuple(sorted(self.model.guards.secrets))

    def set_ci_secret(self, name: str, value: str) -> None:
        """As given."""
        self._write()
        self.model.guards.secrets[name] = value
        self._answer()

    def delete_ci_secret(self, name: str) -> None:
        """It goes."""
        self._write()
        self.model.guards.secrets.pop(name, None)
        self._answer()

    def variables(self) -> tuple[Variable, ...]:
        """By name."""
        self._reach()
        return tuple(Variable(*each) for each in sorted(self.model.guards.variables.items()))

    def ensure_variable(self, variable: Variable) -> None:
        """As given."""
        self._write()
        self.model.guards.variables[variable.name] = variable.value
        self._answer()

    def delete_variable(self, name: str) -> None:
        """It goes."""
        self._write()
        self.model.guards.variables.pop(name, None)
        self._answer()
