"""Secrets in memory."""

from __future__ import annotations

from shipline.domain.errors import ConfigurationError, InvalidValue, UnavailableError
from shipline.domain.variables import checked_secret


class MemorySecrets:
    """The Secrets port over a dictionary. While `is_down`, nothing is to be had."""

    api_version = 1

    def __init__(self, kept: dict[str, str]) -> None:
        self.kept = kept
        self.is_down = False

    def read(self, key: str) -> str:
        """The secret under `key`."""
        if self.is_down:
            raise UnavailableError("the secret manager does not answer", todo="try again later")
        if key not in self.kept:
            raise ConfigurationError(f"there is no secret {key[:200]!r}", todo="put it there")
        try:
            return checked_secret(self.kept[key].encode("utf-8", "surrogatepass"))
        except InvalidValue as error:
            raise ConfigurationError(
                f"the secret {key[:200]!r} cannot be given to a service",
                why=error.what,
                todo=error.todo or "change it",
            ) from None
