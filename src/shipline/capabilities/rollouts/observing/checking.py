"""The checks of one environment at work: tried before a rollout, and read beside its analysis."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from shipline.capabilities.rollouts.observing.checks import (
    CheckFinding,
    CheckMode,
    CheckReading,
    CheckRule,
    CheckState,
    begin_check,
    is_due,
    take_in,
    verdict_of,
)
from shipline.capabilities.rollouts.observing.figures import NO_COUNTS, figure_of, together
from shipline.capabilities.rollouts.observing.preflight import Asking, Trial, refusal_of_trials, trials
from shipline.capabilities.rollouts.placeholders import canary_of
from shipline.domain.codec import from_json, to_json
from shipline.domain.rollout import Rollout
from shipline.domain.verdict import Answer
from shipline.ports.clock import Clock
from shipline.ports.metrics import Metrics
from shipline.ports.signals import Counts

WORDS_LENGTH_MAX = 1500
# A look is made beside an analysis that has to see a bad canary within seconds.
LOOK_LIMIT_S = 10.0
TRIALS_LIMIT_S = 60.0


@dataclass(frozen=True, slots=True)
class Watched:
    """A check under way. `counts` are the canary's since the reading before, kept for figures alone. A rule that was
    changed since begins anew: what an older one has said is no answer to it."""

    rule: CheckRule
    state: CheckState
    counts: Counts | None


@dataclass(frozen=True, slots=True)
class ChecksState:
    """What is remembered from look to look; exact through JSON."""

    checks: tuple[Watched, ...] = ()


@dataclass(frozen=True, slots=True)
class ChecksLook:
    """One look at all checks. `state` is JSON to hand in with the next look.

    `verdict` is that of the gates: FAIL turns the rollout back, UNKNOWN keeps it from being promoted. `words` says for
    people what it rests on, "" without checks. `readings` are the checks that were read in this look. `awaits_person`
    is True while a gate has had no number for longer than it tolerates.
    """

    state: dict[str, Any]
    verdict: Answer
    words: str
    readings: tuple[CheckFinding, ...]
    awaits_person: bool


UNREAD = ChecksLook({}, Answer.PASS, "", (), awaits_person=False)
"""What is handed on where nothing was to be read."""


class Checks:
    """The checks of an environment. `source_of` gives the source that a check with a query is read from; checks that
    share one get the same object, so that one which does not answer is waited for once in a look."""

    def __init__(self, rules: tuple[CheckRule, ...], source_of: Callable[[CheckRule], Metrics], clock: Clock) -> None:
        self.rules = rules
        self._source_of = source_of
        self._clock = clock

    def preflight(self, rollout: Rollout) -> str:
        """Why the rollout may not begin: a gate's query that gives no number now. "" where nothing speaks against it.

        Every query is asked once, and nothing is changed.
        """
        return refusal_of_trials(iter(self.trials(rollout)))

    def trials(self, rollout: Rollout) -> tuple[Trial, ...]:
        """Every check as it stands now, tried on what serves before the rollout begins."""
        asking = Asking(self._source_of, self._clock, limit_s=TRIALS_LIMIT_S)
        return tuple(trials(self.rules, asking, rollout, at_us=self._clock.now_us()))

    def look(self, state_json: Mapping[str, Any] | None, rollout: Rollout, counts: Counts, now_us: int) -> ChecksLook:
        """Read what is due. `counts` are the canary's since the look before; `state_json` is None in the first look.

        No source's trouble is raised: a check that cannot be read is UNKNOWN, and says why. The first look begins the
        checks, which are read for the first time when their `every_s` is over.
        """
        before = {one.rule: one for one in from_json(ChecksState, state_json or {}).checks}
        now_s = now_us / 1_000_000
        asking = Asking(self._source_of, self._clock, limit_s=LOOK_LIMIT_S)
        watched: list[Watched] = []
        readings: list[CheckFinding] = []
        for rule in self.rules:
            one = _with_counts(before.get(rule) or _begun(rule, now_s), counts)
            if is_due(rule, one.state, now_s):
                reading = self._reading(asking, one, rollout, now_us)
                state, finding = take_in(rule, one.state, reading, now_s)
                one = Watched(rule, state, NO_COUNTS if rule.figure else None)
                readings.append(finding)
            watched.append(one)
        return _look(tuple(watched), tuple(readings))

    def _reading(self, asking: Asking, one: Watched, rollout: Rollout, now_us: int) -> CheckReading:
        if one.rule.query:
            return asking.read(one.rule, canary_of(rollout), at_us=now_us).reading
        value = figure_of(one.rule.figure, one.counts or NO_COUNTS)
        return CheckReading(value, "" if value is not None else "no request came in since the reading before")


def _begun(rule: CheckRule, now_s: float) -> Watched:
    return Watched(rule, begin_check(rule, now_s), NO_COUNTS if rule.figure else None)


def _with_counts(one: Watched, counts: Counts) -> Watched:
    return one if one.counts is None else Watched(one.rule, one.state, together(one.counts, counts))


def _look(watched: tuple[Watched, ...], readings: tuple[CheckFinding, ...]) -> ChecksLook:
    findings = [one.state.finding for one in watched]
    gates = [finding for finding in findings if finding.mode is CheckMode.GATE]
    verdict = verdict_of(gates)
    told = [finding.words for finding in gates if finding.answer is verdict]
    return ChecksLook(
        state=to_json(ChecksState(watched)),
        verdict=verdict,
        words=" ".join(told)[:WORDS_LENGTH_MAX],
        readings=readings,
        awaits_person=any(finding.awaits_person for finding in gates),
    )
