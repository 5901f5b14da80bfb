"""What the settings of an environment give to its services: variables, and where secrets are read."""

from __future__ import annotations

from typing import Any

from shipline.configuration.providers import provider_class, provider_names, read_listed
from shipline.configuration.root import FILE_NAME
from shipline.configuration.settings import EnvironmentSettings, SecretSettings
from shipline.domain.errors import ConfigurationError, InvalidValue
from shipline.domain.variables import check_names, checked_value

SHORT = ("environment", "file")


def read_secret(table: dict[str, Any]) -> tuple[SecretSettings, Any, Any]:
    """Where a secret is: what every entry has, the provider's class, and that one's settings. ConfigurationError."""
    (first,) = table if len(table) == 1 else ("",)
    if first in SHORT:
        table = {"provider": first, "key": table[first]}
    elif "provider" not in table:
        raise ConfigurationError(
            "a secret is said by where it is, and not by what it is",
            todo='write { environment = "NAME" }, { file = "/path" } or { provider = "...", key = "..." }; '
            f"known providers: {', '.join(provider_names('secrets'))}",
        )
    return read_listed("secrets", SecretSettings, table)


def check_given(environment: EnvironmentSettings) -> None:
    """Refuse (ConfigurationError that names the environment) what no service can be given, and what this target gives
    to none."""
    try:
        _check_given(environment)
        _check_target(environment)
    except ConfigurationError as error:
        place = f"{FILE_NAME}, environment {environment.name}"
        raise ConfigurationError(f"{place}: {error.what}", why=error.why, todo=error.todo) from None


def _check_given(environment: EnvironmentSettings) -> None:
    try:
        check_names(environment.variables, environment.secrets)
    except InvalidValue as error:
        raise ConfigurationError(error.what, why=error.why, todo=error.todo) from None
    for name, value in environment.variables.items():
        try:
            checked_value(value)
        except InvalidValue as error:
            raise ConfigurationError(f"the value of the variable {name} cannot be given", why=error.what) from None
    for name, table in environment.secrets.items():
        try:
            read_secret(table)
        except ConfigurationError as error:
            raise ConfigurationError(f"the secret {name}: {error.what}", why=error.why, todo=error.todo) from None


def _check_target(environment: EnvironmentSettings) -> None:
    target = environment.target.get("provider", "process")
    if not (environment.variables or environment.secrets) or target not in provider_names("target"):
        return  # That there is no such target, its table's own check says.
    gives = _gives(target)
    for what in ("variables", "secrets"):
        if getattr(environment, what) and what not in gives:
            able = ", ".join(name for name in provider_names("target") if what in _gives(name))
            raise ConfigurationError(
                f"the target {target} gives no {what} to what it starts, and [environment.{what}] names some",
                todo=f"leave them out, and give them where the platform has its own place for them; these can: {able}",
            )


def _gives(target: str) -> tuple[str, ...]:
    """What a target gives to what it starts; nothing where it does not say so."""
    gives: tuple[str, ...] = getattr(provider_class("target", target), "gives", ())
    return gives
