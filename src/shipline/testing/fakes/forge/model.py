"""What a forge knows of one repository: refs, pull requests, releases with files, statuses, and all of the tracker.

Every rule that all forges share is here; the dialects only put it into words. Refs live in a bare git repository, or,
where no git is needed, in a dict.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from shipline.ports.clock import Clock
from shipline.ports.forge import StatusState
from shipline.ports.forge.hooks import HookEvent
from shipline.ports.forge.rights import Capability
from shipline.testing.fakes.forge.happenings import RefMoved
from shipline.testing.fakes.forge.pulls import Pull, PullModel
from shipline.testing.fakes.forge.refs import GitRefs, MemoryRefs, Refs
from shipline.testing.fakes.forge.refusals import Refused

__all__ = ["File", "ForgeModel", "GitRefs", "MemoryRefs", "Page", "Pull", "Refs", "Said"]


@dataclass
class File:
    """A file of a release. `whole` is False for one whose upload was cut off."""

    key: int
    name: str
    content: bytes
    whole: bool = True

    @property
    def sha256(self) -> str:
        """Of its bytes."""
        return hashlib.sha256(self.content).hexdigest()


@dataclass
class Page:
    """A release. `files` by key."""

    key: int
    tag: str
    title: str
    notes: str
    draft: bool
    prerelease: bool
    files: dict[int, File] = field(default_factory=dict)


@dataclass
class Said:
    """A status."""

    key: int
    commit: str
    context: str
    state: StatusState
    description: str
    url: str


class ForgeModel(PullModel):
    """One repository. `may_write` False: the token may only read; `lacking` is what it may not at all, and `scopes` are
    those of a classic token of GitHub. `protected` branches take no direct push.

    `effects` lists every change that was made, in order, for tests that count.
    """

    def __init__(
        self,
        refs: Refs,
        *,
        repository: str = "acme/quotes",
        default_branch: str = "main",
        clock: Clock | None = None,
    ) -> None:
        super().__init__(refs, clock)
        self.repository = repository
        self.default_branch = default_branch
        self.may_write = True
        self.lacking: set[Capability] = set()
        self.scopes: frozenset[str] | None = None
        self.pages: dict[int, Page] = {}
        self.stored: dict[str, dict[int, File]] = {}
        self.said: list[Said] = []

    def create_ref(self, name: str, commit: str) -> str:
        """A new branch or tag."""
        if self.refs.get(name) is not None:
            raise Refused("duplicate", "Reference already exists")
        if not self.refs.has_commit(commit):
            raise Refused("invalid", "Object does not exist")
        self.refs.put(name, commit)
        self._note(f"create {name}")
        self.tell(HookEvent.PUSH, "pushed", RefMoved(name, None, commit))
        return commit

    def move_ref(self, name: str, commit: str) -> None:
        """Somebody has pushed to it."""
        before = self.refs.get(name)
        self.refs.put(name, commit)
        self._note(f"move {name}")
        self.pushed([RefMoved(name, before, commit)])

    def delete_ref(self, name: str) -> None:
        """A branch goes."""
        before = self.refs.get(name)
        if before is None:
            raise Refused("missing", "Reference does not exist")
        if name.startswith("refs/heads/") and self._rule_for(name.removeprefix("refs/heads/")) is not None:
            raise Refused("invalid", "Cannot delete a protected branch")
        self.refs.drop(name)
        self._note(f"delete {name}")
        self.tell(HookEvent.PUSH, "pushed", RefMoved(name, before, None))

    def page_of(self, tag: str) -> Page | None:
        """The release of a tag."""
        return next((page for page in self.pages.values() if page.tag == tag), None)

    def create_page(self, page: Page, *, one_a_tag: bool) -> Page:
        """A new release. `one_a_tag`: the forge keeps drafts apart by their tags, too."""
        known = [one for one in self.pages.values() if one.tag == page.tag]
        if known and (one_a_tag or not page.draft):
            raise Refused("duplicate", "Release already exists")
        page.key = self.next_key()
        self.pages[page.key] = page
        self._note(f"create release {page.tag}")
        if not page.draft:
            self.tell(HookEvent.RELEASE, "published", page)
        return page

    def page(self, key: int) -> Page:
        """One by key."""
        if key not in self.pages:
            raise Refused("missing", "Not Found")
        return self.pages[key]

    def change_page(self, page: Page, **values: object) -> Page:
        """What is given, and not None."""
        was_draft = page.draft
        for name, value in values.items():
            if value is not None:
                setattr(page, name, value)
        self._note(f"change release {page.tag}")
        if not page.draft:
            self.tell(HookEvent.RELEASE, "published" if was_draft else "edited", page)
        return page

    def delete_page(self, key: int) -> None:
        """A release goes, its tag stays."""
        page = self.page(key)
        del self.pages[key]
        self._note(f"delete release {page.tag}")

    def add_file(self, page: Page, name: str, content: bytes, *, unique: bool) -> File:
        """A file of a release. `unique`: the forge refuses a second one of this name."""
        if unique and any(file.name == name for file in page.files.values()):
            raise Refused("duplicate", "already_exists")
        made = File(self.next_key(), name, content)
        page.files[made.key] = made
        self._note(f"add {name}")
        return made

    def delete_file(self, key: int) -> None:
        """A file goes."""
        for page in self.pages.values():
            if page.files.pop(key, None) is not None:
                self._note("delete a file")
                return
        raise Refused("missing", "Not Found")

    def say(self, said: Said) -> Said:
        """A status."""
        if not self.refs.has_commit(said.commit):
            raise Refused("invalid", f"No commit found for SHA: {said.commit}")
        said.key = self.next_key()
        self.said.append(said)
        self._note(f"status {said.context}")
        self.tell(HookEvent.CHECK, "said", said)
        return said

    def passed(self, commit: str) -> set[str]:
        """By the newest status of each context."""
        newest = {one.context: one.state for one in self.said if one.commit == commit}
        return {context for context, state in newest.items() if state is StatusState.SUCCESS}
