"""Verify files and images: what their signatures prove, by keys that the caller trusts. Only a registry is asked."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from shipline.capabilities.evidence.keys import PublicKey
from shipline.capabilities.evidence.signatures.claims import short_name_of
from shipline.capabilities.evidence.signatures.looking import look_at_image
from shipline.capabilities.evidence.signatures.rules import Finding, Thing, conclude, judge_bundle
from shipline.capabilities.evidence.signatures.sigstore_bundle import BUNDLE_BYTES_MAX, read_signature_file
from shipline.capabilities.evidence.usecases import digest_of_file, read_file
from shipline.capabilities.evidence.verification import Verification
from shipline.domain.errors import RefusedError, ShiplineError
from shipline.ports.attachments import Attachments

BESIDE = (".sigstore.json", ".sig")


def verify_file(path: Path, signature: Path, trusted: Sequence[PublicKey], *, predicate_type: str = "") -> Verification:
    """What a signature or bundle in a file proves about another file, of any size. InvalidValue where one of the two
    cannot be read, or the second is no signature at all."""
    thing = Thing(path.name, digest_of_file(path), predicate_type)
    found = read_signature_file(read_file(signature, limit_bytes=BUNDLE_BYTES_MAX))
    return conclude(thing, [judge_bundle(str(signature), found, thing, trusted)], trusted)


def signature_beside(path: Path, *, predicate_type: str = "") -> Path | None:
    """The signature that lies beside a file, or the statement of a type; None where there is none."""
    endings = (f".{short_name_of(predicate_type)}.sigstore.json",) if predicate_type else BESIDE
    places = [path.with_name(path.name + ending) for ending in endings]
    return next((place for place in places if place.is_file()), None)


def verify_image(
    attachments: Attachments,
    thing: Thing,
    trusted: Sequence[PublicKey],
    notes: Sequence[str] = (),
) -> Verification:
    """What hangs on an image and proves something. ShiplineError where the registry gives no answer."""
    return conclude(thing, _looked_at(attachments, thing, trusted), trusted, notes)


def proven_statements(
    attachments: Attachments, thing: Thing, trusted: Sequence[PublicKey]
) -> tuple[Verification, tuple[bytes, ...]]:
    """As `verify_image`, with the statements that are proven, each once and as it was signed."""
    found = _looked_at(attachments, thing, trusted)
    statements = dict.fromkeys(finding.statement for finding in found if finding.keys and finding.statement)
    return conclude(thing, found, trusted), tuple(statements)


def _looked_at(attachments: Attachments, thing: Thing, trusted: Sequence[PublicKey]) -> list[Finding]:
    try:
        return look_at_image(attachments, thing, trusted) if trusted else []
    except RefusedError as error:
        # Whether the image is proven was not found out, which is another thing than a no.
        raise ShiplineError(error.what, why=error.why, todo=error.todo) from None
