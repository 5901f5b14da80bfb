"""Whether a release is to be the one that GitHub calls the latest. Pure.

From: docs.github.com/rest/releases/releases, `make_latest`: without a word, it is whatever is announced last.
"""

from __future__ import annotations

import re

from shipline.clients.version_order import Order, order_of

# Where a version may begin in a tag: `v1.0.0`, `quotes-v1.0.0`, `@team/quotes@1.0.0`.
_BEGINNING = re.compile(r"(?<![0-9A-Za-z.])v?(?=[0-9])")


def rank_of(tag: str, latest: str | None) -> str:
    """What to say as `make_latest` of a final release, beside the tag of the one that is the latest now.

    Of one package the higher version is the latest. Between packages GitHub decides, by date and version.
    """
    if latest is None:
        return "true"
    mine, theirs = _parted(tag), _parted(latest)
    if mine is None or theirs is None or mine[0] != theirs[0]:
        return "legacy"
    return "false" if mine[1] < theirs[1] else "true"


def _parted(tag: str) -> tuple[str, Order] | None:
    """What stands before the version, and what sorts that; None for a tag without one."""
    for found in _BEGINNING.finditer(tag):
        order = order_of(tag[found.end() :])
        if order is not None:
            return tag[: found.start()], order
    return None
