"""Statements as whoever wrote them: which things they are about, and of what type. Pure.

From: in-toto attestation framework, spec/v0.1.0 and spec/v1/statement.md; the names of types are those of cosign v2.5,
cmd/cosign/cli/options/predicate.go.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import rfc8785

from shipline.capabilities.evidence.statements import (
    CYCLONEDX,
    PROVENANCE,
    STATEMENT_BYTES_MAX,
    STATEMENT_TYPE,
    TEST_RESULT,
)
from shipline.capabilities.evidence.summaries import SUMMARY
from shipline.domain.errors import InvalidValue, UsageError
from shipline.domain.strict_json import read_json

OLDER_STATEMENT_TYPE = "https://in-toto.io/Statement/v0.1"
IMAGE_SIGNATURE = "https://sigstore.dev/cosign/sign/v1"
"""The statement that is an image's signature and says no more; what else is stated of an image is no signature."""
SPDX = "https://spdx.dev/Document"
TYPES = {
    "cyclonedx": CYCLONEDX,
    "link": "https://in-toto.io/Link/v1",
    "openvex": "https://openvex.dev/ns",
    "slsaprovenance": "https://slsa.dev/provenance/v0.2",
    "slsaprovenance1": PROVENANCE,
    "spdxjson": SPDX,
    "testresult": TEST_RESULT,
    "vsa": SUMMARY,
    "vuln": "https://cosign.sigstore.dev/attestation/vuln/v1",
}
PREDICATE_BYTES_MAX = 16 * 1024 * 1024
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[!-~]{1,400}")
_OTHER = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True)
class Claim:
    """What a statement says: of what type, and of the things with these digests (`sha256:…`)."""

    predicate_type: str
    digests: frozenset[str]


def predicate_type_of(text: str) -> str:
    """The URI of a type: one of the names in TYPES, or a URI itself. UsageError otherwise."""
    if text in TYPES:
        return TYPES[text]
    if _URI.fullmatch(text):
        return text
    known = ", ".join(TYPES)
    raise UsageError(f"{text[:80]!r} is no type of a statement", todo=f"give a URI, or one of {known}")


def short_name_of(predicate_type: str) -> str:
    """A type as a part of a file's name: its name, or its URI without the scheme."""
    named = next((name for name, uri in TYPES.items() if uri == predicate_type), "")
    return named or _OTHER.sub("-", predicate_type.partition(":")[2].lower()).strip("-")[:80] or "statement"


def image_signature(digest: str) -> bytes:
    """The statement that signs an image, as cosign 3 writes it: its subject has no name."""
    return _statement([{"digest": {"sha256": digest.removeprefix("sha256:")}}], IMAGE_SIGNATURE, {})


def claim_about(name: str, digest: str, predicate_type: str, predicate: bytes) -> bytes:
    """The statement with a predicate that somebody wrote, about one thing. InvalidValue where it is no JSON object."""
    document = read_json(predicate, what="the predicate", limit_bytes=PREDICATE_BYTES_MAX)
    if not isinstance(document, dict):
        raise InvalidValue("a predicate is a JSON object")
    return _statement([{"name": name, "digest": {"sha256": digest.removeprefix("sha256:")}}], predicate_type, document)


def read_claim(payload: bytes) -> Claim:
    """Read a statement of version 1 or 0.1. InvalidValue where it is none."""
    match read_json(payload, what="the statement", limit_bytes=STATEMENT_BYTES_MAX):
        case {"_type": str(kind), "predicateType": str(predicate_type), "subject": list(subjects)} if kind in (
            STATEMENT_TYPE,
            OLDER_STATEMENT_TYPE,
        ):
            return Claim(predicate_type, frozenset(_digest_of(one) for one in subjects) - {""})
    raise InvalidValue("what was signed is no in-toto statement")


def _digest_of(subject: object) -> str:
    match subject:
        case {"digest": {"sha256": str(sha256)}}:
            return f"sha256:{sha256}"
    return ""


def _statement(subjects: list[dict[str, object]], predicate_type: str, predicate: object) -> bytes:
    document = {
        "_type": STATEMENT_TYPE,
        "subject": subjects,
        "predicateType": predicate_type,
        "predicate": predicate,
    }
    try:
        return rfc8785.dumps(document)  # type: ignore[arg-type] # what comes out of strict JSON is JSON
    except rfc8785.CanonicalizationError as error:
        raise InvalidValue("the predicate cannot be written as canonical JSON", why=str(error)[:200]) from None
