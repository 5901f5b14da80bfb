"""Public keys that somebody trusts, and what they verify: ECDSA P-256 with SHA-256, as the Signer port signs."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

from shipline.domain.errors import InvalidValue

PEM_BYTES_MAX = 16 * 1024


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key to verify with. `id` is the lower-case hex sha256 of its SubjectPublicKeyInfo in DER."""

    id: str
    pem: str

    def verifies(self, signature: bytes, payload: bytes) -> bool:
        """True if `signature` (DER) over exactly `payload` was made by this key's private half."""
        try:
            _loaded(self.pem.encode("ascii")).verify(signature, payload, ec.ECDSA(SHA256()))
        except InvalidSignature:
            return False
        return True

    def verifies_digest(self, signature: bytes, sha256: bytes) -> bool:
        """The same for bytes of which the digest is known, however many they are."""
        try:
            _loaded(self.pem.encode("ascii")).verify(signature, sha256, ec.ECDSA(Prehashed(SHA256())))
        except InvalidSignature:
            return False
        return True


def read_public_key(pem: bytes) -> PublicKey:
    """The key in `pem`. Raises InvalidValue for anything but one ECDSA P-256 public key."""
    key = _loaded(pem)
    der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    text = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode("ascii")
    return PublicKey(id=hashlib.sha256(der).hexdigest(), pem=text)


def _loaded(pem: bytes) -> ec.EllipticCurvePublicKey:
    todo = "give the public half of an ECDSA P-256 key in PEM (BEGIN PUBLIC KEY)"
    if len(pem) > PEM_BYTES_MAX or b"PRIVATE KEY" in pem:
        raise InvalidValue("the file is no public key", todo=todo)
    try:
        key = load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm):
        raise InvalidValue("the file holds no public key that can be read", todo=todo) from None
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise InvalidValue("the public key is not on the curve P-256", todo=todo)
    return key
