"""What a forge knows of one repository: refs, pull requests, releases with files, statuses, and all of the tracker.

Every rule that all forges share is here; the dialects only put it into words. Refs live in a bare git repository, or,
where no git is needed, in a dict.
"""

from __future__ import annotations

import hashlib
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from shipline.ports.clock import Clock
from shipline.ports.forge import PullState, StatusState
from shipline.ports.forge.answers import Thread, ThreadKind
from shipline.testing.fakes.forge.refusals import Refused
from shipline.testing.fakes.forge.tracker import TrackerModel


class Refs(Protocol):
    """Full ref names and the commits that they lead to, tags peeled."""

    def get(self, name: str) -> str | None: ...

    def has_commit(self, commit: str) -> bool: ...

    def put(self, name: str, commit: str) -> None: ...

    def drop(self, name: str) -> None: ...


class MemoryRefs:
    """Refs in a dict; every full id is taken for a commit that is there."""

    def __init__(self, refs: dict[str, str] | None = None) -> None:
        self.refs = refs if refs is not None else {}

    def get(self, name: str) -> str | None:
        """The commit, None where there is no such ref."""
        return self.refs.get(name)

    def has_commit(self, commit: str) -> bool:
        """True for what looks like one."""
        return len(commit) >= len("0" * 40)

    def put(self, name: str, commit: str) -> None:
        """Create or move."""
        self.refs[name] = commit

    def drop(self, name: str) -> None:
        """Delete."""
        self.refs.pop(name, None)


class GitRefs:
    """Refs of a bare repository."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def git(self, *arguments: str, stdin: str = "") -> str | None:
        """Git's output, None where it says no."""
        done = subprocess.run(
            ["git", "--git-dir", str(self.folder), *arguments], input=stdin, capture_output=True, text=True, check=False
        )
        return done.stdout.strip() if done.returncode == 0 else None

    def get(self, name: str) -> str | None:
        """The commit, None where there is no such ref."""
        return self.git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")

    def has_commit(self, commit: str) -> bool:
        """True for one that was pushed."""
        return self.git("cat-file", "-e", f"{commit}^{{commit}}") is not None

    def put(self, name: str, commit: str) -> None:
        """Create or move."""
        if self.git("update-ref", name, commit) is None:
            raise Refused("invalid", f"{name} cannot be set")

    def drop(self, name: str) -> None:
        """Delete."""
        self.git("update-ref", "-d", name)


@dataclass
class Pull:
    """A pull request. `fork`: it comes from another repository."""

    number: int
    title: str
    body: str
    head: str
    base: str
    state: PullState = PullState.OPEN
    merge_commit: str | None = None
    labels: list[str] = field(default_factory=list)
    fork: bool = False
    author: str = ""
    assignees: list[str] = field(default_factory=list)
    updated_us: int = 0


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


class ForgeModel(TrackerModel):
    """One repository. `may_write` False: the token may only read. `protected` branches take no direct push.

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
        super().__init__(clock)
        self.refs = refs
        self.repository = repository
        self.default_branch = default_branch
        self.may_write = True
        self.protected: set[str] = set()
        self.pulls: dict[int, Pull] = {}
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
        return commit

    def delete_ref(self, name: str) -> None:
        """A branch goes."""
        if self.refs.get(name) is None:
            raise Refused("missing", "Reference does not exist")
        self.refs.drop(name)
        self._note(f"delete {name}")

    def open_pull(self, head: str, base: str, title: str, body: str, *, fork: bool = False) -> Pull:
        """A new pull request; one a pair of branches."""
        for branch in (head, base):
            if not fork and self.refs.get(f"refs/heads/{branch}") is None:
                raise Refused("invalid", f"the branch {branch} does not exist")
        for pull in self.pulls.values():
            if (pull.head, pull.base, pull.state, pull.fork) == (head, base, PullState.OPEN, fork):
                raise Refused("duplicate", f"A pull request already exists for {head}.")
        made = Pull(self.next_key(), title, body, head, base, fork=fork)
        made.author, made.updated_us = "stranger" if fork else self.account, self.now_us()
        self.pulls[made.number] = made
        self._note(f"open pull request {head}")
        return made

    def change_pull(self, number: int, *, title: str | None, body: str | None, close: bool) -> Pull:
        """Title, body, or its end."""
        pull = self.pull(number)
        pull.title = pull.title if title is None else title
        pull.body = pull.body if body is None else body
        if close and pull.state is PullState.OPEN:
            pull.state = PullState.CLOSED
        self._note(f"change pull request {pull.head}")
        return pull

    def pull(self, number: int) -> Pull:
        """One by number."""
        if number not in self.pulls:
            raise Refused("missing", "Not Found")
        return self.pulls[number]

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
        return page

    def page(self, key: int) -> Page:
        """One by key."""
        if key not in self.pages:
            raise Refused("missing", "Not Found")
        return self.pages[key]

    def change_page(self, page: Page, **values: object) -> Page:
        """What is given, and not None."""
        for name, value in values.items():
            if value is not None:
                setattr(page, name, value)
        self._note(f"change release {page.tag}")
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
        return said

    def open_issue(self, *labels: str) -> int:
        """A person has opened one; its labels are there from then on."""
        made = Issue(self.next_key(), "something is wrong", list(labels))
        self.issues[made.number] = made
        self.labels |= set(labels)
        return made.number

    def close_issue(self, number: int) -> None:
        """A person has closed it."""
        self.issues[number].is_open = False

    def label_pull(self, number: int, label: str) -> None:
        """A person has labelled a pull request."""
        self.pull(number).labels.append(label)
        self.labels.add(label)

    def has_label(self, label: str) -> bool:
        """Whether there is such a label, in whatever case."""
        return label.casefold() in {one.casefold() for one in self.labels}

    def issues_with(self, label: str) -> list[Issue]:
        """The open ones that bear it."""
        wanted = label.casefold()
        return [
            one for one in self.issues.values() if one.is_open and wanted in {each.casefold() for each in one.labels}
        ]

    def merge(self, number: int, commit: str) -> None:
        """A person has merged it: `commit` is what its base stands on now."""
        pull = self.pull(number)
        self.refs.put(f"refs/heads/{pull.base}", commit)
        pull.state, pull.merge_commit = PullState.MERGED, commit

    # --- what issues and pull requests have alike --------------------------------------------------------------

    def labels_of(self, thread: Thread) -> list[str]:
        """The labels of an issue or a pull request."""
        return super().labels_of(thread) if thread.kind is ThreadKind.ISSUE else self.pull(thread.number).labels

    def assignees_of(self, thread: Thread) -> list[str]:
        """Its assignees."""
        return super().assignees_of(thread) if thread.kind is ThreadKind.ISSUE else self.pull(thread.number).assignees

    def _all_labels(self) -> list[list[str]]:
        return super()._all_labels() + [pull.labels for pull in self.pulls.values()]

    def _touch(self, thread: Thread) -> None:
        super()._touch(thread)
        if thread.kind is ThreadKind.PULL:
            self.pull(thread.number).updated_us = self.now_us()
