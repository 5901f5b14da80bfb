"""Signatures by an identity: bundles of others' making, checked by a root in a file and with no network.

Where the bundles come from stands beside them. Sockets are off in these tests.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from shipline.capabilities.evidence import Identity, Verification, identity_of, verify_file
from shipline.domain.errors import InvalidValue, UsageError
from tests.command import run_shipline

pytest.importorskip("sigstore", reason="needs the extra keyless")
DATA = Path(__file__).parents[3] / "data" / "sigstore"
SUBJECT = (
    "https://github.com/sigstore-conformance/extremely-dangerous-public-oidc-beacon/.github/workflows/"
    "extremely-dangerous-oidc-beacon.yml@refs/heads/main"
)
ISSUER = "https://token.actions.githubusercontent.com"
# What the statement says of itself.
TYPE = "https://slsa.dev/provenance/v1"


def asked(name: str, path: Path | None = None, *, by: Identity | None = None, kind: str = "") -> Verification:
    folder = DATA / name
    found = by or identity_of(SUBJECT, ISSUER, folder / "trusted_root.json")
    return verify_file(folder / "artifact", path or folder / "bundle.sigstore.json", [], predicate_type=kind, by=found)


def type_in(name: str) -> str:
    envelope = json.loads((DATA / name / "bundle.sigstore.json").read_bytes())["dsseEnvelope"]
    return str(json.loads(base64.b64decode(envelope["payload"]))["predicateType"])


def test_a_signature_by_an_identity_is_proven_in_words() -> None:
    found = asked("bytes")
    assert (found.proven, found.keys) == (True, ())
    assert f"is signed, by {SUBJECT} ({ISSUER}) in" in found.checks[0].words
    stated = asked("statement", kind=type_in("statement"))
    assert stated.proven, stated.notes
    for wrong in (asked("statement", kind="https://example.org/other"), asked("bytes", kind=TYPE), asked("expired")):
        assert not wrong.proven


def test_another_identity_another_root_or_other_bytes_prove_nothing(tmp_path: Path) -> None:
    root = DATA / "bytes" / "trusted_root.json"
    for by in (
        identity_of("mia@example.org", ISSUER, root),
        identity_of(SUBJECT, "https://issuer.example", root),
        identity_of(SUBJECT, ISSUER, DATA / "expired" / "trusted_root.json"),
    ):
        assert not asked("bytes", by=by).proven
    (tmp_path / "other").write_bytes(b"other")
    by = identity_of(SUBJECT, ISSUER, root)
    assert not verify_file(tmp_path / "other", DATA / "bytes" / "bundle.sigstore.json", [], by=by).proven


def test_no_character_of_what_is_encoded_can_be_changed(tmp_path: Path) -> None:
    """Signature, payload, certificate, the log's proof and checkpoint: a sample of each, one at a time."""
    tried = 0
    for name in ("bytes", "statement"):
        kind = "" if name == "bytes" else type_in(name)
        by = identity_of(SUBJECT, ISSUER, DATA / name / "trusted_root.json")
        document = json.loads((DATA / name / "bundle.sigstore.json").read_bytes())
        text = json.dumps(document)
        for value in proving(document):
            start = text.index(json.dumps(value)[1:-1])
            end = start + len(json.dumps(value)) - 2
            for place in {*range(start, end, max(7, (end - start) // 6)), end - 1, end - 2}:
                changed = text[:place] + chr(ord(text[place]) ^ 1) + text[place + 1 :]
                (tmp_path / "changed").write_text(changed)
                tried += 1
                try:
                    found = asked(name, tmp_path / "changed", by=by, kind=kind)
                except InvalidValue:
                    continue
                assert not found.proven, (name, value[:40], place - start)
    assert tried > 100


def proving(document: Any) -> Iterator[str]:
    """What a bundle proves by."""
    for name, inner in document.items() if isinstance(document, dict) else ():
        if name in ("rawBytes", "sig", "signature", "payload", "canonicalizedBody", "rootHash"):
            yield inner
        elif name == "envelope":  # Of the checkpoint the log's own signature; witnesses that nobody trusts stand below.
            yield "\n\u2014 ".join(inner.split("\n\u2014 ")[:2]).rstrip("\n")
        elif name == "hashes":
            yield from inner
        else:
            yield from proving(inner)
    for inner in document if isinstance(document, list) else ():
        yield from proving(inner)


def test_what_is_no_root_and_half_an_identity_are_refused(tmp_path: Path) -> None:
    (tmp_path / "root.json").write_text("{}")
    for path in (tmp_path / "root.json", tmp_path / "absent"):
        with pytest.raises(InvalidValue):
            identity_of(SUBJECT, ISSUER, path)
    with pytest.raises(UsageError, match="a subject and its issuer"):
        identity_of(SUBJECT, "", DATA / "bytes" / "trusted_root.json")


def test_the_command_asks_for_an_identity_and_for_no_key(tmp_path: Path) -> None:
    folder = DATA / "bytes"
    ask = (
        "verify",
        str(folder / "artifact"),
        "--signature",
        str(folder / "bundle.sigstore.json"),
        "--identity",
        SUBJECT,
    )
    whole = (*ask, "--issuer", ISSUER, "--trusted-root", str(folder / "trusted_root.json"))
    said = run_shipline(tmp_path, *whole)
    assert (said.code, said.out.endswith("proven\n")) == (0, True), said
    assert run_shipline(tmp_path, *whole[:-2]).code == 2
    assert run_shipline(tmp_path, *ask, "--trusted-root", str(folder / "trusted_root.json")).code == 2
