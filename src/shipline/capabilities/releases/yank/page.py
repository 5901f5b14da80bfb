"""The page of a yanked release on the forge: it says so itself, and is no longer the newest one.

The page, its files and the tag stay: whoever comes by a link should read why the version is gone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from shipline.capabilities.releases.forge_page import NOTES_LENGTH_MAX
from shipline.domain.release import Release
from shipline.domain.verdict import Answer
from shipline.ports.forge import Forge, ForgeRelease, bears, hidden
from shipline.ports.registry import Finding, YankAnswer

PAGE = "release page"
TITLE_MARK = "[yanked] "
MARKER = "shipline:yanked"


@dataclass(frozen=True, slots=True)
class PagePlace:
    """The release's page. `forge` None: there is none."""

    forge: Forge | None
    name: str = PAGE

    def take_back(self, release: Release) -> YankAnswer | None:
        """Mark title and notes, and have it count as a pre-release where the forge has such a mark."""
        page = None if self.forge is None else self.forge.find_release(release.tag)
        if self.forge is None or page is None:
            return None
        wanted = marked(page, release.yank_reason)
        now = page if wanted == page else self.forge.update_release(wanted)
        done = "its title and notes say that it was taken back, and why"
        not_done = ["its files stay, and can still be fetched"]
        if now.prerelease:
            done += "; it is marked as a pre-release, so that it is not shown as the latest"
        else:
            not_done.insert(0, "the forge has no mark for pre-releases: it may be shown as the latest")
        return YankAnswer((done,), (), tuple(not_done))

    def look(self, release: Release) -> Finding:
        """Read it."""
        if self.forge is None:
            return Finding(Answer.UNKNOWN, "no forge is configured any more, so it cannot be asked")
        page = self.forge.find_release(release.tag)
        if page is None:
            return Finding(Answer.PASS, "there is no page of it")
        if bears(page.notes_markdown, MARKER):
            return Finding(Answer.PASS, "it says that it was taken back")
        return Finding(Answer.FAIL, "it does not say that it was taken back", "write it into its title and notes")


def marked(page: ForgeRelease, reason: str) -> ForgeRelease:
    """The page as it should be; what people have written on it stays below the mark."""
    title = page.title if page.title.startswith(TITLE_MARK) else f"{TITLE_MARK}{page.title}"
    notes = page.notes_markdown
    if not bears(notes, MARKER):
        why = " ".join(reason.replace("<!--", "").split())
        notes = f"{hidden(MARKER)}\n> **Yanked:** do not use this version. {why}\n\n{notes}"[:NOTES_LENGTH_MAX]
    return replace(page, title=title, notes_markdown=notes, prerelease=True)
