"""Which of an image's tags are versions, which move with them, and where those go back to. Pure.

A tag that moves is a channel (`latest`, `rc`) or stands for a line of versions (`1`, `1.4`, `v1`), as other tools set
them. `1.4` may be a version, too: it is a line where there is a `1.4.0`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from shipline.clients.version_order import Order, highest_below, is_final, order_of
from shipline.domain.errors import InvalidValue

# Distribution specification 1.1, "Pulling manifests": what a tag may be.
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
_NUMBERS = re.compile(r"([0-9]+)\.([0-9]+)(\.[0-9])?")
_LINE = re.compile(r"v?([0-9]+(?:\.[0-9]+)*)")


def tag_of(text: str) -> str:
    """A version or channel as a tag: `+`, which no tag may hold, becomes `_`."""
    tag = text.replace("+", "_")
    if not _TAG.fullmatch(tag):
        raise InvalidValue(f"{text[:80]!r} cannot be an image's tag")
    return tag


def order_of_tag(tag: str) -> Order | None:
    """What sorts a version's tag; None for a tag of another kind."""
    return order_of(tag.replace("_", "+"))


def moving_tags(tags: Iterable[str], version: str) -> tuple[str, ...]:
    """The tags that may name this version now and another one later; the lines that it belongs to come first.

    `sha256-…` are those of signatures.
    """
    lines = [tag for tag in tags if (line := _line_of(tag)) is not None and _is_in(line, version)]
    channels = [tag for tag in tags if order_of_tag(tag) is None and not tag.startswith("sha256-")]
    return tuple(dict.fromkeys((*sorted(lines), *sorted(channels))))


def lines_of(version: str) -> tuple[str, ...]:
    """The lines whose tags follow a final version: `1.4` and `1` for 1.4.2; none for what is not final.

    `0` is none: before 1.0.0 each minor version may break what the one before promised.
    """
    numbers = _NUMBERS.match(version) if is_final(version) else None
    if numbers is None:
        return ()
    first, second = numbers[1], numbers[2]
    both = (f"{first}.{second}", first) if numbers[3] else (first,)
    return tuple(line for line in both if line != "0")


def may_follow(line: str, version: str, named: str | None) -> bool:
    """True if the tag of a line may leave the version `named` for `version`: a lower one of the line itself.

    Where it names no version of the line, it is another's: `1.4` may be a version as well.
    """
    mine, there = order_of(version), order_of(named or "")
    return named is not None and _is_in(line, named) and mine is not None and there is not None and there < mine


def ways_back(tag: str, version: str, tags: Iterable[str], good: str | None) -> tuple[str, ...]:
    """The versions that a moving tag may name instead of `version`, the best first.

    A channel goes to the version that is known to be `good`, or else to the highest before. A line goes to one of its
    own, and to none above the good one: those were passed over.
    """
    line = _line_of(tag)
    if line is None and good is not None:
        return (good,)
    lower = highest_below(version, _versions(tags), final=is_final(version))
    if line is None:
        return lower
    own = tuple(one for one in lower if _is_in(line, one))
    limit = None if good is None else order_of(good)
    return own if limit is None else tuple(one for one in own if (order_of(one) or limit) <= limit)


def _versions(tags: Iterable[str]) -> tuple[str, ...]:
    """The versions among the tags, as they are written elsewhere, without the lines that they belong to."""
    found = [tag.replace("_", "+") for tag in tags if order_of_tag(tag) is not None]
    lines = {one[:end] for one in found for end in range(len(one)) if one[end] == "."}
    return tuple(one for one in found if one not in lines)


def _line_of(tag: str) -> str | None:
    found = _LINE.fullmatch(tag)
    return None if found is None else found[1]


def _is_in(line: str, version: str) -> bool:
    return version.startswith(f"{line}.")
