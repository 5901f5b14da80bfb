"""Secrets of CI on a fake forge, which shows their names and keeps the values to itself.

On GitLab they are variables that are masked: see `guards`.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any

from nacl.exceptions import CryptoError
from nacl.public import PrivateKey, SealedBox

from shipline.testing.fakes.forge.guards import Guarded
from shipline.testing.fakes.forge.refusals import Refused
from shipline.testing.fakes.forge.server import Handler, Reply, Request

KEY_ID = "568250167242549743"


class ListedSecrets(Guarded):
    """What GitHub and Gitea have alike."""

    def _keep_secret(self, name: str, value: str, *, made: dict[str, Any] | None = None) -> Reply:
        """`made` is the body for one that is new."""
        is_new = name not in self.guards.secrets
        self.guards.secrets[name] = value
        return Reply(made, 201) if is_new else Reply(None, 204)

    def drop_secret(self, asked: Request) -> Reply:
        self.guards.drop(self.guards.secrets, asked.names[0])
        return Reply(None, 204)

    def _listed(self) -> list[dict[str, Any]]:
        times = {"created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z"}
        return [{"name": name} | times for name in sorted(self.guards.secrets)]


class GitHubSecrets(ListedSecrets):
    """Sealed on their way; an object holds a page."""

    def secret_routes(self, at: str) -> list[tuple[str, str, Handler]]:
        """The key before the names, one of which could be called like it."""
        self.secrets_key = PrivateKey.generate()
        one = f"{at}/actions/secrets/([^/]+)"
        return [
            ("GET", f"{at}/actions/secrets", self.list_secrets),
            ("GET", f"{at}/actions/secrets/public-key", self.show_key),
            ("PUT", one, self.put_secret),
            ("DELETE", one, self.drop_secret),
        ]

    def show_key(self, _asked: Request) -> Reply:
        key = base64.b64encode(self.secrets_key.public_key.encode()).decode()
        return Reply({"key_id": KEY_ID, "key": key})

    def list_secrets(self, asked: Request) -> Reply:
        size, page = int(asked.query.get("per_page", "30")), int(asked.query.get("page", "1"))
        listed = self._listed()
        return Reply({"total_count": len(listed), "secrets": listed[(page - 1) * size : page * size]})

    def put_secret(self, asked: Request) -> Reply:
        """What was not sealed with the key is refused."""
        if asked.body["key_id"] != KEY_ID:
            raise Refused("invalid", "Bad request - key_id is wrong")
        try:
            value = SealedBox(self.secrets_key).decrypt(base64.b64decode(asked.body["encrypted_value"], validate=True))
        except (CryptoError, binascii.Error, ValueError):
            raise Refused("invalid", "encrypted_value is not sealed with the public key") from None
        return self._keep_secret(asked.names[0], value.decode(), made={})


class GiteaSecrets(ListedSecrets):
    """In plain text below TLS."""

    def secret_routes(self, at: str) -> list[tuple[str, str, Handler]]:
        """All of them."""
        one = f"{at}/actions/secrets/([^/]+)"
        return [
            ("GET", f"{at}/actions/secrets", lambda _: Reply(self._plain_list())),
            ("PUT", one, lambda asked: self._keep_secret(asked.names[0], asked.body["data"])),
            ("DELETE", one, self.drop_secret),
        ]

    def _plain_list(self) -> list[dict[str, Any]]:
        return [{"name": each["name"], "created_at": each["created_at"]} for each in self._listed()]
