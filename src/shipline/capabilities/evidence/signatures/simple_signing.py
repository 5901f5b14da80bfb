"""What cosign signs of an image in its older format: a JSON payload that names the image's digest. Pure.

From: https://github.com/containers/image v5.34, docs/containers-signature.5.md ("simple signing"), and
https://github.com/sigstore/cosign v2.5, specs/SIGNATURE_SPEC.md.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import rfc8785

from shipline.domain.errors import InvalidValue
from shipline.domain.strict_json import read_json

MEDIA_TYPE = "application/vnd.dev.cosign.simplesigning.v1+json"
TYPE = "cosign container image signature"
PAYLOAD_BYTES_MAX = 64 * 1024
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class SignedImage:
    """`reference` is the name under which the image was signed, as the signer put it; `digest` is `sha256:…`."""

    reference: str
    digest: str


def payload_of(image: SignedImage) -> bytes:
    """The payload in canonical JSON."""
    critical: dict[str, Any] = {
        "identity": {"docker-reference": image.reference},
        "image": {"docker-manifest-digest": image.digest},
        "type": TYPE,
    }
    return rfc8785.dumps({"critical": critical, "optional": None})


def read_payload(payload: bytes) -> SignedImage:
    """What a payload says. InvalidValue where it says it in another form, or of another thing than an image."""
    match read_json(payload, what="the signed payload", limit_bytes=PAYLOAD_BYTES_MAX):
        case {
            "critical": {
                "identity": {"docker-reference": str(reference)},
                "image": {"docker-manifest-digest": str(digest)},
                "type": str(kind),
            }
        } if kind == TYPE and _DIGEST.fullmatch(digest):
            return SignedImage(reference, digest)
    raise InvalidValue("the signed payload is not the one of an image's signature")
