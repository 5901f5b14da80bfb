"""Files that hold a signing key: written whole or not at all, and made once however many processes begin with it."""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from shipline.domain.errors import ConfigurationError, RefusedError


def create_once(path: Path, content: bytes) -> None:
    """Make the file, readable by its owner alone. Of processes that race one wins, and all then use its file."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    written = write_aside(path, content)
    try:
        os.link(written, path)  # Fails where the name exists, which a rename would overwrite.
    except FileExistsError:
        pass  # The other process's file is the one.
    finally:
        written.unlink()


def write_aside(path: Path, data: bytes) -> Path:
    """Write `data` durably to a fresh file beside `path`; mkstemp opens with O_EXCL and mode 0600."""
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    return Path(name)


def write_public_half(public: Path, key: ec.EllipticCurvePrivateKey) -> None:
    """Let `public` hold the public half in PEM, for everybody to read: it is what signatures are verified with."""
    pem = public_pem(key)
    if public.exists() and public.read_bytes() == pem:
        return
    written = write_aside(public, pem)
    written.chmod(0o644)
    written.replace(public)


def public_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    """The public half, SubjectPublicKeyInfo in PEM."""
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def key_id_of(key: ec.EllipticCurvePrivateKey) -> str:
    """Lower-case hex sha256 of the public half, SubjectPublicKeyInfo in DER."""
    der = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(der).hexdigest()


def signed_by(key: ec.EllipticCurvePrivateKey, payload: bytes) -> bytes:
    """A signature over `payload`, in DER."""
    return key.sign(payload, ec.ECDSA(SHA256()))


def checked_curve(key: object, path: Path) -> ec.EllipticCurvePrivateKey:
    """The key if it is on P-256; ConfigurationError otherwise."""
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise ConfigurationError(f"the key in {path} is not an ECDSA P-256 key", todo="give a key on that curve")
    return key


def refuse_if_shared(path: Path, mode: int) -> None:
    """RefusedError for the mode of a file that others than its owner can reach."""
    if os.name != "nt" and mode & (stat.S_IRWXG | stat.S_IRWXO):  # Windows keeps rights in access lists instead.
        raise RefusedError(
            f"the signing key {path} can be reached by other users of this machine",
            why=f"its mode is {stat.S_IMODE(mode):04o}",
            todo=f"run `chmod 600 {path}`; if others may have read it, make a new key and trust the old one no longer",
        )
