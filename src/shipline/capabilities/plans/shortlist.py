"""Which of very many tags can matter to a plan, told from their names, so that git need not open the others. Pure.

A plan of final versions needs the highest release that HEAD contains, and the pre-releases above it. So names are taken
from the highest version down, until one of them is a final release in HEAD; nothing below it changes the plan. That
holds only while a name says all: where tags name packages, have epochs or other forms, there is no short list.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from operator import itemgetter

FIRST_BATCH = 1  # Usually HEAD contains the highest version.
GROWTH = 8

# One line a name. What follows the numbers begins with neither a digit nor a point.
BARE = re.compile(r"^((?:v|release[-/])?(\d{1,18}(?:\.\d{1,18}){1,3})((?![\d.!])\S*))$", re.MULTILINE)
MAJOR = re.compile(r"(?:v|release[-/])?(\d{1,18})")  # What stands before the first point of what may be bare.
FINAL = re.compile(r"(?:v|release[-/])?(?:0|[1-9]\d{0,17})(?:\.(?:0|[1-9]\d{0,17})){2}")
NUMBER = re.compile(r"\d+")
# What may name another package, or has an epoch; looked for one by one, which is faster than by one pattern.
OTHERS = (
    re.compile(r"[@!]"),
    re.compile(r"[-/]v\d"),
    re.compile(r"^(?!v\d|\d|release[-/]\d).*\d+\.\d+", re.MULTILINE),
)


def has_only_bare_versions(names: Sequence[str]) -> bool:
    """True where every tag that holds a version is a bare one, such as `v1.2.3`."""
    text = "\n".join(names)
    return not any(pattern.search(text) for pattern in OTHERS)


def has_mixed_forms(names: Iterable[str]) -> bool:
    """True where bare versions may stand in several forms, by the first letters alone."""
    first = {name[:1] for name in names}
    return sum(not first.isdisjoint(each) for each in ("v", "r", "0123456789")) > 1


def is_final(name: str) -> bool:
    """True for a name of three numbers without leading zeros, which is a final version in every scheme."""
    return FINAL.fullmatch(name) is not None


def numbers_of(name: str) -> tuple[int, ...]:
    """The numbers of a final name, to compare."""
    return tuple(map(int, NUMBER.findall(name)))


def batches(names: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """The names that hold a version, the highest first and final ones before their pre-releases, a few at first.

    All names of one version, be it in several forms, come together with those of its pre-releases.
    """
    batch: list[str] = []
    size = FIRST_BATCH
    for _, entries in groupby(_from_the_highest(names), key=itemgetter(1)):
        batch += [name for name, _ in entries]
        if len(batch) >= size:
            yield tuple(batch)
            batch, size = [], size * GROWTH
    if batch:
        yield tuple(batch)


def _from_the_highest(names: Sequence[str]) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Each name and its numbers. Only those of the highest major versions are looked at closely."""
    majors = {start: int(found[1]) for start in {*map(_start, names)} if (found := MAJOR.fullmatch(start))}
    if not majors:
        return
    highest = max(majors.values())
    forms = tuple(f"{start}." for start, major in majors.items() if major == highest)
    yield from _in_order(name for name in names if name.startswith(forms))
    by_major: dict[int, list[str]] = {}
    for name in names:
        if (major := majors.get(_start(name), highest)) != highest:
            by_major.setdefault(major, []).append(name)
    for _, each in sorted(by_major.items(), reverse=True):
        yield from _in_order(each)


def _start(name: str) -> str:
    return name.partition(".")[0]


def _in_order(names: Iterable[str]) -> Iterator[tuple[str, tuple[int, ...]]]:
    entries = [
        (tuple(map(int, numbers.split("."))), not rest, name) for name, numbers, rest in BARE.findall("\n".join(names))
    ]
    entries.sort(key=itemgetter(0, 1), reverse=True)
    yield from ((name, numbers) for numbers, _, name in entries)
