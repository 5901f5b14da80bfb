"""DSSE envelopes: the specification's own vector, openssl as a witness, and envelopes that must not verify."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from shipline.capabilities.evidence.dsse import (
    Envelope,
    Signature,
    pre_authentication_encoding,
    read_envelope,
    sign_envelope,
    verified_by,
)
from shipline.capabilities.evidence.keys import PublicKey, read_public_key
from shipline.domain.errors import InvalidValue
from shipline.testing.fakes.signer import MemorySigner

SIGNER, STRANGER = MemorySigner(1), MemorySigner(2)


def key_of(signer: MemorySigner) -> PublicKey:
    return read_public_key(signer.public_key_pem().encode())


def document(**changes: Any) -> bytes:
    found = json.loads(sign_envelope(b"hello world?>", "text/plain", SIGNER).to_bytes())
    return json.dumps(found | changes).encode()


def sig(text: str) -> list[dict[str, str]]:
    return [{"sig": text}]


def test_encoding_is_that_of_the_specification() -> None:
    """protocol.md, "Test Vectors": PAE of `hello world` as http://example.com/HelloWorld."""
    expected = b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    assert pre_authentication_encoding("http://example.com/HelloWorld", b"hello world") == expected


def test_specifications_signature_verifies() -> None:
    """protocol.md, "Test Vectors": the public key and the raw r||s signature given there, put into DER."""
    numbers = {
        "x": 46950820868899156662930047687818585632848591499744589407958293238635476079160,
        "y": 5640078356564379163099075877009565129882514886557779369047442380624545832820,
    }
    key = key_from_numbers(numbers["x"], numbers["y"])
    raw = base64.b64decode("A3JqsQGtVsJ2O2xqrI5IcnXip5GToJ3F+FnZ+O88SjtR6rDAajabZKciJTfUiHqJPcIAriEGAHTVeCUjW2JIZA==")
    envelope = Envelope("http://example.com/HelloWorld", b"hello world", (Signature("", to_der(raw)),))
    assert verified_by(envelope, [key]) == (key,)


def key_from_numbers(x: int, y: int) -> PublicKey:
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415 - of this vector alone
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat  # noqa: PLC0415 - the same

    public = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
    return read_public_key(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))


def to_der(raw: bytes) -> bytes:
    from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature  # noqa: PLC0415 - the same

    return encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))


def test_envelope_survives_writing_and_reading() -> None:
    """What was signed is read back, byte for byte, and verifies."""
    envelope = sign_envelope(b"\x00\xff", "a/b", SIGNER)
    assert read_envelope(envelope.to_bytes()) == envelope
    assert verified_by(envelope, [key_of(STRANGER), key_of(SIGNER)]) == (key_of(SIGNER),)


def test_type_is_signed_too() -> None:
    """A payload does not verify under another type."""
    envelope = sign_envelope(b"x", "a/b", SIGNER)
    assert verified_by(Envelope("a/c", b"x", envelope.signatures), [key_of(SIGNER)]) == ()


@pytest.mark.parametrize("key_id", ["", "wrong", key_of(STRANGER).id])
def test_key_id_is_a_hint(key_id: str) -> None:
    """Some signers (cosign) write empty ones; a wrong one does not keep the right key from verifying."""
    envelope = sign_envelope(b"x", "a/b", SIGNER)
    other = Envelope("a/b", b"x", (Signature(key_id, envelope.signatures[0].signature),))
    assert verified_by(other, [key_of(SIGNER)]) == (key_of(SIGNER),)
    assert verified_by(other, [key_of(STRANGER)]) == ()


def test_one_good_signature_among_others_suffices() -> None:
    """Signatures by strangers, and garbage, change nothing."""
    good = sign_envelope(b"x", "a/b", SIGNER).signatures[0]
    strange = sign_envelope(b"x", "a/b", STRANGER).signatures[0]
    envelope = Envelope("a/b", b"x", (Signature("", b""), strange, Signature("", b"\x30\x06garbage"), good))
    assert verified_by(envelope, [key_of(SIGNER)]) == (key_of(SIGNER),)


