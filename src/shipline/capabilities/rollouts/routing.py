"""Who gets which share of the traffic: pure."""

from __future__ import annotations

import hashlib
import re

from shipline.ports.target import Instance, Role
from shipline.ports.traffic import Route

STEM_MAX = 36
PLAIN = re.compile(r"[a-z0-9.-]+")


def instance_id(package: str, version: str, attempt: int, role: Role, number: int) -> str:
    """The name of an instance, the same for the same attempt: `quotes-1-2-0-a1-canary-1`, at most 60 characters.

    Names of two versions differ: what does not fit, or cannot be spelt, is told by a part of a hash.
    """
    name = f"{package}-{version}"
    stem = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    if len(stem) > STEM_MAX or not PLAIN.fullmatch(name):
        digest = hashlib.sha256(name.encode()).hexdigest()[:8]
        stem = f"{stem[: STEM_MAX - 9].rstrip('-')}-{digest}"
    return f"{stem}-a{attempt}-{role.value}-{number}"


def stable_routes(instances: tuple[Instance, ...]) -> tuple[Route, ...]:
    """All traffic on these instances, evenly."""
    share = 1 / len(instances)
    return tuple(Route(one.id, Role.STABLE, one.version, one.address, share) for one in instances)


def canary_routes(
    stable: tuple[Instance, ...], canary: Instance, baseline: Instance, *, weight: float
) -> tuple[Route, ...]:
    """`weight` (0 to 0.5) on the canary, as much on its equally young baseline, the rest on the stable instances."""
    if not 0 <= weight <= 0.5:
        raise ValueError("a canary's weight is 0 to 0.5: its baseline needs as much")
    rest = (1 - 2 * weight) / len(stable)
    return (
        *(Route(one.id, Role.STABLE, one.version, one.address, rest) for one in stable),
        Route(canary.id, Role.CANARY, canary.version, canary.address, weight),
        Route(baseline.id, Role.BASELINE, baseline.version, baseline.address, weight),
    )
