"""What is judged, how it is said, and what is proposed; that a glance and the judge agree; that nothing takes long."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shipline.capabilities.plans.lint.bulk import Linter
from shipline.capabilities.plans.lint.cleanup import kept
from shipline.capabilities.plans.lint.judge import is_ignored, judge, proposal
from shipline.capabilities.plans.lint.message import Message
from shipline.capabilities.plans.lint.packed import pack, unpack
from shipline.capabilities.plans.lint.proposals import nearest
from shipline.capabilities.plans.lint.report import report
from shipline.capabilities.plans.lint.rules import CHECKS, CONVENTIONAL, TYPES, Rule
from shipline.capabilities.plans.lint.settings import read_rules
from shipline.domain.errors import ConfigurationError
from tests.capabilities.plans.lint.messages import WHOLE, messages
from tests.capabilities.plans.lint.test_witness import RULE_SETS

SCISSORS = "# ------------------------ >8 ------------------------"
PROPOSALS = {
    "feature: Add y.": "feat: add y",
    "fix : a": "fix: a",
    "feat:a": "feat: a",
    "Fix(core):  A": "fix(core): a",
    "added new stuff": "feat: new stuff",
    "[fix] the thing": "fix: the thing",
    " feat: a ": "feat: a",
    "dosc: a": "docs: a",
    "fix: API": "fix: api",
    "hotfix!: Urgent...": "fix!: urgent...",
    "do what must be done": "",
    "zebra: a": "",
    "feat: ": "",
    "": "",
    "feat: " + "a" * 100: "",
    "FEAT: " + "a" * 300: "",
}


@pytest.mark.parametrize("header", PROPOSALS)
def test_what_can_be_put_right_is_proposed(header: str) -> None:
    assert proposal(header, CONVENTIONAL) == PROPOSALS[header]


@given(messages)
def test_what_is_proposed_is_taken(message: str) -> None:
    better = proposal(message, CONVENTIONAL)
    rest = message.strip("\n").partition("\n")[2]
    wrong = {each.rule for each in judge(f"{better}\n{rest}", CONVENTIONAL) if each.is_error}
    assert better == "" or not {rule for rule in wrong if not rule.startswith(("body-", "footer-"))}


def test_proposals_keep_to_the_rules_that_are_set() -> None:
    rules = read_rules(
        {
            "scope-enum": [2, "always", ["api", "cli"]],
            "subject-case": [2, "always", "lower-case"],
            "subject-full-stop": [2, "always", "."],
            "scope-case": [2, "always", "lower-case"],
        }
    )
    assert proposal("feat(apis): Add JSON", rules) == "feat(api): add json."


def test_the_nearest_type_is_near() -> None:
    assert [nearest(word, TYPES) for word in ("fxi", "refact", "perff", "xyzzy", "FEAT", "")] == [
        "fix",
        "refactor",
        "perf",
        "",
        "feat",
        "",
    ]


@pytest.mark.parametrize("message", WHOLE)
def test_what_nobody_writes_by_hand_is_let_pass(message: str) -> None:
    written = message in {"1.2", "01.2.3", "Mergers and acquisitions", "revert: a"}
    assert is_ignored(message) is not written
    if not written:
        assert judge(message, CONVENTIONAL) == []


@settings(max_examples=300)
@given(message=messages, table=st.sampled_from(list(RULE_SETS.values())), ignores=st.booleans())
def test_a_glance_finds_what_the_judge_finds(message: str, table: dict[str, Any], *, ignores: bool) -> None:
    rules = read_rules(table)
    glanced = Linter(rules, default_ignores=ignores).problems(message)
    judged = judge(message, rules, default_ignores=ignores)
    assert [(each.rule, each.message) for each in glanced] == [(each.rule, each.message) for each in judged]


@pytest.mark.parametrize("table", RULE_SETS.values(), ids=list(RULE_SETS))
def test_rules_come_back_as_they_were_packed(table: dict[str, Any]) -> None:
    rules = read_rules(table)
    again, ignores = unpack(pack(rules, default_ignores=False))
    assert ignores is False
    assert fields_of(again) == fields_of(rules)


def fields_of(rules: tuple[Rule, ...]) -> list[tuple[object, ...]]:
    return [(each.name, each.level, each.always, each.value, each.delimiters) for each in rules]


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ({"type-enums": [2, "always"]}, "did you mean 'type-enum'"),
        ({"type-enum": "feat"}, "wants [level"),
        ({"type-enum": [2]}, "wants [level"),
        ({"type-enum": [3, "always", []]}, "wants [level"),
        ({"type-enum": [True, "always", []]}, "wants [level"),
        ({"type-enum": [2, "often", []]}, "wants [level"),
        ({"type-enum": [2, "always", [1]]}, "a list of texts"),
        ({"type-enum": [2, "always", ["a\nb"]]}, "of one line"),
        ({"header-max-length": [2, "always", "72"]}, "a number"),
        ({"header-max-length": [2, "always", -1]}, "a number"),
        ({"subject-case": [2, "always", ["title-case"]]}, "lower-case, upper-case"),
        ({"subject-case": [2, "always"]}, "lower-case, upper-case"),
        ({"scope-enum": [2, "always", {"scope": []}]}, "a list of texts"),
        ({"subject-full-stop": [2, "never", 1]}, "a text"),
        ({"body-empty": [2, "never", "x"]}, "no value"),
        ({"header-trim": [2, "always", "x", "y"]}, "wants [level"),
    ],
)
def test_rules_are_read_strictly(table: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read_rules(table)
    assert told in caught.value.diagnosis()


def test_a_rule_that_is_off_is_gone_and_the_others_stay() -> None:
    rules = read_rules({"type-enum": [0], "body-max-line-length": [0, "always", 100], "scope-empty": [1, "never"]})
    names = [rule.name for rule in rules]
    assert "type-enum" not in names
    assert "body-max-line-length" not in names
    assert names == [name for name in CHECKS if name in names]
    assert [each.level for each in judge("zebra: a", rules)] == [1]


@pytest.mark.parametrize(
    ("text", "config", "editor", "left"),
    [
        ("feat: a\n# b\n", "", "vi", "feat: a\n"),
        ("feat: a\n# b\n", "", ":", "feat: a\n# b\n"),
        ("feat: a\n# b\n", "commit.cleanup strip", ":", "feat: a\n"),
        ("feat: a\n# b\n", "commit.cleanup whitespace", "vi", "feat: a\n# b\n"),
        (f"feat: a\n# b\n{SCISSORS}\nc", "commit.cleanup scissors", "vi", "feat: a\n# b"),
        (f"feat: a\n{SCISSORS}\nc", "", ":", "feat: a"),
        ("feat: a\n; b\n# c", "core.commentchar ;", "", "feat: a\n# c"),
        (f"feat: a\n;{SCISSORS[1:]}\nc", "core.commentchar ;", "", "feat: a"),
        ("feat: a\n// b", "core.commentstring //", "", "feat: a"),
        ("#1: a\n; b\n; c\n", "core.commentchar auto", "vi", "#1: a\n"),
        ("feat: a\n\nb", "core.commentchar auto", "vi", "feat: a\n\nb"),
    ],
)
def test_comments_go_as_git_takes_them_away(text: str, config: str, editor: str, left: str) -> None:
    assert kept(text, config, editor) == left


def test_what_is_shown_does_not_steer_the_terminal() -> None:
    header = "feat\x1b[2J: A\x07" + "b" * 300
    said = report("", header, judge(header, CONVENTIONAL), proposal(header, CONVENTIONAL))
    assert said.replace("\n", "").isprintable()
    assert max(map(len, said.split("\n"))) < 250


@pytest.mark.parametrize(
    "text",
    [
        "(" * (1 << 20),
        "feat(" * 200_000,
        "feat: " + "'" * (1 << 20),
        "feat: a\n\n" + "fix " * 250_000 + "#1",
        "feat: a\n\n" + "#" * (1 << 20),
        "feat: a\n\n" + "#a" * 500_000 + "!",
        "feat: a\n\n" + " " * (1 << 20) + "\nBREAKING CHANGE",
        "feat: a\n\n" + "https://" * 120_000,
        "feat: a\n" * 100_000,
        "x" * (1 << 20) + ": a",
    ],
    ids=lambda text: repr(text[:24]),
)
def test_a_megabyte_is_judged_in_linear_time(text: str) -> None:
    """Anything worse would not end within the test's time."""
    rules = read_rules(RULE_SETS["delimiters and cases"])
    assert isinstance(judge(text, (*CONVENTIONAL, *rules)), list)
    assert proposal(text, CONVENTIONAL) == "" or len(text) < 200
    assert Message(text).header == text.partition("\n")[0]
