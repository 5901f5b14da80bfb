"""Private keys as cosign keeps them in files: PEM around JSON, encrypted with a password.

The password becomes a key by scrypt (RFC 7914), which opens a NaCl secretbox (XSalsa20-Poly1305) around PKCS#8 DER.

From: https://github.com/sigstore/cosign v2.5, pkg/cosign/keys.go (the PEM's labels), and
https://github.com/secure-systems-lab/go-securesystemslib v0.9, encrypted/encrypted.go (the JSON).
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import re
from typing import Any

from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from shipline.domain.errors import ConfigurationError, InvalidValue
from shipline.domain.strict_json import read_json

LABEL, OLDER_LABEL = "ENCRYPTED SIGSTORE PRIVATE KEY", "ENCRYPTED COSIGN PRIVATE KEY"
KEY_FILE_BYTES_MAX = 16 * 1024
COSTS = (1 << 15, 1 << 16, 1 << 17)
"""N of scrypt as cosign has written it over the years. Any other would let a file choose how much memory is taken."""
COST = 1 << 16
BLOCK, LANES, SALT_BYTES, NONCE_BYTES, KEY_BYTES = 8, 1, 32, 24, 32
_PEM = re.compile(rf"-----BEGIN ({LABEL}|{OLDER_LABEL})-----\s([A-Za-z0-9+/=\s]+)-----END \1-----\s*", re.ASCII)
_LINE = 64


def is_encrypted(data: bytes) -> bool:
    """True for the content of a file that says that it is one of these keys."""
    return any(f"-----BEGIN {label}-----".encode() in data[:KEY_FILE_BYTES_MAX] for label in (LABEL, OLDER_LABEL))


def encrypt(der: bytes, password: str) -> bytes:
    """The file that holds the key `der` (PKCS#8). Fresh salt and nonce: never twice the same bytes."""
    from nacl.secret import SecretBox  # noqa: PLC0415 - few commands sign with such a key

    salt, nonce = os.urandom(SALT_BYTES), os.urandom(NONCE_BYTES)
    sealed = SecretBox(_stretched(password, salt, COST)).encrypt(der, nonce).ciphertext
    document = {
        "kdf": {"name": "scrypt", "params": {"N": COST, "r": BLOCK, "p": LANES}, "salt": _text(salt)},
        "cipher": {"name": "nacl/secretbox", "nonce": _text(nonce)},
        "ciphertext": _text(sealed),
    }
    body = _text(json.dumps(document, separators=(",", ":")).encode())
    lines = [body[start : start + _LINE] for start in range(0, len(body), _LINE)]
    return "\n".join([f"-----BEGIN {LABEL}-----", *lines, f"-----END {LABEL}-----", ""]).encode("ascii")


def decrypt(data: bytes, password: str) -> bytes:
    """The key (PKCS#8 DER) in the file's content. InvalidValue where that is none; ConfigurationError where the
    password does not open it. Neither holds anything of the two."""
    from nacl.exceptions import CryptoError  # noqa: PLC0415 - as in `encrypt`
    from nacl.secret import SecretBox  # noqa: PLC0415 - as in `encrypt`

    document = _document(data)
    salt, cost = _kdf(document.get("kdf"))
    nonce = _nonce(document.get("cipher"))
    sealed = _bytes(document.get("ciphertext"))
    try:
        return SecretBox(_stretched(password, salt, cost)).decrypt(sealed, nonce)
    except (CryptoError, ValueError):
        raise ConfigurationError(
            "the password does not open the private key",
            why="it is another one, or the file was changed",
            todo="give the password that the key was made with",
        ) from None


def _stretched(password: str, salt: bytes, cost: int) -> bytes:
    return Scrypt(salt=salt, length=KEY_BYTES, n=cost, r=BLOCK, p=LANES).derive(password.encode())


def _document(data: bytes) -> dict[str, Any]:
    found = _PEM.fullmatch(data[: KEY_FILE_BYTES_MAX + 1].decode("ascii", "replace"))
    if found is None:
        raise _no_key("it is not PEM with the label of one")
    document = read_json(_bytes("".join(found[2].split())), what="the private key", limit_bytes=KEY_FILE_BYTES_MAX)
    if not isinstance(document, dict):
        raise _no_key("what it holds is no JSON object")
    return document


def _kdf(entry: object) -> tuple[bytes, int]:
    match entry:
        case {"name": "scrypt", "params": {"N": int(cost), "r": 8, "p": 1}, "salt": str(salt)} if cost in COSTS:
            return _bytes(salt), cost
    raise _no_key("its password is not stretched by scrypt in one of the ways that cosign does it")


def _nonce(entry: object) -> bytes:
    match entry:
        case {"name": "nacl/secretbox", "nonce": str(nonce)} if len(_bytes(nonce)) == NONCE_BYTES:
            return _bytes(nonce)
    raise _no_key("it is not in a nacl/secretbox")


def _bytes(text: object) -> bytes:
    try:
        return base64.b64decode(text if isinstance(text, str) else "-", validate=True)
    except binascii.Error:
        raise _no_key("what should be base64 is not") from None


def _no_key(why: str) -> InvalidValue:
    return InvalidValue("the file is no encrypted private key as cosign writes it", why=why)


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
