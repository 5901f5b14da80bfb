"""Thresholds beside the analysis of a canary: what a reading says about a check. Pure.

A reading that is no number says nothing: it passes nothing, fails nobody and leaves the failures before it as they
were. Until there is a number again, nothing is promoted.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from shipline.capabilities.rollouts.observing.figures import FIGURES, SHARES
from shipline.capabilities.rollouts.placeholders import PLACEHOLDERS
from shipline.clients.query_filling import check_placeholders
from shipline.domain.errors import InvalidValue
from shipline.domain.verdict import Answer
from shipline.ports.metrics import EXPRESSION_LENGTH_MAX, Language

CHECKS_MAX = 20
"""Checks that one environment may have: all of them may be read in one look."""
EVERY_S_MAX = 86_400
TOLERATED_MAX = 1000
WORDS_LENGTH_MAX = 500


class CheckMode(StrEnum):
    """A gate turns a rollout back, and nothing is promoted without it. Information is recorded, and decides nothing."""

    GATE = "gate"
    INFORMATION = "information"


@dataclass(frozen=True, slots=True)
class CheckRule:
    """A threshold. Either `query`, in the `language` of the source that answers it, or `figure`, one of FIGURES.

    A value from `value_min` to `value_max`, both included, is good; None leaves that side open, and one of them is
    given. It is read each `every_s` seconds. Up to `failures_max` failed readings in a row, and up to
    `inconclusive_max` that are no number, are waited out.
    """

    name: str
    query: str = ""
    figure: str = ""
    value_min: float | None = None
    value_max: float | None = None
    every_s: int = 60
    failures_max: int = 0
    inconclusive_max: int = 3
    mode: CheckMode = CheckMode.GATE
    language: Language = Language.PROMQL

    def __post_init__(self) -> None:
        """Refuse a rule that could never say anything, or always says the same (InvalidValue)."""
        if (self.query == "") == (self.figure == ""):
            raise InvalidValue("a check has either a query or a figure", todo=f"figures: {', '.join(FIGURES)}")
        if self.figure not in ("", *FIGURES):
            raise InvalidValue(f"there is no figure {self.figure[:60]!r}", todo=f"known ones: {', '.join(FIGURES)}")
        if self.query and not (self.query.strip() and len(self.query) <= EXPRESSION_LENGTH_MAX):
            raise InvalidValue(f"a query has 1 to {EXPRESSION_LENGTH_MAX} characters")
        check_placeholders(self.query, self.language, PLACEHOLDERS)
        self._check_bounds()
        _require(self.every_s, "every_s", 1, EVERY_S_MAX)
        _require(self.failures_max, "failures_max", 0, TOLERATED_MAX)
        _require(self.inconclusive_max, "inconclusive_max", 0, TOLERATED_MAX)

    def _check_bounds(self) -> None:
        bounds = [bound for bound in (self.value_min, self.value_max) if bound is not None]
        if not bounds:
            raise InvalidValue("a check has min, max or both", why="without them every value would be good")
        if not all(math.isfinite(bound) for bound in bounds):
            raise InvalidValue("min and max are numbers, not infinite and not NaN")
        if bounds[0] > bounds[-1]:
            raise InvalidValue(f"min = {bounds[0]:g} is above max = {bounds[-1]:g}, so no value would be good")
        if self.figure in SHARES and not all(0.0 <= bound <= 1.0 for bound in bounds):
            raise InvalidValue(f"{self.figure} is a part of the requests, 0 to 1", todo="write 99% as 0.99")
        if self.figure and not all(bound >= 0.0 for bound in bounds):
            raise InvalidValue(f"{self.figure} is never below 0")

    def complaint(self, value: float) -> str:
        """What is wrong with a value, as the end of a sentence; "" where it is good."""
        if self.value_min is not None and value < self.value_min:
            return f"below the least that is allowed, {self.value_min:g}"
        if self.value_max is not None and value > self.value_max:
            return f"above the most that is allowed, {self.value_max:g}"
        return ""


def _require(value: int, name: str, least: int, most: int) -> None:
    if not least <= value <= most:
        raise InvalidValue(f"{name} is {least} to {most}, not {value}")


@dataclass(frozen=True, slots=True)
class CheckReading:
    """What was read. `value` is None where that is no number; `words` say why, as a sentence without its end."""

    value: float | None
    words: str = ""


@dataclass(frozen=True, slots=True)
class CheckFinding:
    """What a check says now. `value` is that of the reading it comes from, None where that was no number.

    `awaits_person` is True once more readings in a row than are tolerated were no number: nobody can tell whether time
    will settle it.
    """

    name: str
    mode: CheckMode
    answer: Answer
    value: float | None
    words: str
    awaits_person: bool = False


@dataclass(frozen=True, slots=True)
class CheckState:
    """What is remembered of a check. `read_s` is when it was read last, or begun; `failures` and `inconclusive` count
    readings in a row. `finding` is what it said then."""

    read_s: float
    failures: int
    inconclusive: int
    finding: CheckFinding


def begin_check(rule: CheckRule, now_s: float) -> CheckState:
    """Before the first reading, which is due once there was time for something to be read."""
    words = f"The check {rule.name!r} has not been read yet."
    return CheckState(now_s, 0, 0, CheckFinding(rule.name, rule.mode, Answer.UNKNOWN, None, words))


def is_due(rule: CheckRule, state: CheckState, now_s: float) -> bool:
    """True when the next reading is due; also where the clock was set back, since nobody knows how long ago it was."""
    return not 0.0 <= now_s - state.read_s < rule.every_s


def take_in(rule: CheckRule, state: CheckState, reading: CheckReading, now_s: float) -> tuple[CheckState, CheckFinding]:
    """The check after a reading, and what it says. A number that is not finite is none."""
    if reading.value is None or not math.isfinite(reading.value):
        inconclusive = state.inconclusive + 1
        finding = _without_number(rule, reading, inconclusive)
        return CheckState(now_s, state.failures, inconclusive, finding), finding
    complaint = rule.complaint(reading.value)
    failures = state.failures + 1 if complaint else 0
    finding = _with_number(rule, reading.value, complaint, failures)
    return CheckState(now_s, failures, 0, finding), finding


def _without_number(rule: CheckRule, reading: CheckReading, inconclusive: int) -> CheckFinding:
    said = reading.words or f"{reading.value} was read"
    words = f"The check {rule.name!r} has no number: {said}."
    words += f" Readings without one in a row: {inconclusive}, tolerated: {rule.inconclusive_max}."
    is_over = inconclusive > rule.inconclusive_max
    return CheckFinding(rule.name, rule.mode, Answer.UNKNOWN, None, words[:WORDS_LENGTH_MAX], awaits_person=is_over)


def _with_number(rule: CheckRule, value: float, complaint: str, failures: int) -> CheckFinding:
    words = f"The check {rule.name!r} reads {value:.6g}"
    if not complaint:
        return CheckFinding(rule.name, rule.mode, Answer.PASS, value, f"{words}.")
    words += f", {complaint}."
    if rule.failures_max:
        words += f" Failed readings in a row: {failures}, tolerated: {rule.failures_max}."
    # One that is tolerated is no failure yet, and no pass either.
    answer = Answer.FAIL if failures > rule.failures_max else Answer.UNKNOWN
    return CheckFinding(rule.name, rule.mode, answer, value, words)


def verdict_of(findings: Sequence[CheckFinding]) -> Answer:
    """FAIL if a gate fails, else UNKNOWN if one is unknown, else PASS. Information decides nothing."""
    answers = {finding.answer for finding in findings if finding.mode is CheckMode.GATE}
    return next((answer for answer in (Answer.FAIL, Answer.UNKNOWN) if answer in answers), Answer.PASS)
