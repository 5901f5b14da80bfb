"""Which of very many tags can matter to a plan, told from their names, so that git need not open the others. Pure.

A plan of final versions needs the highest release that HEAD contains, and the pre-releases above it. So names are taken
from the highest version down, until one of them is a final release in HEAD; nothing below it changes the plan. That
holds only while a name says all: where tags name packages, have epochs or other forms, there is no short list.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import islice

FIRST_BATCH = 8
GROWTH = 8

# One line a name. What follows the numbers begins with neither a digit nor a point.
BARE = re.compile(r"^(?:v|release[-/])?((\d{1,18})(?:\.\d{1,18}){1,3})((?![\d.!])\S*)$", re.MULTILINE)
FINAL = re.compile(r"(?:v|release[-/])?(?:0|[1-9]\d{0,17})(?:\.(?:0|[1-9]\d{0,17})){2}")
NUMBER = re.compile(r"\d+")
# What may name another package, or has an epoch.
OTHERS = re.compile(r"@|[-/]v\d|!|^(?!v\d|\d|release[-/]\d).*\d+\.\d+", re.MULTILINE)


def has_only_bare_versions(names: Sequence[str]) -> bool:
    """True where every tag that holds a version is a bare one, such as `v1.2.3`."""
    return OTHERS.search("\n".join(names)) is None


def is_final(name: str) -> bool:
    """True for a name of three numbers without leading zeros, which is a final version in every scheme."""
    return FINAL.fullmatch(name) is not None


def numbers_of(name: str) -> tuple[int, ...]:
    """The numbers of a final name, to compare."""
    return tuple(map(int, NUMBER.findall(name)))


def batches(names: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """The names that hold a version, the highest first and final ones before their pre-releases, a few at first."""
    ordered = _from_the_highest(names)
    size = FIRST_BATCH
    while batch := tuple(islice(ordered, size)):
        yield batch
        size *= GROWTH


def _from_the_highest(names: Sequence[str]) -> Iterator[str]:
    by_major: dict[str, list[tuple[str, str, str]]] = {}
    text = "\n".join(names)
    for match in BARE.finditer(text):
        by_major.setdefault(match[2], []).append((match[0], match[1], match[3]))
    for major in sorted(by_major, key=int, reverse=True):
        entries = by_major[major]
        entries.sort(key=lambda entry: (tuple(map(int, entry[1].split("."))), not entry[2]), reverse=True)
        yield from (name for name, _, _ in entries)
