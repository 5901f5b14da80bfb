"""Conventional Commits 1.0.0, its own examples first."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipline.capabilities.plans.conventional import Message, read_change, read_message
from shipline.capabilities.plans.rules import bump_of
from shipline.domain.change import Bump
from shipline.ports.repository import Commit

SHA = "0123456789abcdef0123456789abcdef01234567"

# From: https://www.conventionalcommits.org/en/v1.0.0/#examples
SPECIFICATION_EXAMPLES: list[tuple[str, dict[str, Any]]] = [
    (
        (
            "feat: allow provided config object to extend other configs\n\n"
            "BREAKING CHANGE: `extends` key in config file is now used for extending other config files"
        ),
        {
            "type": "feat",
            "description": "allow provided config object to extend other configs",
            "breaking": True,
            "breaking_notes": ("`extends` key in config file is now used for extending other config files",),
        },
    ),
    (
        "feat!: send an email to the customer when a product is shipped",
        {"type": "feat", "breaking": True, "breaking_notes": ()},
    ),
    (
        "feat(api)!: send an email to the customer when a product is shipped",
        {"type": "feat", "scope": "api", "breaking": True},
    ),
    (
        "feat!: drop support for Node 6\n\nBREAKING CHANGE: use JavaScript features not available in Node 6.",
        {"breaking": True, "breaking_notes": ("use JavaScript features not available in Node 6.",)},
    ),
    ("docs: correct spelling of CHANGELOG", {"type": "docs", "scope": None, "breaking": False}),
    ("feat(lang): add Polish language", {"type": "feat", "scope": "lang"}),
    (
        (
            "fix: prevent racing of requests\n\n"
            "Introduce a request id and a reference to latest request. Dismiss\n"
            "incoming responses other than from latest request.\n\n"
            "Remove timeouts which were used to mitigate the racing issue but are\n"
            "obsolete now.\n\n"
            "Reviewed-by: Z\nRefs: #123"
        ),
        {"type": "fix", "references": ("#123",), "breaking": False},
    ),
    (
        "revert: let us never again speak of the noodle incident\n\nRefs: 676104e, a215868",
        {"type": "revert", "reverts": ("676104e", "a215868")},
    ),
]

# Every rule of https://www.conventionalcommits.org/en/v1.0.0/#specification that a message can show, by its number.
SPECIFICATION_RULES: list[tuple[int, str, dict[str, Any]]] = [
    (1, "fix: x", {"type": "fix", "scope": None, "breaking": False, "description": "x"}),
    (1, "fix x", {"type": ""}),
    (2, "feat: x", {"type": "feat"}),
    (3, "fix: x", {"type": "fix"}),
    (4, "fix(parser): x", {"type": "fix", "scope": "parser"}),
    (
        5,
        "fix: array parsing issue when multiple spaces were contained in string",
        {"description": ("array parsing issue when multiple spaces were contained in string")},
    ),
    (6, "fix: x\n\nwhy it was so", {"description": "x", "body": "why it was so"}),
    (7, "fix: x\n\none\n\ntwo\nthree\n\nfour", {"body": "one\n\ntwo\nthree\n\nfour"}),
    (8, "fix: x\n\nReviewed-by: Z\nCloses #7", {"references": ("#7",)}),
    (9, "fix: x\n\nAcked-by: A B\nBREAKING CHANGE: y", {"breaking_notes": ("y",)}),
    (10, "fix: x\n\nBREAKING CHANGE: y\n  and z\nRefs: #1", {"breaking_notes": ("y and z",), "references": ("#1",)}),
    (11, "fix!: x", {"breaking": True}),
    (11, "fix: x\n\nBREAKING CHANGE: y", {"breaking": True}),
    (
        12,
        "docs: x\n\nBREAKING CHANGE: environment variables now take precedence over config files",
        {"breaking_notes": ("environment variables now take precedence over config files",)},
    ),
    (13, "chore!: drop support for Node 6", {"breaking": True, "description": "drop support for Node 6"}),
    (14, "docs: update ref docs.", {"type": "docs", "breaking": False}),
    (15, "Fix(Api)!: x\n\nrefs: #1", {"type": "fix", "scope": "Api", "breaking": True, "references": ("#1",)}),
    (15, "fix: x\n\nBreaking Change: y", {"breaking": False}),
    (16, "fix: x\n\nBREAKING-CHANGE: y", {"breaking": True, "breaking_notes": ("y",)}),
]

HABITS: list[tuple[str, dict[str, Any]]] = [
    # Item 15: units are not case sensitive, except BREAKING CHANGE; item 16: the hyphen is a synonym.
    ("FEAT(Core): x", {"type": "feat", "scope": "Core", "description": "x"}),
    ("fix: x\n\nBREAKING-CHANGE: y", {"breaking": True, "breaking_notes": ("y",)}),
    ("fix: x\n\nbreaking change: y", {"breaking": False, "breaking_notes": ()}),
    # Item 10: a value goes on until the next footer.
    ("fix: x\n\nBREAKING CHANGE: y\nz\n\nmore\nCloses #4", {"breaking_notes": ("y z\n\nmore",), "references": ("#4",)}),
    ("fix: x\nBREAKING CHANGE:\n  below", {"breaking_notes": ("below",)}),
    ("fix: x\n\nBREAKING CHANGE: y\n\n(cherry picked from commit 0123abc)", {"breaking_notes": ("y",)}),
    ("no header\n\nBREAKING CHANGE: y", {"type": "", "description": "no header", "breaking": True}),
    # Not conventional.
    ("feat:x", {"type": "", "description": "feat:x"}),
    ("feat : x", {"type": ""}),
    ("feat x: y", {"type": ""}),
    (": x", {"type": ""}),
    ("feat: ", {"type": "", "description": "feat:"}),
    ("fixup! feat: x", {"type": ""}),
    ("Merge pull request #3 from a/b\n\nfeat: x", {"type": "", "references": ("#3",)}),
    ("", {"type": "", "description": ""}),
    # Scopes.
    ("fix(): x", {"type": "fix", "scope": None}),
    ("fix(a(b)): x", {"scope": "a(b)"}),
    ("fix(a): b (c): d", {"scope": "a", "description": "b (c): d"}),
    ("fix(@scope/pkg, other): x", {"scope": "@scope/pkg, other"}),
    # References.
    ("fix: x (#12)\n\nCloses #3, org/repo#4\nRefs: ABC-7", {"references": ("#12", "#3", "org/repo#4", "ABC-7")}),
    ("fix: read UTF-8\n\nSee: nothing at all", {"references": ()}),
    # Reverts as git and forges write them.
    (
        f'Revert "feat(x): y (#3)" (#4)\n\nThis reverts commit {SHA}.',
        {"type": "revert", "description": "feat(x): y (#3)", "reverts": (SHA,)},
    ),
    ('Revert "feat: y (#3)" (#4)\n\nReverts org/repo#3', {"type": "revert", "reverts": ("org/repo#3",)}),
    ('Revert "feat: y"\n\nReverts #3, a/1234567#8', {"reverts": ("#3", "a/1234567#8")}),
    (f'Reapply "feat(x): y"\n\nThis reverts commit {SHA}.', {"type": "feat", "scope": "x", "reverts": (SHA,)}),
    (f"fix: x\n\nThis reverts commits 0123456 and\n{SHA}.", {"type": "fix", "reverts": ("0123456", SHA)}),
    # Of a merge git names the parent that stays, too.
    (
        f"Revert \"Merge branch 'x'\"\n\nThis reverts commit {SHA}, reversing\nchanges made to {'9' * 40}.",
        {"type": "revert", "reverts": (SHA,)},
    ),
    # Bytes, line breaks.
    ("feat: x\r\n\r\nBREAKING CHANGE: y\r\n", {"description": "x", "breaking_notes": ("y",), "body": ""}),
    ("\n\nfeat: x\n\nbody\n\n", {"description": "x", "body": "body"}),
]


@pytest.mark.parametrize(
    ("message", "expected"), [*SPECIFICATION_EXAMPLES, *(row[1:] for row in SPECIFICATION_RULES), *HABITS]
)
def test_messages_are_read_as_the_table_says(message: str, expected: dict[str, Any]) -> None:
    read = read_message(message)._asdict()
    assert {name: read[name] for name in expected} == expected
    assert read_message(message.encode())._asdict() == read


@pytest.mark.parametrize(
    ("message", "bump"),
    [
        # From: https://www.conventionalcommits.org/en/v1.0.0/#how-does-this-relate-to-semver
        ("fix: x", Bump.PATCH),
        ("feat: x", Bump.MINOR),
        ("fix: x\n\nBREAKING CHANGE: y", Bump.MAJOR),
        ("docs!: x", Bump.MAJOR),
        ("anything(at-all)!: x", Bump.MAJOR),
    ],
)
def test_the_bump_is_what_the_specification_s_questions_say(message: str, bump: Bump) -> None:
    assert bump_of(read_change(Commit("c" * 40, (), "Ann", "a@example.com", 7, message))) is bump


def test_bytes_that_are_not_text_are_read_all_the_same() -> None:
    assert read_message(b"fix: caf\xe9").description == "caf\ufffd"


def test_a_commit_becomes_a_change() -> None:
    change = read_change(Commit("c" * 40, (), "Ann", "a@example.com", 7, "fix(a)!: b (#1)\n\nwhy\n"))
    assert (change.commit, change.author, change.time_us) == ("c" * 40, "Ann", 7)
    assert (change.type, change.scope, change.breaking, change.body) == ("fix", "a", True, "why")
    assert change.references == ("#1",)


@pytest.mark.parametrize(
    "text",
    [
        "fix: " + "a" * 200_000 + "b#1",
        "fix: " + "a/" * 100_000 + "#1",
        "fix(" + ")" * 200_000,
        "fix: x\n\n" + "A" * 200_000 + "\nRefs: " + "A1" * 100_000,
        "fix: x\n\n" + "a: b\n" * 50_000,
        "revert: x\n\n" + "Reverts " * 50_000,
        "fix: x\n\nBREAKING CHANGE: " + "\n \t" * 50_000,
        'Revert "' * 50_000,
        'Reapply "' * 50_000,
    ],
)
@pytest.mark.timeout(20)
def test_reading_takes_time_in_proportion_to_the_length(text: str) -> None:
    """What grows with the square of the length would take hours here, not the milliseconds that it does."""
    read_message(text)


PIECES = st.sampled_from(
    [
        "feat",
        "fix",
        "(",
        ")",
        "!",
        ":",
        ": ",
        " #",
        "#1",
        "\n",
        "\n\n",
        "\r\n",
        "BREAKING CHANGE: ",
        'Revert "',
        '"',
        "This reverts commit ",
        SHA,
        "Refs: ",
        'Reapply "',
        "\0",
        " ",
        "é",
        "-",
    ]
)


@given(st.text() | st.lists(PIECES, max_size=30).map("".join))
def test_no_text_makes_it_fail(text: str) -> None:
    read = read_message(text)
    assert isinstance(read, Message)
    assert read.type == read.type.lower()
    assert "\n" not in read.description
    assert read.breaking or not read.breaking_notes


@given(st.binary())
def test_no_bytes_make_it_fail(raw: bytes) -> None:
    read_message(raw)


WORDS = st.text("abcdefghij ", min_size=1, max_size=30).map(lambda text: " ".join(text.split())).filter(bool)


@given(
    kind=st.sampled_from(["feat", "fix", "docs", "my-type"]),
    scope=st.none() | st.text("abc/-@.", min_size=1, max_size=10),
    breaking=st.booleans(),
    description=WORDS,
    body=st.lists(WORDS, max_size=3),
    notes=st.lists(WORDS, max_size=2),
    number=st.integers(1, 9999),
)
def test_what_is_written_by_the_rules_reads_back(  # noqa: PLR0913 - one argument a part of the message
    *,
    kind: str,
    scope: str | None,
    breaking: bool,
    description: str,
    body: list[str],
    notes: list[str],
    number: int,
) -> None:
    header = f"{kind}{f'({scope})' if scope else ''}{'!' if breaking else ''}: {description}"
    footers = [f"BREAKING CHANGE: {note}" for note in notes] + [f"Closes #{number}"]
    read = read_message("\n\n".join([header, *body, "\n".join(footers)]))
    assert (read.type, read.scope, read.description) == (kind, scope, description)
    assert (read.breaking, read.breaking_notes) == (breaking or bool(notes), tuple(notes))
    assert read.references == (f"#{number}",)
