"""What an item says, in one form for all forges, and how a copy of it is written. Pure.

A copy bears a hidden marker that names its original, a line that says who wrote it and where, and a second marker below
which the text begins. Text of strangers is written by our account on the other forge, with our account's rights: so a
line that would be a command there (GitLab's quick actions, our own slash commands) is written as text, nobody is
mentioned by it, a number such as #12 leads to nothing, since that is something else there (and a pull request's
"fixes #12" would close it), and it cannot hold a marker of Shipline's: what bears one and is our account's is taken for
ours. Code is left as it is where all forges agree that it is code; where that is not sure, nothing is.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from shipline.domain.secrecy import redacted
from shipline.ports.forge import hidden

Value: TypeAlias = "str | tuple[str, ...]"
Content: TypeAlias = Mapping[str, Value]
"""What is kept alike of an item, by field: a text, or a set of names in order."""
Seen: TypeAlias = Mapping[str, Value]
"""The same with a hash for each text: what is remembered of an item."""

MARKER = "shipline-sync"
TEXT_BEGINS = hidden(f"{MARKER}-text")
BODY_MAX = 60_000  # Characters: GitHub takes 65,536, and the lines above the text want room.
CUT = "\n\n*This text is longer than the other forge takes.*"
_OURS = re.compile(rf"<!-- ({MARKER} [^\n>]*) -->\n")
_MARK = "<!-- shipline"
_FENCE = re.compile(r"```[\w+.-]*")
# What makes forges disagree on where code is: other fences, and those within something; HTML, tables, and a line that
# begins with a span, which GitLab takes for code up to a later line's end when it looks for commands.
# From: spec.commonmark.org/0.31.2/#precedence; docs.gitlab.com/user/project/quick_actions.
_UNSURE = re.compile(r"``|~~~|^\s*`|^\s*>>>|<[A-Za-z/!?]|\\`")
_SPAN = re.compile(r"(`[^`]*`)")
_COMMAND = re.compile(r"^([^\S\n]*)/(?=[a-zA-Z])", re.MULTILINE)
_ESCAPED_COMMAND = re.compile(r"^([^\S\n]*)\\/(?=[a-zA-Z])", re.MULTILINE)
# A plain address is left as it is. Forges call whoever is named in the page, so also by a sign's number in HTML.
_MEANING = re.compile(
    r"(?<!\S)https?://[a-z0-9.-]+\.[a-z]+/[\w./@%~+#!?=-]*"
    r"|(?<!\w)(?:@(?=\w)|[#!](?=\d)|(?:GH|gh)(?=-\d))|&(?=#[0-9xX]|(?:commat|num|excl);)"
)
_PAGE = re.compile(r"https?://[^\s<>]{1,500}")
_SPLIT = "<!-- -->"
_SPLIT_SIGN = re.compile(rf"([@#!&]|GH|gh){_SPLIT}")
# GitLab writes an upload as a path below the project, Gitea as one below its root.
# From: docs.gitlab.com/api/project_markdown_uploads; docs.gitea.com/usage/issues-prs/attachments.
_UPLOAD = re.compile(r"""(\]\(|src=["'])(/uploads/[0-9a-f]{32}/|/attachments/[0-9a-f-]{36})""")


class Side(StrEnum):
    """Where something is: on the project's own forge, or on the other one."""

    HERE = "here"
    THERE = "there"

    @property
    def other(self) -> Side:
        """The opposite one."""
        return Side.THERE if self is Side.HERE else Side.HERE


class Kind(StrEnum):
    """What is kept alike. A ref is a branch or a tag."""

    LABEL = "label"
    MILESTONE = "milestone"
    ISSUE = "issue"
    COMMENT = "comment"
    REF = "ref"
    RELEASE = "release"
    PULL = "pull request"


@dataclass(frozen=True, slots=True)
class Item:
    """Something on a forge. `key` is the forge's name for it. `copy_of` is the key of what it is a copy of on the other
    side, "" for none; only what our account wrote can be a copy. `updated_us` is 0 where it is not known."""

    key: str
    content: Content
    author: str = ""
    copy_of: str = ""
    updated_us: int = 0
    web: str = ""


def seen(content: Content) -> dict[str, Value]:
    """What is remembered of it."""
    return {name: value if isinstance(value, tuple) else short_hash(value) for name, value in content.items()}


def short_hash(text: str) -> str:
    """The first half of the sha256, in hexadecimal digits: told apart, and never turned back into the text."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def marker_of(kind: Kind, place: str, key: str) -> str:
    """The marker of a copy of that item; `place` is the name of the forge and repository that it is in."""
    return f"{MARKER} {kind.value} {place} {key}"


def original_of(body: str, kind: Kind, place: str) -> str:
    """The key that a copy's marker names, "" where it is no copy of such an item in that place."""
    found = _OURS.match(body)
    prefix = marker_of(kind, place, "")
    return found[1].removeprefix(prefix) if found is not None and found[1].startswith(prefix) else ""


def text_of(body: str, web: str = "") -> str:
    """The text of an item: what stands below the markers, with the same ends of lines and links on every forge.

    `web` is the address of the repository; files that were attached are led to it.
    """
    text = _with_plain_ends(body)
    if _OURS.match(text) and TEXT_BEGINS in text:
        text = text.split(TEXT_BEGINS, 1)[1]
    text = _ESCAPED_COMMAND.sub(r"\1/", _SPLIT_SIGN.sub(r"\1", text)).strip()
    return _UPLOAD.sub(lambda found: f"{found[1]}{_root_of(found[2], web)}{found[2]}", text) if web else text


def _root_of(path: str, web: str) -> str:
    return web if path.startswith("/uploads/") else "/".join(web.split("/")[:3])


def harmless(text: str) -> str:
    """A text of a stranger as our account may write it. `text_of` gives it back, but for secrets and markers."""
    safe = redacted(_with_plain_ends(text)).replace(_MARK, _MARK.replace(" ", " of ", 1))
    if len(safe) > BODY_MAX:
        safe = safe[:BODY_MAX] + CUT
    return _outside_code(safe)


def _with_plain_ends(text: str) -> str:
    """GitLab leaves lone carriage returns out before it looks for commands."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _without_meaning(text: str) -> str:
    return _COMMAND.sub(r"\1\\/", _MEANING.sub(_split, text))


def _split(found: re.Match[str]) -> str:
    return found[0] if "://" in found[0] else found[0] + _SPLIT


def _outside_code(text: str) -> str:
    """Without meaning but for its code; all of it where that is not sure."""
    lines, in_fence = [], False
    for line in text.split("\n"):
        is_fence = line == "```" if in_fence else _FENCE.fullmatch(line) is not None
        if not is_fence and (("```" in line) if in_fence else _is_unsure(line)):
            return _without_meaning(text)
        lines.append(line if is_fence or in_fence else _outside_spans(line))
        in_fence = in_fence is not is_fence
    return _without_meaning(text) if in_fence else "\n".join(lines)


def _is_unsure(line: str) -> bool:
    marks = line.count("`")
    return _UNSURE.search(line) is not None or marks % 2 == 1 or (marks > 0 and "|" in line)


def _outside_spans(line: str) -> str:
    """No line begins with a span here, so that a part before it is the beginning of the line."""
    first, *rest = _SPAN.split(line)
    parts = (part if place % 2 == 0 else _MEANING.sub(_split, part) for place, part in enumerate(rest))
    return _without_meaning(first) + "".join(parts)


def copied(text: str, *, author: str, place: str, web: str = "") -> str:
    """The body of a copy, to stand below its marker: who wrote it and where, then the text. `web` is the page of it."""
    who = author or "Somebody"
    page = f" (<{web}>)" if is_page(web) else ""
    return f"*{_plain(who)} wrote on {_plain(place)}{page}:*\n{TEXT_BEGINS}\n\n{harmless(text)}"


def is_page(web: str) -> bool:
    """Whether it is an address that can stand in any text."""
    return _PAGE.fullmatch(web) is not None


def _plain(name: str) -> str:
    """A name that means nothing in Markdown."""
    return re.sub(r"[^\w.:/ \[\]-]", "", name)[:100]
