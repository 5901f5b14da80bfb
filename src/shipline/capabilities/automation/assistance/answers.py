"""What an assistant said, read strictly: pure.

An answer is one JSON object of known keys, or it is none. A remark about what was not sent is dropped, and so is a text
that could be more than what it looks like where it is shown as code.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from shipline.capabilities.automation.assistance.questions import EXPLAIN, REVIEW, TESTS, FileDiff, Sent
from shipline.domain.codec import from_json
from shipline.domain.errors import InvalidValue
from shipline.domain.secrecy import redacted
from shipline.domain.strict_json import read_json
from shipline.ports.assistant import ANSWER_BYTES_MAX, Said

REMARKS_MAX, TESTS_MAX = 20, 10
CODE_MAX, LINES_MAX = 4000, 60
# A fence would end the block, a marker make the comment another one of ours, and a forge may carry out a line that
# begins with a command, wherever it stands. What nobody sees, or is shown in another order, is not what it looks like.
_UNSAFE = re.compile(
    r"`{3}|~{3}|<!--|^[ \t]*/[A-Za-z]|[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e"
    r"\u2060-\u206f\ufeff\ud800-\udfff]",
    re.MULTILINE,
)
_FENCED = re.compile(r"```(?:json)?\n(.*)\n```", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Remark:
    """About a line of the new file. `replacement` takes the place of the lines from `line` to `last_line`."""

    path: str
    line: int
    text: str
    replacement: str | None = None
    last_line: int | None = None


@dataclass(frozen=True, slots=True)
class Explained:
    """About a finding, by the id that it was sent with."""

    id: str
    text: str


@dataclass(frozen=True, slots=True)
class MissingTest:
    """A test that is missing. `code` is None where none could be shown."""

    path: str
    text: str
    code: str | None = None


@dataclass(frozen=True, slots=True)
class Advice:
    """All that is taken over of an answer."""

    summary: str = ""
    remarks: tuple[Remark, ...] = ()
    findings: tuple[Explained, ...] = ()
    tests: tuple[MissingTest, ...] = ()


def read_advice(said: Said, sent: Sent, tasks: tuple[str, ...]) -> Advice:
    """What an answer advises, of what was asked. InvalidValue for what is none."""
    if not said.whole:
        raise InvalidValue("the assistant's answer was cut off", todo="allow more by tokens_max in [assistant]")
    text = said.text.strip()
    fenced = _FENCED.fullmatch(text)
    document = read_json(
        (text if fenced is None else fenced[1]).encode("utf-8", "replace"),
        what="the assistant's answer",
        limit_bytes=ANSWER_BYTES_MAX,
    )
    advice = from_json(Advice, document)
    files = {file.path: file for file in sent.change.files}
    remarks = (_remark(one, files[one.path]) for one in advice.remarks if one.path in files)
    known = {one.id for one in sent.change.findings}
    explained = {one.id: one for one in advice.findings if one.id in known and one.text.strip()}
    tests = (_test(one) for one in advice.tests if one.path in files and one.text.strip())
    return Advice(
        advice.summary.strip() if REVIEW in tasks else "",
        tuple(one for one in remarks if one is not None)[:REMARKS_MAX] if REVIEW in tasks else (),
        tuple(explained.values()) if EXPLAIN in tasks else (),
        tuple(tests)[:TESTS_MAX] if TESTS in tasks else (),
    )


def _remark(said: Remark, file: FileDiff) -> Remark | None:
    """None for a remark about a line that was not sent. What replaces lines of two hunks, or nothing, is left out."""
    lines = file.lines()
    if said.line not in lines or not said.text.strip():
        return None
    last = said.line if said.last_line is None else said.last_line
    wanted = range(said.line, last + 1) if said.line <= last < said.line + LINES_MAX else range(0)
    bare = replace(said, replacement=None, last_line=None)
    if said.replacement is None or not wanted or not all(number in lines for number in wanted):
        return bare
    new = said.replacement.replace("\r\n", "\n").removesuffix("\n")
    is_one = len({lines[number].hunk for number in wanted}) == 1
    if not is_one or new == "\n".join(lines[number].text for number in wanted) or not is_safe(new):
        return bare
    return replace(said, replacement=new, last_line=last)


def _test(said: MissingTest) -> MissingTest:
    code = None if said.code is None else said.code.replace("\r\n", "\n").strip("\n")
    return replace(said, code=code if code and is_safe(code) else None)


def is_safe(code: str) -> bool:
    """Whether somebody's code can be shown as a block, and be nothing else. A masked secret is no code any more."""
    return len(code) <= CODE_MAX and _UNSAFE.search(code) is None and redacted(code) == code
