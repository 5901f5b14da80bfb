"""A timestamp authority (RFC 3161). Its tokens are made by `openssl ts`, which somebody else wrote."""

from __future__ import annotations

import subprocess
import tempfile
from datetime import timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from shipline.testing.fakes.sigstore.authority import authority_key, now, root_certificate

_CONFIGURATION = """
[tsa]
serial = {folder}/serial
signer_cert = {folder}/signer.pem
signer_key = {folder}/signer.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
ess_cert_id_alg = sha256
"""


class FakeTimestamps:
    """Says when it was asked about a digest."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        key, own = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
        self.root = root_certificate(key, "timestamps.example root")
        at = now()
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "timestamps.example")])
        made = x509.CertificateBuilder().subject_name(name).issuer_name(self.root.subject).public_key(own.public_key())
        made = made.serial_number(x509.random_serial_number()).not_valid_before(at)
        made = made.not_valid_after(at + timedelta(days=3650))
        usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
        made = made.add_extension(authority_key(key), critical=False)
        self.certificate = made.add_extension(usage, critical=True).sign(key, hashes.SHA256())
        folder.mkdir()
        (folder / "serial").write_text("01\n")
        (folder / "signer.pem").write_bytes(self.certificate.public_bytes(serialization.Encoding.PEM))
        plain = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        (folder / "signer.key").write_bytes(own.private_bytes(*plain))
        (folder / "tsa.cnf").write_text(_CONFIGURATION.format(folder=folder))

    def reply(self, query: bytes) -> bytes:
        """The answer to a query, both in DER."""
        with tempfile.TemporaryDirectory(dir=self._folder) as name:
            asked, answer = Path(name) / "query", Path(name) / "reply"
            asked.write_bytes(query)
            command = ["openssl", "ts", "-reply", "-config", str(self._folder / "tsa.cnf"), "-section", "tsa"]
            subprocess.run(
                [*command, "-queryfile", str(asked), "-out", str(answer)], check=True, capture_output=True, timeout=30
            )
            return answer.read_bytes()
