"""What readings say about a check: no evidence is no pass, and no number fails nobody."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
from shipline.domain.codec import from_json, to_json
from shipline.domain.errors import InvalidValue
from shipline.domain.verdict import Answer
from shipline.ports.metrics import Language

LATENCY = CheckRule("latency", query="latency", value_max=0.5)
NONE = CheckReading(None, "the source found nothing")
LETTERS = {Answer.PASS: "P", Answer.FAIL: "F", Answer.UNKNOWN: "U"}


def good(value: float = 0.2) -> CheckReading:
    return CheckReading(value)


def story(rule: CheckRule, *readings: float | None) -> list[CheckFinding]:
    """What a check says to each of these in a row; None is a reading without a number."""
    state, findings = begin_check(rule, 0.0), []
    for number, value in enumerate(readings, start=1):
        reading = NONE if value is None else CheckReading(value)
        state, finding = take_in(rule, state, reading, number * 60.0)
        findings.append(finding)
    return findings


def letters(findings: list[CheckFinding]) -> str:
    """`P`, `F`, `U` for each, and `?` for an unknown that a person is asked about."""
    return "".join("?" if each.awaits_person else LETTERS[each.answer] for each in findings)


@pytest.mark.parametrize(
    ("failures_max", "inconclusive_max", "readings", "said"),
    [
        (0, 3, [0.2, 0.5, 0.3], "PPP"),
        (0, 3, [0.2, 0.51], "PF"),
        (1, 3, [0.6, 0.2, 0.6, 0.6], "UPUF"),
        (2, 3, [0.6, 0.6, 0.6], "UUF"),
        (0, 3, [None, None, None, None, 0.2], "UUU?P"),
        (0, 0, [None, 0.2, None], "?P?"),
        (0, 2, [None, 0.2, None, None, None], "UPUU?"),
        # A reading without a number neither forgets failures nor adds one.
        (1, 3, [0.6, None, None, 0.6], "UUUF"),
        (1, 3, [0.6, None, 0.2, 0.6], "UUPU"),
        # A failed reading is a number: the source can be relied on again.
        (5, 1, [None, 0.6, None, None], "UUU?"),
        (0, 3, [math.nan, math.inf, -math.inf], "UUU"),
        (0, 0, [math.nan], "?"),
    ],
)
def test_readings_in_a_row_make_an_answer(
    failures_max: int, inconclusive_max: int, readings: list[float | None], said: str
) -> None:
    rule = replace(LATENCY, failures_max=failures_max, inconclusive_max=inconclusive_max)
    assert letters(story(rule, *readings)) == said


@pytest.mark.parametrize(
    ("low", "high", "value", "answer"),
    [
        (0.99, None, 0.99, Answer.PASS),
        (0.99, None, 0.9899, Answer.FAIL),
        (None, 0.5, 0.5, Answer.PASS),
        (None, 0.5, 0.5001, Answer.FAIL),
        (1.0, 2.0, 1.5, Answer.PASS),
        (1.0, 2.0, 0.9, Answer.FAIL),
        (1.0, 2.0, 2.1, Answer.FAIL),
        (0.0, 0.0, 0.0, Answer.PASS),
        (-5.0, None, -5.0, Answer.PASS),
        (None, 0.0, 1e-300, Answer.FAIL),
    ],
)
def test_bounds_are_good_values_themselves(low: float | None, high: float | None, value: float, answer: Answer) -> None:
    rule = CheckRule("a", query="x", value_min=low, value_max=high)
    assert story(rule, value)[0].answer is answer


@given(readings=st.lists(st.one_of(st.none(), st.just(math.nan), st.just(math.inf)), max_size=30))
def test_no_evidence_is_never_a_pass_and_never_a_failure(readings: list[float | None]) -> None:
    """Whatever is tolerated."""
    for inconclusive_max in (0, 1, 1000):
        rule = replace(LATENCY, inconclusive_max=inconclusive_max)
        assert {each.answer for each in story(rule, *readings)} <= {Answer.UNKNOWN}


@given(
    readings=st.lists(st.one_of(st.none(), st.floats(allow_nan=True)), min_size=1, max_size=40),
    failures_max=st.integers(0, 3),
)
def test_only_a_good_number_passes_and_only_a_bad_one_fails(readings: list[float | None], failures_max: int) -> None:
    for value, finding in zip(readings, story(replace(LATENCY, failures_max=failures_max), *readings), strict=True):
        is_number = value is not None and math.isfinite(value)
        assert (finding.answer is Answer.PASS) == (is_number and value is not None and value <= 0.5)
        assert finding.answer is not Answer.FAIL or (value is not None and is_number and value > 0.5)


def test_words_say_what_was_read_and_what_is_allowed() -> None:
    rule = replace(LATENCY, failures_max=1, value_min=0.1)
    told = [finding.words for finding in story(rule, 0.2, 7.0, 0.0, None)]
    assert told == [
        "The check 'latency' reads 0.2.",
        "The check 'latency' reads 7, above the most that is allowed, 0.5. Failed readings in a row: 1, tolerated: 1.",
        "The check 'latency' reads 0, below the least that is allowed, 0.1. Failed readings in a row: 2, tolerated: 1.",
        "The check 'latency' has no number: the source found nothing. Readings without one in a row: 1, tolerated: 3.",
    ]
    long = take_in(rule, begin_check(rule, 0.0), CheckReading(None, "x" * 10_000), 1.0)[1]
    assert len(long.words) <= 500


def test_before_the_first_reading_nothing_is_known() -> None:
    """And that is due once there was time for something to be read."""
    state = begin_check(LATENCY, 1000.0)
    assert state.finding.answer is Answer.UNKNOWN
    assert not state.finding.awaits_person
    assert [is_due(LATENCY, state, now_s) for now_s in (1000.0, 1059.9, 1060.0, 5000.0)] == [False, False, True, True]


def test_a_clock_that_was_set_back_does_not_put_a_check_to_sleep() -> None:
    assert is_due(LATENCY, begin_check(LATENCY, 1000.0), 10.0)


def test_a_state_is_the_same_after_a_restart() -> None:
    state = begin_check(LATENCY, 0.1)
    for reading in (good(), NONE, good(0.7)):
        state = take_in(LATENCY, state, reading, 77.7)[0]
        assert from_json(CheckState, to_json(state)) == state


@pytest.mark.parametrize(
    ("gates", "information", "verdict"),
    [
        ("", "", Answer.PASS),
        ("P", "", Answer.PASS),
        ("PU", "", Answer.UNKNOWN),
        ("PUF", "", Answer.FAIL),
        ("P", "F", Answer.PASS),
        ("P", "U", Answer.PASS),
        ("U", "P", Answer.UNKNOWN),
        ("", "F", Answer.PASS),
    ],
)
def test_the_verdict_is_that_of_the_gates(gates: str, information: str, verdict: Answer) -> None:
    """One that fails outweighs all; information decides nothing."""
    answers = {letter: answer for answer, letter in LETTERS.items()}
    findings = [CheckFinding("a", CheckMode.GATE, answers[letter], None, "") for letter in gates]
    findings += [CheckFinding("b", CheckMode.INFORMATION, answers[letter], None, "") for letter in information]
    assert verdict_of(findings) is verdict


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"query": "", "value_max": 1.0}, "either a query or a figure"),
        ({"figure": "p99"}, "either a query or a figure"),
        ({"query": "", "figure": "p90"}, "no figure 'p90'"),
        ({"query": "  "}, "1 to 10000 characters"),
        ({"query": "x" * 10_001}, "1 to 10000 characters"),
        ({"query": "{verison}"}, "{verison}"),
        ({"value_max": None}, "has min, max or both"),
        ({"value_min": math.nan}, "not infinite and not NaN"),
        ({"value_max": math.inf}, "not infinite and not NaN"),
        ({"value_min": 1.0}, "no value would be good"),
        ({"query": "", "figure": "success_rate", "value_min": 99.0, "value_max": None}, "0 to 1"),
        ({"query": "", "figure": "error_rate", "value_max": -0.1}, "0 to 1"),
        ({"query": "", "figure": "p99", "value_max": -1.0}, "never below 0"),
        ({"every_s": 0}, "every_s is 1 to 86400"),
        ({"every_s": 86_401}, "every_s is 1 to 86400"),
        ({"failures_max": -1}, "failures_max is 0 to 1000"),
        ({"inconclusive_max": 1001}, "inconclusive_max is 0 to 1000"),
    ],
)
def test_a_rule_that_could_say_nothing_is_refused(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        replace(LATENCY, **changes)
    assert told in caught.value.diagnosis()


def test_braces_of_other_languages_are_their_own() -> None:
    assert replace(LATENCY, query="avg:a{*} by {host}", language=Language.PLAIN).query
