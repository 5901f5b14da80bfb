"""Pull requests on two forges: the mirror carries the branch, and a copy asks for it on the other side.

What has ended on one side, merged or closed, is closed on the other, and says where: nothing is ever merged there by
this, since the mirror carries what was merged. Those of forks are not copied: their branches are not carried.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from shipline.capabilities.automation.sync.contents import (
    MARKER,
    Content,
    Item,
    Kind,
    Side,
    Value,
    copied,
    harmless,
    is_page,
    marker_of,
    original_of,
    short_hash,
    text_of,
)
from shipline.capabilities.automation.sync.links import Link
from shipline.capabilities.automation.sync.pairing import Paired
from shipline.capabilities.automation.sync.refs import BRANCHES, MirrorRules, is_carried_name
from shipline.capabilities.automation.sync.rules import Decision, decide
from shipline.capabilities.automation.sync.shelves import End, keep_lost
from shipline.domain.errors import ConflictError
from shipline.ports.forge import PullRequest, PullState, marked
from shipline.ports.forge.answers import ItemState, Thread

OPEN, ENDED = ItemState.OPEN.value, ItemState.CLOSED.value


@dataclass
class PullShelf:
    """Those that are open, and those that the map knows as open. `links` are those of the map."""

    ends: dict[Side, End]
    rules: MirrorRules
    links: tuple[Link, ...]
    kind = Kind.PULL
    checks = True
    _known: dict[Side, dict[str, PullRequest]] = field(default_factory=dict)

    def decide(self, each: Paired, wins: Side) -> Decision:
        """One that is gone is closed on the other side; what has ended on both is left."""
        if each.here is None and each.there is None:
            return Decision(left=True)
        decision = decide(each.pair, wins)
        if decision.make is not None and each.link.number:
            return Decision(remove=decision.make.other)
        return decision

    def items(self, side: Side) -> dict[str, Item]:
        """Of both sides those are read that one of them shows as open, or did so when it was seen last."""
        if not self._known:
            self._known = {one: self._open(one) for one in Side}
            for link in self.links:
                self._read_linked(link)
        return {key: self._item(side, pull) for key, pull in self._known[side].items()}

    def _open(self, side: Side) -> dict[str, PullRequest]:
        listed = self.ends[side].forge.each_pull_request(state=PullState.OPEN)
        return {str(pull.number): pull for pull in listed if not pull.fork and self._is_carried(pull)}

    def _is_carried(self, pull: PullRequest) -> bool:
        refs = (f"{BRANCHES}{pull.head}", f"{BRANCHES}{pull.base}")
        return all(self.rules.takes(ref) and is_carried_name(ref) for ref in refs)

    def _read_linked(self, link: Link) -> None:
        keys = {side: link.key(side) for side in Side}
        is_open = any(keys[side] in self._known[side] for side in Side)
        was_open = any((link.seen(side) or {}).get("state") == short_hash(OPEN) for side in Side)
        if None in keys.values() or not (is_open or was_open):
            return
        for side, key in keys.items():
            if key is not None and key not in self._known[side]:
                found = self.ends[side].forge.find_pull_request(int(key))
                if found is not None:
                    self._known[side][key] = found

    def look(self, side: Side, key: str) -> Item | None:
        """By its number."""
        found = self.ends[side].forge.find_pull_request(int(key))
        if found is None:
            return None
        self._known.setdefault(side, {})[key] = found
        return self._item(side, found)

    def _item(self, side: Side, pull: PullRequest) -> Item:
        web = pull.url.split("/-/", 1)[0].rsplit("/pull", 1)[0]
        content: Content = {
            "title": pull.title,
            "body": text_of(pull.body, web),
            "state": OPEN if pull.state is PullState.OPEN else ENDED,
        }
        ours = self.ends[side].is_ours(pull.author)
        copy_of = original_of(pull.body, self.kind, self.ends[side.other].place) if ours else ""
        return Item(str(pull.number), content, pull.author, copy_of, pull.updated_us, web)

    def make(self, side: Side, original: Item) -> Item:
        """Between the same branches, which the mirror has brought."""
        pull, end = self._known[side.other][original.key], self.ends[side]
        for branch in (pull.head, pull.base):
            if end.forge.find_branch(branch) is None:
                raise ConflictError(f"the branch {branch!r} is not on the other forge {side.value}")
        body = self._copied(side, original, str(original.content["body"]))
        made = end.forge.create_pull_request(head=pull.head, base=pull.base, title=pull.title, body=body)
        if str(made.number) in {link.key(side) for link in self.links}:
            raise ConflictError(f"another one is open there between the same branches: {made.number}")
        self._known[side][str(made.number)] = made
        return self._item(side, made)

    def _copied(self, side: Side, original: Item, text: str) -> str:
        place, web = self.ends[side.other].place, self._known[side.other][original.key].url
        said = copied(text, author=original.author, place=f"{place} {original.key}", web=web)
        return marked(said, marker_of(self.kind, place, original.key))

    def write(self, side: Side, item: Item, fields: dict[str, Value], original: Item | None) -> Content:
        """Words first, then whether it goes on."""
        forge, number, after = self.ends[side].forge, int(item.key), self._known[side][item.key]
        if fields.keys() & {"title", "body"}:
            body = after.body
            if "body" in fields and original is not None:
                body = self._copied(side, original, str(fields["body"]))
            elif "body" in fields:
                body = harmless(str(fields["body"]))
            after = forge.update_pull_request(number, title=str(fields.get("title", after.title)), body=body)
        if fields.get("state") == ENDED:
            after = self._end(side, item)
        elif "state" in fields:
            after = forge.reopen_pull_request(number)
        return self._item(side, after).content

    def _end(self, side: Side, item: Item) -> PullRequest:
        """Close it, and say why. What is said to one side is not copied to the other."""
        end, key = self.ends[side], self._partner(side, item.key)
        other, place = self._known[side.other].get(key), self.ends[side.other].place
        merged = other is not None and other.state is PullState.MERGED
        page = f": <{other.url}>" if other is not None and is_page(other.url) else ""
        words = f"*{'Merged' if merged else 'Closed'} on {place} {key}{page}*"
        end.forge.put_comment(Thread.pull(int(item.key)), marker=f"{MARKER}-ended {place} {key}", body=words)
        return end.forge.close_pull_request(int(item.key))

    def _partner(self, side: Side, key: str) -> str:
        return next((link.key(side.other) or "" for link in self.links if link.key(side) == key), "")

    def remove(self, side: Side, item: Item) -> str:
        """Its other side is gone: it is closed."""
        if item.content["state"] == OPEN:
            self._end(side, item)
        return item.key

    def keep_lost(self, side: Side, key: str, text: str, mark: str) -> None:
        """A text that did not win becomes a comment, which is copied to the other side like any other."""
        keep_lost(self.ends[side], Thread.pull(int(key)), text, mark)
