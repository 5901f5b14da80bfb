"""Words of others in what housekeeping writes: shown, and never obeyed. Pure.

In code nobody is called, no issue is linked and no HTML counts. A marker would make a comment another one of ours, so
no `<` is left.
"""

from __future__ import annotations

from shipline.capabilities.plans import safe_line

CODE_MAX = 80
WORDS_MAX = 300


def code(text: str) -> str:
    """Somebody's words as code on one line."""
    line = " ".join("".join(char if char.isprintable() else " " for char in text[: CODE_MAX * 4]).split())
    shown = line.replace("`", "'").replace("<", "\u2039")
    return f"`{shown if len(shown) <= CODE_MAX else shown[: CODE_MAX - 1] + '…'}`" if shown else "`?`"


def words(text: str) -> str:
    """A sentence that may hold somebody's words, on one line, without calls, links to issues or HTML."""
    line = " ".join(safe_line(text[:WORDS_MAX].replace("`", "'")).split())
    for sign in ("@", "#", "!", "://"):
        line = line.replace(sign, f"{sign[0]}\u2060{sign[1:]}")
    return line.replace("[", "\\[")


def counted(count: int, noun: str) -> str:
    """`1 file`, `2 files`."""
    return f"{count} {noun}{'' if count == 1 else 's'}"
