"""Which stored files of releases have been kept long enough. Pure.

A kind of files that is to have an end is one more row of KINDS.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Keep:
    """How long each kind is kept, in microseconds; None: for ever."""

    reports_us: int | None = None
    artifacts_us: int | None = None
    journals_us: int | None = None


@dataclass(frozen=True, slots=True)
class Held:
    """A release and what is stored of it.

    `published_us` is None unless it is public. `is_served`: an environment serves it, or would go back to it next;
    `served_until_us` is when one did last, None for never. `is_newest`: nothing newer of its package is public. `sizes`
    are bytes by kind of what is there.
    """

    release_id: str
    package: str
    version: str
    published_us: int | None
    has_bundle: bool
    is_newest: bool
    is_served: bool
    served_until_us: int | None
    sizes: dict[str, int]


@dataclass(frozen=True, slots=True)
class Removal:
    """What is to be removed of a release: its folder of this `kind`, `size` bytes; `since_us` is what counts."""

    kind: str
    release_id: str
    package: str
    version: str
    size: int
    since_us: int


def _reports_since(held: Held) -> int | None:
    """The bundle holds the same bytes, so they are needed until it is written."""
    return held.published_us if held.has_bundle else None


def _artifacts_since(held: Held) -> int | None:
    """Registries have what is public. What serves, or may be gone back to next, is needed here."""
    if held.published_us is None or held.is_served or held.is_newest or not held.has_bundle:
        return None
    return max(held.published_us, held.served_until_us or 0)


KINDS: dict[str, tuple[Callable[[Keep], int | None], Callable[[Held], int | None]]] = {
    "reports": (lambda keep: keep.reports_us, _reports_since),
    "dist": (lambda keep: keep.artifacts_us, _artifacts_since),
}
"""By the name of a release's folder: how long it is kept, and since when that counts, None while it is needed."""


def due(releases: Iterable[Held], keep: Keep, now_us: int) -> Iterator[Removal]:
    """What has been kept long enough."""
    for held in releases:
        for kind, (kept_us, since) in KINDS.items():
            limit_us, since_us = kept_us(keep), since(held)
            if limit_us is None or since_us is None or kind not in held.sizes or now_us - since_us < limit_us:
                continue
            yield Removal(kind, held.release_id, held.package, held.version, held.sizes[kind], since_us)
