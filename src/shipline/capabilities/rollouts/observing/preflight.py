"""Each query of the checks, tried once before a rollout begins.

It is tried on the version that serves: a query that gives no number there would give none for the new one either, and
it would be found out only when that one already has users. What cannot be known yet is let pass: where nothing serves,
and where a query names a group or a role, which the new version alone will have.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from shipline.capabilities.rollouts.observing.checks import CheckMode, CheckReading, CheckRule, begin_check, take_in
from shipline.capabilities.rollouts.placeholders import Subject, stable_of
from shipline.clients.query_filling import filled, named_in
from shipline.domain.errors import ShiplineError, UnavailableError
from shipline.domain.rollout import Rollout
from shipline.domain.verdict import Answer
from shipline.ports.clock import Clock
from shipline.ports.metrics import Metrics, NoData, NotFinite

OF_THE_NEW_ONE = frozenset({"group", "role"})
COUNTED_HERE = "Shipline counts it itself, once the new version has requests"


@dataclass(frozen=True, slots=True)
class Tried:
    """A reading of a query and, if there is none, the error that says why. `query` is what was asked, filled in as far
    as that could be done."""

    query: str
    reading: CheckReading
    error: ShiplineError | None = None


@dataclass(frozen=True, slots=True)
class Trial:
    """A check as it was tried: what was asked ("" for a figure), the number or None, what the check would say to it,
    why in words, and why a rollout would be refused; "" where it would not be."""

    rule: CheckRule
    query: str
    value: float | None
    answer: Answer
    words: str
    refusal: str


class Asking:
    """Asks the sources in one go, which must not take long: none that was found unreachable a second time, and none at
    all once `limit_s` seconds are over. Then the go is as long as that, and one query more."""

    def __init__(self, source_of: Callable[[CheckRule], Metrics], clock: Clock, *, limit_s: float) -> None:
        self._source_of = source_of
        self._clock = clock
        self._limit_s = limit_s
        self._until_us = clock.now_us() + int(limit_s * 1_000_000)
        self._unreachable: list[Metrics] = []

    def read(self, rule: CheckRule, subject: Subject, *, at_us: int) -> Tried:
        """One reading of a check with a query. Whatever goes wrong with it is no number, and says so."""
        query = rule.query
        try:
            source = self._source_of(rule)
            query = filled(rule.query, subject.values, rule.language)
            self._check_worth_asking(source)
            return Tried(query, CheckReading(self._value(source, query, at_us=at_us)))
        except ShiplineError as error:
            why = f" ({error.why})" if error.why else ""
            return Tried(query, CheckReading(None, f"{error.what}{why}"), error)

    def _check_worth_asking(self, source: Metrics) -> None:
        if self._clock.now_us() > self._until_us:
            raise UnavailableError(f"the checks before it took {self._limit_s:g} s and more, and it was not asked")
        if any(source is each for each in self._unreachable):
            raise UnavailableError("its source did not answer another check just now, and was not asked")

    def _value(self, source: Metrics, query: str, *, at_us: int) -> float:
        try:
            return source.query(query, at_us=at_us)
        except UnavailableError:
            self._unreachable.append(source)
            raise


def trials(rules: tuple[CheckRule, ...], asking: Asking, rollout: Rollout, *, at_us: int) -> Iterator[Trial]:
    """Every check, tried on what serves before `rollout` begins."""
    subject = stable_of(rollout)
    for rule in rules:
        if rule.figure:
            yield Trial(rule, "", None, Answer.UNKNOWN, f"{COUNTED_HERE}.", "")
            continue
        tried = asking.read(rule, subject, at_us=at_us)
        _, finding = take_in(rule, begin_check(rule, 0.0), tried.reading, 0.0)
        excused = _cannot_be_known_yet(rule, rollout) and isinstance(tried.error, NoData | NotFinite)
        is_refused = rule.mode is CheckMode.GATE and tried.error is not None and not excused
        refusal = _refusal(rule, tried.error) if is_refused and tried.error is not None else ""
        yield Trial(rule, tried.query, tried.reading.value, finding.answer, finding.words, refusal)


def refusal_of_trials(tried: Iterator[Trial]) -> str:
    """Why a rollout may not begin, in words for people; "" where nothing speaks against it."""
    return "\n".join(trial.refusal for trial in tried if trial.refusal)


def _cannot_be_known_yet(rule: CheckRule, rollout: Rollout) -> bool:
    return rollout.stable_version is None or bool(named_in(rule.query, OF_THE_NEW_ONE))


def _refusal(rule: CheckRule, error: ShiplineError) -> str:
    """What it answered, and what to do."""
    parts = [f"The check {rule.name!r} gives no number, so it could decide nothing: {error.what}."]
    parts += [f"Why: {error.why}."] if error.why else []
    parts += [f"What to do: {error.todo}."] if error.todo else []
    return " ".join(parts)
