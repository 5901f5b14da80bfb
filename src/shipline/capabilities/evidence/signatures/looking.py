"""Look at everything that hangs on an image: each thing judged by itself, and none keeps the next from being seen."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Sequence

from shipline.capabilities.evidence.dsse import ENVELOPE_BYTES_MAX, read_envelope
from shipline.capabilities.evidence.keys import PublicKey
from shipline.capabilities.evidence.signatures.attached import (
    ENVELOPE_TYPE,
    SIGNATURE,
    Layer,
    read_layers,
    subject_of,
    tag_of,
)
from shipline.capabilities.evidence.signatures.rules import (
    CERTIFIED,
    Finding,
    Thing,
    judge_bundle,
    judge_envelope,
    judge_payload,
)
from shipline.capabilities.evidence.signatures.sigstore_bundle import (
    BUNDLE_BYTES_MAX,
    KNOWN_TYPES,
    read_sigstore_bundle,
)
from shipline.capabilities.evidence.signatures.simple_signing import MEDIA_TYPE as SIMPLE_SIGNING
from shipline.capabilities.evidence.signatures.simple_signing import PAYLOAD_BYTES_MAX
from shipline.domain.errors import InvalidValue, RefusedError, ShiplineError
from shipline.ports.attachments import Attachments

ALL_BYTES_MAX = 256 * 1024 * 1024
"""So much is read of what one manifest attaches; what lies beyond proves nothing."""
CERTIFICATE = "dev.sigstore.cosign/certificate"


def look_at_image(attachments: Attachments, thing: Thing, trusted: Sequence[PublicKey]) -> list[Finding]:
    """Every signature (or statement, where `thing` asks for one) of an image, in all formats."""
    found: list[Finding] = []
    tag = tag_of(thing.digest, "att" if thing.predicate_type else "sig")
    manifest = attachments.tagged(tag)
    if manifest is not None:
        found += looked_at_manifest(attachments, f"the tag {tag}", manifest, thing, trusted)
    return [*found, *looked_at_referrers(attachments, thing, trusted)]


def looked_at_referrers(attachments: Attachments, thing: Thing, trusted: Sequence[PublicKey]) -> list[Finding]:
    """What refers to the image. Indexes state wrong types at times, so each is looked at for what it is."""
    found: list[Finding] = []
    for digest in attachments.referrers(thing.digest):
        place = f"the bundle {digest}"
        try:
            manifest = attachments.manifest(digest)
            if subject_of(manifest) == thing.digest:
                found += looked_at_manifest(attachments, place, manifest, thing, trusted)
        except ShiplineError as error:
            _raise_if_passing(error)
            found.append(Finding(place, (), f"cannot be read: {error.what}"))
    return found


def looked_at_manifest(
    attachments: Attachments, place: str, manifest: bytes, thing: Thing, trusted: Sequence[PublicKey]
) -> list[Finding]:
    """What one manifest attaches."""
    try:
        layers = read_layers(manifest)
    except InvalidValue as error:
        return [Finding(place, (), error.what)]
    return [
        finding for layer in _within(layers) for finding in _looked_at_layer(attachments, place, layer, thing, trusted)
    ]


def _within(layers: Sequence[Layer]) -> Iterator[Layer]:
    left = ALL_BYTES_MAX
    for layer in layers:
        left -= max(layer.size, 0)
        if left >= 0:
            yield layer


def _stated(layer: Layer, bytes_max: int) -> int:
    """No more is read than a layer says that it has: what all of them may have is counted by that."""
    return min(max(layer.size, 0), bytes_max)


def _looked_at_layer(
    attachments: Attachments, place: str, layer: Layer, thing: Thing, trusted: Sequence[PublicKey]
) -> Iterator[Finding]:
    try:
        if layer.media_type == SIMPLE_SIGNING and not thing.predicate_type:
            yield _judged_payload(attachments, place, layer, thing, trusted)
        elif layer.media_type == ENVELOPE_TYPE and thing.predicate_type:
            data = attachments.blob(layer.digest, bytes_max=_stated(layer, ENVELOPE_BYTES_MAX))
            yield judge_envelope(place, read_envelope(data), thing, trusted)
        elif KNOWN_TYPES.fullmatch(layer.media_type):
            data = attachments.blob(layer.digest, bytes_max=_stated(layer, BUNDLE_BYTES_MAX))
            yield judge_bundle(place, read_sigstore_bundle(data), thing, trusted)
    except ShiplineError as error:
        _raise_if_passing(error)
        yield Finding(place, (), f"cannot be read: {error.what}")


def _judged_payload(
    attachments: Attachments, place: str, layer: Layer, thing: Thing, trusted: Sequence[PublicKey]
) -> Finding:
    text = layer.annotations.get(SIGNATURE, "")
    try:
        signature = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        signature = b""
    if not signature or base64.b64encode(signature).decode("ascii") != text:
        return Finding(place, (), "has no signature in base64")
    payload = attachments.blob(layer.digest, bytes_max=_stated(layer, PAYLOAD_BYTES_MAX))
    finding = judge_payload(place, payload, signature, thing, trusted)
    return Finding(place, (), CERTIFIED) if not finding.keys and CERTIFICATE in layer.annotations else finding


def _raise_if_passing(error: ShiplineError) -> None:
    """Trouble of the registry's own is no answer to the question."""
    if error.retryable or isinstance(error, RefusedError):
        raise error
