"""What is answered to a command, in the Markdown of all forges. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from shipline.capabilities.plans import safe_line

LINES_MAX = 40
LINE_MAX = 400


def marker(about: str) -> str:
    """What the answer to a comment is found by."""
    return f"shipline:command {about}"


def answer(author: str, line: str, headline: str, sentences: Sequence[str] = ()) -> str:
    """The whole answer. `line` is the command as it was understood; no sentence of it calls somebody."""
    shown = [plain(sentence) for sentence in sentences[:LINES_MAX]]
    if len(sentences) > LINES_MAX:
        shown.append(f"and {len(sentences) - LINES_MAX} more")
    listed = "".join(f"\n- {one}" for one in shown)
    asked = f"`{line.replace('`', '')}` by `{author.replace('`', '')}`" if line else f"`{author.replace('`', '')}`"
    return f"{asked}: **{plain(headline)}**" + (f"\n{listed}" if listed else "")


def plain(sentence: str) -> str:
    """A sentence on one line that calls nobody: much of it was written by others."""
    return safe_line(sentence[:LINE_MAX]).replace("@", "@\u2060")
