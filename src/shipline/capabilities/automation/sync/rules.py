"""What is done about an item that is, or was, on both sides: pure.

What has changed is what differs from what was seen on that side after the last pass, field by field: so what a pass has
written itself is no change, however the forge puts it, and never echoes. Both sides may change different fields. Of one
field that both have changed the winner's is taken, and what is lost is told.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from shipline.capabilities.automation.sync.contents import Content, Seen, Side, Value, seen


@dataclass(frozen=True, slots=True)
class Pair:
    """An item as it is now on both sides, None where it is not, and as it was seen there last (`None`: never)."""

    here: Content | None
    there: Content | None
    seen_here: Seen | None = None
    seen_there: Seen | None = None

    def now(self, side: Side) -> Content | None:
        """How it is on a side."""
        return self.here if side is Side.HERE else self.there

    def before(self, side: Side) -> Seen | None:
        """How it was seen there."""
        return self.seen_here if side is Side.HERE else self.seen_there

    def changed(self, side: Side) -> bool:
        """True where it is there, and is not what was seen."""
        now, before = self.now(side), self.before(side)
        return now is not None and before is not None and seen(now) != dict(before)


@dataclass(frozen=True, slots=True)
class Decision:
    """What makes both sides alike. `make` and `remove` name the side it is done on; `gone` is one where it was taken
    away, and is not made again; `left`: nothing is done, or noted. `to_here` and `to_there` are fields with what they
    shall be; `lost` are texts, by field, that were written on the side that did not win."""

    make: Side | None = None
    remove: Side | None = None
    gone: Side | None = None
    left: bool = False
    to_here: dict[str, Value] = field(default_factory=dict)
    to_there: dict[str, Value] = field(default_factory=dict)
    lost: dict[str, str] = field(default_factory=dict)

    def to(self, side: Side) -> dict[str, Value]:
        """What is written on a side."""
        return self.to_here if side is Side.HERE else self.to_there


def decide(pair: Pair, wins: Side) -> Decision:
    """What is to be done. What is gone from one side goes from the other, unless it was changed there since."""
    if pair.here is not None and pair.there is not None:
        return _merged(pair, wins)
    for side in Side:
        if pair.now(side) is None and pair.now(side.other) is not None:
            was_known = pair.before(side.other) is not None
            if was_known and not pair.changed(side.other):
                return Decision(remove=side.other)
            return Decision(make=side)
    return Decision()


def _merged(pair: Pair, wins: Side) -> Decision:
    decision = Decision()
    for name in pair.here or {}:
        values = {side: (pair.now(side) or {}).get(name, "") for side in Side}
        first = values[Side.HERE]
        if isinstance(first, tuple):
            wanted = _names(pair, name, values)
            for side in Side:
                if values[side] != wanted:
                    decision.to(side)[name] = wanted
        elif first != values[Side.THERE]:
            _text(pair, decision, name, values, wins)
    return decision


def _text(pair: Pair, decision: Decision, name: str, values: dict[Side, Value], wins: Side) -> None:
    changed = [side for side in Side if _differs(pair, side, name)]
    if not changed:
        return  # One of them cannot be written as the other: it was seen so, and stays.
    winner = changed[0] if len(changed) == 1 else wins
    decision.to(winner.other)[name] = values[winner]
    lost = values[winner.other]
    if len(changed) > 1 and isinstance(lost, str) and lost and pair.before(winner.other) is not None:
        decision.lost[name] = lost


def _differs(pair: Pair, side: Side, name: str) -> bool:
    before, now = pair.before(side), pair.now(side)
    return before is None or now is None or before.get(name) != seen(now).get(name)


def _names(pair: Pair, name: str, values: dict[Side, Value]) -> tuple[str, ...]:
    """A set after what either side has added and taken away. Never seen: all of both."""
    added: set[str] = set()
    taken: set[str] = set()
    for side in Side:
        before = pair.before(side)
        if before is not None:
            added |= set(values[side]) - set(before.get(name, ()))
            taken |= set(before.get(name, ())) - set(values[side])
        else:
            added |= set(values[side])
    both = set(values[Side.HERE]) | set(values[Side.THERE])
    return tuple(sorted(both - (taken - added)))


def decide_comment(pair: Pair, origin: Side) -> Decision:
    """The same for a comment, whose text is its author's: the copy follows it.

    What somebody wrote into the copy is told as lost, and so becomes a comment of its own.
    """
    if pair.here is None or pair.there is None:
        return decide(pair, origin)
    if not (pair.changed(Side.HERE) or pair.changed(Side.THERE)) and pair.before(origin) is not None:
        return Decision()
    original, copy = pair.now(origin) or {}, pair.now(origin.other) or {}
    decision = Decision()
    if original.get("body") != copy.get("body"):
        decision.to(origin.other)["body"] = original["body"]
        if pair.changed(origin.other) and isinstance(copy["body"], str):
            decision.lost["body"] = copy["body"]
    return decision


def decide_release(pair: Pair, wins: Side, copied_to: Side | None) -> Decision:
    """The same for a release. Only what is a copy is taken away; `copied_to` is where that is, None where both were
    there.

    A copy lists the files of its original, but for those that it has itself. Whether it is a pre-release is not known
    to every forge, and so is as each side has it, until somebody changes it.
    """
    if pair.here is None or pair.there is None:
        present = Side.HERE if pair.there is None else Side.THERE
        decision = decide(pair, wins)
        return Decision(gone=present.other) if decision.remove is not None and copied_to is not present else decision
    decision = decide(pair, wins)
    for side in Side:
        for name in ("files", "listed"):
            decision.to(side).pop(name, None)
        if pair.seen_here is None and pair.seen_there is None:
            decision.to(side).pop("prerelease", None)
    decision.lost.pop("prerelease", None)
    if copied_to is not None:
        wanted = listed_files(pair.now(copied_to.other) or {}, pair.now(copied_to) or {})
        if (pair.now(copied_to) or {}).get("listed") != wanted:
            decision.to(copied_to)["listed"] = wanted
    return decision


def listed_files(original: Content, copy: Content) -> tuple[str, ...]:
    """What a copy lists: a name and an address each, of what it has not itself."""
    own = {each.partition(" ")[0] for each in copy.get("files", ())}
    return tuple(each for each in original.get("files", ()) if each.partition(" ")[0] not in own)
