"""The newest revision that has acted, as tags of something that outlives the groups.

AWS has no change that depends on what was read. So a revision is a tag of its own, `shipline:revision:7`, and the
largest number counts: a late call adds a smaller one, and takes nothing back. What is smaller than one's own is
removed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from shipline.clients.aws_marks import REVISION
from shipline.clients.durable_state import check_fence

DIGITS_MAX = 19


def newest(tags: Mapping[str, str], owner: str = "") -> int:
    """The newest revision that these tags tell of; 0 where they tell of none. `owner` sets environments apart."""
    return max(_numbers(tags, owner).values(), default=0)


def claim(
    revision: int,
    owner: str,
    *,
    read: Callable[[], Mapping[str, str]],
    add: Callable[[Mapping[str, str]], None],
    remove: Callable[[Sequence[str]], None],
) -> Mapping[str, str]:
    """Note that `revision` acts, and return the tags as they are then. RefusedError where a newer one did already."""
    tags = read()
    check_fence(newest(tags, owner), revision)
    name = f"{_prefix(owner)}{revision}"
    if name not in tags:
        add({name: ""})
        tags = read()
        check_fence(newest(tags, owner), revision)
        remove([name for name, number in _numbers(tags, owner).items() if number < revision])
    return tags


def _numbers(tags: Mapping[str, str], owner: str) -> dict[str, int]:
    prefix = _prefix(owner)
    texts = {name: name.removeprefix(prefix) for name in tags if name.startswith(prefix)}
    return {
        name: int(text)
        for name, text in texts.items()
        if text.isascii() and text.isdecimal() and len(text) <= DIGITS_MAX
    }


def _prefix(owner: str) -> str:
    return f"{REVISION}:{owner}:" if owner else f"{REVISION}:"
