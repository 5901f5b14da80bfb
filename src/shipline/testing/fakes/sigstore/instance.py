"""A whole instance on loopback, with the file that says where it is and what of it is trusted."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from shipline.testing.fakes.loopback import LoopbackServer
from shipline.testing.fakes.sigstore.authority import FakeFulcio, FakeIssuer, Refused, der_of
from shipline.testing.fakes.sigstore.log import ORIGIN, FakeRekor
from shipline.testing.fakes.sigstore.timestamps import FakeTimestamps

SINCE = "2020-01-01T00:00:00Z"


class FakeInstance:
    """The services, and which of them are `down`; `asked` counts the requests of each, `headers` are all that came."""

    def __init__(self, folder: Path, *, rekor: int) -> None:
        self.issuer, self.rekor = FakeIssuer(), FakeRekor()
        self.fulcio, self.timestamps = FakeFulcio(self.issuer), FakeTimestamps(folder)
        self._version = rekor
        self.down: set[str] = set()
        self.asked: list[str] = []
        self.url = ""

    def trust_config(self) -> bytes:
        """A ClientTrustConfig (protobuf-specs v0.5, sigstore_trustroot.proto)."""
        services = {
            "caUrls": [_service(self.url, 1)],
            "rekorTlogUrls": [_service(self.url, self._version)],
            "rekorTlogConfig": {"selector": "ANY"},
            # Rekor's second version says no time, so somebody else has to.
            "tsaUrls": [_service(f"{self.url}/timestamp", 1)],
            "tsaConfig": {"selector": "ANY"},
            "oidcUrls": [],
        }
        root = {
            "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            "tlogs": [_log(f"https://{ORIGIN}", self.rekor.key)],
            "ctlogs": [_log(self.url, self.fulcio.log_key)],
            "certificateAuthorities": [_authority(self.fulcio.root)],
            "timestampAuthorities": [_authority(self.timestamps.certificate, self.timestamps.root)],
        }
        signing = {"mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json"} | services
        kind = "application/vnd.dev.sigstore.clienttrustconfig.v0.1+json"
        return json.dumps({"mediaType": kind, "trustedRoot": root, "signingConfig": signing}).encode()

    def answer(self, path: str, token: str, body: bytes) -> bytes:
        """The answer to a POST. Refused for what a service does not take."""
        if path == "/timestamp":
            return self.timestamps.reply(body)
        asked = json.loads(body)
        if path == "/api/v2/signingCert":
            return json.dumps(self.fulcio.signing_cert(token, asked)).encode()
        add = {"/api/v1/log/entries": self.rekor.add_1, "/api/v2/log/entries": self.rekor.add_2}[path]
        return json.dumps(add(asked)).encode()


@contextmanager
def serving(folder: Path, *, rekor: int) -> Iterator[FakeInstance]:
    """The instance, with Rekor in this version, while the block runs."""
    instance = FakeInstance(folder, rekor=rekor)

    class Handler(BaseHTTPRequestHandler):
        """One request."""

        def log_message(self, *_: object) -> None:
            """Say nothing."""

        def do_POST(self) -> None:
            """Every service takes POST alone."""
            service = {"/timestamp": "timestamps", "/api/v2/signingCert": "fulcio"}.get(self.path, "rekor")
            instance.asked.append(service)
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status, content = 503, b"{}"
            if service not in instance.down:
                try:
                    token = self.headers.get("Authorization", "").removeprefix("Bearer ")
                    status, content = 201, instance.answer(self.path, token, body)
                except Refused as error:
                    status, content = 400, json.dumps({"message": str(error)}).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    with LoopbackServer(Handler) as server:
        instance.url = server.url
        yield instance


def _service(url: str, version: int) -> dict[str, Any]:
    return {"url": url, "majorApiVersion": version, "validFor": {"start": SINCE}, "operator": "example"}


def _log(url: str, key: ec.EllipticCurvePrivateKey) -> dict[str, Any]:
    public = der_of(key)
    details = {"rawBytes": _text(public), "keyDetails": "PKIX_ECDSA_P256_SHA_256", "validFor": {"start": SINCE}}
    log_id = {"keyId": _text(hashlib.sha256(public).digest())}
    return {"baseUrl": url, "hashAlgorithm": "SHA2_256", "publicKey": details, "logId": log_id}


def _authority(*chain: x509.Certificate) -> dict[str, Any]:
    certificates = [{"rawBytes": _text(one.public_bytes(serialization.Encoding.DER))} for one in chain]
    return {
        "subject": {"organization": "example", "commonName": "example"},
        "uri": "https://example.org",
        "certChain": {"certificates": certificates},
        "validFor": {"start": SINCE},
    }


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
