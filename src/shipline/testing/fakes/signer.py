"""A signer whose key lives in memory and follows from a seed, so that a World gives the same signatures again."""

from __future__ import annotations

import hashlib

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat


class MemorySigner:
    """Real ECDSA P-256 with deterministic nonces (RFC 6979). The key is as secret as its seed: not at all."""

    api_version = 1

    def __init__(self, seed: int = 0) -> None:
        secret = int.from_bytes(hashlib.sha256(f"shipline signer {seed}".encode()).digest(), "big") >> 1
        self._key = ec.derive_private_key(secret, ec.SECP256R1())

    def key_id(self) -> str:
        """Lower-case hex sha256 of the public key in DER."""
        der = self._key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return hashlib.sha256(der).hexdigest()

    def public_key_pem(self) -> str:
        """The public key in PEM."""
        return self._key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode("ascii")

    def sign(self, payload: bytes) -> bytes:
        """A DER signature over `payload`; the same bytes each time."""
        return self._key.sign(payload, ec.ECDSA(SHA256(), deterministic_signing=True))
