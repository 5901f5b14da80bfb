"""What signatures prove about a thing, in words. Pure.

Proven means: one signature by a trusted key is there, over this very thing (its sha256), of the kind that was asked
for. What else is there changes nothing: anybody who may write to a registry can put things beside an image.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from shipline.capabilities.evidence.checks import Check, Verification
from shipline.capabilities.evidence.dsse import IN_TOTO, Envelope, verified_by
from shipline.capabilities.evidence.keys import PublicKey
from shipline.capabilities.evidence.signatures.claims import IMAGE_SIGNATURE, read_claim
from shipline.capabilities.evidence.signatures.keyless import Identity, objection_to
from shipline.capabilities.evidence.signatures.sigstore_bundle import MessageSignature, SigstoreBundle
from shipline.capabilities.evidence.signatures.simple_signing import read_payload
from shipline.capabilities.evidence.summaries import Wanted, judged_summary
from shipline.domain.errors import InvalidValue

NOTES_MAX = 20
STRANGER = "is by none of the trusted keys"
CERTIFIED = "is proven by a certificate and not by a key, which is not looked at here"


@dataclass(frozen=True, slots=True)
class Thing:
    """What is asked about: its name for people, its digest (`sha256:…`), the type of the statement that is wanted, ""
    for a signature, and the identity that has to have signed it, None where that is a matter of keys."""

    name: str
    digest: str
    predicate_type: str = ""
    by: Identity | None = None

    @property
    def wanted(self) -> str:
        """In words."""
        return f"statement of the type {self.predicate_type}" if self.predicate_type else "signature"


@dataclass(frozen=True, slots=True)
class Finding:
    """One signature that was looked at: where it is, and by which trusted keys it holds, or by what `identity`; `words`
    say more, and why not where there are none. `statement` is what was signed, where that is a statement."""

    place: str
    keys: tuple[PublicKey, ...]
    words: str
    statement: bytes = b""
    identity: str = ""

    @property
    def signers(self) -> tuple[str, ...]:
        """Who has signed, by the ids of their keys or by their identity; empty for nobody who is trusted."""
        return (self.identity,) if self.identity else tuple(key.id for key in self.keys)


def judge_payload(place: str, payload: bytes, signature: bytes, thing: Thing, trusted: Sequence[PublicKey]) -> Finding:
    """A signature over an image in cosign's older format. Nothing of the payload is read before it is proven."""
    keys = tuple(key for key in trusted if key.verifies(signature, payload))
    if not keys:
        return Finding(place, (), STRANGER)
    try:
        signed = read_payload(payload)
    except InvalidValue as error:
        return Finding(place, (), error.what)
    if signed.digest != thing.digest:
        return Finding(place, (), "is of another image")
    return Finding(place, keys, f"is signed as {signed.reference}")


def judge_envelope(place: str, envelope: Envelope, thing: Thing, trusted: Sequence[PublicKey]) -> Finding:
    """A signed statement; that of an image's signature is one of them."""
    keys = verified_by(envelope, trusted)
    if not keys:
        return Finding(place, (), STRANGER)
    return _judge_statement(Finding(place, keys, ""), envelope, thing)


def _judge_statement(found: Finding, envelope: Envelope, thing: Thing) -> Finding:
    """What was signed, once it is known by whom."""
    place = found.place
    if envelope.payload_type != IN_TOTO:
        return Finding(place, (), "is no in-toto statement")
    try:
        claim = read_claim(envelope.payload)
    except InvalidValue as error:
        return Finding(place, (), error.what)
    wanted = thing.predicate_type or IMAGE_SIGNATURE
    if claim.predicate_type != wanted:
        return Finding(place, (), f"is a statement of the type {claim.predicate_type[:200]}")
    if thing.digest not in claim.digests:
        return Finding(place, (), "is about another thing")
    words = "is signed" if wanted == IMAGE_SIGNATURE else f"has a statement of the type {wanted}"
    return replace(found, words=words, statement=envelope.payload)


def judge_bundle(place: str, bundle: SigstoreBundle, thing: Thing, trusted: Sequence[PublicKey]) -> Finding:
    """A bundle, whichever of the two it holds."""
    if bundle.certified:
        return _judge_certified(place, bundle, thing)
    meant = [key for key in trusted if bundle.key_id in ("", key.id)]
    if isinstance(bundle.content, Envelope):
        return judge_envelope(place, bundle.content, thing, meant)
    return _judge_message(place, bundle.content, thing, meant)


def _judge_certified(place: str, bundle: SigstoreBundle, thing: Thing) -> Finding:
    if thing.by is None or not bundle.certificate:
        return Finding(place, (), CERTIFIED)
    digest = bytes.fromhex(thing.digest.removeprefix("sha256:"))
    statement = bundle.content.payload if isinstance(bundle.content, Envelope) else None
    objection = objection_to(bundle.certificate, thing.by, statement=statement, sha256=digest)
    if objection:
        return Finding(place, (), f"does not prove that {thing.by} has signed: {objection}")
    found = Finding(place, (), "is signed", identity=str(thing.by))
    if isinstance(bundle.content, Envelope):
        return _judge_statement(found, bundle.content, thing)
    return Finding(place, (), "is a signature, and no statement") if thing.predicate_type else found


def _judge_message(place: str, message: MessageSignature, thing: Thing, trusted: Sequence[PublicKey]) -> Finding:
    digest = bytes.fromhex(thing.digest.removeprefix("sha256:"))
    if thing.predicate_type:
        return Finding(place, (), "is a signature, and no statement")
    if message.digest not in (b"", digest):
        return Finding(place, (), "is of other bytes")
    keys = tuple(key for key in trusted if key.verifies_digest(message.signature, digest))
    return Finding(place, keys, "is signed" if keys else f"{STRANGER}, or of other bytes")


def by_its_summary(finding: Finding, wanted: Wanted) -> Finding:
    """A finding of a verification summary, which proves something only where it says what is wanted."""
    if not finding.signers:
        return finding
    holds, words = judged_summary(finding.statement, wanted)
    return replace(finding, words=words) if holds else Finding(finding.place, (), words)


def conclude(
    thing: Thing, findings: Sequence[Finding], trusted: Sequence[PublicKey], notes: Sequence[str] = ()
) -> Verification:
    """What all of it proves. `notes` are said to whoever asked in any case."""
    name = "attestation" if thing.predicate_type else "signature"
    if not trusted and thing.by is None:
        words = "no trusted key was given, and nothing else says who may sign"
        return Verification(proven=False, checks=(Check("trusted key", False, words),), keys=(), notes=tuple(notes))
    good = [finding for finding in findings if finding.signers]
    told = [f"{finding.place} {finding.words}" for finding in findings if not finding.signers]
    said = (*notes, *told[:NOTES_MAX])
    if not good:
        whose = f"by {thing.by}" if thing.by is not None else "by a trusted key"
        words = f"there is no {thing.wanted} of {thing.name} ({thing.digest}) {whose}"
        return Verification(proven=False, checks=(Check(name, False, words),), keys=(), notes=said)
    checks = tuple(
        Check(name, True, f"{thing.name} ({thing.digest}) {finding.words}, by {_signer(finding)} in {finding.place}")
        for finding in good
    )
    keys = dict.fromkeys(key.id for finding in good for key in finding.keys)
    return Verification(proven=True, checks=checks, keys=tuple(keys), notes=said)


def _signer(finding: Finding) -> str:
    return finding.identity or f"{finding.keys[0].id[:16]}…"
