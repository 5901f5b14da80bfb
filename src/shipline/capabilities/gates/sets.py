"""The ready-made gate sets: gates of the stage `release` that a policy asks for by one name.

A set wants what a release of the kind can have: nothing is stated of what was not built, and no SBOM is written of an
image. Sets share gates; of two that are alike one is asked.
"""

from __future__ import annotations

from collections.abc import Iterable

from shipline.domain.errors import ConfigurationError
from shipline.domain.gate import Gate

_SBOM = Gate(
    "sbom",
    "sbom.present",
    when="artifacts.distributions > 0",
    message="what the release consists of is listed",
)
_PROVENANCE = Gate(
    "provenance",
    "provenance.present",
    when="artifacts.total > 0",
    message="where the release was built from is stated",
)
_SIGNATURES = Gate(
    "signatures",
    "signatures.verified",
    when="artifacts.total > 0",
    message="every statement is signed by a trusted key",
)
QUALITY: tuple[Gate, ...] = (
    Gate(
        "tests",
        "tests.passed > 0 && tests.failed == 0 && tests.errors == 0",
        message="every test that runs passes, and some do",
    ),
    _SBOM,
    _PROVENANCE,
    _SIGNATURES,
)
"""Also what holds for a project that has tests, and names no set and no gate of the stage `release`."""
SECURITY: tuple[Gate, ...] = (
    Gate(
        "findings",
        "findings.critical == 0 && findings.high == 0",
        message="no scanner has found anything critical or high",
    ),
    Gate("scans", "findings.errors == 0", message="scanners have looked at all that they were to look at"),
    _SBOM,
    _SIGNATURES,
)
COMPLIANCE: tuple[Gate, ...] = (
    Gate(
        "second person",
        "size(approvals) > 0",
        message="somebody who has written no part of the release has approved it",
    ),
    Gate("licences", "licences.unknown == 0", message="every package states a licence"),
    _SBOM,
    _PROVENANCE,
    _SIGNATURES,
)
SETS: dict[str, tuple[Gate, ...]] = {"quality": QUALITY, "security": SECURITY, "compliance": COMPLIANCE}


def gates_in(names: Iterable[str]) -> tuple[Gate, ...]:
    """The gates of these sets, in their order, each once. ConfigurationError, with the known ones, for another name."""
    found: dict[str, Gate] = {}
    for name in names:
        if name not in SETS:
            raise ConfigurationError(f"there is no gate set {name[:60]!r}", todo="known ones: " + ", ".join(SETS))
        found |= {gate.name: gate for gate in SETS[name]}
    return tuple(found.values())
