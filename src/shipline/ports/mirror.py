"""The Mirror port: two repositories whose branches and tags can be carried from one to the other.

Full names of refs (`refs/heads/…`, `refs/tags/…`) lead to ids of objects; an annotated tag's is that of the tag. Names
are those that the other side says, and are hostile: an implementation never makes files or options of them.

Errors, for every method: RefusedError for credentials that are refused, and for a side that brings more than is taken;
UnavailableError (retryable) for one that is out of reach, or takes too long. Nobody but the engine calls again; every
method may be called again after any end, and objects that came before it stay.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Protocol

API_VERSION = 1
REFS_MAX = 20_000


@dataclass(frozen=True, slots=True)
class Move:
    """What is to become of a ref: it stands on `commit`, None: it is deleted. `expected` is what it must stand on at
    that moment, None: it must not be there."""

    ref: str
    commit: str | None
    expected: str | None


@dataclass(frozen=True, slots=True)
class Pushed:
    """What became of a move. `refused` says, in the forge's words, why it was not done; "" where it was. `moved`: the
    ref did not stand any more where it was expected, and nothing was done."""

    ref: str
    refused: str = ""
    moved: bool = False

    @property
    def done(self) -> bool:
        """True where the ref stands as it was to stand."""
        return not self.refused and not self.moved


class Mirror(Protocol):
    """Sides are called by name."""

    api_version: int

    def refs(self, side: str) -> dict[str, str]:
        """All branches and tags of a side as they stand now. More than REFS_MAX: RefusedError."""
        ...

    def fetch(self, side: str, wanted: Mapping[str, str]) -> frozenset[str]:
        """Bring the objects of refs that stand on these ids; the ids that are here then. A ref that has moved since is
        not among them."""
        ...

    def contains(self, ancestor: str, descendant: str) -> bool:
        """True if the history of a commit that is here holds another one, or is it."""
        ...

    def push(self, side: str, moves: Collection[Move]) -> tuple[Pushed, ...]:
        """Move refs of a side, each for itself, in the order of `moves`: one that is refused holds up no other. Each is
        compared and swapped by the forge, so that nothing is overwritten that was not seen."""
        ...

    def forget(self, but: Collection[str]) -> None:
        """Let go of all objects that these ids do not lead to."""
        ...
