"""Sign files and images, and state things about them. What is there already by the same key is left as it is, so that
a command that was cut off can be run again."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from shipline.capabilities.evidence.dsse import IN_TOTO, Envelope, sign_envelope
from shipline.capabilities.evidence.keys import PublicKey, read_public_key
from shipline.capabilities.evidence.signatures.attached import (
    ENVELOPE_TYPE,
    PREDICATE_TYPE,
    SIGNATURE,
    Layer,
    layer_of,
    referring,
    tag_of,
    with_layer,
)
from shipline.capabilities.evidence.signatures.claims import (
    IMAGE_SIGNATURE,
    claim_about,
    image_signature,
    read_claim,
    short_name_of,
)
from shipline.capabilities.evidence.signatures.looking import looked_at_manifest, looked_at_referrers
from shipline.capabilities.evidence.signatures.rules import Finding, Thing
from shipline.capabilities.evidence.signatures.sigstore_bundle import (
    MEDIA_TYPE,
    bundle_of_envelope,
    bundle_of_message,
)
from shipline.capabilities.evidence.signatures.simple_signing import MEDIA_TYPE as SIMPLE_SIGNING
from shipline.capabilities.evidence.signatures.simple_signing import (
    PAYLOAD_BYTES_MAX,
    SignedImage,
    payload_of,
    read_payload,
)
from shipline.capabilities.evidence.usecases import read_file
from shipline.capabilities.version_files import write_atomically
from shipline.domain.errors import InvalidValue, RefusedError, ShiplineError, UnavailableError
from shipline.ports.attachments import Attachments, Image
from shipline.ports.signer import Signer

FILE_BYTES_MAX = 1 << 30
TRIES_MAX = 5
Attach = Callable[[bytes | None], tuple[Layer, bytes] | None]


@dataclass(frozen=True, slots=True)
class Signed:
    """What was signed: its digest (`sha256:…`), the signer's key id, and where the signatures are; `kept` were there
    before."""

    digest: str
    key: str
    written: tuple[str, ...]
    kept: tuple[str, ...] = ()


class Formats(StrEnum):
    """Which of cosign's formats hang on an image."""

    BOTH = "both"
    BUNDLES = "bundles"  # What refers to the image alone: cosign 3.
    OLDER = "older"  # Tags alone: cosign 2, skopeo, most admission controllers.

    @property
    def older(self) -> bool:
        """True if tags are written."""
        return self is not Formats.BUNDLES

    @property
    def bundles(self) -> bool:
        """True if what refers to the image is written."""
        return self is not Formats.OLDER


def sign_file(path: Path, signer: Signer) -> Signed:
    """Write the signature beside the file: `.sig` in base64, `.sigstore.json` as a bundle. Both are replaced."""
    digest, signature = _signature_of(path, signer)
    written = {
        path.with_name(f"{path.name}.sig"): base64.b64encode(signature),
        path.with_name(f"{path.name}.sigstore.json"): bundle_of_message(digest, signature, key_id=signer.key_id()),
    }
    for place, content in written.items():
        write_atomically(place, content)
    return Signed(f"sha256:{digest.hex()}", signer.key_id(), tuple(map(str, written)))


def file_bundle(path: Path, signer: Signer) -> bytes:
    """The signature of a file as a bundle."""
    digest, signature = _signature_of(path, signer)
    return bundle_of_message(digest, signature, key_id=signer.key_id())


def statement_bundle(envelope: Envelope, signer: Signer) -> bytes:
    """A statement that `signer` has signed as a bundle."""
    return bundle_of_envelope(envelope, key_id=signer.key_id())


def _signature_of(path: Path, signer: Signer) -> tuple[bytes, bytes]:
    """The sha256 of a file, and a signature over its bytes."""
    data = read_file(path, limit_bytes=FILE_BYTES_MAX)
    refuse_disguise(path, data)
    digest, signature = hashlib.sha256(data).digest(), signer.sign(data)
    if not _public_key(signer).verifies_digest(signature, digest):
        raise ShiplineError("the signer made a signature that its own key does not verify")
    return digest, signature


def attest_file(path: Path, predicate: bytes, predicate_type: str, signer: Signer) -> Signed:
    """Write the signed statement beside the file, as a bundle with the type in its name, which is replaced."""
    digest = f"sha256:{hashlib.sha256(read_file(path, limit_bytes=FILE_BYTES_MAX)).hexdigest()}"
    envelope = sign_envelope(claim_about(path.name, digest, predicate_type, predicate), IN_TOTO, signer)
    place = path.with_name(f"{path.name}.{short_name_of(predicate_type)}.sigstore.json")
    write_atomically(place, bundle_of_envelope(envelope, key_id=signer.key_id()))
    return Signed(digest, signer.key_id(), (str(place),))


