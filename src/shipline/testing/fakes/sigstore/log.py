"""Rekor, small, in both of its versions: a log of signatures that anybody can look into, with proofs of inclusion.

From: https://github.com/sigstore/rekor, openapi.yaml (v1); https://github.com/sigstore/rekor-tiles, CLIENTS.md (v2).
Trees: RFC 6962, section 2.1; checkpoints: C2SP signed-note.
"""

from __future__ import annotations

import base64
import hashlib
from typing import Any

import rfc8785
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils

from shipline.testing.fakes.sigstore.authority import Refused, der_of, now

ORIGIN = "rekor.example"


class FakeRekor:
    """Takes signatures that hold, and answers with what proves that it has them. `lies` about its tree where it is
    told to."""

    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.entries: list[bytes] = []
        self.lies = False

    @property
    def log_id(self) -> bytes:
        """The sha256 of its key."""
        return hashlib.sha256(der_of(self.key)).digest()

    def add_1(self, asked: dict[str, Any]) -> dict[str, Any]:
        """`POST /api/v1/log/entries`, of the kind hashedrekord."""
        spec = asked["spec"]
        certificate = x509.load_pem_x509_certificate(base64.b64decode(spec["signature"]["publicKey"]["content"]))
        digest = bytes.fromhex(spec["data"]["hash"]["value"])
        _check(certificate, base64.b64decode(spec["signature"]["content"]), digest)
        index, proof = self._added(rfc8785.dumps(asked))
        said: dict[str, Any] = {
            "body": base64.b64encode(self.entries[index]).decode(),
            "integratedTime": int(now().timestamp()),
            "logID": self.log_id.hex(),
            "logIndex": index,
        }
        promise = self.key.sign(rfc8785.dumps(said), ec.ECDSA(hashes.SHA256()))
        verification = {"inclusionProof": proof, "signedEntryTimestamp": base64.b64encode(promise).decode()}
        return {_leaf(self.entries[index]).hex(): said | {"verification": verification}}

    def add_2(self, asked: dict[str, Any]) -> dict[str, Any]:
        """`POST /api/v2/log/entries`."""
        request = asked["hashedRekordRequestV002"]
        signature, verifier = request["signature"], request["signature"]["verifier"]
        certificate = x509.load_der_x509_certificate(base64.b64decode(verifier["x509Certificate"]["rawBytes"]))
        _check(certificate, base64.b64decode(signature["content"]), base64.b64decode(request["digest"]))
        data = {"algorithm": "SHA2_256", "digest": request["digest"]}
        spec = {"hashedRekordV002": {"data": data, "signature": signature}}
        index, proof = self._added(rfc8785.dumps({"apiVersion": "0.0.2", "kind": "hashedrekord", "spec": spec}))
        return {
            "logIndex": str(index),
            "logId": {"keyId": base64.b64encode(self.log_id).decode()},
            "kindVersion": {"kind": "hashedrekord", "version": "0.0.2"},
            "integratedTime": "0",
            "inclusionProof": {
                "logIndex": str(index),
                "rootHash": base64.b64encode(bytes.fromhex(proof["rootHash"])).decode(),
                "treeSize": str(proof["treeSize"]),
                "hashes": [base64.b64encode(bytes.fromhex(each)).decode() for each in proof["hashes"]],
                "checkpoint": {"envelope": proof["checkpoint"]},
            },
            "canonicalizedBody": base64.b64encode(self.entries[index]).decode(),
        }

    def _added(self, body: bytes) -> tuple[int, dict[str, Any]]:
        self.entries.append(body)
        index, leaves = len(self.entries) - 1, [_leaf(each) for each in self.entries]
        root = hashlib.sha256(b"a lie").digest() if self.lies else _root(leaves)
        note = f"{ORIGIN}\n{len(leaves)}\n{base64.b64encode(root).decode()}\n"
        signature = self.key.sign(note.encode(), ec.ECDSA(hashes.SHA256()))
        line = base64.b64encode(self.log_id[:4] + signature).decode()
        return index, {
            "logIndex": index,
            "rootHash": root.hex(),
            "treeSize": len(leaves),
            "hashes": [each.hex() for each in _path(index, leaves)],
            "checkpoint": f"{note}\n— {ORIGIN} {line}\n",
        }


def _check(certificate: x509.Certificate, signature: bytes, digest: bytes) -> None:
    key = certificate.public_key()
    try:
        if not isinstance(key, ec.EllipticCurvePublicKey):
            raise Refused("the key is of a kind that is not taken")
        key.verify(signature, digest, ec.ECDSA(utils.Prehashed(hashes.SHA256())))
    except InvalidSignature:
        raise Refused("the signature does not hold") from None


def _leaf(body: bytes) -> bytes:
    return hashlib.sha256(b"\0" + body).digest()


def _root(leaves: list[bytes]) -> bytes:
    if len(leaves) == 1:
        return leaves[0]
    half = _half(len(leaves))
    return hashlib.sha256(b"\1" + _root(leaves[:half]) + _root(leaves[half:])).digest()


def _path(index: int, leaves: list[bytes]) -> list[bytes]:
    if len(leaves) == 1:
        return []
    half = _half(len(leaves))
    if index < half:
        return [*_path(index, leaves[:half]), _root(leaves[half:])]
    return [*_path(index - half, leaves[half:]), _root(leaves[:half])]


def _half(count: int) -> int:
    """The largest power of two below."""
    return 1 << (count - 1).bit_length() - 1
