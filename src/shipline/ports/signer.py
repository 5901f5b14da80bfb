"""The Signer port: signatures by a key that Shipline may use."""

from __future__ import annotations

from typing import Protocol

API_VERSION = 1


class Signer(Protocol):
    """ECDSA P-256 with SHA-256, signatures in DER."""

    api_version: int

    def key_id(self) -> str:
        """Lower-case hex sha256 of the public key's SubjectPublicKeyInfo in DER."""
        ...

    def public_key_pem(self) -> str:
        """The public key, SubjectPublicKeyInfo in PEM."""
        ...

    def sign(self, payload: bytes) -> bytes:
        """A signature over `payload`."""
        ...
