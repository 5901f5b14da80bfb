"""A GitHub App, as GitHub sees it: it checks the statements that are signed for it, and gives tokens of an hour."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from shipline.ports.clock import Clock
from shipline.testing.fakes.forge.server import Handler, Reply, Request

INSTALLATION_ID = 777
HOUR_S, STATEMENT_S_MAX = 3600, 600
SECOND_US = 1_000_000


@dataclass(frozen=True, slots=True)
class Given:
    """A token that was given: when it ends, and for which repositories of its owner."""

    ends_us: int
    repositories: tuple[str, ...]


class FakeGitHubApp:
    """An app that is installed on `repository`. `refusals` lists why statements were refused, `given` the tokens."""

    def __init__(self, clock: Clock, repository: str = "acme/quotes", *, app_id: str = "4711") -> None:
        self.app_id = app_id
        self.installed = True
        self.refusals: list[str] = []
        self.given: dict[str, Given] = {}
        self._clock = clock
        self._repository = repository
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    @property
    def private_key_pem(self) -> str:
        """The key as GitHub lets people download it: PKCS #1."""
        return self._key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()

    def admits(self, path: str, token: str) -> bool:
        """Statements name the app alone; all else takes a token of its installation that has not ended."""
        if "/app/" in path or path.endswith("/installation"):
            why = self._why_not(token)
            self.refusals += [why] if why else []
            return not why
        given = self.given.get(token)
        name = self._repository.partition("/")[2]
        return given is not None and given.ends_us > self._clock.now_us() and name in given.repositories

    def routes(self, prefix: str) -> list[tuple[str, str, Handler]]:
        """What an app asks."""
        return [
            ("GET", f"{prefix}/repos/{self._repository}/installation", self._installation),
            ("POST", rf"{prefix}/app/installations/{INSTALLATION_ID}/access_tokens", self._give),
        ]

    def _installation(self, _: Request) -> Reply:
        found = {"id": INSTALLATION_ID, "app_id": int(self.app_id)}
        return Reply(found) if self.installed else Reply({"message": "Not Found"}, 404)

    def _give(self, asked: Request) -> Reply:
        token = f"ghs_{len(self.given):036d}"
        ends_us = self._clock.now_us() + HOUR_S * SECOND_US
        self.given[token] = Given(ends_us, tuple(asked.body.get("repositories", ())))
        said = datetime.fromtimestamp(ends_us // SECOND_US, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return Reply({"token": token, "expires_at": said, "permissions": {"contents": "write"}}, 201)

    def _why_not(self, statement: str) -> str:
        """What is wrong with a statement, "" for nothing."""
        try:
            head, claims, signature = (_decoded(part) for part in statement.split("."))
            algorithm, said = json.loads(head)["alg"], json.loads(claims)
            begins_s, ends_s, issuer = said["iat"], said["exp"], said["iss"]
        except (ValueError, KeyError, TypeError):
            return "it is no statement"
        if algorithm != "RS256" or not self._is_signed(statement, signature):
            return "it was not signed by the app's key"
        now_s = self._clock.now_us() // SECOND_US
        if issuer != self.app_id:
            return "it is of another app"
        if not begins_s <= now_s < ends_s or ends_s - now_s > STATEMENT_S_MAX:
            return "it is not good now, or for too long"
        return ""

    def _is_signed(self, statement: str, signature: bytes) -> bool:
        signed = statement.rpartition(".")[0].encode()
        try:
            self._key.public_key().verify(signature, signed, PKCS1v15(), hashes.SHA256())
        except InvalidSignature:
            return False
        return True


def _decoded(part: str) -> bytes:
    return base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
