"""What every part of a forge's provider stands on: its settings, its HTTP client, and whose token it has."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from functools import cached_property
from typing import Any

from shipline.clients.forge_http import ForgeHTTP
from shipline.clients.forge_json import text
from shipline.domain.errors import ConflictError, RefusedError
from shipline.ports.forge import Budget, GitAccess
from shipline.ports.forge.guards import EnvironmentRule, SecurityFeature
from shipline.ports.provider import ProviderContext
from shipline.providers.forge.access import Credential, ForgeSettings, Kind, Token, client, git_access


class RESTAccess(ABC):
    """A repository below the address of an API. `change_method` is the verb that changes something."""

    api_version = 2
    kind: Kind
    change_method = "PATCH"

    def __init__(self, settings: ForgeSettings, context: ProviderContext) -> None:
        self._settings = settings
        self._context = context

    @cached_property
    def _http(self) -> ForgeHTTP:
        return client(self.kind, self._settings, self._context, self._credential())

    def _credential(self) -> Credential:
        return Token.of(self._settings, self._context, self.kind.variable)

    @cached_property
    @abstractmethod
    def _at(self) -> str:
        """Where the repository is, from the API's address."""

    def _list(self, path: str, items_max: int, query: dict[str, str] | None = None) -> Iterator[Any]:
        return self._http.pages(f"{self._at}/{path}", query, items_max=items_max)

    def _change(self, path: str, body: dict[str, Any], need: str) -> Any:
        """Change what is at `path`, from the repository."""
        return self._http.send(self.change_method, f"{self._at}/{path}", body, need=need)

    @cached_property
    def _account(self) -> str:
        try:
            return text(self._http.get("/user"), self.account_key)
        except RefusedError:
            return ""  # A workflow's own token, and one without that scope, may not ask.

    account_key = "login"
    git_user = "x-access-token"  # GitHub asks for this one, and Gitea for any; see `git_access`.

    def account(self) -> str:
        """GET the token's user, once."""
        return self._account

    def git_access(self) -> GitAccess:
        """Below the web's root."""
        assert self._http.url, "settings without an address are refused by the client"  # noqa: S101
        return git_access(self._settings, self._credential(), user=self.git_user)

    def _is_ours(self, author: str) -> bool:
        """Whether this account wrote it, as far as the forge tells whose token it is."""
        return self._account in ("", author)

    def unkept(self) -> frozenset[str]:
        """Nothing, where the forge does not say otherwise."""
        return frozenset()

    def security(self) -> frozenset[SecurityFeature]:
        """Nothing, where the forge does not say otherwise."""
        return frozenset()

    def set_security(self, features: frozenset[SecurityFeature]) -> None:
        """ConflictError, where the forge does not say otherwise."""
        raise ConflictError(f"{self.kind.name} has no security features to be set", why=", ".join(sorted(features)))

    def environments(self) -> tuple[str, ...]:
        """None, where the forge does not say otherwise."""
        return ()

    def ensure_environment(self, name: str) -> None:
        """ConflictError, where the forge does not say otherwise."""
        raise ConflictError(f"{self.kind.name} has no environments", why=name)

    def environment_rules(self) -> tuple[EnvironmentRule, ...]:
        """None, where the forge does not say otherwise."""
        return ()

    def ensure_environment_rule(self, rule: EnvironmentRule) -> None:
        """ConflictError, where the forge does not say otherwise."""
        raise ConflictError(f"{self.kind.name} has no rules of environments to be set", why=rule.environment)

    def delete_environment(self, name: str) -> None:
        """There is none, where the forge does not say otherwise."""
        del name

    def budget(self) -> Budget:
        """What the last answer said."""
        seen = self._http.allowance
        return Budget(seen.remaining, seen.resets_us)
