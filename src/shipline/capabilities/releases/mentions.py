"""Release notes on a forge that call nobody: `@types/node` or `@Input` in a commit is meant for no person. Pure.

A forge takes `@name` in a page or a pull request for a call, and tells whoever has that name. A word joiner behind the
sign is not to be seen and ends that; in code, where nobody is called, everything stays as it can be copied. A changelog
in a file calls nobody, and stays as it is.

From: Renovate's and niv-updater-action's ways with the changelogs of others (renovatebot/renovate#30842).
"""

from __future__ import annotations

import re

JOINER = "\u2060"
# Code that is skipped, in fences and on one line, or a sign that may call. `a@b` is an address, `/@name` a part of one.
CODE_OR_CALL = re.compile(
    r"^ *(?P<fence>`{3,}|~{3,})[^\n]*\n(?:[^\n]*\n)*? *(?P=fence)[^\n]*$"
    r"|(?<!`)(?P<ticks>`+)(?!`)[^\n]*?(?<!`)(?P=ticks)(?!`)"
    r"|(?<![\w/.@])@(?=\w)",
    re.MULTILINE,
)


def without_calls(markdown: str) -> str:
    """The same text to look at, in which no name is called."""
    return CODE_OR_CALL.sub(lambda found: f"@{JOINER}" if found[0] == "@" else found[0], markdown)
