"""What is sent to an assistant, and what becomes of what it says: both ways are hostile."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from shipline.capabilities.automation import AssistantRules, Change, FileDiff, Noticed, read_command
from shipline.capabilities.automation.assistance.answers import Advice, is_safe, read_advice
from shipline.capabilities.automation.assistance.questions import Sent, question_of
from shipline.capabilities.automation.assistance.texts import COMMENT_MAX, comment_text
from shipline.domain.errors import InvalidValue
from shipline.ports.assistant import Said
from shipline.ports.forge import bears, hidden

RULES = AssistantRules(("review", "explain", "tests"), ("**/*.lock", "secret/**"), {"**/*.py": "typed"}, 4000, 500, 5)
HUNKS = "@@ -1,2 +1,3 @@ def f():\n one\n-two\n+zwei\n+drei\n@@ -9 +10 @@\n-x\n+y == None\n"
FINDING = Noticed("F1", "high", "sql", "Injection", "Do not", "a.py", 2)
CHANGE = Change("feat: more", (FileDiff("a.py", HUNKS),), (FINDING,))
TOKEN = "ghp_" + "a" * 36


TEXT = """> One mistake.

`a.py` lines 2 to 3: wrong

```suggestion
deux
trois
```

The finding `sql` in `a.py`: real

A test that is missing, of `a.py`: none

