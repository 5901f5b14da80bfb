"""A signer whose key is a file on this machine's disk.

Promises: the key is made on first use, whole or not at all, readable by its owner alone; a key that others can read
is refused rather than used. Does not promise custody: whoever can read the owner's files can sign, and what is
signed so claims SLSA Build level 1.
"""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from shipline.domain.errors import ConfigurationError, RefusedError
from shipline.ports.provider import ProviderContext

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

    def key_id(self) -> str:
        """Lower-case hex sha256 of the public key in DER."""
        der = self._key().public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return hashlib.sha256(der).hexdigest()

    def public_key_pem(self) -> str:
        """The public key in PEM."""
        return _public_pem(self._key()).decode("ascii")

    def sign(self, payload: bytes) -> bytes:
        """A DER signature over `payload`."""
        return self._key().sign(payload, ec.ECDSA(SHA256()))

    def _key(self) -> ec.EllipticCurvePrivateKey:
        if self._loaded is None:
            if not self._path.exists():
                _create_key(self._path)
            self._loaded = _read_key(self._path)
            _write_public_half(self._path, _public_pem(self._loaded))
        return self._loaded


def _public_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def _create_key(path: Path) -> None:
    """Make a key at `path`. Two processes may race: one key wins, and both then use that one."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    key = ec.generate_private_key(ec.SECP256R1())
    written = _write_aside(path, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    try:
        os.link(written, path)  # Fails where the name exists, which a rename would overwrite.
    except FileExistsError:
        pass  # The other process's key is the one.
    finally:
        written.unlink()


def _write_aside(path: Path, data: bytes) -> Path:
    """Write `data` durably to a fresh file beside `path`; mkstemp opens with O_EXCL and mode 0600."""
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    return Path(name)


def _read_key(path: Path) -> ec.EllipticCurvePrivateKey:
    with path.open("rb") as file:
        _refuse_if_shared(path, os.fstat(file.fileno()).st_mode)
        data = file.read(KEY_BYTES_MAX)
    try:
        key = load_pem_private_key(data, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        # The library's message is dropped: it may quote the file.
        raise ConfigurationError(
            f"{path} holds no private key that can be read",
            todo="give an unencrypted ECDSA P-256 key in PKCS#8 PEM, or move the file away to have a new key made",
        ) from None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise ConfigurationError(f"the key in {path} is not an ECDSA P-256 key", todo="give a key on that curve")
    return key


def _refuse_if_shared(path: Path, mode: int) -> None:
    if os.name != "nt" and mode & (stat.S_IRWXG | stat.S_IRWXO):  # Windows keeps rights in access lists instead.
        raise RefusedError(
            f"the signing key {path} can be reached by other users of this machine",
            why=f"its mode is {stat.S_IMODE(mode):04o}",
            todo=f"run `chmod 600 {path}`; if others may have read it, make a new key and trust the old one no longer",
        )


def _write_public_half(path: Path, pem: bytes) -> None:
    public = path.with_name(path.name + ".pub")
    if public.exists() and public.read_bytes() == pem:
        return
    written = _write_aside(public, pem)
    written.chmod(0o644)  # For everybody to read: it is what signatures are verified with.
    written.replace(public)
