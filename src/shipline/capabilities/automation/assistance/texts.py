"""The one comment of an assistant: what it says, and that it is an assistant who says so. Pure.

Its words are hostile, whoever wrote the change may have put them into its mouth: `neutral` shows them and nothing else,
and every line of them begins with something of ours, so that no forge takes one for a command.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from shipline.capabilities.automation.assistance.answers import Advice, Remark
from shipline.capabilities.automation.assistance.questions import Sent
from shipline.capabilities.automation.housekeeping.wording import code, counted
from shipline.capabilities.automation.remediation.texts import neutral
from shipline.ports.forge.reviews import Suggestion

MARKER = "shipline:assistant"
SUMMARY_LINES_MAX, TEXT_MAX, KEPT_MAX = 10, 800, 10
# From: docs.github.com: a comment has 65,536 characters at most.
COMMENT_MAX = 60_000


def comment_text(name: str, commit: str, advice: Advice, sent: Sent, *, apart: bool = False) -> str:
    """The whole comment below its marker. Parts that do not fit any more are left out, and counted. `apart`: the
    suggestions stand below their lines."""
    who = f"**Advice of an assistant** ({code(name)}) about `{commit[:9]}`."
    head = [f"{who} No person wrote it, it may be wrong, and nothing depends on it."]
    foot = _foot(sent)
    parts = [*_summary(advice), *_remarks(advice, apart=apart), *_findings(advice, sent), *_tests(advice)]
    if not parts:
        parts = ["It has nothing to say."]
    taken: list[str] = []
    for part in parts:
        if sum(len(each) + 2 for each in (*head, *taken, part, *foot)) + 100 > COMMENT_MAX:
            foot = [f"{counted(len(parts) - len(taken), 'part')} of it are left out here.", *foot]
            break
        taken.append(part)
    return "\n\n".join((*head, *taken, *foot))


def _summary(advice: Advice) -> Iterator[str]:
    lines = [line for line in advice.summary.splitlines() if line.strip()][:SUMMARY_LINES_MAX]
    if lines:
        yield "\n".join(f"> {neutral(line, TEXT_MAX)}" for line in lines)


def _remarks(advice: Advice, *, apart: bool) -> Iterator[str]:
    for remark in advice.remarks:
        there = " (a suggestion stands there)" if apart and remark.replacement is not None else ""
        yield f"{code(remark.path)} {_place(remark)}{there}: {neutral(remark.text, TEXT_MAX)}"
        if remark.replacement is not None and not apart:
            yield f"```suggestion\n{remark.replacement}\n```"


def suggestions_of(name: str, commit: str, advice: Advice, sent: Sent) -> Iterator[Suggestion]:
    """The suggestions, to stand below their lines."""
    files = {file.path: file for file in sent.change.files}
    for remark in advice.remarks:
        if remark.replacement is None:
            continue
        place = f"{commit} {remark.path} {remark.line} {remark.replacement}"
        marker = f"{MARKER}:{hashlib.sha256(place.encode('utf-8', 'replace')).hexdigest()[:20]}"
        text = f"**Advice of an assistant** ({code(name)}): {neutral(remark.text, TEXT_MAX)}"
        last = remark.last_line or remark.line
        old = files[remark.path].lines()[remark.line].old
        yield Suggestion(commit, remark.path, remark.line, last, old, text, remark.replacement, marker)


def _place(remark: Remark) -> str:
    """Where it is, for people."""
    last = remark.last_line or remark.line
    return f"line {remark.line}" if last == remark.line else f"lines {remark.line} to {last}"


def _findings(advice: Advice, sent: Sent) -> Iterator[str]:
    by_id = {one.id: one for one in sent.change.findings}
    for explained in advice.findings:
        found = by_id[explained.id]
        place = f" in {code(found.path)}" if found.path else ""
        yield f"The finding {code(found.rule)}{place}: {neutral(explained.text, TEXT_MAX)}"


def _tests(advice: Advice) -> Iterator[str]:
    for test in advice.tests:
        shown = "" if test.code is None else f"\n\n```text\n{test.code}\n```"
        yield f"A test that is missing, of {code(test.path)}: {neutral(test.text, TEXT_MAX)}{shown}"


def _foot(sent: Sent) -> list[str]:
    if not sent.kept:
        return []
    more = f" and {len(sent.kept) - KEPT_MAX} more" if len(sent.kept) > KEPT_MAX else ""
    return [f"It was not shown {', '.join(code(path) for path in sent.kept[:KEPT_MAX])}{more}."]
