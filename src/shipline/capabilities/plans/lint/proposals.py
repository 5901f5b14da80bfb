"""How a header could be put right, where that can be told. Pure.

A proposal is a whole header in which as much is mended as can be. Whether the rules take it is for the caller to see.
"""

from __future__ import annotations

from shipline.capabilities.plans.lint.message import Message, read_header
from shipline.capabilities.plans.lint.rules import Rule

LENGTH_MAX = 200
NEAR_MAX = 3
# What people write for a type, and what the convention calls it.
ALIASES = {
    "add": "feat",
    "added": "feat",
    "feature": "feat",
    "features": "feat",
    "new": "feat",
    "bug": "fix",
    "bugfix": "fix",
    "fixed": "fix",
    "fixes": "fix",
    "hotfix": "fix",
    "patch": "fix",
    "doc": "docs",
    "documentation": "docs",
    "readme": "docs",
    "optimize": "perf",
    "performance": "perf",
    "cleanup": "refactor",
    "refact": "refactor",
    "refactoring": "refactor",
    "tests": "test",
    "testing": "test",
    "format": "style",
    "formatting": "style",
    "lint": "style",
    "deps": "build",
    "dependencies": "build",
    "release": "chore",
    "maintenance": "chore",
    "update": "chore",
    "upgrade": "chore",
    "wip": "chore",
    "pipeline": "ci",
}


def nearest(word: str, known: tuple[str, ...]) -> str:
    """The one of `known` that somebody who wrote `word` most likely meant, "" where none is like it."""
    low = word.lower()
    if low in known:
        return low
    if ALIASES.get(low, "") in known:
        return ALIASES[low]
    found = min(known, key=lambda each: (distance(low[:40], each.lower()), each), default="")
    limit = min(NEAR_MAX, (max(len(low), len(found)) - 1) // 2)
    return found if found and distance(low[:40], found.lower()) <= limit else ""


def distance(one: str, other: str) -> int:
    """How many letters must be put in, taken out, changed, or swapped with the next, to make one word of the other."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for number, letter in enumerate(one):
        above, row = row, [number + 1]
        for index, each in enumerate(other):
            row.append(min(above[index + 1] + 1, row[index] + 1, above[index] + (letter != each)))
            if number and index and letter == other[index - 1] and one[number - 1] == each:
                row[-1] = min(row[-1], before[index - 1] + 1)
        before = above
    return row[-1]


def mended(header: str, rules: tuple[Rule, ...]) -> str:
    """The header as it could be; "" where it is too long for people to read, or has no text that could be a subject."""
    by_name = {rule.name: rule for rule in rules}
    text = header.strip()[: LENGTH_MAX + 1]
    kind, scope, breaking, subject = read_header(text)
    if not (kind and subject):
        kind, scope, breaking, subject = read_header(_formed(text))
    if not (kind and subject) or len(text) > LENGTH_MAX:
        return ""
    kind = _type(kind, by_name)
    scope = _scope(scope, by_name)
    subject = _subject(subject.strip(), by_name)
    mark = by_name.get("subject-exclamation-mark")
    exclaims = breaking if mark is None else mark.always
    return kind + (f"({scope})" if scope else "") + ("!" if exclaims else "") + f": {subject}"


def _formed(text: str) -> str:
    """A header of another form in the right one, as far as the type can be told; "" where it cannot."""
    before, colon, after = text.partition(":")
    word = before.replace(" ", "")
    if colon and word and after.strip() and read_header(f"{word}: x")[0] == word.partition("(")[0].rstrip("!"):
        return f"{word}: {after.strip()}"
    first, _, rest = text.partition(" ")
    kind = ALIASES.get(first.lower().strip("[]():"), "")
    if first[:1] in "[(":
        kind = first.strip("[]():").lower()
    return f"{kind}: {rest.strip().removeprefix('- ')}" if kind and rest.strip() else ""


def _type(kind: str, rules: dict[str, Rule]) -> str:
    known = rules.get("type-enum")
    if known is not None and known.always and kind not in known.names:
        return nearest(kind, known.names) or kind
    return kind.lower() if _wants_lower(rules.get("type-case")) else kind


def _scope(scope: str, rules: dict[str, Rule]) -> str:
    if rules.get("scope-empty") is not None and rules["scope-empty"].always:
        return ""
    known = rules.get("scope-enum")
    if known is not None and known.always and scope and scope not in known.names:
        return nearest(scope, known.names) or scope
    return scope.lower() if _wants_lower(rules.get("scope-case")) else scope


def _subject(subject: str, rules: dict[str, Rule]) -> str:
    stop = rules.get("subject-full-stop")
    if stop is not None and stop.value:
        mark = str(stop.value)
        while subject.endswith(mark) and not subject.endswith("...") and not stop.always:
            subject = subject.removesuffix(mark).rstrip()
        subject += mark if stop.always and not subject.endswith(mark) else ""
    case = rules.get("subject-case")
    if case is None or is_fine(case, subject):
        return subject
    return subject.lower() if _wants_lower(case) else _lowered(subject)


def is_fine(case: Rule, subject: str) -> bool:
    """True where the subject is in the case that it has to be in."""
    return not case.complaint(Message(f"a: {subject}"))


def _wants_lower(case: Rule | None) -> bool:
    return case is not None and case.always and "lower-case" in case.names


def _lowered(text: str) -> str:
    """A text with a small first letter; where all letters are capitals, with all of them small."""
    return text.lower() if text.upper() == text else text[:1].lower() + text[1:]
