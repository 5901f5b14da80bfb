"""What a rule says of a resource."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

SCHEMA = "shipline.policy-check/1"


class Outcome(Enum):
    """The words of Kyverno's reports. FAIL and ERROR block; WARN is what a policy says that does not count."""

    PASS = "pass"  # noqa: S105 - an outcome
    FAIL = "fail"
    WARN = "warn"
    ERROR = "error"
    SKIP = "skip"


@dataclass(frozen=True, slots=True)
class Result:
    """One rule's answer about one resource.

    `resource` is `namespace/Kind/name`, or `Kind/name` without a namespace. `action` is what a cluster would do with
    a failure: `Enforce` (refuse it) or `Audit` (let it in and say so). `file` and `line` (1 is the first; 0: not
    known) are where the resource is written.
    """

    policy: str
    rule: str
    resource: str
    outcome: Outcome
    message: str = ""
    action: str = "Enforce"
    severity: str = ""
    file: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True)
class Note:
    """Something that is said and blocks nothing: a rule that checks nothing, a schema that is not known."""

    about: str
    text: str


def blocks(results: Sequence[Result]) -> bool:
    """Whether any of them failed, or could not be asked."""
    return any(result.outcome in (Outcome.FAIL, Outcome.ERROR) for result in results)


def document(results: Sequence[Result], notes: Sequence[Note] = ()) -> dict[str, Any]:
    """`shipline.policy-check/1`: `{"schema", "summary", "results", "notes"}`."""
    summary = {outcome.value: 0 for outcome in Outcome}
    for result in results:
        summary[result.outcome.value] += 1
    return {
        "schema": SCHEMA,
        "summary": summary,
        "results": [_row(result) for result in results],
        "notes": [{"about": note.about, "text": note.text} for note in notes],
    }


def _row(result: Result) -> dict[str, Any]:
    return {
        "policy": result.policy,
        "rule": result.rule,
        "resource": result.resource,
        "result": result.outcome.value,
        "message": result.message,
        "action": result.action,
        "severity": result.severity,
        "file": result.file,
        "line": result.line,
    }
