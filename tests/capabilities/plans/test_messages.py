"""What one commit's text says: one message or several, and messages in the place of others."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipline.capabilities.plans.messages import (
    by_whole_id,
    corrections_in,
    read_messages,
    read_overrides,
    without_numbers,
)

OID = "0123456789abcdef0123456789abcdef01234567"

# Each text, and the headers that are read of it.
TABLE: list[tuple[str, list[str]]] = [
    # GitHub's squashed pull request, default message.
    ("feat: title (#12)\n\n* feat: one\n\n* fix(x)!: two\n\n* wip", ["feat: title (#12)", "feat: one", "fix(x)!: two"]),
    ("Many things (#3)\n\n* wip\n* feat: a\n* fix: b", ["feat: a", "fix: b"]),
    ("feat: one (#12)\n\n* feat: one\n* chore: format", ["feat: one (#12)", "chore: format"]),
    # GitLab's `%{all_commits}`.
    ("All of it\n\n* feat: a\n\n  why\n\n* docs: b", ["feat: a", "docs: b"]),
    # From: https://github.com/googleapis/release-please, README, "What if my PR contains multiple fixes or features?"
    (
        (
            "feat: adds v4 UUID to crypto\n\nThis adds support for v4 UUIDs to the library.\n\n"
            "fix(utils): unicode no longer throws exception\n  PiperOrigin-RevId: 345559154\n"
            "  BREAKING-CHANGE: encode method no longer throws.\n  Source-Link: googleapis/googleapis@5e0dcb2\n\n"
            "feat(utils): update encode to support unicode\n  PiperOrigin-RevId: 345559182"
        ),
        [
            "feat: adds v4 UUID to crypto",
            "fix(utils)!: unicode no longer throws exception",
            "feat(utils): update encode to support unicode",
        ],
    ),
    # The same, "How can I fix release notes?"
    (
        "x (#3)\n\nBEGIN_COMMIT_OVERRIDE\nfeat: a\n\nfix: b\nfix: c\nEND_COMMIT_OVERRIDE",
        ["feat: a", "fix: b", "fix: c"],
    ),
    ("feat: a\n\nBEGIN_NESTED_COMMIT\nfix: b\n\nwhy\nEND_NESTED_COMMIT\n", ["fix: b", "feat: a"]),
    # `git merge --squash`
    (
        (
            f"Squashed commit of the following:\n\ncommit {OID}\nAuthor: A <a@example.com>\n\n    feat: a\n\n"
            f"commit {OID}\nAuthor: A <a@example.com>\nDate:   Mon\n\n    fix: b\n"
        ),
        ["feat: a", "fix: b"],
    ),
    # What is no message of its own: trailers, closing words, prose, code, another commit's correction.
    ("fix: x\n\nfix: #12\nReviewed-by: Z\nNote: y", ["fix: x"]),
    ("fix: x\n\nAs before,\nfeat: stays in the text", ["fix: x"]),
    ("fix: x\n\n```\n* feat: y\n```", ["fix: x"]),
    ("fix: x\n\n* Feature: y\n* see the rest\n* note: see below\n- deps: none", ["fix: x"]),
    (f"chore: x\n\nBEGIN_COMMIT_OVERRIDE {OID}\nfeat: y\nEND_COMMIT_OVERRIDE", ["chore: x"]),
    ("nothing\n\nof note", [": nothing"]),
    ("", [": "]),
]
MERGES: list[tuple[str, str]] = [
    ("Merge pull request #3 from a/b\n\nfeat: x", "feat: x"),
    ("Merge branch 'x' into 'main'\n\nfix: title\n\nCloses #1\n\nSee merge request group/project!12", "fix: title"),
    ("Merge branch 'x'\n\n* x:\n  feat: listed by git", ": Merge branch 'x'"),
    ("feat: merged by hand\n\n* feat: a", "feat: merged by hand"),
]


def headers(text: str, *, merge: bool = False) -> list[str]:
    return [
        f"{one.type}{f'({one.scope})' if one.scope else ''}{'!' if one.breaking else ''}: {one.description}"
        for one in read_messages(text, merge=merge)
    ]


@pytest.mark.parametrize(("text", "expected"), TABLE)
def test_a_text_holds_the_messages_that_the_table_says(text: str, expected: list[str]) -> None:
    assert headers(text) == expected
    assert headers(text.replace("\n", "\r\n")) == expected


def test_the_types_of_the_project_begin_a_change_as_well() -> None:
    text = "Many (#3)\n\n* deps(npm): one\n* a+b: no type\n* note: prose\n* fix: two\n\ndeps!: three"
    found = read_messages(text, types=("deps", "feat", "a.b"))
    assert [(one.type, one.description, one.breaking) for one in found] == [
        ("deps", "one", False),
        ("fix", "two", False),
        ("deps", "three", True),
    ]


@pytest.mark.parametrize(("text", "expected"), MERGES)
def test_a_merge_is_read_by_its_title(text: str, expected: str) -> None:
    assert headers(text, merge=True) == [expected]


def test_all_of_a_squashed_request_belong_to_it() -> None:
    messages = read_messages("Many (#3)\n\n* feat: a\n* fix: b\n\nCloses #4")
    assert [one.references for one in messages] == [("#3",), ("#4", "#3")]
    (merged,) = read_messages("Merge branch 'x'\n\nfix: a\n\nSee merge request g/p!12", merge=True)
    assert merged.references == ("!12",)


def test_corrections_are_found_and_applied_by_the_start_of_an_id() -> None:
    text = f"chore: x\n\nBEGIN_COMMIT_OVERRIDE {OID[:9]}\nfeat: y\n\nwhy\nEND_COMMIT_OVERRIDE\n"
    assert corrections_in(text) == ((OID[:9], "feat: y\n\nwhy"),)
    assert by_whole_id([*corrections_in(text), (OID[:7], "older")], ["f" * 40, OID]) == {OID: "feat: y\n\nwhy"}
    assert by_whole_id([("abcdef0", "x")], [OID]) == {}


def test_the_file_of_overrides_is_read_by_its_headings() -> None:
    content = f"# Corrections\n\n## {OID}\n\nfix: a\r\n\n## `abcdef0`\n\n## not an id\nfeat: b\n".encode()
    assert read_overrides(content) == ((OID, "fix: a"), ("abcdef0", "## not an id\nfeat: b"))
    assert read_overrides(b"\xff") == ()


@pytest.mark.parametrize(
    ("text", "expected"),
    [("a", ("a", ())), ("a (#1) (!22)", ("a", ("!22", "#1"))), ("a (b)", ("a (b)", ())), ("(#x)", ("(#x)", ()))],
)
def test_requests_at_the_end_are_told_from_the_words(text: str, expected: tuple[str, tuple[str, ...]]) -> None:
    assert without_numbers(text) == expected


WORDS = "feat: a|\n|\n\n|* |- |fix: b|BEGIN_COMMIT_OVERRIDE|END_COMMIT_OVERRIDE| |```|\r|BEGIN_NESTED_COMMIT\n|(#1)|)"
PIECES = st.sampled_from(
    [*WORDS.split("|"), OID, "END_NESTED_COMMIT", "Squashed commit of the following:", "Merge branch 'x'"]
)


@given(st.text() | st.lists(PIECES, max_size=30).map("".join), st.booleans())
def test_no_text_makes_it_fail(text: str, merge: bool) -> None:  # noqa: FBT001 - Hypothesis's argument
    messages = read_messages(text, merge=merge)
    assert messages
    assert all(one.type for one in messages) or len(messages) == 1
    corrections_in(text)
    read_overrides(text.encode("utf-8", "replace"))


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "text",
    [
        "x\n" + "* feat: a" * 50_000,
        "x\n" + "* " * 200_000,
        "x\nBEGIN_COMMIT_OVERRIDE\n" * 2_000,
        "x\n" + "feat(" * 100_000,
    ],
)
def test_reading_takes_time_in_proportion_to_the_length(text: str) -> None:
    read_messages(text)
    corrections_in(text)
