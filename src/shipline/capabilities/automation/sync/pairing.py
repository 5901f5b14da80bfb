"""Which item of one side is which of the other: pure.

By the map first; then by the marker of a copy, which is how a pass finds what an earlier one has made before it died;
then, for labels and milestones, by the name, which is theirs alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from shipline.capabilities.automation.sync.contents import Item, Kind, Side, seen
from shipline.capabilities.automation.sync.links import Link
from shipline.capabilities.automation.sync.rules import Pair

Items = Mapping[str, Item]


@dataclass(frozen=True, slots=True)
class Paired:
    """A link, kept or new, and the items it links as they are now; None for one that is not there."""

    link: Link
    here: Item | None
    there: Item | None

    def item(self, side: Side) -> Item | None:
        """The one on a side."""
        return self.here if side is Side.HERE else self.there

    @property
    def original(self) -> Item | None:
        """Where it was written first."""
        return self.item(self.link.origin)

    @property
    def pair(self) -> Pair:
        """For the rules."""
        return Pair(
            None if self.here is None else self.here.content,
            None if self.there is None else self.there.content,
            self.link.seen_here,
            self.link.seen_there,
        )


def paired(kind: Kind, links: Iterable[Link], sides: Mapping[Side, Items], *, parent: int = 0) -> tuple[Paired, ...]:
    """Each item once, those of the map first. What is gone from one side for good is left out."""
    known: dict[Side, set[str]] = {side: set() for side in Side}
    found: list[Paired] = []
    for link in links:
        for side in Side:
            known[side].add(link.key(side) or "")
        whole = _come_back(kind, link, sides)
        if whole.here is not None and whole.there is not None:
            found.append(Paired(whole, sides[Side.HERE].get(whole.here), sides[Side.THERE].get(whole.there)))
            for side in Side:
                known[side].add(whole.key(side) or "")
    found += _copies(kind, sides, known, parent)
    found += _named(kind, sides, known, parent)
    return tuple(found)


def _come_back(kind: Kind, link: Link, sides: Mapping[Side, Items]) -> Link:
    """What was gone from one side, where a key is the same on both, and is there again."""
    if kind is not Kind.RELEASE:
        return link
    for side in Side:
        key = link.key(side.other)
        if link.key(side) is None and key is not None and key in sides[side]:
            return link.at(side, key, None)
    return link


def _copies(kind: Kind, sides: Mapping[Side, Items], known: dict[Side, set[str]], parent: int) -> Iterator[Paired]:
    """Copies that the map does not know. One whose original has another copy is left alone: it is nobody's any more."""
    for side in Side:
        for item in sides[side].values():
            if not item.copy_of or item.key in known[side]:
                continue
            known[side].add(item.key)
            if item.copy_of in known[side.other]:
                continue
            known[side.other].add(item.copy_of)
            link = Link(kind, None, None, side.other, parent=parent)
            link = link.at(side, item.key, seen(item.content)).at(side.other, item.copy_of, None)
            original = sides[side.other].get(item.copy_of)
            here, there = (original, item) if side is Side.THERE else (item, original)
            yield Paired(link, here, there)


def _named(kind: Kind, sides: Mapping[Side, Items], known: dict[Side, set[str]], parent: int) -> Iterator[Paired]:
    """What neither side has linked: of one name together, where names tell apart, and else alone."""
    new = {side: [item for item in sides[side].values() if item.key not in known[side]] for side in Side}
    taken = {side: {_name(kind, item) for item in sides[side].values() if item.key in known[side]} for side in Side}
    there = {_name(kind, item): item for item in reversed(new[Side.THERE])}
    for item in new[Side.HERE]:
        name = _name(kind, item)
        if name and name in taken[Side.HERE]:
            continue  # Gitea takes a title twice; the first one is kept alike.
        taken[Side.HERE].add(name)
        fellow = there.get(name) if name else None
        if fellow is not None:
            taken[Side.THERE].add(name)
        yield Paired(
            Link(kind, item.key, None if fellow is None else fellow.key, Side.HERE, parent=parent), item, fellow
        )
    for item in new[Side.THERE]:
        name = _name(kind, item)
        if not name or name not in taken[Side.THERE]:
            taken[Side.THERE].add(name)
            yield Paired(Link(kind, None, item.key, Side.THERE, parent=parent), None, item)


def _name(kind: Kind, item: Item) -> str:
    if kind in (Kind.LABEL, Kind.RELEASE):
        return item.key
    return str(item.content["title"]) if kind is Kind.MILESTONE else ""
