"""Does a version satisfy what a dependent asks for? By the rules of npm, Cargo, PEP 440 and Helm, which differ.

Pure. A requirement that cannot be read is InvalidValue, never "no": a plan must not take a typing mistake for a range
that broke.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from shipline.capabilities.plans.versions.ranges import cargo, helm, npm, pep440
from shipline.domain.errors import InvalidValue

Dialect = Literal["npm", "cargo", "pep440", "helm"]
DIALECTS: dict[str, Callable[[str, str], bool]] = {
    "npm": npm.satisfies,
    "cargo": cargo.satisfies,
    "pep440": pep440.satisfies,
    "helm": helm.satisfies,
}
LENGTH_MAX = 2000


def satisfies(version: str, requirement: str, dialect: Dialect) -> bool:
    """True if `version` is one that `requirement` admits. InvalidValue for what cannot be read."""
    if dialect not in DIALECTS:
        raise InvalidValue(f"there are no ranges of {dialect[:80]!r}", todo="known dialects: " + ", ".join(DIALECTS))
    if len(requirement) > LENGTH_MAX:
        raise InvalidValue(f"a requirement of {len(requirement)} characters is not read", todo=f"{LENGTH_MAX} at most")
    return DIALECTS[dialect](version, requirement)
