"""Signed notes with Ed25519 (https://c2sp.org/signed-note, v1.0.0), and the two keys' text forms.

The forms are those of Go's golang.org/x/mod/sumdb/note, whose tools can read what is written here.
"""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from shipline.domain.errors import ConfigurationError, InvalidValue

ED25519 = b"\x01"  # The signature type of signed-note's registry.
KEY_SIZE = 32
SIGNATURE_SIZE = 64
# Bounds for hostile notes; a checkpoint has three lines and a few signatures.
NOTE_BYTES_MAX = 1_000_000
SIGNATURES_MAX = 100
SIGNATURE_LINE = re.compile(r"\u2014 ([^\s+]+) ([A-Za-z0-9+/]+={0,2})")
NAME = re.compile(r"[^\s+]{1,200}")
CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")


class InvalidNote(InvalidValue):
    """The note is malformed, or not signed by the key that it must be signed by."""


def _key_id(name: str, public: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\n" + ED25519 + public).digest()[:4]


def _checked_name(name: str) -> str:
    if not NAME.fullmatch(name) or not name.isprintable():
        raise ConfigurationError("a key's name has 1 to 200 characters, no space and no plus sign")
    return name


@dataclass(frozen=True, slots=True)
class NotePublicKey:
    """Whom a note is believed from. `str()` gives `<name>+<8 hex digits>+<base64>`, which `parse` reads."""

    name: str
    public: bytes

    @property
    def id(self) -> bytes:
        """Four bytes that tell keys apart; no proof of anything."""
        return _key_id(self.name, self.public)

    def __str__(self) -> str:
        """The verifier key of signed-note."""
        return f"{self.name}+{self.id.hex()}+{base64.b64encode(ED25519 + self.public).decode()}"

    @staticmethod
    def parse(text: str) -> NotePublicKey:
        """Read a verifier key. Raises ConfigurationError."""
        name, key_id, raw = _key_parts(text.strip(), "a log's public key")
        if key_id != _key_id(name, raw).hex():
            raise ConfigurationError("the id in the log's public key does not belong to it", todo="copy it again")
        return NotePublicKey(name=name, public=raw)

    def verifies(self, signature: bytes, text: str) -> bool:
        """True if `signature` over `text` was made by this key."""
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, text.encode())
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True, slots=True)
class NoteSigningKey:
    """Signs notes as `name`. `seed` is the 32-byte Ed25519 private key and is never shown by `repr`."""

    name: str
    seed: bytes = field(repr=False)

    def __post_init__(self) -> None:
        """Refuse a name or seed that no note can be signed with."""
        _checked_name(self.name)
        if len(self.seed) != KEY_SIZE:
            raise ConfigurationError(f"a signing key has {KEY_SIZE} bytes")

    @property
    def public_key(self) -> NotePublicKey:
        """What verifies this key's signatures."""
        private = Ed25519PrivateKey.from_private_bytes(self.seed)
        return NotePublicKey(name=self.name, public=private.public_key().public_bytes_raw())

    def secret_text(self) -> str:
        """The signer key in the form of Go's `note`, for the key file alone."""
        encoded = base64.b64encode(ED25519 + self.seed).decode()
        return f"PRIVATE+KEY+{self.name}+{self.public_key.id.hex()}+{encoded}"

    @staticmethod
    def parse(text: str) -> NoteSigningKey:
        """Read a signer key. Raises ConfigurationError, without the key in it."""
        prefix, _, rest = text.strip().partition("KEY+")
        if prefix != "PRIVATE+":
            raise ConfigurationError("this is not a log's signing key", todo="it begins with PRIVATE+KEY+")
        name, key_id, raw = _key_parts(rest, "a log's signing key")
        key = NoteSigningKey(name=name, seed=raw)
        if key.public_key.id.hex() != key_id:
            raise ConfigurationError("the log's signing key is damaged", todo="restore the key file from its backup")
        return key

    def sign(self, text: str) -> str:
        """The note: `text`, an empty line and this key's signature. `text` ends with a newline."""
        _check_text(text)
        signature = Ed25519PrivateKey.from_private_bytes(self.seed).sign(text.encode())
        return f"{text}\n\u2014 {self.name} {base64.b64encode(self.public_key.id + signature).decode()}\n"


def open_note(note: str, key: NotePublicKey) -> str:
    """The text of a note that `key` has signed. Raises InvalidNote. Signatures by other keys are left unread."""
    if len(note) > NOTE_BYTES_MAX:
        raise InvalidNote("the note is too long")
    text, separator, signatures = note.rpartition("\n\n")
    if not separator or not signatures.endswith("\n"):
        raise InvalidNote("the note has no signatures")
    text += "\n"
    _check_text(text)
    if not _is_signed(text, signatures, key):
        raise InvalidNote(f"the note is not signed by {key.name}")
    return text


def _is_signed(text: str, signatures: str, key: NotePublicKey) -> bool:
    lines = signatures[:-1].split("\n")
    if len(lines) > SIGNATURES_MAX:
        raise InvalidNote("the note has too many signatures")
    found = False
    for name, blob in (_signature(line) for line in lines):
        if name != key.name or blob[:4] != key.id:
            continue
        if len(blob) != 4 + SIGNATURE_SIZE or not key.verifies(blob[4:], text):
            raise InvalidNote(f"the signature by {key.name} does not fit the note")
        found = True
    return found


def _signature(line: str) -> tuple[str, bytes]:
    match = SIGNATURE_LINE.fullmatch(line)
    try:
        blob = base64.b64decode(match[2], validate=True) if match else b""
    except ValueError:
        blob = b""
    # Of two texts for the same bytes only one is taken: else a note could be changed and hold all the same.
    if match is None or len(blob) <= 4 or base64.b64encode(blob).decode() != match[2]:
        raise InvalidNote("the note has a malformed signature line")
    return match[1], blob


def _check_text(text: str) -> None:
    if not text.endswith("\n") or CONTROL.search(text):
        raise InvalidNote("a note's text ends with a newline and holds no other control character")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise InvalidNote("a note's text is UTF-8") from None


def _key_parts(text: str, what: str) -> tuple[str, str, bytes]:
    parts = text.split("+", 2)
    try:
        raw = base64.b64decode(parts[2], validate=True) if len(parts) == 3 else b""
    except ValueError:
        raw = b""
    if len(raw) != 1 + KEY_SIZE or raw[:1] != ED25519:
        raise ConfigurationError(f"this is not {what}", todo="it has the form NAME+ID+BASE64, Ed25519 alone")
    return _checked_name(parts[0]), parts[1], raw[1:]
