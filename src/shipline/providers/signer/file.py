"""A signer whose key is a file on this machine's disk.

Promises: the key is made on first use, whole or not at all, readable by its owner alone; a key that others can read
is refused rather than used. Does not promise custody: whoever can read the owner's files can sign, and what is
signed so claims SLSA Build level 1.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from shipline.domain.errors import ConfigurationError
from shipline.ports.provider import ProviderContext
from shipline.providers.signer.key_files import (
    checked_curve,
    create_once,
    key_id_of,
    public_pem,
    refuse_if_shared,
    signed_by,
    write_public_half,
)

KEY_BYTES_MAX = 64 * 1024
"""A P-256 key in PEM takes about 240 bytes; anything near this limit is no key."""


class FileSigner:
    """ECDSA P-256 with SHA-256; the key in PKCS#8 PEM, its public half beside it with `.pub` added to the name."""

    api_version = 1

    @dataclass(frozen=True, slots=True)
    class Settings:
        """`key` is the private key's path, relative to the repository's root; "" is `signing.key` in the state
        folder."""

        key: str = ""

    def __init__(self, settings: Settings, context: ProviderContext) -> None:
        self._path = context.root / settings.key if settings.key else context.state / "signing.key"
        self._loaded: ec.EllipticCurvePrivateKey | None = None

    @property
    def public_path(self) -> Path:
        """Where the public half stands once the key was used; looking makes no key."""
        return self._path.with_name(self._path.name + ".pub")

    def key_id(self) -> str:
        """Lower-case hex sha256 of the public key in DER."""
        return key_id_of(self._key())

    def public_key_pem(self) -> str:
        """The public key in PEM."""
        return public_pem(self._key()).decode("ascii")

    def sign(self, payload: bytes) -> bytes:
        """A DER signature over `payload`."""
        return signed_by(self._key(), payload)

    def _key(self) -> ec.EllipticCurvePrivateKey:
        if self._loaded is None:
            if not self._path.exists():
                create_once(self._path, _new_key())
            self._loaded = _read_key(self._path)
            write_public_half(self.public_path, self._loaded)
        return self._loaded


def _new_key() -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _read_key(path: Path) -> ec.EllipticCurvePrivateKey:
    with path.open("rb") as file:
        refuse_if_shared(path, os.fstat(file.fileno()).st_mode)
        data = file.read(KEY_BYTES_MAX)
    try:
        key = load_pem_private_key(data, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        # The library's message is dropped: it may quote the file.
        raise ConfigurationError(
            f"{path} holds no private key that can be read",
            todo="give an unencrypted ECDSA P-256 key in PKCS#8 PEM, or move the file away to have a new key made; one "
            "that cosign encrypted is for the signer `cosign-key`",
        ) from None
    return checked_curve(key, path)
