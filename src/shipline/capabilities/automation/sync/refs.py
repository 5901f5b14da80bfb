"""What becomes of a branch or tag that is, or was, on two forges: pure.

A branch goes forward alone: what stands behind is moved to where the other one stands. Two that have both gone their
own way are told, and stay. A tag does not move. What was deleted on the side that it came from is deleted where the
mirror had brought it, as long as nobody has moved it there; what was deleted where it had been brought stays deleted,
and comes again when it moves.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from shipline.capabilities.automation.rules import is_working_branch
from shipline.capabilities.automation.sync.contents import Side
from shipline.domain.errors import InvalidValue
from shipline.ports.forge import checked_ref_name

BRANCHES, TAGS = "refs/heads/", "refs/tags/"
NAME_MAX = 200
_PART_BYTES_MAX = 200


@dataclass(frozen=True, slots=True)
class MirrorRules:
    """What is carried, and how. `to` are the sides that may be written. `branches` and `tags` are patterns of short
    names in which `*` stands for anything, slashes too, and `!` before one leaves out what fits it; `rewrite` those of
    what may also be moved backwards or aside, where only the side that it is read from has changed."""

    to: frozenset[Side] = frozenset(Side)
    branches: tuple[str, ...] = ("*",)
    tags: tuple[str, ...] = ("*",)
    rewrite: tuple[str, ...] = ()

    def takes(self, ref: str) -> bool:
        """True for what is carried; what Shipline makes for itself never is."""
        if ref.startswith(BRANCHES) and is_working_branch(short(ref)):
            return False
        patterns = self.branches if ref.startswith(BRANCHES) else self.tags
        return _fits(short(ref), patterns)

    def rewrites(self, ref: str) -> bool:
        """True for what may be moved backwards."""
        return _fits(short(ref), self.rewrite)


def _fits(name: str, patterns: tuple[str, ...]) -> bool:
    """Whether one of them takes a name, or there are none but such as leave out, and none leaves it out."""
    out = [pattern[1:] for pattern in patterns if pattern.startswith("!")]
    taking = [pattern for pattern in patterns if not pattern.startswith("!")] or (["*"] if out else [])
    return any(fnmatchcase(name, each) for each in taking) and not any(fnmatchcase(name, each) for each in out)


def short(ref: str) -> str:
    """The name that people say."""
    return re.sub(r"^refs/(heads|tags)/", "", ref)


def is_carried_name(ref: str) -> bool:
    """Whether it can be the name of a ref on every forge and in every message."""
    try:
        name = checked_ref_name(short(ref))
    except InvalidValue:
        return False
    parts = name.split("/")
    return (
        len(ref) <= NAME_MAX
        and not any(part.endswith(".lock") or part.startswith(".") for part in parts)
        and all(len(part.encode("utf-8", "replace")) <= _PART_BYTES_MAX for part in parts)
        and name.isprintable()
        and "@{" not in name
        and name != "@"
    )


@dataclass(frozen=True, slots=True)
class RefPair:
    """A ref as it stands on both sides, None where it is not, and as it was seen there last. `known`: by the map.

    `brought_to` is the side that the mirror has brought it to, None where both had it. `deleted_on` is where it has
    been deleted and is not brought to again unless it moves.
    """

    ref: str
    here: str | None
    there: str | None
    seen_here: str | None = None
    seen_there: str | None = None
    brought_to: Side | None = None
    deleted_on: Side | None = None
    known: bool = False

    def now(self, side: Side) -> str | None:
        """Where it stands on a side."""
        return self.here if side is Side.HERE else self.there

    def seen(self, side: Side) -> str | None:
        """Where it stood there when it was seen last."""
        return self.seen_here if side is Side.HERE else self.seen_there


@dataclass(frozen=True, slots=True)
class RefDecision:
    """What is done: `side` is moved to `commit` (None: it is deleted there), `words` say why. A `side` of None: nothing
    is moved; `trouble` then says what stands in the way, "" for nothing. `forgotten`: it is nowhere any more.
    `stays_deleted` is where it was deleted and stays so."""

    side: Side | None = None
    commit: str | None = None
    words: str = ""
    trouble: str = ""
    forgotten: bool = False
    stays_deleted: Side | None = None


ALIKE = RefDecision()


def decide_ref(pair: RefPair, rules: MirrorRules, contains: Callable[[str, str], bool]) -> RefDecision:
    """What makes both sides alike. `contains` says whether the history of the second commit holds the first."""
    if pair.here is None and pair.there is None:
        return RefDecision(forgotten=True)
    if pair.here == pair.there:
        return ALIKE
    for side in Side:
        now = pair.now(side)
        if now is not None and pair.now(side.other) is None:
            return _lonely(pair, rules, side, now)
    return _apart(pair, rules, contains)


def _lonely(pair: RefPair, rules: MirrorRules, side: Side, now: str) -> RefDecision:
    """It is on `side` alone."""
    is_new = not pair.known or (pair.seen(side.other) is None and pair.deleted_on is None)
    if is_new or now != pair.seen(side):
        return RefDecision(side.other, now, "new") if side.other in rules.to else ALIKE
    if pair.brought_to is side and pair.deleted_on is None:
        return RefDecision(side, None, "deleted where it came from") if side in rules.to else ALIKE
    return RefDecision(stays_deleted=side.other)


def _apart(pair: RefPair, rules: MirrorRules, contains: Callable[[str, str], bool]) -> RefDecision:
    """It is on both, and not alike."""
    here, there = pair.here or "", pair.there or ""
    ahead = None
    if pair.ref.startswith(BRANCHES):
        ahead = Side.THERE if contains(here, there) else Side.HERE if contains(there, here) else None
    if ahead is not None and ahead.other in rules.to:
        return RefDecision(ahead.other, pair.now(ahead), "moved forward")
    changed = [side for side in Side if pair.now(side) != pair.seen(side)]
    if len(changed) == 1 and changed[0].other in rules.to and pair.known and rules.rewrites(pair.ref):
        return RefDecision(changed[0].other, pair.now(changed[0]), "rewritten")
    return RefDecision(trouble=_trouble(pair, ahead))


def _trouble(pair: RefPair, ahead: Side | None) -> str:
    stands = f"{(pair.here or '')[:12]} here and {(pair.there or '')[:12]} there"
    if ahead is not None:
        return f"it is ahead {ahead.value}, where it is not to be read from: {stands}"
    if pair.ref.startswith(TAGS):
        return f"the tag stands on {stands}, and tags are not moved"
    return f"both have gone their own way, or one was rewritten: {stands}; merge one into the other"
