"""The rules mean what they mean in commitlint: the real one judges the same messages.

Where the two disagree on purpose, it is listed with what is so.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from shipline.capabilities.plans.lint.judge import judge
from shipline.capabilities.plans.lint.rules import CHECKS
from shipline.capabilities.plans.lint.settings import read_rules
from tests.capabilities.plans.lint.commitlint import CommitlintMissing, broken_rules
from tests.capabilities.plans.lint.messages import LINES, SUBJECTS, WHOLE, messages

CORPUS_SIZE = 1500
SIGNED = "Signed-off-by:"
# Between them, every rule with `always` and with `never`, where it knows both.
RULE_SETS: dict[str, dict[str, Any]] = {
    "as they come": {},
    "strict": {
        "type-case": [2, "never", "upper-case"],
        "type-max-length": [2, "always", 3],
        "type-min-length": [2, "always", 4],
        "type-empty": [2, "always"],
        "scope-empty": [2, "never"],
        "scope-enum": [2, "always", ["core", "a", "b"]],
        "scope-case": [2, "always", "kebab-case"],
        "scope-max-length": [1, "always", 3],
        "scope-min-length": [1, "always", 3],
        "scope-delimiter-style": [2, "always", ["/"]],
        "subject-case": [2, "always", "lower-case"],
        "subject-full-stop": [2, "always", "."],
        "subject-exclamation-mark": [2, "never"],
        "subject-max-length": [2, "always", 10],
        "subject-min-length": [2, "always", 5],
        "subject-empty": [2, "always"],
        "header-case": [2, "always", "lower-case"],
        "header-full-stop": [2, "never", "."],
        "header-max-length": [2, "always", 20],
        "header-min-length": [2, "always", 12],
        "body-empty": [2, "never"],
        "body-case": [2, "always", "sentence-case"],
        "body-full-stop": [2, "always", "."],
        "body-max-length": [2, "always", 30],
        "body-min-length": [2, "always", 20],
        "footer-empty": [2, "never"],
        "footer-max-length": [2, "always", 30],
        "footer-min-length": [2, "always", 20],
        "references-empty": [2, "never"],
        "signed-off-by": [2, "always", SIGNED],
        "trailer-exists": [2, "always", SIGNED],
        "breaking-change-exclamation-mark": [2, "always"],
    },
    "the other way round": {
        "type-enum": [2, "never", ["feat"]],
        "scope-empty": [2, "always"],
        "scope-enum": [2, "never", ["core"]],
        "scope-case": [2, "never", ["pascal-case", "start-case"]],
        "scope-delimiter-style": [2, "never", [","]],
        "subject-case": [2, "always", ["camel-case", "snake-case"]],
        "subject-full-stop": [2, "never", "!"],
        "subject-exclamation-mark": [2, "always"],
        "header-case": [2, "never", ["start-case", "upper-case"]],
        "header-full-stop": [2, "always", "."],
        "body-leading-blank": [2, "never"],
        "footer-leading-blank": [2, "never"],
        "body-empty": [2, "always"],
        "body-case": [2, "never", ["lower-case"]],
        "body-full-stop": [2, "never", "."],
        "footer-empty": [2, "always"],
        "references-empty": [2, "always"],
        "signed-off-by": [2, "never", SIGNED],
        "trailer-exists": [2, "never", SIGNED],
        "breaking-change-exclamation-mark": [2, "never"],
    },
    "delimiters and cases": {
        "subject-case": [2, "always", ["pascal-case", "kebab-case", "start-case"]],
        "scope-case": [2, "always", {"cases": ["snake-case"], "delimiters": ["-"]}],
        "scope-enum": [2, "always", {"scopes": ["a", "b"], "delimiters": ["-"]}],
        "type-case": [2, "always", ["upper-case", "start-case"]],
    },
}
PLAIN = [f"feat: {subject}" for subject in SUBJECTS] + [f"fix(core): a\n\n{line}" for line in LINES] + list(WHOLE)
# What commitlint says that is not so, and what is.
DISAGREEMENTS = {
    "feat: A\n\nMerge branch 'x'\nB.": (
        {"subject-case"},
        "any line that begins like a merge makes it skip the whole message; only the first makes it one of git's own",
    ),
    "\nfeat: a\n\nB.": (set(), "it looks for the blank line before the body where the message began, not the header"),
    "feat: a\n\nsee\nCloses #1\n\nsee": (
        {"footer-leading-blank"},
        "it agrees here, and not where the footer's first line stands in the message before",
    ),
    "feat: closes #1\nb\n\nfeat: closes #1": (
        {"body-leading-blank"},
        "it finds the footer's first line in the header, and the last line before it",
    ),
    "feat: " + "\U0001f680" * 90: (set(), "it counts a character beyond the basic plane as two"),
    "feat: a\rb": ({"body-leading-blank"}, "a carriage return alone ends a line, too"),
}
AGREED = "it agrees here"


def ours(message: str, rules: dict[str, Any] | None = None) -> set[str]:
    return {problem.rule for problem in judge(message, read_rules(rules or {}))}


@pytest.fixture(scope="module")
def corpus() -> list[str]:
    """Messages of all kinds, the same ones for every set of rules, without those where the two disagree on purpose."""
    found: list[str] = []

    @settings(max_examples=CORPUS_SIZE, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(messages)
    def collect(message: str) -> None:
        found.append(message)

    collect()
    return [message for message in found if message.strip() and not is_disputed(message)]


def is_disputed(message: str) -> bool:
    first, *rest = message.split("\n")
    doubled = len(set(rest)) < len(rest) or first in rest
    return message.startswith("\n") or any(line.startswith("Merge") for line in rest) or doubled


def test_every_rule_is_compared() -> None:
    assert {name for rules in RULE_SETS.values() for name in rules} | {
        "header-trim",
        "body-max-line-length",
        "footer-max-line-length",
    } == set(CHECKS)


@pytest.mark.parametrize("rules", RULE_SETS.values(), ids=list(RULE_SETS))
def test_both_find_the_same_rules_broken(rules: dict[str, Any], corpus: list[str]) -> None:
    asked = [message for message in PLAIN if not is_disputed(message)] + corpus
    try:
        theirs = broken_rules(asked, rules)
    except CommitlintMissing as missing:
        pytest.skip(str(missing))
    different = [
        (message, ours(message, rules) ^ broken)
        for message, broken in zip(asked, theirs, strict=True)
        if ours(message, rules) != broken
    ]
    assert different == []
    assert len(asked) > CORPUS_SIZE // 4


@pytest.mark.parametrize("message", DISAGREEMENTS)
def test_where_the_two_disagree_we_say_what_is_so(message: str) -> None:
    assert ours(message) == DISAGREEMENTS[message][0]


def test_the_disagreements_are_still_there() -> None:
    """One that is gone leaves the list."""
    disputed = [message for message, (_, words) in DISAGREEMENTS.items() if not words.startswith(AGREED)]
    try:
        theirs = broken_rules(disputed)
    except CommitlintMissing as missing:
        pytest.skip(str(missing))
    assert [message for message, broken in zip(disputed, theirs, strict=True) if ours(message) == broken] == []
