"""Behaviour that every Signer owes its callers. Subclass it, name the provider, supply `signer`."""

from __future__ import annotations

import hashlib

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

from shipline.ports.signer import API_VERSION, Signer


def public_key_of(signer: Signer) -> ec.EllipticCurvePublicKey:
    """The signer's public key, read as any verifier would."""
    key = load_pem_public_key(signer.public_key_pem().encode("ascii"))
    assert isinstance(key, ec.EllipticCurvePublicKey)
    return key


class SignerConformance:
    """The suite. `signer` and `another_signer` hold different keys."""

    provider_name: str

    @pytest.fixture
    def signer(self) -> Signer:
        raise NotImplementedError("supply a signer")

    @pytest.fixture
    def another_signer(self) -> Signer:
        raise NotImplementedError("supply a signer with another key")

    def test_speaks_version_one_of_the_port(self, signer: Signer) -> None:
        assert signer.api_version == API_VERSION

    def test_public_key_is_on_p256(self, signer: Signer) -> None:
        assert isinstance(public_key_of(signer).curve, ec.SECP256R1)

    def test_key_id_is_the_digest_of_the_public_key(self, signer: Signer) -> None:
        der = public_key_of(signer).public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        assert signer.key_id() == hashlib.sha256(der).hexdigest()

    def test_key_stays_the_same(self, signer: Signer) -> None:
        signer.sign(b"something in between")
        assert signer.key_id() == signer.key_id()

    @pytest.mark.parametrize("payload", [b"", b"\x00\xff", b"x" * 1_000_000])
    def test_signature_verifies(self, signer: Signer, payload: bytes) -> None:
        public_key_of(signer).verify(signer.sign(payload), payload, ec.ECDSA(SHA256()))

    def test_signature_is_for_these_bytes_alone(self, signer: Signer) -> None:
        with pytest.raises(InvalidSignature):
            public_key_of(signer).verify(signer.sign(b"one"), b"two", ec.ECDSA(SHA256()))

    def test_another_key_does_not_verify_it(self, signer: Signer, another_signer: Signer) -> None:
        assert signer.key_id() != another_signer.key_id()
        with pytest.raises(InvalidSignature):
            public_key_of(another_signer).verify(signer.sign(b"one"), b"one", ec.ECDSA(SHA256()))
