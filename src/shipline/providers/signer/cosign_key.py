"""A signer whose key is a file encrypted with a password, as `cosign generate-key-pair` writes it.

Promises: a key that is missing is made on first use, whole or not at all, where there is a password to encrypt it
with; the password is read when the key is first needed, and not kept. Does not promise custody: whoever has the file
and the password can sign, and what is signed so claims SLSA Build level 1.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)

from shipline.clients.cosign_keys import KEY_FILE_BYTES_MAX, decrypt, encrypt
from shipline.domain.errors import ConfigurationError, InvalidValue
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

WHERE_TO_SAY = (
    'say where its password is: in [signer] password = { environment = "COSIGN_PASSWORD" }; set that variable for --key'
)


class CosignKeySigner:
    """ECDSA P-256 with SHA-256. The public half stands beside the key: `cosign.pub` beside `cosign.key`."""

    api_version = 1

    @dataclass(frozen=True, slots=True)
    class Settings:
        """`key` is the private key's path, relative to the repository's root; "" is `cosign.key` in the state folder.
        `password` says where its password is, as `[environment.secrets]` does; {} is for a key that has none."""

        key: str = ""
        password: dict[str, Any] = field(default_factory=dict)

    def __init__(self, settings: Settings, context: ProviderContext) -> None:
        self._path = context.root / settings.key if settings.key else context.state / "cosign.key"
        self._password = settings.password
        self._read_secret = context.read_secret
        self._loaded: ec.EllipticCurvePrivateKey | None = None

    @property
    def public_path(self) -> Path:
        """Where the public half stands once the key was used; looking makes no key."""
        return self._path.with_name(self._path.name.removesuffix(".key") + ".pub")

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
            password = self._secret()
            if not self._path.exists():
                create_once(self._path, _new_key(self._path, password))
            self._loaded = _read_key(self._path, password)
            write_public_half(self.public_path, self._loaded)
        return self._loaded

    def _secret(self) -> str:
        if not self._password:
            return ""
        if self._read_secret is None:
            raise ConfigurationError("nothing here can read the password of the signing key")
        try:
            return self._read_secret(self._password)
        except ConfigurationError as error:
            what = f"the password of the signing key {self._path.name} cannot be read"
            raise ConfigurationError(what, why=error.what, todo=error.todo or WHERE_TO_SAY) from None


def _new_key(path: Path, password: str) -> bytes:
    if password == "":
        raise ConfigurationError(
            f"there is no signing key {path}",
            why="one is made only where there is a password for it",
            todo=WHERE_TO_SAY,
        )
    key = ec.generate_private_key(ec.SECP256R1())
    return encrypt(key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()), password)


def _read_key(path: Path, password: str) -> ec.EllipticCurvePrivateKey:
    with path.open("rb") as file:
        if password == "":  # Then the file's mode is all that protects the key.
            refuse_if_shared(path, os.fstat(file.fileno()).st_mode)
        data = file.read(KEY_FILE_BYTES_MAX + 1)
    try:
        key = load_der_private_key(decrypt(data, password), password=None)
    except ConfigurationError as error:
        raise ConfigurationError(f"{path}: {error.what}", why=error.why, todo=WHERE_TO_SAY) from None
    except InvalidValue as error:
        raise ConfigurationError(f"{path}: {error.what}", why=error.why) from None
    except (ValueError, TypeError, UnsupportedAlgorithm):
        # The library's message is dropped: it may quote the key.
        raise ConfigurationError(f"{path} holds no private key that can be read") from None
    return checked_curve(key, path)
