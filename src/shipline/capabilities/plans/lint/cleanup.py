"""What git keeps of the file that a message was written in: without comments, and nothing from the scissors on. Pure.

From: git-commit(1), `--cleanup`; git-config(1), `commit.cleanup`, `core.commentChar`, `core.commentString`;
githooks(5), by which `GIT_EDITOR` is `:` in hooks where no editor is started.
"""

from __future__ import annotations

SCISSORS = " ------------------------ >8 ------------------------"
SETTINGS = r"^(core\.comment(char|string)|commit\.cleanup)$"
# What git chooses a comment's first character from where core.commentChar is `auto`.
AUTOMATIC = "#;@!$%^&|:"


def kept(text: str, settings: str, editor: str) -> str:
    """The part of a text that becomes the message, but for the blanks that git takes off.

    `settings` is what `git config --get-regexp` prints for SETTINGS, `editor` the value of GIT_EDITOR. The scissors of
    `#` end the message also where comments begin in another way.
    """
    named = dict(line.partition(" ")[::2] for line in settings.split("\n"))
    comment = named.get("core.commentstring") or named.get("core.commentchar") or "#"
    if comment == "auto":
        comment = _automatic(text)
    cleanup = named.get("commit.cleanup", "default")
    strips = cleanup == "strip" or (cleanup not in ("whitespace", "verbatim", "scissors") and editor != ":")
    lines: list[str] = []
    for line in text.split("\n"):
        if line.rstrip() in (comment + SCISSORS, "#" + SCISSORS):
            break
        if not strips or not line.startswith(comment):
            lines.append(line)
    return "\n".join(lines)


def _automatic(text: str) -> str:
    """What git has chosen: its hints, which stand at the end, begin with it."""
    last = text.rstrip().rpartition("\n")[2][:1]
    return last if last and last in AUTOMATIC else "#"
