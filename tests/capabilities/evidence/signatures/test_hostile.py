"""What hangs on an image, or lies in a database of advisories, may be anything: it is read or refused, in words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shipline.capabilities.advisories.ordering import ordered
from shipline.capabilities.advisories.rules import examine_component
from shipline.capabilities.evidence import Wanted
from shipline.capabilities.evidence.dsse import read_envelope
from shipline.capabilities.evidence.signatures.attached import read_layers, subject_of
from shipline.capabilities.evidence.signatures.claims import read_claim
from shipline.capabilities.evidence.signatures.sigstore_bundle import read_signature_file, read_sigstore_bundle
from shipline.capabilities.evidence.signatures.simple_signing import read_payload
from shipline.capabilities.evidence.statements import read_statement
from shipline.capabilities.evidence.summaries import SUMMARY, judged_summary
from shipline.clients.oci_referrers import digests_in_index
from shipline.clients.osv import read_entry
from shipline.domain.component import Component
from shipline.domain.errors import ShiplineError
from tests.changed_json import changed_json

DIGEST = "sha256:" + "0" * 64
STATEMENT = {
    "_type": "https://in-toto.io/Statement/v1",
    "subject": [{"name": "a", "digest": {"sha256": "0" * 64}}],
    "predicateType": SUMMARY,
    "predicate": {
        "verifier": {"id": "v"},
        "resourceUri": "r",
        "policy": {"uri": "u", "digest": {"sha256": "0" * 64}},
        "verificationResult": "PASSED",
        "verifiedLevels": ["SLSA_BUILD_LEVEL_1"],
    },
}
LAYER = {"mediaType": "m", "digest": DIGEST, "size": 3, "annotations": {"a": "b"}}
MANIFEST = {"schemaVersion": 2, "config": LAYER, "layers": [LAYER], "subject": LAYER}
INDEX = {"schemaVersion": 2, "manifests": [LAYER | {"artifactType": "x"}]}
PAYLOAD = {
    "critical": {
        "identity": {"docker-reference": "r"},
        "image": {"docker-manifest-digest": DIGEST},
        "type": "cosign container image signature",
    },
    "optional": None,
}
ENVELOPE = {
    "payload": "aGk=",
    "payloadType": "application/vnd.in-toto+json",
    "signatures": [{"sig": "aGk=", "keyid": ""}],
}
MATERIAL = {"publicKey": {"hint": "aGk="}, "tlogEntries": [{"logIndex": "1", "canonicalizedBody": "aGk="}]}
BUNDLE = {
    "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
    "verificationMaterial": MATERIAL,
    "messageSignature": {"messageDigest": {"algorithm": "SHA2_256", "digest": "aGk="}, "signature": "aGk="},
}
CERTIFIED = {
    "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
    "verificationMaterial": {"certificate": {"rawBytes": "aGk="}, "tlogEntries": []},
    "dsseEnvelope": ENVELOPE,
}
RANGES = [
    {"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1.2"}]},
    {"type": "SEMVER", "events": [{"introduced": "1.0.0"}, {"last_affected": "1.2.0"}, {"limit": "3.0.0"}]},
]
ADVISORY = {
    "id": "G-1",
    "aliases": ["C"],
    "database_specific": {"severity": "HIGH"},
    "affected": [
        {"package": {"ecosystem": ecosystem, "name": "quotes"}, "ranges": RANGES, "versions": ["1.0"]}
        for ecosystem in ("PyPI", "npm", "Go")
    ],
}


def examined(data: bytes) -> None:
    advisory = read_entry(data, "an entry")
    for kind in ("pypi", "npm", "golang"):
        for version in ("1.0", "v1.0.0", "", "9" * 5000, "²", "1.0.0-rc.1"):
            examine_component(advisory, Component(kind, "quotes", version, "", ""), ordered)


def judged(data: bytes) -> None:
    assert judged_summary(data, Wanted("SLSA_BUILD_LEVEL_2", "r"))[0] is False


@pytest.mark.parametrize(
    ("document", "read"),
    [
        (STATEMENT, read_claim),
        (STATEMENT, read_statement),
        (STATEMENT, judged),
        (MANIFEST, read_layers),
        (MANIFEST, subject_of),
        (INDEX, digests_in_index),
        (PAYLOAD, read_payload),
        (ENVELOPE, read_envelope),
        (BUNDLE, read_sigstore_bundle),
        (BUNDLE, read_signature_file),
        (CERTIFIED, read_sigstore_bundle),
        (ADVISORY, examined),
    ],
)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_whatever_is_changed_is_read_or_refused(
    document: dict[str, Any], read: Callable[[bytes], object], data: st.DataObject
) -> None:
    """Values of other types, sizes and alphabets, or none: an answer or an error for people, never another one."""
    try:
        read(data.draw(changed_json(document)))
    except ShiplineError:
        return
