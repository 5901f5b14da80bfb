"""Verdict: a Gate's recorded answer, with reasons. UNKNOWN blocks."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Answer(StrEnum):
    """Three answers; only PASS opens a gate. Missing evidence is UNKNOWN."""

    PASS = "PASS"  # noqa: S105 - an answer, not a password
    FAIL = "FAIL"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one gate answered for one release at one time. `reasons` are sentences; `facts` the values that decided."""

    gate: str
    answer: Answer
    reasons: tuple[str, ...]
    decided_us: int
    facts: dict[str, str | int | float | bool | None]


def combined(verdicts: tuple[Verdict, ...]) -> Answer:
    """FAIL if any gate fails, else UNKNOWN if any is unknown, else PASS. No gates at all is PASS."""
    answers = {verdict.answer for verdict in verdicts}
    for answer in (Answer.FAIL, Answer.UNKNOWN):
        if answer in answers:
            return answer
    return Answer.PASS
