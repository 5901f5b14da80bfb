"""The program that tries a user's pattern on lines: `python -I -S .../pattern_process.py`, JSON in and out.

It is a process of its own because a pattern may take for ever on a line that its author chose, and can be ended then.
The request is `{"pattern", "lines"}`, a line's characters being its bytes; the answer is a list of
`[line, start, end]`: where the group `version` stands, and is not empty.
"""

from __future__ import annotations

import json
import re
import sys


def places(pattern: str, lines: list[str]) -> list[tuple[int, int, int]]:
    """The answer."""
    compiled = re.compile(pattern.encode())
    found = [
        (number, *match.span("version"))
        for number, line in enumerate(lines)
        for match in compiled.finditer(line.encode("latin-1"))
    ]
    return [each for each in found if each[1] < each[2]]


if __name__ == "__main__":
    asked = json.load(sys.stdin)
    json.dump(places(asked["pattern"], asked["lines"]), sys.stdout)
