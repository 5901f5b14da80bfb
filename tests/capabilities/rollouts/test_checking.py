"""The checks of an environment, tried before a rollout and read beside it, with a source of metrics in memory."""

from __future__ import annotations

import json
import math
from bisect import bisect_left
from dataclasses import replace
from typing import Any

import pytest

from shipline.capabilities.rollouts.observing.checking import Checks, ChecksLook
from shipline.capabilities.rollouts.observing.checks import CheckMode, CheckRule
from shipline.capabilities.rollouts.observing.figures import NO_COUNTS
from shipline.domain.errors import ConfigurationError
from shipline.domain.rollout import Rollout, RolloutStatus
from shipline.domain.verdict import Answer
from shipline.ports.metrics import Metrics
from shipline.ports.signals import EDGES_S, Counts
from shipline.testing.fakes.clock import FakeClock
from shipline.testing.fakes.faults import SLOW_S, Fault
from shipline.testing.fakes.metrics import FakeMetrics

ROLLOUT = Rollout(
    "rol_1", "quotes", "1.2.0", "production", "canary", RolloutStatus.RUNNING, started_us=0, stable_version="1.1.0"
)
LATENCY = CheckRule("latency", query='latency{version="{version}"}', value_max=0.5, every_s=30)
NEW, OLD = 'latency{version="1.2.0"}', 'latency{version="1.1.0"}'
ERRORS = CheckRule("errors", figure="error_rate", value_max=0.05, every_s=30)


class Place:
    """Checks over one fake source, and what is remembered of them between two looks."""

    def __init__(self, *rules: CheckRule) -> None:
        self.clock = FakeClock()
        self.metrics = FakeMetrics(self.clock)
        self.rules = rules
        self.state: Any = None

    @property
    def checks(self) -> Checks:
        """Made anew each time, as after a restart."""
        return Checks(self.rules, self.source_of, self.clock)

    def source_of(self, _: CheckRule) -> Metrics:
        return self.metrics

    def look(self, counts: Counts = NO_COUNTS, *, after_s: float = 30.0) -> ChecksLook:
        """One look, `after_s` after the last; its state goes through JSON."""
        self.clock.sleep(after_s)
        found = self.checks.look(self.state, ROLLOUT, counts, self.clock.now_us())
        self.state = json.loads(json.dumps(found.state))
        return found


def counted(requests: int, errors: int, latency_s: float = 0.02) -> Counts:
    histogram = [0] * (len(EDGES_S) + 1)
    histogram[bisect_left(EDGES_S, latency_s)] = requests
    return Counts(requests, errors, errors, tuple(histogram))


# --- beside the analysis -----------------------------------------------------------------------------------------


def test_without_checks_nothing_stands_in_the_way() -> None:
    found = Place().look()
    assert (found.verdict, found.words, found.readings, found.awaits_person) == (Answer.PASS, "", (), False)


def test_a_query_is_read_at_its_times_and_about_the_new_version() -> None:
    """The first look begins it; in between, what it said last holds."""
    place = Place(LATENCY)
    place.metrics.series[NEW] = [0.2]
    assert [place.look(after_s=10).verdict for _ in range(5)] == [
        Answer.UNKNOWN,
        Answer.UNKNOWN,
        Answer.UNKNOWN,
        Answer.PASS,
        Answer.PASS,
    ]
    assert [query for query, _ in place.metrics.asked] == [NEW]
    assert place.metrics.asked[0][1] == place.clock.now_us() - 10_000_000


def test_a_gate_that_fails_turns_back_and_says_why() -> None:
    place = Place(LATENCY, ERRORS)
    place.look()
    place.metrics.series[NEW] = [0.7]
    found = place.look(counted(100, 0))
    assert found.verdict is Answer.FAIL
    assert found.words == "The check 'latency' reads 0.7, above the most that is allowed, 0.5."
    assert [(each.name, each.answer, each.value) for each in found.readings] == [
        ("latency", Answer.FAIL, 0.7),
        ("errors", Answer.PASS, 0.0),
    ]


def test_information_is_recorded_and_decides_nothing() -> None:
    place = Place(replace(LATENCY, mode=CheckMode.INFORMATION), ERRORS)
    place.look()
    place.metrics.series[NEW] = [0.7]
    found = place.look(counted(100, 0))
    assert (found.verdict, found.words) == (Answer.PASS, "The check 'errors' reads 0.")
    assert [each.answer for each in found.readings] == [Answer.FAIL, Answer.PASS]
    for _ in range(10):
        place.metrics.series[NEW] = []
        assert not place.look(counted(1, 0)).awaits_person


