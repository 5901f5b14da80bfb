"""Path globs as npm, pnpm, Cargo and uv write them: `packages/*`, `libs/**`, `{apps,tools}/*`, `crates/[ab]?`. Pure.

`*`, `?` and `[...]` stay within one folder's name, `**` stands for any number of folders. A pattern is matched folder
by folder and each name without backtracking, so that no pattern of a stranger can cost more than its length says.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

from shipline.domain.errors import InvalidValue

LENGTH_MAX = 300
ALTERNATIVES_MAX = 64
SPECIAL = re.compile(r"[*?\[{]")
BRACES = re.compile(r"\{([^{}]*)\}")

Segments = tuple[re.Pattern[str] | None, ...]
"""One a folder name; None stands for `**`."""


def is_glob(pattern: str) -> bool:
    """True if `pattern` can stand for more than the path that it spells."""
    return SPECIAL.search(pattern) is not None


def literal_folder(pattern: str) -> str:
    """The folder above all that `pattern` can stand for, "" for the top."""
    names = cleaned(pattern).split("/")
    fixed = next((index for index, name in enumerate(names) if is_glob(name)), len(names))
    return "/".join(names[:fixed])


def cleaned(pattern: str) -> str:
    """The pattern without `./` before and `/` behind it. InvalidValue for one that is too long."""
    if len(pattern) > LENGTH_MAX:
        raise InvalidValue(f"the path pattern {pattern[:60]!r} is longer than {LENGTH_MAX} characters")
    return pattern.removeprefix("./").strip("/")


def matches(pattern: str, path: str) -> bool:
    """True if `pattern` stands for `path`, relative and with forward slashes."""
    names = path.split("/")
    return any(_fits(segments, names) for segments in _compiled(pattern))


def selected(patterns: Iterable[str], paths: Sequence[str]) -> list[str]:
    """Those of `paths` that the patterns select in their order, `!pattern` taking away what came before it."""
    chosen: dict[str, None] = {}
    for pattern in patterns:
        if pattern.startswith("!"):
            chosen = {path: None for path in chosen if not matches(pattern[1:], path)}
        else:
            chosen |= {path: None for path in paths if matches(pattern, path)}
    return list(chosen)


@lru_cache(maxsize=4096)
def _compiled(pattern: str) -> tuple[Segments, ...]:
    return tuple(
        tuple(None if name == "**" else re.compile(fnmatch.translate(name)) for name in alternative.split("/"))
        for alternative in _alternatives(cleaned(pattern))
    )


def _alternatives(pattern: str) -> list[str]:
    """The pattern once for each choice in its braces."""
    waiting, done = [pattern], []
    while waiting:
        each = waiting.pop()
        found = BRACES.search(each)
        if found is None:
            done.append(each)
        else:
            waiting += [each[: found.start()] + choice + each[found.end() :] for choice in found[1].split(",")]
        if len(waiting) + len(done) > ALTERNATIVES_MAX:
            raise InvalidValue(f"the path pattern {pattern[:60]!r} has more than {ALTERNATIVES_MAX} alternatives")
    return done


def _fits(segments: Segments, names: Sequence[str]) -> bool:
    """Whether all names are used up by all segments: `reached` are the numbers of names that may be used up so far."""
    if None not in segments and len(segments) != len(names):
        return False
    reached = {0}
    for segment in segments:
        if segment is None:
            reached = set(range(min(reached), len(names) + 1))
        else:
            reached = {used + 1 for used in reached if used < len(names) and segment.match(names[used])}
        if not reached:
            return False
    return len(names) in reached
