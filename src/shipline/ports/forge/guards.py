"""What guards a repository, and what its CI is given: rules of branches and tags, how requests are merged, variables.

It takes an administrator's rights. What a kind of forge does not have of it, `Forge.unkept` says: it is read as its
default, and left alone when something is set.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from shipline.ports.forge.reviews import MergeMethod

RULES_MAX = 250
VARIABLES_MAX = 1000


@dataclass(frozen=True, slots=True)
class BranchRule:
    """What holds for the branches that fit `pattern`, a name or a glob. They cannot be deleted.

    `pull_requests`: nothing comes but by pull request. `approvals` are how many must approve one, `code_owners` whether
    those that own what it changes are among them; `checks` must have passed. `force_push`: it may be rewritten.
    """

    pattern: str
    pull_requests: bool = True
    approvals: int = 0
    code_owners: bool = False
    checks: tuple[str, ...] = ()
    force_push: bool = False


@dataclass(frozen=True, slots=True)
class MergeRules:
    """How pull requests are merged: the methods that are offered, and whether the branch goes with it."""

    methods: frozenset[MergeMethod]
    delete_branch: bool


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable of CI, in clear: whoever may run CI may read it."""

    name: str
    value: str


class ForgeGuards(Protocol):
    """Rules of branches and tags. Those of an organization, and those of which Shipline cannot say which one it is, are
    not among them: they hold beside, and stay."""

    def branch_rules(self) -> tuple[BranchRule, ...]:
        """All, by pattern."""
        ...

    def ensure_branch_rule(self, rule: BranchRule) -> None:
        """Make the rule of this pattern as `rule` says, whether it is there or not. Idempotent."""
        ...

    def delete_branch_rule(self, pattern: str) -> None:
        """Remove it; the branches stay. Gone already: nothing."""
        ...

    def tag_rules(self) -> tuple[str, ...]:
        """The patterns of the tags that nobody moves or deletes."""
        ...

    def ensure_tag_rule(self, pattern: str) -> None:
        """Let nobody move or delete the tags that fit `pattern`. Idempotent."""
        ...

    def delete_tag_rule(self, pattern: str) -> None:
        """Remove it. Gone already: nothing."""
        ...


@dataclass(frozen=True, slots=True)
class EnvironmentRule:
    """What a deployment to an environment takes. `reviewers` are accounts of which one must approve, by login, sorted;
    teams are not among them. `protected_branches`: it comes from a protected branch."""

    environment: str
    reviewers: tuple[str, ...] = ()
    protected_branches: bool = False


class ForgeMerging(Protocol):
    """How pull requests are merged."""

    def merge_rules(self) -> MergeRules:
        """As they are."""
        ...

    def set_merge_rules(self, rules: MergeRules) -> None:
        """As they are to be. Idempotent. ConflictError for methods that this kind of forge cannot offer together."""
        ...


class SecurityFeature(StrEnum):
    """What a forge looks for by itself."""

    SECRETS = "secret scanning"
    PUSHED_SECRETS = "push protection"


class ForgeSecurity(Protocol):
    """What the forge looks for by itself. Only where `Forge.unkept` does not name `security`; else nothing is on."""

    def security(self) -> frozenset[SecurityFeature]:
        """What is on."""
        ...

    def set_security(self, features: frozenset[SecurityFeature]) -> None:
        """Switch these on, and the others off. Idempotent. ConflictError where the forge does not offer one."""
        ...


class ForgeEnvironments(Protocol):
    """Environments of deployments, and what guards them."""

    def environments(self) -> tuple[str, ...]:
        """Those that are in use, by name."""
        ...

    def ensure_environment(self, name: str) -> None:
        """Let it be there. There already: nothing is changed."""
        ...

    def delete_environment(self, name: str) -> None:
        """Remove it, with its history. Gone already: nothing."""
        ...

    def environment_rules(self) -> tuple[EnvironmentRule, ...]:
        """Of each environment, by name. Only where `Forge.unkept` does not name `environment rule`; else none."""
        ...

    def ensure_environment_rule(self, rule: EnvironmentRule) -> None:
        """Let it hold for an environment, which is made where it is not there. Idempotent.

        What it does not say stays: no reviewers leaves those that are there, and so do teams, waiting times and other
        rules. ConflictError for an account that there is not.
        """
        ...


class ForgeSecrets(Protocol):
    """Secrets of CI, those of the repository alone: by name, since no forge tells a value."""

    def ci_secrets(self) -> tuple[str, ...]:
        """Those that are there, by name."""
        ...

    def set_ci_secret(self, name: str, value: str) -> None:
        """Let it be there with this value, which no error or log names. Idempotent."""
        ...

    def delete_ci_secret(self, name: str) -> None:
        """Remove it. Gone already: nothing."""
        ...


class ForgeVariables(Protocol):
    """Variables of CI, those of the repository alone. Secrets are no part of it."""

    def variables(self) -> tuple[Variable, ...]:
        """Those in clear, by name."""
        ...

    def ensure_variable(self, variable: Variable) -> None:
        """Let it be there with this value. Idempotent."""
        ...

    def delete_variable(self, name: str) -> None:
        """Remove it. Gone already: nothing."""
        ...