@pytest.mark.parametrize("series", [[], [math.nan], [math.inf], [0.1, 0.2]], ids=str)
def test_no_number_promotes_nothing_and_fails_nobody(series: list[float]) -> None:
    """After a while a person is asked; once there are numbers again it goes on by itself."""
    place = Place(LATENCY)
    place.look()
    place.metrics.series[NEW] = series
    looks = [place.look() for _ in range(5)]
    assert {found.verdict for found in looks} == {Answer.UNKNOWN}
    assert [found.awaits_person for found in looks] == [False, False, False, True, True]
    place.metrics.series[NEW] = [0.1]
    found = place.look()
    assert (found.verdict, found.awaits_person) == (Answer.PASS, False)


def test_a_source_that_is_gone_promotes_nothing_and_fails_nobody() -> None:
    """A pass from before does not outlive it."""
    place = Place(LATENCY)
    place.metrics.series[NEW] = [0.1]
    place.look()
    assert place.look().verdict is Answer.PASS
    place.metrics.fault = Fault.UNAVAILABLE
    found = place.look()
    assert found.verdict is Answer.UNKNOWN
    assert "the source of metrics does not answer" in found.words
    place.metrics.fault, place.metrics.refuses = None, True
    assert place.look().verdict is Answer.UNKNOWN


def test_a_source_that_does_not_answer_is_waited_for_once_in_a_look() -> None:
    """The analysis beside it must go on."""
    place = Place(*(replace(LATENCY, name=f"latency {number}") for number in range(10)))
    place.look()
    place.metrics.fault = Fault.UNAVAILABLE
    found = place.look()
    assert len(place.metrics.asked) == 1
    assert [each.answer for each in found.readings] == [Answer.UNKNOWN] * 10
    place.look()
    assert len(place.metrics.asked) == 2


def test_another_source_is_asked_all_the_same() -> None:
    place = Place(LATENCY, replace(LATENCY, name="other"))
    other = FakeMetrics(place.clock)
    other.series[NEW] = [0.1]
    place.metrics.fault = Fault.UNAVAILABLE
    checks = Checks(place.rules, lambda rule: other if rule.name == "other" else place.metrics, place.clock)
    began = checks.look(None, ROLLOUT, NO_COUNTS, 0)
    found = checks.look(began.state, ROLLOUT, NO_COUNTS, 30_000_000)
    assert [each.answer for each in found.readings] == [Answer.UNKNOWN, Answer.PASS]


def test_a_slow_source_is_no_trouble_of_the_checks() -> None:
    """Its own time limit ends it; what it says in the end counts."""
    place = Place(LATENCY)
    place.look()
    place.metrics.series[NEW] = [0.1]
    place.metrics.fault = Fault.SLOW
    before_us = place.clock.now_us()
    assert place.look().verdict is Answer.PASS
    assert place.clock.now_us() - before_us == int((30 + SLOW_S) * 1_000_000)


def test_checks_that_there_is_no_time_for_are_unknown() -> None:
    """Slow answers add up: the analysis beside them does not wait, and what was not read is no pass."""
    place = Place(*(replace(LATENCY, name=f"latency {number}") for number in range(5)), ERRORS)
    place.metrics.series[NEW] = [0.1]
    place.look()
    assert place.look(counted(10, 0)).verdict is Answer.PASS
    place.metrics.fault = Fault.SLOW
    found = place.look(counted(10, 0))
    assert [each.answer for each in found.readings] == [Answer.PASS, *[Answer.UNKNOWN] * 4, Answer.PASS]
    assert "the checks before it took 10 s and more" in found.words
    assert found.verdict is Answer.UNKNOWN


def test_a_source_that_cannot_be_had_is_told() -> None:
    """Credentials that are missing, for instance."""

    def nobody(_: CheckRule) -> Metrics:
        raise ConfigurationError("METRICS_TOKEN is not set")

    checks = Checks((LATENCY,), nobody, FakeClock())
    began = checks.look(None, ROLLOUT, NO_COUNTS, 0)
    assert "METRICS_TOKEN is not set" in checks.look(began.state, ROLLOUT, NO_COUNTS, 60_000_000).words
    assert "METRICS_TOKEN is not set" in checks.preflight(ROLLOUT)


def test_a_figure_is_that_of_the_requests_since_its_last_reading() -> None:
    """However many looks there were in between."""
    place = Place(ERRORS)
    place.look()
    for _ in range(2):
        assert place.look(counted(10, 1), after_s=10).readings == ()
    (first,) = place.look(counted(80, 0), after_s=10).readings
    assert (first.answer, first.value) == (Answer.PASS, 0.02)
    (second,) = place.look(counted(10, 1)).readings
    assert (second.answer, second.value) == (Answer.FAIL, 0.1)


def test_a_figure_without_requests_is_no_number() -> None:
    place = Place(ERRORS)
    place.look()
    found = place.look()
    assert found.verdict is Answer.UNKNOWN
    assert "no request came in since the reading before" in found.words


