"""Releases on two forges: by their tags, which the mirror carries. Files stay where they are, and are linked to.

A draft is nobody's business but its writers', so it is not copied, and one that became a draft again is left alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from shipline.capabilities.automation.sync.contents import (
    MARKER,
    Content,
    Item,
    Kind,
    Side,
    Value,
    harmless,
    is_page,
    text_of,
)
from shipline.capabilities.automation.sync.pairing import Paired
from shipline.capabilities.automation.sync.refs import TAGS, MirrorRules, is_carried_name
from shipline.capabilities.automation.sync.rules import Decision, decide_release
from shipline.capabilities.automation.sync.shelves import End
from shipline.domain.errors import ConflictError
from shipline.ports.forge import ForgeRelease, hidden

FILES_BEGIN = hidden(f"{MARKER}-files")
YES, NO = "yes", "no"
FILES_MAX = 100
_LISTED = re.compile(r"^- \[([^\]\n]*)\]\(<([^>\n]*)>\)$", re.MULTILINE)
_FILE_NAME = re.compile(r"[^\w.+-]")


@dataclass
class ReleaseShelf:
    """Releases whose tags are carried. Their keys are the tags, on every forge."""

    ends: dict[Side, End]
    rules: MirrorRules
    kind = Kind.RELEASE
    checks = True
    _known: dict[Side, dict[str, ForgeRelease]] = field(default_factory=dict)

    def decide(self, each: Paired, wins: Side) -> Decision:
        """A copy is what a pass has made."""
        return decide_release(each.pair, wins, each.link.origin.other if each.link.made_us else None)

    def items(self, side: Side) -> dict[str, Item]:
        """Those that are announced."""
        listed = {one.tag: one for one in self.ends[side].forge.releases() if self._is_carried(one.tag)}
        self._known[side] = listed
        return {tag: _item(one) for tag, one in listed.items() if not one.draft}

    def _is_carried(self, tag: str) -> bool:
        return self.rules.takes(f"{TAGS}{tag}") and is_carried_name(f"{TAGS}{tag}")

    def look(self, side: Side, key: str) -> Item | None:
        """By its tag; a draft is there, too."""
        found = self.ends[side].forge.find_release(key)
        if found is None:
            return None
        self._known.setdefault(side, {})[key] = found
        return _item(found)

    def make(self, side: Side, original: Item) -> Item:
        """Of the same tag, which must be there: some forges would make one where the default branch stands."""
        tag, forge = original.key, self.ends[side].forge
        if forge.find_tag(tag) is None:
            raise ConflictError(f"the tag {tag!r} is not on the other forge {side.value}")
        content = dict(original.content) | {"listed": original.content["files"]}
        made = forge.create_release(
            tag,
            title=str(content["title"]),
            notes_markdown=self._notes(side, content),
            draft=False,
            prerelease=content["prerelease"] == YES,
        )
        return _item(made)

    def write(self, side: Side, item: Item, fields: dict[str, Value], original: Item | None) -> Content:  # noqa: ARG002 - a release is alike on both sides
        """As a whole: that is how forges take it."""
        content = {**item.content, **fields}
        wanted = replace(
            self._known[side][item.key],
            title=str(content["title"]),
            notes_markdown=self._notes(side, content),
            prerelease=content["prerelease"] == YES,
        )
        # An answer need not list the files again.
        after = dict(_item(self.ends[side].forge.update_release(wanted)).content)
        return after | {"files": item.content["files"]}

    def _notes(self, side: Side, content: Content) -> str:
        notes = harmless(str(content["notes"]))
        lines = [f"- [{name}](<{url}>)" for name, _, url in (str(each).partition(" ") for each in content["listed"])]
        if not lines:
            return notes
        return "\n".join((notes, "", FILES_BEGIN, f"Files on {self.ends[side.other].place}:", "", *lines))

    def remove(self, side: Side, item: Item) -> None:
        """The page; its tag stays."""
        self.ends[side].forge.delete_release(self._known[side][item.key])


def _item(release: ForgeRelease) -> Item:
    web = release.url.split("/-/", 1)[0].rsplit("/releases/", 1)[0]
    notes, _, below = release.notes_markdown.replace("\r\n", "\n").partition(FILES_BEGIN)
    content: Content = {
        "title": release.title,
        "notes": text_of(notes, web),
        "prerelease": YES if release.prerelease else NO,
        "files": _files(release.files),
        "listed": _files(tuple(_LISTED.findall(below))),
    }
    return Item(release.tag, content)


def _files(files: tuple[tuple[str, str], ...]) -> tuple[str, ...]:
    """A name and an address each, as they can stand in any text."""
    found = (f"{_FILE_NAME.sub('_', name)[:100]} {url}" for name, url in files if is_page(url))
    return tuple(sorted(found))[:FILES_MAX]
