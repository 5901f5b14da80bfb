"""Sigstore bundles of signatures by a key: over bytes, or around a statement. Pure.

From: https://github.com/sigstore/protobuf-specs v0.5, protos/sigstore_bundle.proto, in the JSON form of protocol
buffers; and the file that cosign 2 writes with `sign-blob --bundle`, cosign v2.5, pkg/cosign/fetch.go
(LocalSignedPayload).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from dataclasses import dataclass
from typing import Any

import rfc8785

from shipline.capabilities.evidence.dsse import Envelope, read_envelope
from shipline.domain.errors import InvalidValue
from shipline.domain.strict_json import read_json

MEDIA_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json"
KNOWN_TYPES = re.compile(r"application/vnd\.dev\.sigstore\.bundle(?:\.v0\.3\+json|\+json;version=0\.[1-3])", re.ASCII)
BUNDLE_BYTES_MAX = 48 * 1024 * 1024
"""An envelope of 32 MiB as base64."""
SIGNATURE_BYTES_MAX = 1024
FIELDS = frozenset({"mediaType", "verificationMaterial", "messageSignature", "dsseEnvelope"})
MATERIAL_FIELDS = frozenset(
    {"publicKey", "x509CertificateChain", "certificate", "tlogEntries", "timestampVerificationData"}
)


@dataclass(frozen=True, slots=True)
class MessageSignature:
    """A signature (DER) over bytes whose sha256 is `digest`; b"" where the file does not say it."""

    signature: bytes
    digest: bytes = b""


@dataclass(frozen=True, slots=True)
class SigstoreBundle:
    """A bundle, read, and nothing about it believed yet. `certified` where it names a certificate and no key: such a
    signature is proven by the one who issued that; `certificate` is the bundle as it came then, b"" in cosign 2's own
    form. `key_id` is whose it says that it is, "" where it does not say."""

    content: MessageSignature | Envelope
    certified: bool
    key_id: str = ""
    certificate: bytes = b""


def bundle_of_message(digest: bytes, signature: bytes, *, key_id: str) -> bytes:
    """The bundle of a signature over bytes with that sha256. `key_id` is the signer's."""
    message = {"messageDigest": {"algorithm": "SHA2_256", "digest": _text(digest)}, "signature": _text(signature)}
    return _bundle({"messageSignature": message}, key_id)


def bundle_of_envelope(envelope: Envelope, *, key_id: str) -> bytes:
    """The bundle of a signed statement. Its signature names no key: the bundle does."""
    content = {
        "payload": _text(envelope.payload),
        "payloadType": envelope.payload_type,
        "signatures": [{"sig": _text(entry.signature)} for entry in envelope.signatures],
    }
    return _bundle({"dsseEnvelope": content}, key_id)


def read_sigstore_bundle(data: bytes) -> SigstoreBundle:
    """Read a bundle of version 0.1 to 0.3, or cosign 2's own. InvalidValue where it is none of them."""
    document = read_json(data, what="the bundle", limit_bytes=BUNDLE_BYTES_MAX)
    if not isinstance(document, dict):
        raise InvalidValue("a bundle is a JSON object")
    if "base64Signature" in document:
        signature = _bytes(document["base64Signature"], SIGNATURE_BYTES_MAX)
        return SigstoreBundle(MessageSignature(signature), certified=bool(document.get("cert")))
    if not KNOWN_TYPES.fullmatch(str(document.get("mediaType"))):
        raise InvalidValue("the file is no sigstore bundle of a version that is known")
    material = document.get("verificationMaterial")
    _check_fields(document, material)
    match material:
        case {"publicKey": {"hint": str(hint)}}:
            return SigstoreBundle(_content(document), certified=False, key_id=_key_id(hint))
        case {"publicKey": _}:
            return SigstoreBundle(_content(document), certified=False)
    return SigstoreBundle(_content(document), certified=True, certificate=data)


def read_signature_file(data: bytes) -> SigstoreBundle:
    """What a signature is handed over in: a bundle, or the signature itself in base64 or as it is (DER)."""
    if data.lstrip()[:1] == b"{":
        return read_sigstore_bundle(data)
    if len(data) <= SIGNATURE_BYTES_MAX and data[:1] == b"\x30" and not data.isascii():
        return SigstoreBundle(MessageSignature(data), certified=False)
    signature = _bytes(data[: 2 * SIGNATURE_BYTES_MAX].decode("ascii", "replace").rstrip("\r\n"), SIGNATURE_BYTES_MAX)
    return SigstoreBundle(MessageSignature(signature), certified=False)


def _bundle(content: dict[str, Any], key_id: str) -> bytes:
    hint = _text(bytes.fromhex(key_id))
    return rfc8785.dumps({"mediaType": MEDIA_TYPE, "verificationMaterial": {"publicKey": {"hint": hint}}} | content)


def _content(document: dict[str, Any]) -> MessageSignature | Envelope:
    match document:
        case {"messageSignature": dict(), "dsseEnvelope": dict()}:
            raise InvalidValue("the bundle holds two things that were signed")
        case {"dsseEnvelope": dict(envelope)}:
            return read_envelope(json.dumps(envelope).encode())
        case {
            "messageSignature": {"messageDigest": {"algorithm": "SHA2_256", "digest": digest}, "signature": signature}
        }:
            return MessageSignature(_bytes(signature, SIGNATURE_BYTES_MAX), _sha256(digest))
    raise InvalidValue("the bundle holds neither a signature over bytes with their sha256, nor a signed statement")


def _sha256(text: object) -> bytes:
    digest = _bytes(text, SIGNATURE_BYTES_MAX)
    if len(digest) != hashlib.sha256().digest_size:
        raise InvalidValue("the bundle's digest is no sha256")
    return digest


def _check_fields(document: dict[str, Any], material: object) -> None:
    """Refuse fields that the format does not have, as readers of protocol buffers do: a misspelt one is a lost one."""
    for place, known in ((document, FIELDS), (material, MATERIAL_FIELDS)):
        unknown = sorted(place.keys() - known) if isinstance(place, dict) else []
        if unknown:
            raise InvalidValue(f"the bundle has the field {unknown[0][:60]!r}, which is not known")
    if isinstance(material, dict) and not _fits(material.get("publicKey", {}), {"hint"}):
        raise InvalidValue("the bundle's publicKey is more than a hint")


def _fits(value: object, known: set[str]) -> bool:
    return isinstance(value, dict) and not value.keys() - known


def _key_id(hint: str) -> str:
    """Whose key a hint names; "" for one of another form than cosign's, which any tool may choose."""
    try:
        found = base64.b64decode(hint, validate=True)
    except (binascii.Error, ValueError):
        return ""
    return found.hex() if len(found) == hashlib.sha256().digest_size else ""


def _bytes(text: object, bytes_max: int) -> bytes:
    try:
        found = base64.b64decode(text if isinstance(text, str) else "-", validate=True)
    except (binascii.Error, ValueError):
        raise InvalidValue("what should be a signature or digest is not base64") from None
    if not found or len(found) > bytes_max or _text(found) != text:
        raise InvalidValue("what should be a signature or digest is not the canonical base64 of one")
    return found


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
