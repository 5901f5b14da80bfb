"""Which files of a chart's folder `helm package` leaves out, by `.helmignore`. Pure.

It looks like `.gitignore` and is not: the first rule that fits decides, there is no `**`, and `!RULE` leaves out what
does *not* fit it. Source: Helm 4, pkg/ignore/rules.go; patterns are those of Go's filepath.Match.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from shipline.domain.errors import InvalidValue

RULES_MAX = 1_000
# Helm's own, which comes after those of the file.
DEFAULT = "templates/.?*"
_CLASS = re.compile(r"\[(\^?)((?:\\.|[^\\\]])+)\]", re.DOTALL)
_RANGE = re.compile(r"(\\.|[^\\-])(?:-(\\.|[^\\-]))?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class _Rule:
    fits: Callable[[str], object]
    negated: bool
    folders_only: bool


class HelmIgnore:
    """The rules of one file. InvalidValue where Helm would refuse them."""

    def __init__(self, text: str) -> None:
        lines = [line.strip() for line in text.removeprefix("\ufeff").splitlines()]
        written = [line for line in lines if line and not line.startswith("#")]
        if len(written) > RULES_MAX:
            raise InvalidValue(f".helmignore has more than {RULES_MAX} rules")
        self._rules = tuple(_rule(line) for line in (*written, DEFAULT))

    def leaves_out(self, path: str, *, is_folder: bool) -> bool:
        """Whether `path`, from the chart's folder on, stays out of the package, with all that is in it."""
        for rule in self._rules:
            if rule.folders_only and not is_folder:
                if rule.negated:
                    return True
                continue
            if bool(rule.fits(path)) != rule.negated:
                return True
        return False


def _rule(line: str) -> _Rule:
    if "**" in line:
        raise InvalidValue(f".helmignore: {line[:80]!r} holds **, which Helm does not know")
    negated, rest = line.startswith("!"), line.removeprefix("!")
    folders_only, rest = rest.endswith("/"), rest.removesuffix("/")
    pattern = re.compile(_translated(rest.removeprefix("/"), line), re.DOTALL)
    if "/" in rest:
        return _Rule(pattern.fullmatch, negated, folders_only)
    return _Rule(lambda path: pattern.fullmatch(path.rpartition("/")[2]), negated, folders_only)


def _translated(pattern: str, line: str) -> str:
    """A pattern of filepath.Match as a regular expression.

    A star takes as little as lets what comes after it match, and never tries more (a look ahead, then what it found):
    that is enough as long as another star follows, and a hostile line of stars costs no more than its length.
    """
    first, *others = _pieces(pattern, line)
    if not others:
        return first
    between = "".join(f"(?=([^/]*?{piece}))\\{number}" for number, piece in enumerate(others[:-1], start=1))
    return f"{first}{between}[^/]*{others[-1]}"


def _pieces(pattern: str, line: str) -> list[str]:
    """What stands between the stars, each as a regular expression without groups."""
    pieces, at = [""], 0
    while at < len(pattern):
        char, end = pattern[at], at + 1
        if char == "*":
            pieces.append("")
        elif char == "?":
            pieces[-1] += "[^/]"
        elif char == "[":
            found = _CLASS.match(pattern, at)
            if found is None:
                raise _malformed(line)
            pieces[-1] += f"[{found[1]}{_class(found[2], line)}]"
            end = found.end()
        elif char == "\\":
            if end == len(pattern):
                raise _malformed(line)
            pieces[-1] += re.escape(pattern[end])
            end += 1
        else:
            pieces[-1] += re.escape(char)
        at = end
    return pieces


def _class(inside: str, line: str) -> str:
    """The ranges of a class, `a-z` or single characters, either of which may be escaped."""
    parts: list[str] = []
    at = 0
    while at < len(inside):
        found = _RANGE.match(inside, at)
        if found is None:
            raise _malformed(line)
        low, high = (end.removeprefix("\\") or "\\" for end in (found[1], found[2] or found[1]))
        if low > high:
            raise _malformed(line)
        parts.append(f"{re.escape(low)}-{re.escape(high)}")
        at = found.end()
    return "".join(parts)


def _malformed(line: str) -> InvalidValue:
    return InvalidValue(f".helmignore: {line[:80]!r} is no pattern")