def test_a_rule_that_was_changed_begins_anew() -> None:
    """What the old one has said is no answer to it; the others go on."""
    place = Place(LATENCY, ERRORS)
    place.metrics.series[NEW] = [0.3]
    place.look()
    assert place.look(counted(10, 0)).verdict is Answer.PASS
    place.rules = (replace(LATENCY, value_max=0.2), ERRORS)
    found = place.look(after_s=10)
    assert (found.verdict, found.words) == (Answer.UNKNOWN, "The check 'latency' has not been read yet.")
    assert place.look().verdict is Answer.FAIL
    place.rules = (ERRORS,)
    assert [each["rule"]["name"] for each in place.look().state["checks"]] == ["errors"]


def test_what_is_remembered_does_not_grow() -> None:
    place = Place(LATENCY, ERRORS)
    sizes = []
    for _ in range(50):
        place.look(counted(100, 3))
        sizes.append(len(json.dumps(place.state)))
    assert max(sizes) - min(sizes) < 300


# --- before a rollout --------------------------------------------------------------------------------------------


def test_a_query_is_tried_on_what_serves() -> None:
    """The new version has said nothing yet."""
    place = Place(LATENCY)
    place.metrics.series[OLD] = [0.2]
    assert place.checks.preflight(ROLLOUT) == ""
    assert [query for query, _ in place.metrics.asked] == [OLD]


@pytest.mark.parametrize(
    ("series", "told"),
    [([], "found nothing"), ([math.nan], "nan"), ([math.inf], "inf"), ([1.0, 2.0], "2 series")],
)
def test_a_query_without_a_number_is_refused_with_what_it_answered(series: list[float], told: str) -> None:
    """And with what to do."""
    place = Place(LATENCY)
    place.metrics.series[OLD] = series
    refusal = place.checks.preflight(ROLLOUT)
    assert refusal.startswith("The check 'latency' gives no number, so it could decide nothing: ")
    assert told in refusal
    assert "What to do: " in refusal


def test_a_query_that_is_none_and_a_source_that_is_gone_are_refused() -> None:
    place = Place(replace(LATENCY, query="sum("))
    assert "does not take the query" in place.checks.preflight(ROLLOUT)
    place.metrics.fault = Fault.UNAVAILABLE
    assert "does not answer" in place.checks.preflight(ROLLOUT)


def test_every_query_that_is_wrong_is_told_at_once() -> None:
    place = Place(LATENCY, replace(LATENCY, name="other", query="sum("), ERRORS)
    assert [line.split("'")[1] for line in place.checks.preflight(ROLLOUT).splitlines()] == ["latency", "other"]


def test_a_value_that_serves_badly_is_no_reason_to_refuse() -> None:
    """What serves now is not what is judged: the next version may be the one that mends it."""
    place = Place(LATENCY)
    place.metrics.series[OLD] = [9.9]
    assert place.checks.preflight(ROLLOUT) == ""
    assert place.checks.trials(ROLLOUT)[0].answer is Answer.FAIL


@pytest.mark.parametrize(
    ("rollout", "query"),
    [
        (replace(ROLLOUT, stable_version=None), LATENCY.query),
        (ROLLOUT, 'latency{group="{role}"}'),
        (replace(ROLLOUT, stable_version=None), "latency"),
    ],
)
def test_what_cannot_be_known_yet_is_let_pass(rollout: Rollout, query: str) -> None:
    """Where nothing serves, and where only the new version will have the label; what is wrong anyway is refused."""
    place = Place(replace(LATENCY, query=query))
    assert place.checks.preflight(rollout) == ""
    place.rules = (replace(LATENCY, query=f"{query}("),)
    assert "does not take the query" in place.checks.preflight(rollout)


def test_information_that_cannot_be_had_holds_nothing_up() -> None:
    place = Place(replace(LATENCY, mode=CheckMode.INFORMATION))
    assert place.checks.preflight(ROLLOUT) == ""
    assert place.checks.trials(ROLLOUT)[0].answer is Answer.UNKNOWN


def test_a_figure_has_nothing_to_be_tried() -> None:
    place = Place(ERRORS)
    assert place.checks.preflight(ROLLOUT) == ""
    (trial,) = place.checks.trials(ROLLOUT)
    assert (trial.query, trial.value, trial.answer) == ("", None, Answer.UNKNOWN)
    assert place.metrics.asked == []


def test_a_value_that_cannot_be_filled_in_is_refused() -> None:
    place = Place(replace(LATENCY, query="latency_{stable_version}"))
    assert "cannot stand where the query has {stable_version}" in place.checks.preflight(ROLLOUT)
    assert place.metrics.asked == []
