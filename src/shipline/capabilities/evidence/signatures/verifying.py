"""Verify files and images: what their signatures prove, by keys that the caller trusts. Only a registry is asked."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from shipline.capabilities.evidence.checks import Verification
from shipline.capabilities.evidence.keys import PublicKey
from shipline.capabilities.evidence.signatures.claims import short_name_of
from shipline.capabilities.evidence.signatures.keyless import Identity
from shipline.capabilities.evidence.signatures.looking import look_at_image
from shipline.capabilities.evidence.signatures.rules import Finding, Thing, by_its_summary, conclude, judge_bundle
from shipline.capabilities.evidence.signatures.sigstore_bundle import BUNDLE_BYTES_MAX, read_signature_file
from shipline.capabilities.evidence.summaries import SUMMARY, Wanted
from shipline.capabilities.evidence.usecases import digest_of_file, read_file
from shipline.domain.errors import RefusedError, ShiplineError
from shipline.ports.attachments import Attachments

BESIDE = (".sigstore.json", ".sig")


def verify_file(  # noqa: PLR0913 - each is named where it is given
    path: Path,
    signature: Path,
    trusted: Sequence[PublicKey],
    *,
    predicate_type: str = "",
    summary: Wanted | None = None,
    by: Identity | None = None,
) -> Verification:
    """What a signature or bundle in a file proves about another file, of any size. InvalidValue where one of the two
    cannot be read, or the second is no signature at all. `summary`: it must be a summary that says that.
    `by`: signed by that identity, and not by a key."""
    thing = Thing(path.name, digest_of_file(path), predicate_type if summary is None else SUMMARY, by)
    found = read_signature_file(read_file(signature, limit_bytes=BUNDLE_BYTES_MAX))
    finding = judge_bundle(str(signature), found, thing, trusted)
    return conclude(thing, [finding if summary is None else by_its_summary(finding, summary)], trusted)


def signature_beside(path: Path, *, predicate_type: str = "") -> Path | None:
    """The signature that lies beside a file, or the statement of a type: its own, or else the only one of that type in
    the folder, as a release has one for all its files. None where there is none."""
    endings = (f".{short_name_of(predicate_type)}.sigstore.json",) if predicate_type else BESIDE
    places = [path.with_name(path.name + ending) for ending in endings]
    own = next((place for place in places if place.is_file()), None)
    if own is not None or not predicate_type:
        return own
    common = [place for place in sorted(path.parent.glob(f"*{endings[0]}")) if place.is_file()]
    return common[0] if len(common) == 1 else None


def verify_image(
    attachments: Attachments,
    thing: Thing,
    trusted: Sequence[PublicKey],
    notes: Sequence[str] = (),
    summary: Wanted | None = None,
) -> Verification:
    """What hangs on an image and proves something. ShiplineError where the registry gives no answer. `summary`: `thing`
    asks for a summary, and it must say that."""
    found = _looked_at(attachments, thing, trusted)
    judged = found if summary is None else [by_its_summary(finding, summary) for finding in found]
    return conclude(thing, judged, trusted, notes)


def proven_statements(
    attachments: Attachments, thing: Thing, trusted: Sequence[PublicKey]
) -> tuple[Verification, tuple[bytes, ...]]:
    """As `verify_image`, with the statements that are proven, each once and as it was signed."""
    found = _looked_at(attachments, thing, trusted)
    statements = dict.fromkeys(finding.statement for finding in found if finding.keys and finding.statement)
    return conclude(thing, found, trusted), tuple(statements)


def _looked_at(attachments: Attachments, thing: Thing, trusted: Sequence[PublicKey]) -> list[Finding]:
    try:
        return look_at_image(attachments, thing, trusted) if trusted or thing.by is not None else []
    except RefusedError as error:
        # Whether the image is proven was not found out, which is another thing than a no.
        raise ShiplineError(error.what, why=error.why, todo=error.todo) from None