def sign_image(attachments: Attachments, image: Image, signer: Signer, formats: Formats = Formats.BOTH) -> Signed:
    """Sign in both formats, or the one asked for: under the tag `.sig`, and as a bundle that refers to the image."""
    payload = payload_of(SignedImage(image.reference, image.subject.digest))
    work = _Work(attachments, image, Thing(image.name, image.subject.digest), signer)
    tag = tag_of(image.subject.digest, "sig")

    def add(manifest: bytes | None) -> tuple[Layer, bytes] | None:
        if any(finding.words == f"is signed as {image.reference}" for finding in work.own(tag, manifest)):
            return None
        signature = base64.b64encode(signer.sign(payload)).decode("ascii")
        return layer_of(payload, SIMPLE_SIGNING, {SIGNATURE: signature}), payload

    places = work.older(tag, add) if formats.older else ()
    if formats.bundles:
        envelope = sign_envelope(image_signature(image.subject.digest), IN_TOTO, signer)
        places = (*places, work.bundle(envelope))
    return work.signed(places)


def attest_image(
    attachments: Attachments, image: Image, predicate: bytes, predicate_type: str, signer: Signer
) -> Signed:
    """State something about an image in both formats: under the tag `.att`, and as a bundle that refers to it."""
    statement = claim_about(image.name, image.subject.digest, predicate_type, predicate)
    return attach_statement(attachments, image, sign_envelope(statement, IN_TOTO, signer), signer)


def attach_statement(
    attachments: Attachments, image: Image, envelope: Envelope, signer: Signer, formats: Formats = Formats.BOTH
) -> Signed:
    """Let a statement that `signer` has signed hang on an image, as it is. InvalidValue where it is not about that."""
    claim = read_claim(envelope.payload)
    if image.subject.digest not in claim.digests:
        raise InvalidValue(f"the statement is not about {image.name} ({image.subject.digest})")
    work = _Work(attachments, image, Thing(image.name, image.subject.digest, claim.predicate_type), signer)
    content = envelope.to_bytes()
    layer = layer_of(content, ENVELOPE_TYPE, {SIGNATURE: "", PREDICATE_TYPE: claim.predicate_type})
    tag = tag_of(image.subject.digest, "att")

    def add(manifest: bytes | None) -> tuple[Layer, bytes] | None:
        there = any(finding.statement == envelope.payload for finding in work.own(tag, manifest))
        return None if there else (layer, content)

    places = work.older(tag, add) if formats.older else ()
    return work.signed((*places, work.bundle(envelope)) if formats.bundles else places)


@dataclass(frozen=True, slots=True)
class _Work:
    """One image, what is said of it, and who says it."""

    attachments: Attachments
    image: Image
    thing: Thing
    signer: Signer

    def own(self, place: str, manifest: bytes | None) -> list[Finding]:
        """What the signer itself has attached before."""
        if manifest is None:
            return []
        found = looked_at_manifest(self.attachments, place, manifest, self.thing, (_public_key(self.signer),))
        return [finding for finding in found if finding.keys]

    def older(self, tag: str, add: Attach) -> tuple[tuple[str, bool], ...]:
        """Write the older format's tag: where it stands, and whether it was written now."""
        return ((f"the tag {tag}", attach(self.attachments, tag, add)),)

    def bundle(self, envelope: Envelope) -> tuple[str, bool]:
        """Let a bundle of the envelope refer to the image, unless one of the same does; the same answer."""
        found = looked_at_referrers(self.attachments, self.thing, (_public_key(self.signer),))
        place = next((one.place for one in found if one.keys and one.statement == envelope.payload), None)
        if place is not None:
            return place, False
        layer = layer_of(bundle := bundle_of_envelope(envelope, key_id=self.signer.key_id()), MEDIA_TYPE, {})
        made = referring(self.image.subject, layer, predicate_type=self.thing.predicate_type or IMAGE_SIGNATURE)
        self.attachments.write_blob(bundle)
        self.attachments.write_blob(made.config)
        return f"the bundle {self.attachments.write_referrer(self.image.subject, made.manifest)}", True

    def signed(self, places: tuple[tuple[str, bool], ...]) -> Signed:
        """What was done, of all places."""
        written, kept = (tuple(where for where, new in places if new is wanted) for wanted in (True, False))
        return Signed(self.image.subject.digest, self.signer.key_id(), written, kept)


def attach(attachments: Attachments, tag: str, add: Attach) -> bool:
    """Write what `add` makes of the manifest under a tag as it is now; False where that is nothing."""
    for _ in range(TRIES_MAX):
        manifest = attachments.tagged(tag)
        made = add(manifest)
        if made is None:
            return False
        layer, content = made
        written = with_layer(manifest, layer)
        attachments.write_blob(content)
        attachments.write_blob(written.config)
        try:
            attachments.write_tagged(tag, written.manifest)
        except UnavailableError:
            continue  # Another writer was faster: what it wrote is to be kept.
        return True
    raise UnavailableError(f"others write the tag {tag} all the time", todo="run this again")


def refuse_disguise(path: Path, data: bytes) -> None:
    """A signature over a file is one over its bytes: these would sign a statement, or an image, with it."""
    try:
        is_payload = len(data) <= PAYLOAD_BYTES_MAX and bool(read_payload(data))
    except InvalidValue:
        is_payload = False
    if is_payload or data.startswith(b"DSSEv1 "):
        raise RefusedError(
            f"{path} holds what is signed where an image or a statement is signed",
            why="whoever gave it to you could take the signature for one of those",
            todo="sign the image or state what you mean: `shipline sign IMAGE`, `shipline attest`",
        )


def _public_key(signer: Signer) -> PublicKey:
    return read_public_key(signer.public_key_pem().encode("ascii"))