def test_flipping_any_bit_of_signature_or_payload_is_noticed() -> None:
    """Every bit of both, one at a time."""
    envelope = sign_envelope(b"payload", "a/b", SIGNER)
    signature = envelope.signatures[0].signature
    for place in range(len(signature) * 8):
        other = Envelope("a/b", b"payload", (Signature("", flipped(signature, place)),))
        assert not verified_by(other, [key_of(SIGNER)])
    for place in range(len(b"payload") * 8):
        assert not verified_by(Envelope("a/b", flipped(b"payload", place), envelope.signatures), [key_of(SIGNER)])


def flipped(data: bytes, place: int) -> bytes:
    changed = bytearray(data)
    changed[place // 8] ^= 1 << (place % 8)
    return bytes(changed)


@pytest.mark.parametrize("text", ["aGk_Pj4-", "aGk/Pj4+", "aGk=", "aGk", ""])
def test_base64_may_be_url_safe_and_unpadded(text: str) -> None:
    """envelope.md: standard or URL-safe."""
    assert read_envelope(document(signatures=sig(text))).signatures[0].signature in (b"hi?>>>", b"hi", b"")


def test_unknown_fields_are_ignored() -> None:
    """envelope.md: consumers must ignore what they do not know."""
    assert read_envelope(document(more=1)).payload == b"hello world?>"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"{}",
        b"[" * 100_000,
        document(signatures=[]),
        document(signatures=sig("aGk=") * 33),
        document(signatures=["aGk="]),
        document(signatures=[{}]),
        document(signatures=[{"sig": "aGk=", "keyid": 1}]),
        document(signatures=sig("aGl=")),
        document(signatures=sig("aG k=")),
        document(signatures=sig("aGk=\n")),
        document(signatures=sig("aGk_Pj4+")),
        document(signatures=sig("a")),
        document(signatures=sig("aGk==")),
        document(signatures=sig("é")),
        document(payload=None),
        document(payloadType=1),
        document().replace(b'"payload":', b'"payload": "eA==", "payload":'),
    ],
)
def test_what_is_no_envelope_is_refused(data: bytes) -> None:
    """Base64 that is not the one encoding of its bytes, doubled names, bombs: InvalidValue."""
    with pytest.raises(InvalidValue):
        read_envelope(data)


@pytest.mark.parametrize("pem", [b"", b"x" * 100_000, b"-----BEGIN PRIVATE KEY-----", b"-----BEGIN PUBLIC KEY-----"])
def test_what_is_no_public_key_is_refused(pem: bytes) -> None:
    """Also a private key given by mistake, which is not quoted."""
    with pytest.raises(InvalidValue):
        read_public_key(pem)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_openssl_verifies_the_encoding(tmp_path: Path) -> None:
    """openssl, given the PAE, agrees; and what openssl signs verifies here."""
    envelope = sign_envelope(b"payload", "a/b", SIGNER)
    (tmp_path / "pae").write_bytes(pre_authentication_encoding("a/b", b"payload"))
    (tmp_path / "sig").write_bytes(envelope.signatures[0].signature)
    (tmp_path / "key.pub").write_text(SIGNER.public_key_pem())

    def openssl(*arguments: str) -> bytes:
        return subprocess.run(["openssl", *arguments], cwd=tmp_path, check=True, capture_output=True).stdout

    assert b"Verified OK" in openssl("dgst", "-sha256", "-verify", "key.pub", "-signature", "sig", "pae")
    openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", "theirs.key")
    openssl("ec", "-in", "theirs.key", "-pubout", "-out", "theirs.pub")
    theirs = read_public_key((tmp_path / "theirs.pub").read_bytes())
    signature = openssl("dgst", "-sha256", "-sign", "theirs.key", "pae")
    assert verified_by(Envelope("a/b", b"payload", (Signature("", signature),)), [theirs]) == (theirs,)
