"""ECDSA as verifiers get it wrong: the kinds of cases that Project Wycheproof keeps for P-256 with SHA-256.

Source of the kinds: https://github.com/C2SP/wycheproof, testvectors_v1/ecdsa_secp256r1_sha256_test.json; the values
are made here, with a key of our own.
"""

from __future__ import annotations

import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256, SHA384
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from shipline.capabilities.evidence.keys import read_public_key
from shipline.domain.errors import InvalidValue

# SEC 2, version 2.0, section 2.4.2: the order of P-256's group, and the prime of its field.
N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
P = 0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF
PRIVATE = ec.derive_private_key(0xC0FFEE, ec.SECP256R1())
PAYLOAD = b"payload"
GOOD = PRIVATE.sign(PAYLOAD, ec.ECDSA(SHA256(), deterministic_signing=True))
R, S = decode_dss_signature(GOOD)
KEY = read_public_key(PRIVATE.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))


def integer(value: int, *, pad: bytes = b"") -> bytes:
    """A DER INTEGER, two's complement, with `pad` in front."""
    body = pad + value.to_bytes((value.bit_length() // 8) + 1, "big", signed=True)
    return bytes([2, len(body)]) + body


def sequence(*parts: bytes, tag: int = 0x30) -> bytes:
    body = b"".join(parts)
    return bytes([tag, len(body)]) + body


CASES = {
    "empty": b"",
    "r = 0": encode_dss_signature(0, S),
    "s = 0": encode_dss_signature(R, 0),
    "both 0": encode_dss_signature(0, 0),
    "r = 1, s = 1": encode_dss_signature(1, 1),
    "r = n": encode_dss_signature(N, S),
    "s = n": encode_dss_signature(R, N),
    "r + n": encode_dss_signature(R + N, S),
    "s + n": encode_dss_signature(R, S + N),
    "r = n - 1": encode_dss_signature(N - 1, S),
    "r = p": encode_dss_signature(P, S),
    "s of 40 bytes": encode_dss_signature(R, S + (1 << 312)),
    "negative r": sequence(integer(-R), integer(S)),
    "negative s": sequence(integer(R), integer(-S)),
    "r - n": sequence(integer(R - N), integer(S)),
    "swapped": encode_dss_signature(S, R),
    "trailing byte": GOOD + b"\0",
    "trailing in the sequence": sequence(integer(R), integer(S), b"\5\0"),
    "leading zero": sequence(integer(R, pad=b"\0"), integer(S)),
    "long length": bytes([0x30, 0x81]) + GOOD[1:],
    "indefinite length": b"\x30\x80" + GOOD[2:] + b"\0\0",
    "length too long": bytes([0x30, GOOD[1] + 1]) + GOOD[2:],
    "length too short": bytes([0x30, GOOD[1] - 1]) + GOOD[2:],
    "cut off": GOOD[:-1],
    "a set": sequence(integer(R), integer(S), tag=0x31),
    "one number": sequence(integer(R)),
    "octets for r": sequence(b"\4" + integer(R)[1:], integer(S)),
    "empty number": sequence(b"\2\0", integer(S)),
    "raw": R.to_bytes(32, "big") + S.to_bytes(32, "big"),
    "base64": b"MEUCIQ==",
    "other hash": PRIVATE.sign(PAYLOAD, ec.ECDSA(SHA384())),
    "other bytes": PRIVATE.sign(b"payloae", ec.ECDSA(SHA256())),
    "other curve": ec.derive_private_key(0xC0FFEE, ec.SECP384R1()).sign(PAYLOAD, ec.ECDSA(SHA256())),
    "curve of Bitcoin": ec.derive_private_key(0xC0FFEE, ec.SECP256K1()).sign(PAYLOAD, ec.ECDSA(SHA256())),
    "other key": ec.derive_private_key(0xC0FFEF, ec.SECP256R1()).sign(PAYLOAD, ec.ECDSA(SHA256())),
}


@pytest.mark.parametrize("name", CASES)
def test_no_such_signature_verifies(name: str) -> None:
    """Neither over the bytes nor over their digest; and nothing but False comes back."""
    digest = hashlib.sha256(PAYLOAD).digest()
    assert KEY.verifies(GOOD, PAYLOAD)
    assert KEY.verifies_digest(GOOD, digest)
    assert not KEY.verifies(CASES[name], PAYLOAD)
    assert not KEY.verifies_digest(CASES[name], digest)


@pytest.mark.parametrize("curve", [ec.SECP384R1(), ec.SECP256K1(), ec.SECP521R1()], ids=lambda curve: curve.name)
def test_keys_on_other_curves_are_refused(curve: ec.EllipticCurve) -> None:
    public = ec.derive_private_key(7, curve).public_key()
    with pytest.raises(InvalidValue):
        read_public_key(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
