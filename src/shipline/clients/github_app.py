"""GitHub Apps: who signs with an app's private key gets tokens for the repositories that the app is installed on.

From: docs.github.com/apps/creating-github-apps/authenticating-with-a-github-app, version 2022-11-28. A signed statement
(JWT, RFC 7519, with RS256) says which app is asking and is good for ten minutes at most; the token that it is exchanged
for is good for an hour, and is limited here to the one repository. Neither is written down anywhere.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from shipline.clients.forge_http import ForgeHTTP
from shipline.clients.forge_json import number, text
from shipline.domain.errors import ConfigurationError, RefusedError, ShiplineError
from shipline.ports.clock import Clock

SECOND_US = 1_000_000
BEFORE_S = 60
"""How far back a statement is dated, since clocks differ."""
GOOD_FOR_S = 540
SPARE_S = 300
"""A token is exchanged for a new one when it ends within that time, so that no upload outlives it."""


def signed_statement(app_id: str, key_pem: bytes, now_us: int) -> str:
    """The JWT by which an app names itself. ConfigurationError for what is no private RSA key."""
    now_s = now_us // SECOND_US
    head = {"alg": "RS256", "typ": "JWT"}
    claims = {"iat": now_s - BEFORE_S, "exp": now_s + GOOD_FOR_S, "iss": app_id}
    signed = b".".join(_encoded(json.dumps(part, separators=(",", ":")).encode()) for part in (head, claims))
    signature = _private_key(key_pem).sign(signed, PKCS1v15(), hashes.SHA256())
    return (signed + b"." + _encoded(signature)).decode("ascii")


def _private_key(key_pem: bytes) -> RSAPrivateKey:
    todo = "download a private key on the app's page on GitHub, and give that file whole"
    try:
        key = load_pem_private_key(key_pem, password=None)
    except (ValueError, TypeError):
        raise ConfigurationError("the app's private key is no PEM key without a passphrase", todo=todo) from None
    if not isinstance(key, RSAPrivateKey):
        raise ConfigurationError("the app's private key is no RSA key", todo=todo)
    return key


def _encoded(data: bytes) -> bytes:
    """Base64 as RFC 7515 has it: for addresses, without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=")


@dataclass(slots=True)
class InstallationToken:
    """The token of an app for one repository; exchanged for a new one before it ends.

    `read_key` gives the private key and is asked for each exchange. `exchange` speaks to GitHub with the headers that
    it is given. `permissions` are those of the last token.
    """

    app_id: str
    repository: str
    read_key: Callable[[], bytes] = field(repr=False)
    exchange: Callable[[Callable[[], str]], ForgeHTTP] = field(repr=False)
    clock: Clock = field(repr=False)
    permissions: dict[str, str] = field(default_factory=dict)
    _token: str = field(default="", repr=False)
    _ends_us: int = 0

    def read(self) -> str:
        """The token, good for some minutes yet. Errors as for ForgeHTTP, and ConfigurationError for the key."""
        if self._token == "" or self.clock.now_us() + SPARE_S * SECOND_US >= self._ends_us:
            self._renew()
        return self._token

    def _renew(self) -> None:
        http = self.exchange(lambda: signed_statement(self.app_id, self.read_key(), self.clock.now_us()))
        found = http.find(f"/repos/{self.repository}/installation")
        if found is None:
            raise RefusedError(
                f"the app {self.app_id} is not installed on {self.repository}",
                todo="install it there: on the app's page on GitHub, under “Install App”",
            )
        body = {"repositories": [self.repository.partition("/")[2]]}
        path = f"/app/installations/{number(found, 'id')}/access_tokens"
        answer = http.send("POST", path, body, need="the app's installation")
        self._ends_us = _time_us(text(answer, "expires_at"))
        self._token = text(answer, "token")
        told = answer.get("permissions")
        self.permissions = {} if not isinstance(told, dict) else {str(key): str(value) for key, value in told.items()}


def _time_us(said: str) -> int:
    try:
        return int(datetime.fromisoformat(said).timestamp()) * SECOND_US
    except ValueError:
        raise ShiplineError(f"GitHub says that a token ends at {said[:40]!r}, which is no time") from None
