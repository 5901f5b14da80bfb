"""Secrets in Shipline's own environment variables, as CI hands them over."""

from __future__ import annotations

from dataclasses import dataclass

from shipline.clients.named_secrets import named_secret
from shipline.domain.errors import ConfigurationError, InvalidValue, RefusedError
from shipline.domain.variables import checked_value
from shipline.ports.provider import ProviderContext

OWN_PREFIX = "SHIPLINE_"


class EnvironmentSecrets:
    """The key is the name of a variable. Shipline's own ones are not handed on."""

    api_version = 1

    @dataclass(frozen=True, slots=True)
    class Settings:
        """It has none."""

    def __init__(self, settings: Settings, context: ProviderContext) -> None:
        pass

    def read(self, key: str) -> str:
        """What the variable holds."""
        if key.startswith(OWN_PREFIX):
            raise RefusedError(
                f"the environment variable {key} is not handed on to services",
                why="it speaks to Shipline, and may hold its own credentials",
                todo="name another variable",
            )
        try:
            return checked_value(named_secret(key, setting="environment.secrets", what="service's secret"))
        except InvalidValue as error:
            raise ConfigurationError(
                f"the environment variable {key} cannot be given to a service", why=error.what
            ) from None
