"""What the settings of an environment may say where a controller brings versions to users, and where none does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from shipline.configuration.given import read_secret
from shipline.configuration.providers import provider_names, read_provider
from shipline.configuration.root import FILE_NAME
from shipline.configuration.settings import EnvironmentSettings
from shipline.domain.errors import ConfigurationError

DRIVEN = "driven"
# What a controller has its own settings for.
CONTROLLERS_OWN = ("target", "traffic", "variables", "secrets", "keep_warm_s")


def driven_complaints(environment: EnvironmentSettings) -> Iterator[ConfigurationError]:
    """Everything that does not go together, each as the error that it is."""
    where = f"{FILE_NAME}, environment {environment.name}"
    if environment.strategy != DRIVEN:
        yield from _undriven(environment, where)
        return
    if "provider" not in (environment.controller or {}):
        known = ", ".join(provider_names("controller"))
        yield ConfigurationError(
            f"{where}: the strategy driven needs [environment.controller]",
            todo=f"set its provider; known ones: {known}",
        )
    for name in CONTROLLERS_OWN:
        if getattr(environment, name):
            what = f"{where}: `{name}` has no meaning where a controller brings versions to users"
            yield ConfigurationError(what, todo="leave it out: the controller's own object says that")
    yield from _counts(environment, where)
    yield from _token(environment, where)
    if environment.verify and not environment.url:
        yield ConfigurationError(f"{where}: `verify` needs the environment's `url`", why="a controller routes there")


def is_left_out(environment: EnvironmentSettings, name: str) -> bool:
    """True for a table that is not there, and for whose default there is no place: a controller runs and routes."""
    is_controllers = environment.controller is not None and name in ("target", "traffic")
    return is_controllers or getattr(environment, name) is None


def _undriven(environment: EnvironmentSettings, where: str) -> Iterator[ConfigurationError]:
    for name in ("controller", "verdict_token"):
        if getattr(environment, name) is not None:
            what = f"{where}: `{name}` is for the strategy driven, and the strategy is {environment.strategy}"
            yield ConfigurationError(what, todo='set strategy = "driven", or leave it out')


def _counts(environment: EnvironmentSettings, where: str) -> Iterator[ConfigurationError]:
    try:
        only: str = read_provider("signals", environment.signals, default="haproxy")[0].traffic
    except ConfigurationError:
        return  # Its table's own check says why.
    if only:
        yield ConfigurationError(
            f"{where}: nobody counts the requests there, and the strategy driven needs that",
            why=f"these signals count what the traffic provider {only} serves, and a controller routes there",
            todo="add [environment.signals] with a provider such as prometheus",
        )


def _token(environment: EnvironmentSettings, where: str) -> Iterator[ConfigurationError]:
    if environment.verdict_token is not None:
        try:
            read_secret(environment.verdict_token)
        except ConfigurationError as error:
            yield ConfigurationError(f"{where}, verdict_token: {error.what}", why=error.why, todo=error.todo)
    elif _asks(environment.controller or {}):
        yield ConfigurationError(
            f"{where}: `verdict_token` is missing",
            why="this controller asks for the verdict, and nobody is answered without a token",
            todo='verdict_token = { environment = "NAME" }',
        )


def _asks(table: dict[str, Any]) -> bool:
    try:
        return bool("provider" in table and read_provider("controller", table, default="")[0].asks)
    except ConfigurationError:
        return False  # Its table's own check says why.
