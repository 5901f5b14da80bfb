"""Verification summaries: a statement that a release's gates have said PASS, made for those who cannot ask them again.

From: SLSA verification summary attestation (VSA), https://slsa.dev/spec/v1.1/verification_summary, predicate type
https://slsa.dev/verification_summary/v1; what has to be looked at is its section "How to verify". Pure.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from shipline.capabilities.evidence.statements import digest_set, read_statement, stated, timestamp
from shipline.domain.artifact import Artifact
from shipline.domain.errors import InvalidValue, UsageError
from shipline.domain.verdict import Answer, Verdict, combined

SUMMARY = "https://slsa.dev/verification_summary/v1"
VERIFIER = "urn:shipline:verifier:gates:v1"
POLICY = "urn:shipline:policy:gates:v1"
"""What was decided by: the gates of the stage `release`, as canonical JSON, by its digest."""
SLSA_VERSION = "1.1"
SHOWN_MAX = 200
_LEVEL = re.compile(r"(SLSA_[A-Z]+_LEVEL_)([0-9]{1,3})")


@dataclass(frozen=True, slots=True)
class Summary:
    """What was found. `resource` is a URI for what was released; `policy` the digest of the gates; `inputs` are names
    and digests of the signed statements that were there to be judged; `levels` what they claim, and no more;
    `version` is that of the program that asked the gates. `claims` are pairs of a level and why it is not more, as
    those statements say it."""

    resource: str
    policy: str
    inputs: tuple[tuple[str, str], ...]
    levels: tuple[str, ...]
    verdicts: tuple[Verdict, ...]
    version: str
    claims: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a summary has to say: `level` at least, and of this `resource`; "" for any."""

    level: str = ""
    resource: str = ""

    def __post_init__(self) -> None:
        """UsageError for a level that nothing can be compared with."""
        if self.level and not _LEVEL.fullmatch(self.level):
            raise UsageError(f"{self.level[:60]!r} is no SLSA level", todo="give one such as SLSA_BUILD_LEVEL_2")


def statement_of_summary(artifacts: Sequence[Artifact], summary: Summary) -> bytes:
    """The statement. Its time is that of the last verdict, so that the same verdicts make the same statement."""
    if not artifacts or not summary.verdicts:
        raise InvalidValue("a summary needs artifacts that were judged, and verdicts on them")
    passed = combined(summary.verdicts) is Answer.PASS
    predicate: dict[str, Any] = {
        "verifier": {"id": VERIFIER, "version": {"shipline": summary.version}},
        "timeVerified": timestamp(max(verdict.decided_us for verdict in summary.verdicts)),
        "resourceUri": summary.resource,
        "policy": {"uri": POLICY, "digest": digest_set(summary.policy)},
        "inputAttestations": [
            {"uri": f"urn:shipline:statement:{name}", "digest": digest_set(digest)} for name, digest in summary.inputs
        ],
        "verificationResult": "PASSED" if passed else "FAILED",
        "verifiedLevels": list(summary.levels) if passed else ["FAILED"],
        "slsaVersion": SLSA_VERSION,
        "shipline_claims": [{"level": level, "why": why} for level, why in summary.claims],
        # Extension fields are named <vendor>_<field>, as in SLSA's provenance.
        "shipline_gates": [
            {"gate": one.gate, "answer": one.answer.value, "reasons": list(one.reasons)} for one in summary.verdicts
        ],
    }
    return stated([(artifact.name, artifact.digest) for artifact in artifacts], SUMMARY, predicate)


def judged_summary(payload: bytes, wanted: Wanted) -> tuple[bool, str]:
    """Whether a signed summary says what is wanted, and in words what it says. Who signed it was looked at before."""
    try:
        statement = read_statement(payload, nameless=True)
    except InvalidValue as error:
        return False, error.what
    if statement.predicate_type != SUMMARY:
        return False, f"is a statement of the type {statement.predicate_type[:SHOWN_MAX]}"
    return judged_predicate(statement.predicate, wanted)


def judged_predicate(predicate: dict[str, Any], wanted: Wanted) -> tuple[bool, str]:
    """The same of a summary's predicate."""
    match predicate:
        case {
            "verifier": {"id": str(verifier)},
            "resourceUri": str(resource),
            "verificationResult": str(result),
            "verifiedLevels": list(levels),
        }:
            return _judged(verifier, resource, result, [str(level) for level in levels], wanted)
    return False, "is a summary without verifier, resourceUri, verificationResult or verifiedLevels"


def _judged(verifier: str, resource: str, result: str, levels: list[str], wanted: Wanted) -> tuple[bool, str]:
    shown = resource[:SHOWN_MAX]
    if result != "PASSED":
        return False, f"says {result[:20]} of {shown}"
    if wanted.resource not in ("", resource):
        return False, f"is about {shown}, and not about {wanted.resource[:SHOWN_MAX]}"
    if wanted.level and not any(_reaches(level, wanted.level) for level in levels):
        return False, f"does not say that {shown} has reached {wanted.level}"
    named = ", ".join(level[:60] for level in levels[:8]) or "no level"
    return True, f"was verified as {shown} by {verifier[:SHOWN_MAX]}: PASSED, {named}"


def _reaches(level: str, wanted: str) -> bool:
    """The levels of a track follow upon each other: who has reached the third has reached the second."""
    found, asked = _LEVEL.fullmatch(level), _LEVEL.fullmatch(wanted)
    return found is not None and asked is not None and found[1] == asked[1] and int(found[2]) >= int(asked[2])
