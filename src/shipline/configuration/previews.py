"""What is wrong with an environment's preview: who has to sign for it, and whether its traffic can show one."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from shipline.configuration.providers import provider_class, provider_names, read_provider
from shipline.configuration.root import FILE_NAME
from shipline.domain.errors import ConfigurationError
from shipline.ports.target import Planning

if TYPE_CHECKING:
    from shipline.configuration.settings import EnvironmentSettings
    from shipline.domain.gate import Approver

APPROVALS_MAX = 100
HEADER_KEY = "preview_header"


def preview_complaints(environment: EnvironmentSettings, approvers: Sequence[Approver]) -> Iterator[ConfigurationError]:
    """Everything that is wrong with it."""
    where, asked = f"{FILE_NAME}, environment {environment.name}, preview", environment.preview
    yield from _unshown(environment, where)
    if asked.approvals and not asked.by:
        yield ConfigurationError(f"{where}: approvals are of what is previewed, and nothing is", todo="set `by`")
    if asked.approvals and asked.approve:
        yield ConfigurationError(f"{where}: either anybody says so (`approve`), or people sign (`approvals`)")
    for role, count in asked.approvals.items():
        having = [one.name for one in approvers if role in one.roles]
        if not 1 <= count <= APPROVALS_MAX or count > len(having):
            names = ", ".join(having) or "nobody"
            yield ConfigurationError(
                f"{where}: {count} approvals of {role[:60]!r} cannot be had: {names} has that role",
                todo="name more people as [[approver]], or another role",
            )
    if not asked.by and (asked.url or any(one.before for one in environment.verify)):
        yield ConfigurationError(
            f"{where}: nothing is previewed, so there is nothing to verify or to see `before`", todo='set by = "header"'
        )
    if asked.approve and _plans(environment):
        yield ConfigurationError(
            f"{where}: with `approve` whoever is at this machine lets a plan be applied",
            why="what a plan changes is let by people who may approve, each signing for its digest",
            todo="set approvals = { ROLE = 1 } in the place of approve, and name them as [[approver]]",
        )


def _unshown(environment: EnvironmentSettings, where: str) -> Iterator[ConfigurationError]:
    """What routes the traffic there cannot show a preview in that way."""
    by, name = environment.preview.by, environment.traffic.get("provider", "haproxy")
    if not by or environment.strategy == "driven":
        return
    try:
        kind, settings = read_provider("traffic", environment.traffic, default="haproxy")
    except ConfigurationError:
        return  # Its table's own check says why.
    word = {"header": "previews", "mirror": "mirrors"}[by]
    if _shows(kind, settings, word):
        return
    whys = {"previews": "no request can ask for a preview there", "mirrors": "it cannot copy requests"}
    can = ", ".join(one for one in provider_names("traffic") if _may_show(one, word))
    todo = "take a provider that can"
    if hasattr(settings, word):
        todo = f"set `{word} = true` for the traffic, if it can; or {todo}"
    elif word == "previews" and hasattr(settings, HEADER_KEY):
        todo = f"name a `{HEADER_KEY}` for the traffic; or {todo}"
    yield ConfigurationError(
        f"{where}: the traffic provider {name} shows no preview by {by}",
        why=whys[word],
        todo=f"{todo}: {can}",
    )


def _shows(kind: type, settings: object, word: str) -> bool:
    """Whether it does so with these settings: some say it themselves, some need a header to be named."""
    if hasattr(settings, word):
        return bool(getattr(settings, word))
    if word == "previews" and hasattr(settings, HEADER_KEY):
        return bool(getattr(settings, HEADER_KEY))
    return bool(getattr(kind, word, False))


def _may_show(name: str, word: str) -> bool:
    """Whether a provider does so with some settings."""
    kind = provider_class("traffic", name)
    keys = {field.name for field in dataclasses.fields(kind.Settings)}
    return word in keys or bool(getattr(kind, word, False)) or (word == "previews" and HEADER_KEY in keys)


def _plans(environment: EnvironmentSettings) -> bool:
    try:
        return issubclass(read_provider("target", environment.target, default="process")[0], Planning)
    except ConfigurationError:
        return False  # Its table's own check says why.
