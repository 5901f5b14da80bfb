"""Patterns of paths as GitHub and GitLab read them, as regular expressions that take no longer than the path is long.

Python's `re` tries again where a part does not fit, which takes time without end on a pattern made for it. So what a
`*` has taken is kept (a look-ahead with a group, since Python 3.11.2 has no such groups of its own), and only so many
`**` may stand in one pattern.
"""

from __future__ import annotations

import re

from shipline.domain.errors import InvalidValue

PATTERN_LENGTH_MAX = 1000
DEEP_MAX = 3
_PIECE = re.compile(
    r"\\(?P<plain>.)|(?P<star>\*+)|(?P<any>\?)|(?P<set>\[(?P<not>[!^])?(?P<members>[^\]/]+)\])", re.DOTALL
)


def github_pattern(text: str) -> re.Pattern[str]:
    """A pattern of GitHub's CODEOWNERS: those of .gitignore, without `!`, `[ ]` and an escaped `#`: InvalidValue.

    From: docs.github.com, "About code owners", read 2026-11. A last `*` is for the files of that folder alone.
    """
    if text.startswith(("!", "\\#")) or re.search(r"(?<!\\)[\[\]]", text):
        raise InvalidValue(f"the pattern {text[:80]!r} has what does not work there: ! in front, [ ] or \\#")
    body = text.strip("/")
    if not body:
        raise InvalidValue(f"the pattern {text[:80]!r} fits no file")
    anchored = "/" in text.rstrip("/")
    parts = body.split("/")
    # A name alone may be a folder's, and then all in it is meant; what a last * fits are only files.
    below = "" if parts[-1] == "*" and len(parts) > 1 else "(?:/.+)?"
    end = "/.+" if text.endswith("/") else below
    return _compiled(text, parts, in_front="" if anchored else "(?:.+/)?", end=end, sets=False)


def gitlab_pattern(text: str) -> re.Pattern[str]:
    """A pattern of GitLab's CODEOWNERS: Ruby's File.fnmatch with FNM_PATHNAME and FNM_DOTMATCH.

    From: docs.gitlab.com/user/project/codeowners/advanced, read 2026-11. Without a slash in front it fits at any
    depth, also where it has slashes further on; with one at its end it fits all that is below.
    """
    if text == "*":
        return re.compile(".+", re.DOTALL)
    body = text.removeprefix("\\") if text.startswith("\\#") else text
    anchored, below = body.startswith("/"), body.endswith("/")
    parts = body.strip("/").split("/")
    if parts == [""]:
        raise InvalidValue(f"the pattern {text[:80]!r} fits no file")
    end = "/.+" if below else ""
    return _compiled(text, parts, in_front="" if anchored else "(?:.+/)?", end=end, sets=True, deep_at_end=below)


def _compiled(  # noqa: PLR0913 - what makes one pattern
    text: str, parts: list[str], *, in_front: str, end: str, sets: bool, deep_at_end: bool = True
) -> re.Pattern[str]:
    if len(text) > PATTERN_LENGTH_MAX or parts.count("**") > DEEP_MAX or "" in parts:
        raise InvalidValue(
            f"the pattern {text[:80]!r} is longer than {PATTERN_LENGTH_MAX} characters, has two slashes in a row"
            f" or ** more than {DEEP_MAX} times"
        )
    out = [in_front]
    groups = 0
    for number, part in enumerate(parts):
        is_last = number == len(parts) - 1
        if part == "**" and not is_last:
            out.append("(?:.+/)?")
            continue
        if part == "**" and deep_at_end:
            out.append(".+")
            break
        piece, groups = _segment(part, groups, sets=sets)
        out.append(piece if is_last else f"{piece}/")
    return re.compile("".join([*out, end]), re.DOTALL)


def _segment(part: str, groups: int, *, sets: bool) -> tuple[str, int]:
    """One name of a path. All stars but the last keep the first that fits: what comes behind fits there or nowhere."""
    chunks, at = [""], 0
    for found in _PIECE.finditer(part):
        chunks[-1] += re.escape(part[at : found.start()])
        at = found.end()
        if found["star"]:
            chunks.append("")
        elif found["any"]:
            chunks[-1] += "[^/]"
        elif found["set"] and sets:
            chunks[-1] += f"(?!/)[{'^' if found['not'] else ''}{_members(found['members'])}]"
        else:
            chunks[-1] += re.escape(found["plain"] or found[0])
    chunks[-1] += re.escape(part[at:])
    if len(chunks) == 1:
        return chunks[0], groups
    first, *middle, last = chunks
    text = first
    for chunk in middle:
        groups += 1
        text += f"(?=(?P<g{groups}>[^/]*?{chunk}))(?P=g{groups})"
    whole = "[^/]+" if chunks == ["", ""] else f"[^/]*{last}"
    return text + whole, groups


def _members(text: str) -> str:
    """The inside of a `[a-z]`, where a hyphen between two signs alone is a range."""
    return "-".join(re.escape(piece) if piece else "" for piece in text.split("-")) if "-" in text else re.escape(text)
