"""Branches and tags are carried from one forge to the other, as part of a pass.

Promises: nothing is overwritten that was not seen (each ref is moved by compare-and-swap), a ref that is refused holds
up no other, and what is to be brought is written down before it is: so whoever dies at any point leaves nothing that
the next pass does not know.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from shipline.capabilities.automation.sync.contents import Kind, Side
from shipline.capabilities.automation.sync.links import Link, drop_link, keep_link, links_of
from shipline.capabilities.automation.sync.refs import (
    ALIKE,
    MirrorRules,
    RefDecision,
    RefPair,
    decide_ref,
    is_carried_name,
    short,
)
from shipline.domain.errors import RefusedError
from shipline.ports.mirror import Mirror, Move
from shipline.store.database import Store

COMMIT = "commit"
NAMED_MAX = 5


@dataclass(frozen=True, slots=True)
class Mirroring:
    """The mirror, and what of it is carried."""

    mirror: Mirror
    rules: MirrorRules


class Told(Protocol):
    """What a pass does with what the mirror has to say."""

    def effect(self, verb: str, side: Side, key: str, words: str) -> None:
        """Something that is done, or would be."""
        ...

    def trouble(self, key: str, words: str) -> None:
        """Something that stays as it is."""
        ...

    def removing(self, count: int) -> None:
        """So many are to be removed. RefusedError where that is too much."""
        ...


@dataclass(frozen=True, slots=True)
class _Due:
    link: Link
    pair: RefPair
    decision: RefDecision


class MirrorPass:
    """One pass over all refs. `now_us` is asked for the instant at which something is brought."""

    def __init__(
        self, store: Store, mirroring: Mirroring, told: Told, now_us: Callable[[], int], *, dry_run: bool
    ) -> None:
        self._store = store
        self._mirror, self._rules = mirroring.mirror, mirroring.rules
        self._told = told
        self._now_us = now_us
        self._dry_run = dry_run
        self._deleted: list[_Due] = []

    def run(self) -> None:
        """Look, bring the objects, decide, and move. What is to be deleted is left for `finish`."""
        listed = {side: self._mirror.refs(side.value) for side in Side}
        with self._store.begin() as tx:
            links = {link.here or link.there or "": link for link in links_of(tx, Kind.REF)}
        self._check_emptied(listed, links)
        refs = {side: self._carried(side, found) for side, found in listed.items()}
        present = self._fetched(refs)
        names = sorted({*refs[Side.HERE], *refs[Side.THERE], *links})
        due = [self._decided(name, links.get(name), refs, present) for name in names]
        self._told.removing(sum(each.decision.side is not None and each.decision.commit is None for each in due))
        for each in due:
            if each.decision.trouble:
                self._told.trouble(short(each.pair.ref), each.decision.trouble)
            if each.decision.side is None:
                self._note_unmoved(each)
        for side in Side:
            self._move(side, [each for each in due if each.decision.side is side and each.decision.commit is not None])
        self._deleted = [each for each in due if each.decision.side is not None and each.decision.commit is None]
        if not self._dry_run:
            self._mirror.forget({oid for found in refs.values() for oid in found.values()})

    def finish(self) -> None:
        """Delete: later than what stands on a branch, such as a pull request, was told that it has ended."""
        for side in Side:
            self._move(side, [each for each in self._deleted if each.decision.side is side])

    def _check_emptied(self, listed: Mapping[Side, Mapping[str, str]], links: Mapping[str, Link]) -> None:
        for side in Side:
            if links and not listed[side] and listed[side.other]:
                raise RefusedError(
                    f"the repository {side.value} has no branch and no tag any more",
                    why="what is empty all at once was not emptied branch by branch: nothing is deleted after it",
                    todo="see that it is the right one, and push a branch there if it is meant to be empty",
                )

    def _carried(self, side: Side, found: Mapping[str, str]) -> dict[str, str]:
        """Those that are carried; what cannot be named everywhere is told."""
        taken = {ref: oid for ref, oid in found.items() if self._rules.takes(ref)}
        odd = {ref for ref in taken if not is_carried_name(ref)}
        if odd:
            named = ", ".join(ascii(short(ref)[:60]) for ref in sorted(odd)[:NAMED_MAX])
            self._told.trouble(side.value, f"{len(odd)} names cannot be carried, leave them out: {named}")
        return {ref: oid for ref, oid in taken.items() if ref not in odd}

    def _fetched(self, refs: Mapping[Side, Mapping[str, str]]) -> frozenset[str]:
        """The objects of all that differs, which are here then."""
        present: frozenset[str] = frozenset()
        for side in Side:
            differing = {ref: oid for ref, oid in refs[side].items() if refs[side.other].get(ref) != oid}
            if differing:
                present |= self._mirror.fetch(side.value, differing)
        return present

    def _decided(
        self, name: str, link: Link | None, refs: Mapping[Side, Mapping[str, str]], present: frozenset[str]
    ) -> _Due:
        here, there = (refs[side].get(name) for side in Side)
        if link is None:
            origin = Side.HERE if here is not None else Side.THERE
            link, known = Link(Kind.REF, name, name, origin), False
        else:
            known = True
        pair = RefPair(
            name,
            here,
            there,
            _commit(link, Side.HERE),
            _commit(link, Side.THERE),
            link.origin.other if link.made_us else None,
            next((side for side in Side if link.key(side) is None), None),
            known=known,
        )
        moving = {oid for oid in (here, there) if oid is not None and here != there}
        # What moved while it was fetched is seen by the next pass.
        return _Due(link, pair, decide_ref(pair, self._rules, self._mirror.contains) if moving <= present else ALIKE)

    # --- effects and the map -----------------------------------------------------------------------------------

    def _move(self, side: Side, due: list[_Due]) -> None:
        moves = [Move(each.pair.ref, each.decision.commit, each.pair.now(side)) for each in due]
        if self._dry_run:
            for each in due:
                self._tell(side, each)
        if self._dry_run or not due:
            return
        kept = {each.pair.ref: self._intended(each, side) for each in due}
        for pushed, each in zip(self._mirror.push(side.value, moves), due, strict=True):
            if pushed.refused:
                self._told.trouble(short(pushed.ref), f"{side.value} does not take it: {pushed.refused}")
            if pushed.done:
                self._tell(side, each)
                self._moved(kept[pushed.ref], each.decision)

    def _tell(self, side: Side, each: _Due) -> None:
        decision, pair = each.decision, each.pair
        verb = "remove" if decision.commit is None else "make" if pair.now(side) is None else "change"
        self._told.effect(verb, side, short(pair.ref), decision.words)

    def _intended(self, each: _Due, side: Side) -> Link:
        """Written down before it is done: that it is ours, where it is new on that side."""
        if each.decision.commit is None or each.pair.now(side) is not None:
            return each.link
        link = replace(each.link, here=each.pair.ref, there=each.pair.ref, origin=side.other, made_us=self._now_us())
        link = link.at(side, each.pair.ref, None).at(side.other, each.pair.ref, {COMMIT: each.decision.commit})
        with self._store.begin() as tx:
            return keep_link(tx, link)

    def _moved(self, link: Link, decision: RefDecision) -> None:
        with self._store.begin() as tx:
            if decision.commit is None:
                drop_link(tx, link.number)
            else:
                keep_link(tx, _standing(link, decision.commit, decision.commit))

    def _note_unmoved(self, each: _Due) -> None:
        """How it is, where that is news."""
        decision, pair, link = each.decision, each.pair, each.link
        if self._dry_run:
            return
        if decision.forgotten:
            with self._store.begin() as tx:
                drop_link(tx, link.number)
            return
        after = link
        if pair.here == pair.there and pair.here is not None:
            after = _standing(replace(link, here=pair.ref, there=pair.ref), pair.here, pair.here)
        elif decision.stays_deleted is not None:
            after = link.at(decision.stays_deleted, None, link.seen(decision.stays_deleted))
        if after != link:
            with self._store.begin() as tx:
                keep_link(tx, after)


def _standing(link: Link, here: str, there: str) -> Link:
    after = link.at(Side.HERE, link.here or link.there, {COMMIT: here})
    return after.at(Side.THERE, link.there or link.here, {COMMIT: there})


def _commit(link: Link, side: Side) -> str | None:
    seen = link.seen(side)
    return None if seen is None else str(seen[COMMIT])
