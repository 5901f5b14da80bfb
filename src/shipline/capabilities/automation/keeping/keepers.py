"""How each kind of thing is read from the forge, put there and taken away: fields as text, and back.

Each `put` and `remove` is a method of the port that is safe to call again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from shipline.capabilities.automation.keeping.rules import Kind, Thing
from shipline.ports.forge import Forge
from shipline.ports.forge.answers import ItemState
from shipline.ports.forge.guards import BranchRule, EnvironmentRule, MergeRules, SecurityFeature, Variable
from shipline.ports.forge.hooks import HookEvent
from shipline.ports.forge.reviews import MergeMethod
from shipline.ports.forge.tracker import Label

YES, AS_SAID, MERGING, FEATURES = "yes", "as said", "pull requests", "features"
# The names of checks may hold commas.
CHECKS = "; "
ReadSecret = Callable[[Kind, str], str]
"""What is not shown of a thing, a secret or a value, by its kind and name. Errors as for the port `secrets`."""


class Keeper(Protocol):
    """One kind on one forge. Errors as for the port."""

    def read(self) -> tuple[Thing, ...]:
        """All that is there."""
        ...

    def put(self, thing: Thing) -> None:
        """Let it be there as it is said. Idempotent."""
        ...

    def remove(self, name: str) -> None:
        """Take it away. Gone already: nothing."""
        ...


@dataclass(frozen=True, slots=True)
class LabelKeeper:
    """Labels."""

    forge: Forge

    def read(self) -> tuple[Thing, ...]:
        """Colour and description."""
        return tuple(
            Thing(Kind.LABEL, each.name, {"color": each.color, "description": each.description})
            for each in self.forge.labels()
        )

    def put(self, thing: Thing) -> None:
        """Both."""
        self.forge.ensure_label(Label(thing.name, thing.fields["color"], thing.fields["description"]))

    def remove(self, name: str) -> None:
        """From all that bears it, too."""
        self.forge.delete_label(name)


@dataclass(frozen=True, slots=True)
class MilestoneKeeper:
    """Milestones by title; of several of one title the oldest."""

    forge: Forge

    def read(self) -> tuple[Thing, ...]:
        """Description, state and the day it is due."""
        found: dict[str, Thing] = {}
        for each in self.forge.milestones():
            due = each.due_on.isoformat() if each.due_on is not None else ""
            fields = {"description": each.description, "state": each.state.value, "due_on": due}
            found.setdefault(each.title, Thing(Kind.MILESTONE, each.title, fields))
        return tuple(found.values())

    def put(self, thing: Thing) -> None:
        """Made if need be, and brought into its state after that."""
        due = date.fromisoformat(thing.fields["due_on"]) if "due_on" in thing.fields else None
        text, state = thing.fields["description"], ItemState(thing.fields["state"])
        found = self.forge.create_milestone(thing.name, description=text, due_on=due)
        wanted = type(found)(found.key, found.title, text, state, due if due is not None else found.due_on, found.url)
        if wanted != found:
            self.forge.update_milestone(wanted)

    def remove(self, name: str) -> None:
        """Its issues stay."""
        found = self.forge.find_milestone(name)
        if found is not None:
            self.forge.delete_milestone(found.key)


@dataclass(frozen=True, slots=True)
class WebhookKeeper:
    """Webhooks by address. No forge tells a secret: it is set with every change, and is no difference."""

    forge: Forge
    secret: ReadSecret

    def read(self) -> tuple[Thing, ...]:
        """Events, and whether anything is sent."""
        return tuple(
            Thing(
                Kind.WEBHOOK,
                each.url,
                {"events": ", ".join(sorted(each.events)), "active": "yes" if each.active else "no"},
            )
            for each in self.forge.hooks()
        )

    def put(self, thing: Thing) -> None:
        """With the secret as it is now."""
        events = frozenset(HookEvent(word) for word in thing.fields["events"].split(", ") if word)
        self.forge.ensure_hook(thing.name, events=events, secret=self.secret(Kind.WEBHOOK, thing.name))

    def remove(self, name: str) -> None:
        """All to this address."""
        for each in self.forge.hooks():
            if each.url == name:
                self.forge.delete_hook(each.key)


@dataclass(frozen=True, slots=True)
class BranchKeeper:
    """Rules of branches, by pattern."""

    forge: Forge

    def read(self) -> tuple[Thing, ...]:
        """All fields."""
        return tuple(
            Thing(
                Kind.BRANCH,
                each.pattern,
                {
                    "pull_requests": _word(each.pull_requests),
                    "approvals": str(each.approvals),
                    "code_owners": _word(each.code_owners),
                    "checks": CHECKS.join(sorted(each.checks)),
                    "force_push": _word(each.force_push),
                },
            )
            for each in self.forge.branch_rules()
        )

    def put(self, thing: Thing) -> None:
        """What a forge does not have is left as the port has it."""
        said = thing.fields
        rule = BranchRule(
            thing.name,
            pull_requests=said["pull_requests"] == YES,
            approvals=int(said.get("approvals", "0")),
            code_owners=said.get("code_owners") == YES,
            checks=tuple(name for name in said.get("checks", "").split(CHECKS) if name),
            force_push=said["force_push"] == YES,
        )
        self.forge.ensure_branch_rule(rule)

    def remove(self, name: str) -> None:
        """The branches stay."""
        self.forge.delete_branch_rule(name)


@dataclass(frozen=True, slots=True)
class TagKeeper:
    """Rules of tags, by pattern."""

    forge: Forge

    def read(self) -> tuple[Thing, ...]:
        """There is nothing more to say of one."""
        return tuple(Thing(Kind.TAG, pattern, {}) for pattern in self.forge.tag_rules())

    def put(self, thing: Thing) -> None:
        """There."""
        self.forge.ensure_tag_rule(thing.name)

    def remove(self, name: str) -> None:
        """The tags stay."""
        self.forge.delete_tag_rule(name)


@dataclass(frozen=True, slots=True)
class MergeKeeper:
    """How pull requests are merged: one thing, that is always there."""

    forge: Forge

    def read(self) -> tuple[Thing, ...]:
        """Methods, and what becomes of the branch."""
        found = self.forge.merge_rules()
        fields = {"methods": ", ".join(sorted(found.methods)), "delete_branch": _word(found.delete_branch)}
        return (Thing(Kind.MERGE, MERGING, fields),)

    def put(self, thing: Thing) -> None:
        """Both."""
        methods = frozenset(MergeMethod(word) for word in thing.fields["methods"].split(", "))
        self.forge.set_merge_rules(MergeRules(methods, thing.fields["delete_branch"] == YES))

    def remove(self, name: str) -> None:
        """There is always a way to merge."""


@dataclass(frozen=True, slots=True)
class VariableKeeper:
    """Variables of CI. Whether a value is as it is said is all that is told: somebody may have put a secret there."""

    forge: Forge
    value: ReadSecret
    said: frozenset[str]

    def read(self) -> tuple[Thing, ...]:
        """Each compared with what is said."""
        return tuple(
            Thing(Kind.VARIABLE, each.name, {"value": self._compared(each)}) for each in self.forge.variables()
        )

    def _compared(self, found: Variable) -> str:
        is_said = found.name in self.said and self.value(Kind.VARIABLE, found.name) == found.value
        return AS_SAID if is_said else "another"

    def put(self, thing: Thing) -> None:
        """With the value that is said."""
        self.forge.ensure_variable(Variable(thing.name, self.value(Kind.VARIABLE, thing.name)))

    def remove(self, name: str) -> None:
        """It goes."""
        self.forge.delete_variable(name)


@dataclass(frozen=True, slots=True)
class CISecretKeeper:
    """Secrets of CI: that they are there. No forge tells a value: it is set with every change, and is no difference."""

    forge: Forge
    secret: ReadSecret

    def read(self) -> tuple[Thing, ...]:
        """Names alone."""
        return tuple(Thing(Kind.SECRET, name, {}) for name in self.forge.ci_secrets())

    def put(self, thing: Thing) -> None:
        """With the value as it is now."""
        self.forge.set_ci_secret(thing.name, self.secret(Kind.SECRET, thing.name))

    def remove(self, name: str) -> None:
        """It goes."""
        self.forge.delete_ci_secret(name)


@dataclass(frozen=True, slots=True)
class SecurityKeeper:
    """What the forge looks for by itself: one thing, that is always there."""

    forge: Forge

    def read(self) -> tuple[Thing, ...]:
        """What is on."""
        return (Thing(Kind.SECURITY, FEATURES, {"features": ", ".join(sorted(self.forge.security()))}),)

    def put(self, thing: Thing) -> None:
        """These, and no others."""
        words = thing.fields["features"].split(", ")
        self.forge.set_security(frozenset(SecurityFeature(word) for word in words if word))

    def remove(self, name: str) -> None:
        """It is said by what is on alone."""


@dataclass(frozen=True, slots=True)
class EnvironmentKeeper:
    """Environments, by name."""

    forge: Forge

    def read(self) -> tuple[Thing, ...]:
        """There is nothing more to say of one."""
        return tuple(Thing(Kind.ENVIRONMENT, name, {}) for name in self.forge.environments())

    def put(self, thing: Thing) -> None:
        """There."""
        self.forge.ensure_environment(thing.name)

    def remove(self, name: str) -> None:
        """With its history."""
        self.forge.delete_environment(name)


@dataclass(frozen=True, slots=True)
class EnvironmentRuleKeeper:
    """What guards environments, by their names."""

    forge: Forge

    def read(self) -> tuple[Thing, ...]:
        """Both fields."""
        return tuple(
            Thing(
                Kind.ENVIRONMENT_RULE,
                each.environment,
                {"reviewers": ", ".join(each.reviewers), "protected_branches": _word(each.protected_branches)},
            )
            for each in self.forge.environment_rules()
        )

    def put(self, thing: Thing) -> None:
        """What is not said stays."""
        reviewers = tuple(name for name in thing.fields.get("reviewers", "").split(", ") if name)
        branches = thing.fields.get("protected_branches") == YES
        self.forge.ensure_environment_rule(EnvironmentRule(thing.name, reviewers, protected_branches=branches))

    def remove(self, name: str) -> None:
        """It goes with its environment alone."""


def _word(value: bool) -> str:  # noqa: FBT001 - a value into its word
    return YES if value else "no"


def keepers_of(forge: Forge, secret: ReadSecret, variables: frozenset[str]) -> dict[Kind, Keeper]:
    """One for each kind. `variables` are the names of those that are said."""
    return {
        Kind.LABEL: LabelKeeper(forge),
        Kind.MILESTONE: MilestoneKeeper(forge),
        Kind.WEBHOOK: WebhookKeeper(forge, secret),
        Kind.BRANCH: BranchKeeper(forge),
        Kind.TAG: TagKeeper(forge),
        Kind.MERGE: MergeKeeper(forge),
        Kind.VARIABLE: VariableKeeper(forge, secret, variables),
        Kind.SECRET: CISecretKeeper(forge, secret),
        Kind.SECURITY: SecurityKeeper(forge),
        Kind.ENVIRONMENT: EnvironmentKeeper(forge),
        Kind.ENVIRONMENT_RULE: EnvironmentRuleKeeper(forge),
    }
