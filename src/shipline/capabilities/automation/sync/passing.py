"""One pass: both forges are looked at, and what differs is made alike, one effect after the other.

Promises: each effect has a natural key (a marker, a name, or the state that it brings about), and the map is written
after it: whoever dies between them finds it again, and does it once. A pass that reaches the limits of a forge stops,
and says when to go on; since each pass looks anew, that is all there is to resume. What cannot be done to one item
holds up no other. Many removals at once are refused: a token without its rights sees nothing, and that is no deletion.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from shipline.capabilities.automation.sync.contents import Item, Kind, Side, seen, short_hash
from shipline.capabilities.automation.sync.links import Link, drop_link, keep_link, links_of, made_since
from shipline.capabilities.automation.sync.mirroring import Mirroring, MirrorPass
from shipline.capabilities.automation.sync.pace import HOUR_US, Pace, budget_pause_us
from shipline.capabilities.automation.sync.pairing import Paired, paired
from shipline.capabilities.automation.sync.pulls import PullShelf
from shipline.capabilities.automation.sync.releases import ReleaseShelf
from shipline.capabilities.automation.sync.rules import Decision
from shipline.capabilities.automation.sync.shelves import (
    CommentShelf,
    End,
    IssueShelf,
    LabelShelf,
    MilestoneShelf,
    Shelf,
)
from shipline.domain.errors import RefusedError, ShiplineError
from shipline.ports.clock import Clock
from shipline.ports.forge import Budget
from shipline.ports.forge.answers import Thread, ThreadKind
from shipline.store.database import Store

TROUBLES_MAX = 20
WITH_GIT = frozenset({Kind.RELEASE, Kind.PULL})  # Copied where the mirror goes.


@dataclass(frozen=True, slots=True)
class Sync:
    """What a pass stands on. `wins` is the side whose text is taken where both have changed it; `removals_max` is how
    many items one pass may take away; `budget` says what a forge still allows. `mirroring` carries branches and tags,
    None: they are not carried."""

    store: Store
    clock: Clock
    ends: dict[Side, End]
    wins: Side = Side.HERE
    removals_max: int = 50
    budget: Callable[[Side], Budget] = lambda _side: Budget()
    mirroring: Mirroring | None = None


@dataclass(frozen=True, slots=True)
class Effect:
    """Something that was done, or would be: `verb` is make, change, remove or keep; `key` is empty for what has no name
    yet."""

    verb: str
    kind: Kind
    side: Side
    key: str
    words: str

    def sentence(self) -> str:
        """For people."""
        return " ".join(part for part in (self.verb, self.kind.value, self.key, self.side.value) if part) + (
            f": {self.words}" if self.words else ""
        )


@dataclass
class Passed:
    """How a pass ended. `again_us`: the limits of a forge end then (UTC microseconds), and there is more to do; None:
    all was looked at. `troubles` are sentences about items that stay as they are."""

    effects: list[Effect] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)
    again_us: int | None = None

    def words(self) -> str:
        """For people."""
        counted = Counter((effect.verb, effect.kind.value) for effect in self.effects)
        return ", ".join(f"{verb} {number} {kind}s" for (verb, kind), number in sorted(counted.items())) or "all alike"


class _Pause(Exception):
    """The limits of a forge are reached."""

    def __init__(self, until_us: int) -> None:
        super().__init__(until_us)
        self.until_us = until_us


def run_pass(sync: Sync, *, full: bool = False, dry_run: bool = False) -> Passed:
    """Look at everything, and make both sides alike. `full` reads the comments of all issues, and not only of those
    that changed. `dry_run` says what would be done, as far as it can be seen before the rest is.

    RefusedError where too much would be removed; retryable errors of the forges. What was done stays done.
    """
    with sync.store.begin() as tx:
        since_us = sync.clock.now_us() - HOUR_US
        paces = {side: Pace(made_since(tx, side, since_us)) for side in Side}
    one = _Pass(sync, paces, full=full, dry_run=dry_run)
    try:
        one.run()
    except _Pause as pause:
        one.passed.again_us = pause.until_us
    return one.passed


class _Pass:
    def __init__(self, sync: Sync, paces: Mapping[Side, Pace], *, full: bool, dry_run: bool) -> None:
        self.sync = sync
        self.paces = paces
        self.full = full
        self.dry_run = dry_run
        self.passed = Passed()
        self.removals = 0

    def run(self) -> None:
        """Names before what bears them, issues before what stands below them."""
        ends, mirroring = self.sync.ends, self.sync.mirroring
        self._shelf(LabelShelf(ends))
        self._shelf(MilestoneShelf(ends))
        mirror = None if mirroring is None else self._mirror(mirroring)
        if mirroring is not None:
            self._shelf(ReleaseShelf(ends, mirroring.rules))
        issues = IssueShelf(ends, self.sync.clock.now_us())
        self._threads(ThreadKind.ISSUE, Kind.ISSUE, self._shelf(issues))
        if mirroring is not None:
            pulls = PullShelf(ends, mirroring.rules, self._links(Kind.PULL))
            self._threads(ThreadKind.PULL, Kind.PULL, self._shelf(pulls))
        if mirror is not None:
            self._guarded(mirror.finish)

    def _threads(self, thread: ThreadKind, kind: Kind, now: dict[Side, dict[str, Item]]) -> None:
        for link in self._links(kind):
            here, there = (now[side].get(link.key(side) or "") for side in Side)
            if here is not None and there is not None:
                self._thread(thread, link, here, there)

    def _mirror(self, mirroring: Mirroring) -> MirrorPass:
        """Branches and tags."""
        now_us = self.sync.clock.now_us
        one = MirrorPass(self.sync.store, mirroring, _Teller(self), now_us, dry_run=self.dry_run)
        self._guarded(one.run)
        return one

    def _guarded(self, mirrored: Callable[[], None]) -> None:
        """What stands in the way of refs holds up nothing else."""
        try:
            mirrored()
        except ShiplineError as error:
            if error.retryable:
                raise
            self.trouble(f"{error.sentence()}; {error.todo}" if error.todo else error.sentence())

    def _links(self, kind: Kind, parent: int = 0) -> tuple[Link, ...]:
        with self.sync.store.begin() as tx:
            return links_of(tx, kind, parent)

    def _thread(self, kind: ThreadKind, link: Link, here: Item, there: Item) -> None:
        """The comments of an issue or a pull request, where it changed since they were read."""
        updated = (here.updated_us, there.updated_us)
        if link.updated == updated and not self.full:
            return
        numbers = {Side.HERE: Thread(kind, int(here.key)), Side.THERE: Thread(kind, int(there.key))}
        troubles = len(self.passed.troubles)
        web = {Side.HERE: here.web, Side.THERE: there.web}
        self._shelf(CommentShelf(self.sync.ends, numbers, web), parent=link.number)
        if not self.dry_run and len(self.passed.troubles) == troubles:
            with self.sync.store.begin() as tx:
                keep_link(tx, replace(link, updated=updated))

    def _shelf(self, shelf: Shelf, *, parent: int = 0) -> dict[Side, dict[str, Item]]:
        """All of a kind; as they were found, with what was made."""
        links = self._links(shelf.kind, parent)
        found = {side: self._read(shelf, side) for side in Side}
        due = [(each, self._decided(shelf, each)) for each in paired(shelf.kind, links, found, parent=parent)]
        self.bounded(shelf.kind, sum(decision.remove is not None for _, decision in due))
        for each, decision in due:
            done = len(self.passed.effects)
            try:
                self._settle(shelf, each, decision, found)
            except ShiplineError as error:
                if error.retryable:
                    raise
                del self.passed.effects[done:]
                named = each.link.here or each.link.there
                self.trouble(f"{shelf.kind.value} {named}: {error.sentence()}")
        return found

    def trouble(self, words: str) -> None:
        """Something stays as it is."""
        if len(self.passed.troubles) < TROUBLES_MAX:
            self.passed.troubles.append(words)

    def _read(self, shelf: Shelf, side: Side) -> dict[str, Item]:
        pause_us = budget_pause_us(self.sync.budget(side), self.sync.clock.now_us())
        if pause_us:
            raise _Pause(self.sync.clock.now_us() + pause_us)
        return shelf.items(side)

    def _decided(self, shelf: Shelf, each: Paired) -> Decision:
        decision = shelf.decide(each, self.sync.wins)
        mirroring = self.sync.mirroring
        if (
            decision.make is not None
            and shelf.kind in WITH_GIT
            and (mirroring is None or decision.make not in mirroring.rules.to)
        ):
            return Decision(gone=decision.make) if each.link.number else Decision(left=True)
        return decision

    def bounded(self, kind: Kind, removals: int) -> None:
        """RefusedError for more removals than one pass may do."""
        self.removals += removals
        if removals and self.removals > self.sync.removals_max:
            raise RefusedError(
                f"{removals} {kind.value}s are gone from one of the forges, and would be removed from the other",
                why=f"a pass removes {self.sync.removals_max} items at most: a token without its rights sees nothing",
                todo="see that both tokens may read everything; if it is meant, `shipline sync run --removals NUMBER`",
            )

    # --- one item ----------------------------------------------------------------------------------------------

    def _settle(self, shelf: Shelf, each: Paired, decision: Decision, found: dict[Side, dict[str, Item]]) -> None:
        """Do what was decided about it, then note how it is."""
        if decision.make is not None:
            self._make(shelf, each, decision.make, found)
        elif decision.remove is not None:
            self._remove(shelf, each, decision.remove)
        elif decision.left:
            return
        elif decision.gone is not None:
            self._noted(each.link, each.link.at(decision.gone, None, None))
        elif each.here is None or each.there is None:
            self._noted(each.link, None)
        else:
            self._change(shelf, each, decision)

    def _make(self, shelf: Shelf, each: Paired, side: Side, found: dict[Side, dict[str, Item]]) -> None:
        original = each.item(side.other)
        assert original is not None, "nothing can be made out of nothing"  # noqa: S101
        self.tell("make", shelf.kind, side, "", f"of {original.key} {side.other.value}")
        if self.dry_run:
            return
        self._wait(side, making=True)
        made = shelf.make(side, original)
        found[side][made.key] = made
        link = replace(each.link, origin=side.other, made_us=self.sync.clock.now_us())
        link = link.at(side, made.key, seen(made.content)).at(side.other, original.key, seen(original.content))
        self._noted(each.link, link)

    def _remove(self, shelf: Shelf, each: Paired, side: Side) -> None:
        item = each.item(side)
        assert item is not None, "nothing cannot be removed"  # noqa: S101
        gone = each.link.key(side.other)
        # Lists are read page by page, so one that is missing may be there.
        if gone is not None and shelf.look(side.other, gone) is not None:
            return
        self.tell("remove", shelf.kind, side, item.key, "it is gone from the other side")
        if self.dry_run:
            return
        self._wait(side, making=False)
        left = shelf.remove(side, item)
        self._noted(each.link, None if left is None else each.link.at(side.other, None, None))

    def _change(self, shelf: Shelf, each: Paired, decision: Decision) -> None:
        link = each.link
        contents = {}
        for side in Side:
            item, fields = each.item(side), decision.to(side)
            assert item is not None, "both are there"  # noqa: S101
            contents[side] = item.content
            if fields and not self._is_as_seen(shelf, side, item):
                return  # Somebody is at it just now: the next pass sees how it is then.
        for name, text in sorted(decision.lost.items()):
            self._keep(shelf, each, decision, name, text)
        for side in Side:
            item, fields = each.item(side), decision.to(side)
            if not fields or item is None:
                continue
            self.tell("change", shelf.kind, side, item.key, ", ".join(sorted(fields)))
            if not self.dry_run:
                self._wait(side, making=shelf.kind is Kind.PULL and "state" in fields)
                original = each.original if side is not link.origin else None
                contents[side] = shelf.write(side, item, fields, original)
        if self.dry_run:
            return
        here, there = (each.item(side) for side in Side)
        after = link.at(Side.HERE, here.key if here else None, seen(contents[Side.HERE]))
        after = after.at(Side.THERE, there.key if there else None, seen(contents[Side.THERE]))
        if after != link:
            self._noted(link, after)

    def _is_as_seen(self, shelf: Shelf, side: Side, item: Item) -> bool:
        if not shelf.checks or self.dry_run:
            return True
        now = shelf.look(side, item.key)
        return now is not None and seen(now.content) == seen(item.content)

    def _keep(self, shelf: Shelf, each: Paired, decision: Decision, name: str, text: str) -> None:
        """A text that did not win goes into a comment, where its item has such."""
        side = next(one for one in Side if name in decision.to(one))
        item = each.item(side)
        assert item is not None, "it was written there"  # noqa: S101
        if not isinstance(shelf, IssueShelf | CommentShelf | PullShelf):
            self.tell("lose", shelf.kind, side, item.key, name)
            return
        self.tell("keep", shelf.kind, side, item.key, f"{name}, as a comment")
        if self.dry_run:
            return
        self._wait(side, making=True)
        shelf.keep_lost(side, item.key, text, short_hash(f"{item.key} {name} {text}"))

    # --- limits and the map ------------------------------------------------------------------------------------

    def tell(self, verb: str, kind: Kind, side: Side, key: str, words: str) -> None:
        """Something is done, or would be."""
        self.passed.effects.append(Effect(verb, kind, side, key, words))

    def _wait(self, side: Side, *, making: bool) -> None:
        """Stop where a forge's limit is reached. The effect that was told is not done then."""
        now_us = self.sync.clock.now_us()
        pace = self.paces[side]
        pause_us = max(pace.pause_us(now_us, making=making), budget_pause_us(self.sync.budget(side), now_us))
        if pause_us:
            self.passed.effects.pop()
            raise _Pause(now_us + pause_us)
        pace.note(now_us, making=making)

    def _noted(self, before: Link, after: Link | None) -> None:
        if self.dry_run:
            return
        with self.sync.store.begin() as tx:
            if after is not None:
                keep_link(tx, after)
            elif before.number:
                drop_link(tx, before.number)


class _Teller:
    """What the mirror says goes into the pass."""

    def __init__(self, one: _Pass) -> None:
        self._pass = one

    def effect(self, verb: str, side: Side, key: str, words: str) -> None:
        self._pass.tell(verb, Kind.REF, side, key, words)

    def trouble(self, key: str, words: str) -> None:
        self._pass.trouble(f"{Kind.REF.value} {key}: {words}")

    def removing(self, count: int) -> None:
        self._pass.bounded(Kind.REF, count)