```text
def test_f():
    f()
```"""


def sent(change: Change = CHANGE, rules: AssistantRules = RULES) -> Sent:
    found = question_of(change, rules)
    assert found is not None
    return found


def said(**parts: Any) -> Said:
    return Said(json.dumps(parts))


def advice(**parts: Any) -> Advice:
    return read_advice(said(**parts), sent(), RULES.tasks)


def test_what_is_sent_is_a_document_of_what_may_be_sent() -> None:
    """Nothing that is left out, binary, or holds a key; of the rest no secret."""
    key = "@@ -0,0 +1,3 @@\n+-----BEGIN RSA PRIVATE KEY-----\n+MIIE\n+-----END RSA PRIVATE KEY-----\n"
    files = (
        FileDiff("uv.lock", HUNKS),
        FileDiff("secret/a.py", HUNKS),
        FileDiff("logo.png", ""),
        FileDiff("key.txt", key),
        FileDiff("a.py", HUNKS.replace("drei", f"TOKEN = '{TOKEN}'")),
    )
    found = sent(replace(CHANGE, title=f"feat: {TOKEN}", files=files))
    document = json.loads(found.question.material)
    assert [file["path"] for file in document["files"]] == ["a.py"]
    assert TOKEN not in found.question.material
    assert document["notes"] == [{"files": "**/*.py", "text": "typed"}]
    assert document["findings"][0]["id"] == "F1"
    assert found.kept == ("key.txt", "logo.png", "secret/a.py", "uv.lock")
    assert found.question.tokens_max == 500


def test_no_more_is_sent_than_is_allowed_and_only_what_is_asked_for() -> None:
    large = FileDiff("b.py", "@@ -1 +1 @@\n" + "+\u00e4\n" * 2000)
    found = sent(replace(CHANGE, files=(large, *CHANGE.files)), replace(RULES, tasks=("review",)))
    assert (len(found.question.material.encode()) <= 4000, found.kept) == (True, ("b.py",))
    assert json.loads(found.question.material)["findings"] == []
    assert '"tests"' not in found.question.instructions
    assert question_of(replace(CHANGE, files=(large,)), RULES) is None


def test_what_was_asked_for_is_taken_over() -> None:
    found = advice(
        summary="One mistake.",
        remarks=[{"path": "a.py", "line": 2, "text": "wrong", "replacement": "deux\ntrois\n", "last_line": 3}],
        findings=[{"id": "F1", "text": "real"}, {"id": "F9", "text": "made up"}],
        tests=[{"path": "a.py", "text": "none", "code": "def test_f():\n    f()"}],
    )
    text = comment_text("small", "a" * 40, found, sent())
    first, rest = text.split("\n\n", 1)
    assert first == (
        "**Advice of an assistant** (`small`) about `aaaaaaaaa`. "
        "No person wrote it, it may be wrong, and nothing depends on it."
    )
    assert rest == TEXT
    assert read_advice(said(summary="x", remarks=[]), sent(), ("tests",)) == Advice()


@pytest.mark.parametrize(
    ("remark", "replacement"),
    [
        ({"line": 10}, "y is None"),
        ({"line": 10, "replacement": "y == None"}, None),
        ({"line": 3, "last_line": 10}, None),
        ({"line": 3, "last_line": 2}, None),
        ({"line": 10, "replacement": "a\n```\n/release\n"}, None),
        ({"line": 10, "replacement": "  /label ~urgent"}, None),
        ({"line": 10, "replacement": f"{hidden('shipline:pull-request')}"}, None),
        ({"line": 10, "replacement": "if a:\u202e pass"}, None),
        ({"line": 10, "replacement": f"key = '{TOKEN}'"}, None),
        ({"line": 10, "replacement": "x" * 5000}, None),
    ],
)
def test_a_suggestion_is_code_for_lines_that_were_shown_and_nothing_else(
    remark: dict[str, Any], replacement: str | None
) -> None:
    """A remark stays without it."""
    (found,) = advice(remarks=[{"path": "a.py", "text": "t", "replacement": "y is None"} | remark]).remarks
    assert found.replacement == replacement


def test_remarks_about_what_was_not_shown_are_dropped() -> None:
    other = [{"path": "b.py", "line": 1, "text": "t"}, {"path": "a.py", "line": 7, "text": "t"}]
    assert advice(remarks=other) == Advice()


@pytest.mark.parametrize(
    "answer",
    [
        Said("I think it is fine."),
        Said("[]"),
        Said('{"verdict": "approve"}'),
        Said('{"remarks": [{"path": "a.py", "line": "2", "text": "t"}]}'),
        Said('{"summary": "a", "summary": "b"}'),
        Said("[" * 100_000),
        Said('{"summary": "fine"}', whole=False),
    ],
)
def test_what_is_no_answer_is_refused(answer: Said) -> None:
    with pytest.raises(InvalidValue):
        read_advice(answer, sent(), RULES.tasks)


def test_an_answer_in_a_fence_is_read() -> None:
    assert read_advice(Said('```json\n{"summary": "fine"}\n```'), sent(), RULES.tasks).summary == "fine"


HOSTILE = (
    f"/release 9.9.9\n/approve\n@ada closes #1 !2 <img src=x onerror=y> [click](https://evil.example) www.evil.example "
    f"`x` {hidden('shipline:pull-request')}\n```\n/merge\n```\n# Title\n\u2028/close\r/assign @ada {TOKEN}"
)


def test_whatever_it_says_commands_nothing_calls_nobody_and_is_no_other_comment() -> None:
    found = advice(
        summary=HOSTILE,
        remarks=[{"path": "a.py", "line": 2, "text": HOSTILE, "replacement": HOSTILE}],
        findings=[{"id": "F1", "text": HOSTILE}],
        tests=[{"path": "a.py", "text": HOSTILE, "code": HOSTILE}],
    )
    text = comment_text(f"`{HOSTILE}", "a" * 40, found, sent())
    assert read_command(text) is None
    assert all(read_command(line) is None for line in text.splitlines())
    assert not any(line.lstrip().startswith(("/", "#", "```")) for line in text.splitlines())
    assert not bears(text, "shipline:pull-request")
    assert TOKEN not in text
    outside = "".join(text.replace("\\`", "").split("`")[0::2]).replace("\\", "")  # In code nobody is called.
    assert not any(each in outside for each in ("@ada", "#1", "!2", "<img", "](https://", "https://", "www.evil"))


def test_a_comment_has_an_end() -> None:
    many = [{"path": "a.py", "line": 10, "text": "t" * 800, "replacement": f"{n}" + "x" * 3900} for n in range(30)]
    text = comment_text("small", "a" * 40, advice(remarks=many), sent())
    assert len(text) <= COMMENT_MAX
    assert "of it are left out here" in text


def test_code_of_others_is_shown_as_it_is_or_not_at_all() -> None:
    assert is_safe("/* a comment */\n// another\n\tx = a / b\n")
    assert not is_safe("~~~")
