"""Times, numbers, states and notes as people read them."""

from __future__ import annotations

import pytest

from shipline.apps.server import words
from shipline.apps.server.notes import Block, Span, blocks

HOUR_US = 3_600_000_000


@pytest.mark.parametrize(
    ("before_us", "said"),
    [
        (-5 * HOUR_US, "just now"),
        (0, "just now"),
        (11_000_000, "11 seconds ago"),
        (60_000_000, "1 minute ago"),
        (HOUR_US * 3 // 2, "1 hour ago"),
        (HOUR_US * 49, "2 days ago"),
    ],
)
def test_how_long_ago_something_was(before_us: int, said: str) -> None:
    now_us = 1_790_000_000_000_000
    assert words.ago(now_us - before_us, now_us) == said


def test_times_are_exact_and_never_fail() -> None:
    assert words.rfc3339(1_790_000_000_000_000) == "2026-09-21T14:13:20Z"
    assert words.exact(-1) == "1970-01-01 00:00:00 UTC"
    assert words.exact(2**62).startswith("9999")


@pytest.mark.parametrize(
    ("number", "said"), [(0.004, "0.4%"), (0.5, "50%"), (0.125, "12.5%"), (0, "0%"), (1, "100%"), (0.0007, "0.07%")]
)
def test_shares(number: float, said: str) -> None:
    assert words.percent(number) == said


@pytest.mark.parametrize(
    ("value", "said"),
    [(0.19, "0.19"), (1.5623, "1.56"), (2692.4, "2,692"), (4e7, "4e+07"), (1e12, "over 1,000,000,000")],
)
def test_evidence(value: float, said: str) -> None:
    assert words.evidence(value) == said


def test_states_and_kinds_of_events() -> None:
    assert words.state("rolled_back") == "Rolled back"
    assert words.state("PASS") == "Pass"
    assert words.state("failed") == "Stuck"
    assert words.event_words("CanaryWeightChanged") == "Canary weight changed"
    assert words.tone("something new") == "quiet"


def test_sizes_durations_and_plain_values() -> None:
    assert [words.size(number) for number in (0, 999, 14_812, 3_000_000)] == [
        "0 bytes",
        "999 bytes",
        "14.8 kB",
        "3.0 MB",
    ]
    assert [words.duration(seconds) for seconds in (-1, 0.44, 200, 7_500)] == [
        "0.0 s",
        "0.4 s",
        "3 min 20 s",
        "2 h 5 min",
    ]
    assert [words.plain(value) for value in (None, True, 0.94, 1_200, "x")] == [
        "not known",
        "yes",
        "0.94",
        "1,200",
        "x",
    ]


def test_notes_are_headings_lists_and_paragraphs() -> None:
    text = "## [1.0.0]\n\n### Features\n\n- **api:** a `b` &lt;c (1a2b3c4)\n- d\n\nOne\nparagraph.\n"
    assert blocks(text) == (
        Block("heading", ((Span("text", "Features"),),)),
        Block(
            "list",
            (
                (Span("strong", "api:"), Span("text", " a "), Span("code", "b"), Span("text", " <c (1a2b3c4)")),
                (Span("text", "d"),),
            ),
        ),
        Block("paragraph", ((Span("text", "One"), Span("text", " "), Span("text", "paragraph.")),)),
    )


def test_notes_without_end_are_cut() -> None:
    assert len(blocks("### x\n" * 10_000)) <= 2_001
