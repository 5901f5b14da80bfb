"""Fulcio, small: certificates that live ten minutes, for whom an issuer's token vouches, in a log of certificates.

From: https://github.com/sigstore/fulcio, docs/certificate-specification.md and fulcio.proto (API version 2); signed
certificate timestamps: RFC 6962, section 3.2.
"""

from __future__ import annotations

import base64
import hashlib
import struct
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from shipline.providers.clock.system import SystemClock

AUDIENCE = "sigstore"
LIFE = timedelta(minutes=10)
ISSUER_1 = x509.ObjectIdentifier("1.3.6.1.4.1.57264.1.1")
ISSUER_2 = x509.ObjectIdentifier("1.3.6.1.4.1.57264.1.8")
SCT_LIST = x509.ObjectIdentifier("1.3.6.1.4.1.11129.2.4.2")


def now() -> datetime:
    """The time of day: the library that verifies goes by it as well."""
    return datetime.fromtimestamp(SystemClock().now_us() / 1_000_000, UTC)


class Refused(Exception):
    """What a service answers 400 to."""


def der_of(key: ec.EllipticCurvePrivateKey) -> bytes:
    """The public half, as SubjectPublicKeyInfo."""
    return key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def root_certificate(key: ec.EllipticCurvePrivateKey, name: str) -> x509.Certificate:
    """An authority's own certificate."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    made = _builder(subject, subject, key.public_key(), timedelta(days=3650))
    made = made.add_extension(x509.BasicConstraints(ca=True, path_length=1), critical=True)
    made = made.add_extension(_usage(signs_certificates=True), critical=True)
    made = made.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    return made.sign(key, hashes.SHA256())


class FakeIssuer:
    """Vouches for people by tokens that it signs."""

    def __init__(self, name: str = "https://issuer.example") -> None:
        self.name = name
        self._key = ec.generate_private_key(ec.SECP256R1())

    def token(self, subject: str, *, lives_s: int = 300, audience: str = AUDIENCE) -> str:
        """An identity token."""
        at = now()
        claims = {"iss": self.name, "sub": subject, "aud": audience, "iat": at}
        return jwt.encode(claims | {"exp": at + timedelta(seconds=lives_s)}, self._key, algorithm="ES256")

    def subject_of(self, token: str) -> str:
        """Whom it vouches for. Refused where it is not this issuer's, or has expired."""
        try:
            claims: dict[str, Any] = jwt.decode(
                token, self._key.public_key(), algorithms=["ES256"], audience=AUDIENCE, issuer=self.name
            )
        except jwt.PyJWTError as error:
            raise Refused(f"the token does not count: {error}") from None
        return str(claims["sub"])


class FakeFulcio:
    """Certificates for whom the issuer vouches."""

    def __init__(self, issuer: FakeIssuer) -> None:
        self._issuer = issuer
        self._key, self.log_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
        self.root = root_certificate(self._key, "fulcio.example")

    def signing_cert(self, token: str, asked: dict[str, Any]) -> dict[str, Any]:
        """`POST /api/v2/signingCert`."""
        subject = self._issuer.subject_of(token)
        request = x509.load_pem_x509_csr(base64.b64decode(asked["certificateSigningRequest"]))
        if not request.is_signature_valid:
            raise Refused("whoever asks has not the key")
        certificate = self._certificate(subject, request.public_key())
        chain = [each.public_bytes(serialization.Encoding.PEM).decode() for each in (certificate, self.root)]
        return {"signedCertificateEmbeddedSct": {"chain": {"certificates": chain}}}

    def _certificate(self, subject: str, key: Any) -> x509.Certificate:
        name: x509.GeneralName = x509.UniformResourceIdentifier(subject)
        if "@" in subject:
            name = x509.RFC822Name(subject)
        issuer = self._issuer.name.encode()
        made = _builder(x509.Name([]), self.root.subject, key, LIFE)
        made = made.add_extension(_usage(signs_certificates=False), critical=True)
        made = made.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), critical=False)
        made = made.add_extension(authority_key(self._key), critical=False)
        made = made.add_extension(x509.SubjectAlternativeName([name]), critical=True)
        made = made.add_extension(x509.UnrecognizedExtension(ISSUER_1, issuer), critical=False)
        text = bytes([0x0C, len(issuer)]) + issuer  # A UTF8String; the name is short.
        made = made.add_extension(x509.UnrecognizedExtension(ISSUER_2, text), critical=False)
        early = made.sign(self._key, hashes.SHA256())
        timestamps = self._timestamps(early.tbs_certificate_bytes)
        return made.add_extension(x509.UnrecognizedExtension(SCT_LIST, timestamps), critical=False).sign(
            self._key, hashes.SHA256()
        )

    def _timestamps(self, early: bytes) -> bytes:
        """The log's word on a certificate that has none in it yet, as an OCTET STRING around a list of one."""
        now_ms = int(now().timestamp() * 1000)
        head = struct.pack("!BBQH", 0, 0, now_ms, 1)
        entry = hashlib.sha256(der_of(self._key)).digest() + len(early).to_bytes(3, "big") + early
        signature = self.log_key.sign(head + entry + b"\0\0", ec.ECDSA(hashes.SHA256()))
        log_id = hashlib.sha256(der_of(self.log_key)).digest()
        # SHA-256 is 4 and ECDSA 3, by RFC 5246, section 7.4.1.4.1.
        one = struct.pack("!B32sQHBBH", 0, log_id, now_ms, 0, 4, 3, len(signature)) + signature
        listed = struct.pack("!HH", len(one) + 2, len(one)) + one
        length = [len(listed)] if len(listed) < 128 else [0x81, len(listed)]
        return bytes([0x04, *length]) + listed


def authority_key(key: ec.EllipticCurvePrivateKey) -> x509.AuthorityKeyIdentifier:
    """Whose key has signed, for the certificates that it signs."""
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key())


def _builder(subject: x509.Name, issuer: x509.Name, key: Any, life: timedelta) -> x509.CertificateBuilder:
    at = now()
    made = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key)
    return made.serial_number(x509.random_serial_number()).not_valid_before(at).not_valid_after(at + life)


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )
