"""`[repository]`: how the repository is set up on the forge. `shipline settings` compares and brings it there."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Annotated, Any

from shipline.configuration.limits import Limits, SecretTable
from shipline.domain.errors import ConfigurationError
from shipline.domain.secrecy import redacted

PRUNED = ("label", "milestone", "webhook", "branch", "tag", "variable", "secret", "environment")
EVENTS = ("check", "comment", "issue", "milestone", "pull request", "push", "release")
FEATURES = ("secret scanning", "push protection")
_TITLE = Limits(pattern=r"[^\s\x00-\x1f\x7f][^\x00-\x1f\x7f]{0,199}", meaning="one line, at most 200 characters")
_LABEL = Limits(pattern=r"[^\s,\x00-\x1f\x7f][^,\x00-\x1f\x7f]{0,49}", meaning="one line without a comma, at most 50")
_TEXT = Limits(pattern=r"[^\x00-\x1f\x7f]{0,200}", meaning="one line, at most 200 characters")
_COLOR = Limits(pattern=r"[0-9a-f]{6}", meaning="six hexadecimal digits in small letters")
_PATTERN = Limits(
    pattern=r"(?![-/.])(?!.*(?:\.\.|//))[^\x00-\x20\x7f~^:\\]{1,200}", meaning="a name or a glob, without spaces"
)
_CHECK = Limits(pattern=r"[^\s;\x00-\x1f\x7f][^;\x00-\x1f\x7f]{0,199}", meaning="a check's name, without a semicolon")
_VARIABLE = Limits(pattern=r"[A-Z_][A-Z0-9_]{0,99}", meaning="capitals, digits and `_`")
_LOGIN = Limits(pattern=r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", meaning="the name of an account")
_DAY = Limits(pattern=r"|\d{4}-\d{2}-\d{2}", meaning="empty, or a day such as 2027-01-31")
_ADDRESS = Limits(
    pattern=r"https?://[A-Za-z0-9.:\[\]-]{1,200}(?:/[!-~]{0,500})?",
    meaning="an address that begins with https:// or http://, without a name or password in it",
)


@dataclass(frozen=True, slots=True)
class LabelSettings:
    """`[[repository.label]]`: a label.

    `name` is what it is known by. `color` is six hexadecimal digits in small letters. `description` is a line.
    """

    name: Annotated[str, _LABEL]
    color: Annotated[str, _COLOR] = "ededed"
    description: Annotated[str, _TEXT] = ""


@dataclass(frozen=True, slots=True)
class MilestoneSettings:
    """`[[repository.milestone]]`: a milestone.

    `title` is what it is known by. `description` is a line. `due_on` is a day; "" leaves that as it is. `state`
    is open or closed.
    """

    title: Annotated[str, _TITLE]
    description: Annotated[str, _TEXT] = ""
    due_on: Annotated[str, _DAY] = ""
    state: Annotated[str, Limits(choices=("open", "closed"))] = "open"


@dataclass(frozen=True, slots=True)
class WebhookSettings:
    """`[[repository.webhook]]`: a webhook.

    `url` is the address that it is known by. `events` are those that it is told of. `secret` says where the
    secret is that it signs with, like an entry of
    `[environment.secrets]`.
    """

    url: Annotated[str, _ADDRESS]
    events: Annotated[tuple[Annotated[str, Limits(choices=EVENTS)], ...], Limits(items_min=1)]
    secret: Annotated[dict[str, Any], SecretTable()]


@dataclass(frozen=True, slots=True)
class BranchSettings:
    """`[[repository.branch]]`: what holds for some branches. They cannot be deleted.

    `pattern` is a name, or a glob as the forge has them. With `pull_requests` nothing comes but by pull request;
    `approvals` are how many must approve one, `code_owners` says whether those are among them that own what it changes.
    `checks` must have passed. `force_push` lets them be rewritten.
    """

    pattern: Annotated[str, _PATTERN]
    pull_requests: bool = True
    approvals: Annotated[int, Limits(minimum=0, maximum=10)] = 0
    code_owners: bool = False
    checks: tuple[Annotated[str, _CHECK], ...] = ()
    force_push: bool = False


@dataclass(frozen=True, slots=True)
class TagSettings:
    """`[[repository.tag]]`: tags that nobody moves or deletes.

    `pattern` is a name, or a glob as the forge has them.
    """

    pattern: Annotated[str, _PATTERN]


@dataclass(frozen=True, slots=True)
class MergeSettings:
    """`[repository.merge]`: how pull requests are merged.

    `methods` are those that are offered, merge, squash and rebase; without any, nothing is said. `delete_branch` lets
    the branch go with it.
    """

    methods: tuple[Annotated[str, Limits(choices=("merge", "squash", "rebase"))], ...] = ()
    delete_branch: bool = False


@dataclass(frozen=True, slots=True)
class VariableSettings:
    """`[[repository.variable]]`: a variable of CI, in clear.

    `name` is in capitals. `value` is no secret: it stands here, and whoever may run CI may read it.
    """

    name: Annotated[str, _VARIABLE]
    value: Annotated[str, Limits(pattern=r"[^\x00]{1,10000}", meaning="text of 1 to 10000 characters")]


@dataclass(frozen=True, slots=True)
class CISecretSettings:
    """`[[repository.secret]]`: a secret of CI.

    `name` is what CI knows it by. `value` says where it is, like an entry of `[environment.secrets]`.
    """

    name: Annotated[str, _VARIABLE]
    value: Annotated[dict[str, Any], SecretTable()]


@dataclass(frozen=True, slots=True)
class EnvironmentRuleSettings:
    """`[[repository.environment_rule]]`: what a deployment to an environment of the forge takes.

    `environment` is its name; it is made where it is not there. `reviewers` are accounts, one of which must approve;
    none leaves those that are there. With `protected_branches` it comes from a protected branch; without, that stays.
    """

    environment: Annotated[str, _TITLE]
    reviewers: Annotated[tuple[Annotated[str, _LOGIN], ...], Limits()] = ()
    protected_branches: bool = False


@dataclass(frozen=True, slots=True)
class RepositorySettings:
    """`[repository]`: how the repository is set up on the forge.

    `prune` names the kinds of which is removed what is not said here: label, milestone, webhook, branch, tag, variable,
    secret, environment. `drift_every_s` is how often a server looks whether it still is as said, in seconds; 0 for
    never. `label`, `milestone`, `webhook`, `branch`, `tag`, `variable`, `secret` and `environment_rule` are lists of
    tables; `merge` says how requests are merged. `environments` are those of deployments. `security` is what the forge
    looks for by itself; without any, nothing is said.
    """

    prune: tuple[Annotated[str, Limits(choices=PRUNED)], ...] = ()
    drift_every_s: Annotated[int, Limits(minimum=0, maximum=604_800)] = 0
    label: tuple[LabelSettings, ...] = ()
    milestone: tuple[MilestoneSettings, ...] = ()
    webhook: tuple[WebhookSettings, ...] = ()
    branch: tuple[BranchSettings, ...] = ()
    tag: tuple[TagSettings, ...] = ()
    merge: MergeSettings = field(default_factory=MergeSettings)
    variable: tuple[VariableSettings, ...] = ()
    secret: tuple[CISecretSettings, ...] = ()
    environments: tuple[Annotated[str, _TITLE], ...] = ()
    environment_rule: tuple[EnvironmentRuleSettings, ...] = ()
    security: tuple[Annotated[str, Limits(choices=FEATURES)], ...] = ()

    @property
    def names(self) -> dict[str, list[str]]:
        """What is said, by kind."""
        return {
            "label": [each.name for each in self.label],
            "milestone": [each.title for each in self.milestone],
            "webhook": [each.url for each in self.webhook],
            "branch": [each.pattern for each in self.branch],
            "tag": [each.pattern for each in self.tag],
            "environment": list(self.environments),
            "variable": [each.name for each in self.variable],
            "secret": [each.name for each in self.secret],
            "environment rule": [each.environment for each in self.environment_rule],
        }


def repository_complaints(settings: RepositorySettings) -> Iterator[ConfigurationError]:
    """What types and limits do not say: names that come twice, days that are none, and pruning down to nothing."""
    for kind, names in settings.names.items():
        for name in _doubled(name.casefold() for name in names):
            yield ConfigurationError(f"[repository]: the {kind} {name!r} is there twice", todo="take one of them out")
        if kind in settings.prune and not names:
            yield ConfigurationError(
                f"[repository]: prune has {kind!r}, and no {kind} is said, so that all of them would go",
                todo=f"say at least one {kind}, or take {kind!r} out of prune",
            )
    for each in settings.milestone:
        if each.due_on and not _is_day(each.due_on):
            yield ConfigurationError(f"[repository]: the milestone {each.title!r} is due on {each.due_on}, no such day")
    yield from _of_guards(settings)


def _of_guards(settings: RepositorySettings) -> Iterator[ConfigurationError]:
    if settings.merge.delete_branch and not settings.merge.methods:
        yield ConfigurationError("[repository.merge]: delete_branch counts only with methods", todo="say the methods")
    for rule in settings.branch:
        if not rule.pull_requests and (rule.approvals or rule.code_owners):
            yield ConfigurationError(
                f"[repository]: approvals of {rule.pattern!r} are about pull requests, and pull_requests is false",
                todo="set pull_requests to true, or take the approvals out",
            )
    for variable in settings.variable:
        if redacted(variable.value) != variable.value:
            yield ConfigurationError(
                f"[repository]: the value of the variable {variable.name} looks like a secret",
                why="it stands in the repository, and forges show variables in clear",
                todo="say where it is, in a [[repository.secret]]",
            )


def _doubled(names: Iterable[str]) -> list[str]:
    listed = list(names)
    return sorted({name for name in listed if listed.count(name) > 1})


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return re.fullmatch(r"\d{4}-\d{2}-\d{2}", text) is not None
