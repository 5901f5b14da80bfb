"""Certificates for a server inside a cluster: an authority that is made for one certificate, and thrown away then."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

EARLIER = timedelta(hours=1)
"""Other machines' clocks may be behind."""


@dataclass(frozen=True, slots=True)
class Issued:
    """All PEM. `authority` is what has to be trusted; its private key exists no more, so it issues nothing else."""

    authority: str
    certificate: str
    private_key: str


def issue(names: Sequence[str], *, now_us: int, days: int) -> Issued:
    """A certificate for a server of these names, the first of which is its common name."""
    begins = datetime.fromtimestamp(now_us / 1_000_000, UTC) - EARLIER
    ends = begins + timedelta(days=days)
    root_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    root_name = _named("shipline admission authority")
    root = (
        _begun(root_name, root_name, root_key, begins, ends)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .sign(root_key, SHA256())
    )
    issued = (
        _begun(_named(names[0][:64]), root_name, key, begins, ends)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(root_key, SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    pems = (root.public_bytes(Encoding.PEM), issued.public_bytes(Encoding.PEM), private)
    return Issued(*(pem.decode("ascii") for pem in pems))


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _begun(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, begins: datetime, ends: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(ends)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
