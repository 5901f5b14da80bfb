"""The repository's settings on the forge, wired: whose word counts, where secrets are, and the look at drift."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from shipline.bootstrap.places import Place, trusted_settings
from shipline.capabilities.automation import (
    AS_SAID,
    CHECKS,
    FEATURES,
    MERGING,
    YES,
    Kind,
    Plan,
    Thing,
    keepers_of,
    look,
    tell_drift,
)
from shipline.domain.errors import ConfigurationError, NothingToDo, RefusedError

if TYPE_CHECKING:
    from shipline.bootstrap.aside import Aside
    from shipline.capabilities.automation import Keeper
    from shipline.configuration import RepositorySettings


FOLLOW_S = 5.0


def wanted_things(settings: RepositorySettings) -> tuple[Thing, ...]:
    """What `[repository]` says, as the room has it. Pure."""
    labels = (
        Thing(Kind.LABEL, one.name, {"color": one.color, "description": one.description}) for one in settings.label
    )
    stones = (
        Thing(
            Kind.MILESTONE,
            one.title,
            {"description": one.description, "state": one.state} | ({"due_on": one.due_on} if one.due_on else {}),
        )
        for one in settings.milestone
    )
    hooks = (
        Thing(Kind.WEBHOOK, one.url, {"events": ", ".join(sorted(set(one.events))), "active": "yes"})
        for one in settings.webhook
    )
    return (*labels, *stones, *hooks, *_guards(settings))


def _guards(settings: RepositorySettings) -> Iterator[Thing]:
    for rule in settings.branch:
        fields = {
            "pull_requests": _word(rule.pull_requests),
            "approvals": str(rule.approvals),
            "code_owners": _word(rule.code_owners),
            "checks": CHECKS.join(sorted(set(rule.checks))),
            "force_push": _word(rule.force_push),
        }
        yield Thing(Kind.BRANCH, rule.pattern, fields)
    for tag in settings.tag:
        yield Thing(Kind.TAG, tag.pattern, {})
    if settings.merge.methods:
        methods = ", ".join(sorted(set(settings.merge.methods)))
        fields = {"methods": methods, "delete_branch": _word(settings.merge.delete_branch)}
        yield Thing(Kind.MERGE, MERGING, fields)
    if settings.security:
        yield Thing(Kind.SECURITY, FEATURES, {"features": ", ".join(sorted(set(settings.security)))})
    for name in dict.fromkeys(settings.environments):
        yield Thing(Kind.ENVIRONMENT, name, {})
    for guard in settings.environment_rule:
        said = {"reviewers": ", ".join(sorted(set(guard.reviewers)))} if guard.reviewers else {}
        branches = {"protected_branches": YES} if guard.protected_branches else {}
        yield Thing(Kind.ENVIRONMENT_RULE, guard.environment, said | branches)
    for variable in settings.variable:
        yield Thing(Kind.VARIABLE, variable.name, {"value": AS_SAID})
    for secret in settings.secret:
        yield Thing(Kind.SECRET, secret.name, {})


def _word(value: bool) -> str:  # noqa: FBT001 - a value into its word
    return YES if value else "no"


def secrets_of(settings: RepositorySettings) -> dict[Kind, frozenset[str]]:
    """The names of the things that have a secret, by kind."""
    return {
        Kind.WEBHOOK: frozenset(one.url for one in settings.webhook),
        Kind.SECRET: frozenset(one.name for one in settings.secret),
    }


class Keeping:
    """`[repository]` and the forge that it is for. Nothing is asked before a method is called.

    ConfigurationError where there is no forge, NothingToDo where nothing is said; RefusedError where the protected
    branch does not name this forge: a token that may change a repository's settings goes nowhere else.
    """

    def __init__(self, application: Place) -> None:
        self.settings = trusted_settings(application).repository
        self.wanted = wanted_things(self.settings)
        if not self.wanted:
            raise NothingToDo("[repository] says nothing", todo="say in shipline.toml what the forge is to have")
        if not application.policy.knows("forge", application.settings.forge):
            raise RefusedError(
                "the protected branch does not name this forge", todo="bring [forge] to the protected branch first"
            )
        forge = application.forge
        if forge is None:
            raise ConfigurationError("the settings name no forge", todo="add [forge] to shipline.toml")
        self.forge = forge
        self._application = application

    @property
    def keepers(self) -> Mapping[Kind, Keeper]:
        """The forge's side of each kind."""
        return keepers_of(self.forge, self._secret, frozenset(self._values))

    def plan(self) -> Plan:
        """What differs now. Changes nothing."""
        pruned = frozenset(Kind(each) for each in self.settings.prune)
        return look(self.keepers, self.wanted, pruned, self.forge.unkept())

    @property
    def _values(self) -> dict[str, str]:
        return {one.name: one.value for one in self.settings.variable}

    def _secret(self, kind: Kind, name: str) -> str:
        if kind is Kind.VARIABLE:
            return self._values[name]
        from shipline.configuration.given import read_secret

        tables = {(Kind.WEBHOOK, one.url): one.secret for one in self.settings.webhook}
        tables |= {(Kind.SECRET, one.name): one.value for one in self.settings.secret}
        said, provider, settings = read_secret(tables[kind, name])
        return str(provider(settings, self._application.context("repository", kind.value)).read(said.key))


class DriftWatch:
    """A chore: looks whether the forge is as it is said, beside the engine's loop, and tells what differs once."""

    def __init__(self, application: Place) -> None:
        self._application = application
        self._aside: Aside | None = None
        self._next_s = float("-inf")
        self._plan: Plan | None = None

    def __call__(self) -> None:
        """Tell of what the last look has found, and begin another when it is time."""
        from shipline.bootstrap.aside import Aside

        if not trusted_settings(self._application).repository.drift_every_s:
            return
        if self._aside is None:
            self._aside = Aside(self._look, every_s=FOLLOW_S)
        if self._aside.poll() and self._plan is not None:
            with self._application.store.begin() as tx:
                tell_drift(tx, self._application.events, self._plan)

    def wait(self) -> None:
        """Until the look under way has ended."""
        if self._aside is not None:
            self._aside.wait()

    def _look(self) -> bool:
        if time.monotonic() < self._next_s:
            return False
        here = self._application.afresh()
        self._next_s = time.monotonic() + trusted_settings(here).repository.drift_every_s
        self._plan = Keeping(here).plan()
        return True
