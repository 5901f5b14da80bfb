"""Functions of Kyverno's ImageValidatingPolicy: they read what registries have answered before, and ask none.

`known` is what the policy's data hold of the images: by image and by the name of an attestation ("" for the signature)
the ids of the `keys` that have signed, the `statements`, or the `trouble` that kept it from being found out.
"""

from __future__ import annotations

from typing import Any

ANSWERS = "shipline_images"
NAMES = ("verifyImageSignatures", "verifyAttestationSignatures", "extractPayload")


def signed(known: dict[str, Any], image: str, attestors: list[Any]) -> int:
    """How many of the attestors have signed an image. One that the policy is not about: none, as Kyverno has it."""
    return _counted(known, image, "", attestors)


def stated(known: dict[str, Any], image: str, attestation: str, attestors: list[Any]) -> int:
    """How many of the attestors have signed a statement of an attestation's type about it."""
    return _counted(known, image, attestation, attestors)


def payload(known: dict[str, Any], image: str, attestation: str) -> dict[str, Any]:
    """What the one such statement says."""
    found = _found(known.get(image, {}), attestation)["statements"]
    if not found or any(one != found[0] for one in found):
        raise ValueError("there is no such statement that is proven, or there are several that differ")
    first: dict[str, Any] = found[0]
    return first


def _counted(known: dict[str, Any], image: str, name: str, attestors: list[Any]) -> int:
    if image not in known:
        return 0
    keys = _found(known[image], name)["keys"]
    return sum(1 for attestor in attestors if attestor["key"] in keys)


def _found(answers: dict[str, Any], name: str) -> dict[str, Any]:
    if name not in answers:
        raise ValueError("the policy has no such attestation, or the image was not asked about")
    found: dict[str, Any] = answers[name]
    if "trouble" in found:
        raise ValueError("whether the image is proven was not found out")
    return found
