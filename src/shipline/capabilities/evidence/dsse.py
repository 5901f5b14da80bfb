"""DSSE envelopes, version 1 (https://github.com/secure-systems-lab/dsse, protocol.md and envelope.md, v1.0.2).

Signed is the pre-authentication encoding of type and payload, so that no payload can pass for one of another type.
A signature's `keyid` is a hint that may be empty or wrong: every trusted key is tried, and none is trusted for it.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import rfc8785

from shipline.capabilities.evidence.keys import PublicKey
from shipline.domain.errors import InvalidValue
from shipline.domain.strict_json import read_json
from shipline.ports.signer import Signer

IN_TOTO = "application/vnd.in-toto+json"
ENVELOPE_BYTES_MAX = 32 * 1024 * 1024
SIGNATURES_MAX = 32
_BASE64 = re.compile(r"^[A-Za-z0-9+/]*={0,2}$")
_URL_SAFE = str.maketrans("-_", "+/")


@dataclass(frozen=True, slots=True)
class Signature:
    """`signature` is DER. `key_id` is what the envelope says, "" where it says nothing; a hint and no more."""

    key_id: str
    signature: bytes


@dataclass(frozen=True, slots=True)
class Envelope:
    """A payload of a type, and signatures over both."""

    payload_type: str
    payload: bytes
    signatures: tuple[Signature, ...]

    def to_bytes(self) -> bytes:
        """The envelope as canonical JSON (RFC 8785)."""
        document: dict[str, Any] = {
            "payload": base64.b64encode(self.payload).decode("ascii"),
            "payloadType": self.payload_type,
            "signatures": [
                {"keyid": entry.key_id, "sig": base64.b64encode(entry.signature).decode("ascii")}
                for entry in self.signatures
            ],
        }
        return rfc8785.dumps(document)


def pre_authentication_encoding(payload_type: str, payload: bytes) -> bytes:
    """PAE: lengths are in bytes, decimal, without leading zeros (protocol.md, "Signature definition")."""
    kind = payload_type.encode("utf-8")
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def sign_envelope(payload: bytes, payload_type: str, signer: Signer) -> Envelope:
    """An envelope around `payload` with one signature by `signer`."""
    signature = signer.sign(pre_authentication_encoding(payload_type, payload))
    return Envelope(payload_type, payload, (Signature(signer.key_id(), signature),))


def verified_by(envelope: Envelope, keys: Sequence[PublicKey]) -> tuple[PublicKey, ...]:
    """Those of `keys` that signed the envelope; empty if none did. Signatures by other keys change nothing."""
    encoded = pre_authentication_encoding(envelope.payload_type, envelope.payload)
    return tuple(key for key in keys if any(key.verifies(entry.signature, encoded) for entry in envelope.signatures))


def read_envelope(data: bytes) -> Envelope:
    """Read an envelope. Raises InvalidValue where it is no DSSE envelope.

    Base64 may be standard or URL-safe (envelope.md allows both), padded or not, and must be the one encoding of its
    bytes: with other bits behind the last byte, two texts would carry the same signature.
    """
    document = read_json(data, what="the envelope", limit_bytes=ENVELOPE_BYTES_MAX)
    if not isinstance(document, dict):
        raise InvalidValue("a DSSE envelope is a JSON object")
    signatures = document.get("signatures")
    if not isinstance(signatures, list) or not 1 <= len(signatures) <= SIGNATURES_MAX:
        raise InvalidValue(f"a DSSE envelope has 1 to {SIGNATURES_MAX} signatures")
    payload_type = _text(document, "payloadType")
    payload = _bytes(document, "payload")
    return Envelope(payload_type, payload, tuple(_signature(entry) for entry in signatures))


def _signature(entry: object) -> Signature:
    if not isinstance(entry, dict):
        raise InvalidValue("a signature in the envelope is no JSON object")
    key_id = entry.get("keyid")
    if key_id is not None and not isinstance(key_id, str):
        raise InvalidValue("'keyid' in the envelope is no text")
    return Signature(key_id or "", _bytes(entry, "sig"))


def _text(document: dict[str, Any], name: str) -> str:
    value = document.get(name)
    if not isinstance(value, str):
        raise InvalidValue(f"{name!r} in the envelope is no text")
    return value


def _bytes(document: dict[str, Any], name: str) -> bytes:
    text = _text(document, name)
    mixed = ("-" in text or "_" in text) and ("+" in text or "/" in text)
    plain = text.translate(_URL_SAFE)
    padded = plain if "=" in plain else plain + "=" * (-len(plain) % 4)
    if mixed or not _BASE64.match(plain):
        raise InvalidValue(f"{name!r} in the envelope is not base64")
    try:
        decoded = base64.b64decode(padded, validate=True)
    except binascii.Error:
        raise InvalidValue(f"{name!r} in the envelope is not base64 of whole bytes") from None
    if base64.b64encode(decoded).decode("ascii") != padded:
        raise InvalidValue(f"{name!r} in the envelope is not the canonical base64 of its bytes")
    return decoded
