"""The Forge port in memory, for worlds that end processes: no HTTP, the same state and rules as the fake servers."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

from shipline.domain.errors import ConflictError
from shipline.ports.forge import (
    Asset,
    Capability,
    CommitStatus,
    ForgeRelease,
    Known,
    Permission,
    Protection,
    PullRequest,
    PullState,
    Ref,
    checked_ref_name,
)
from shipline.testing.fakes.forge.memory_guards import MemoryGuards
from shipline.testing.fakes.forge.memory_hooks import MemoryHooks
from shipline.testing.fakes.forge.memory_reviews import MemoryReviews
from shipline.testing.fakes.forge.memory_tracker import MemoryTracker
from shipline.testing.fakes.forge.model import File, Page, Said


class FakeForge(MemoryTracker, MemoryReviews, MemoryHooks, MemoryGuards):
    """The Forge port over a model. `model.effects` lists the changes, for tests that count."""

    def default_branch(self) -> str:
        """The model's."""
        self._reach()
        return self.model.default_branch

    def find_branch(self, name: str) -> Ref | None:
        """A ref below refs/heads."""
        self._reach()
        commit = self.model.refs.get(f"refs/heads/{checked_ref_name(name)}")
        return None if commit is None else Ref(name, commit, protected=self.model.is_guarded(name))

    def create_branch(self, name: str, commit: str) -> Ref:
        """There on the same commit is as good."""
        return self._create("heads", name, commit)

    def delete_branch(self, name: str, commit: str) -> None:
        """Only where it stands on `commit`."""
        found = self.find_branch(name)
        if found is None:
            return
        if found.commit != commit:
            raise ConflictError(f"the branch {name!r} has moved to {found.commit[:12]}")
        self._write()
        self.model.delete_ref(f"refs/heads/{name}")
        self._answer()

    def find_tag(self, name: str) -> Ref | None:
        """A ref below refs/tags."""
        self._reach()
        commit = self.model.refs.get(f"refs/tags/{name}")
        return None if commit is None else Ref(name, commit)

    def create_tag(self, name: str, commit: str) -> Ref:
        """There on the same commit is as good."""
        return self._create("tags", name, commit)

    def _create(self, kind: str, name: str, commit: str) -> Ref:
        self._reach()
        known = self.model.refs.get(f"refs/{kind}/{checked_ref_name(name)}")
        if known not in (None, commit):
            raise ConflictError(f"{name!r} exists on {known}")
        if known is None:
            self._write()
            self.model.create_ref(f"refs/{kind}/{name}", commit)
            self._answer()
        return Ref(name, commit)

    def protection(self, branch: str) -> Protection:
        """Protected branches take no push."""
        self._reach()
        guarded = self.model.is_guarded(branch)
        may = Known.YES if self.model.may_write and not guarded else Known.NO
        return Protection(branch, guarded, may, ("changes come by pull request",) if guarded else ())

    def open_pull_requests(self, *, head: str = "", base: str = "") -> tuple[PullRequest, ...]:
        """The newest first."""
        self._reach()
        found = (pull for pull in self.model.pulls.values() if pull.state is PullState.OPEN and not pull.fork)
        chosen = [self._pull(one) for one in found if head in ("", one.head) and base in ("", one.base)]
        return tuple(sorted(chosen, key=lambda pull: pull.number, reverse=True))

    def find_pull_request(self, number: int) -> PullRequest | None:
        """By number."""
        self._reach()
        return self._pull(self.model.pulls[number]) if number in self.model.pulls else None

    def create_pull_request(self, *, head: str, base: str, title: str, body: str) -> PullRequest:
        """One a pair of branches."""
        known = self.open_pull_requests(head=head, base=base)
        if known:
            return known[0]
        self._make()
        made = self.model.open_pull(head, base, title, body)
        self._answer()
        return self._pull(made)

    def update_pull_request(self, number: int, *, title: str, body: str) -> PullRequest:
        """Title and body."""
        self._write()
        changed = self.model.change_pull(number, title=title, body=body)
        self._answer()
        return self._pull(changed)

    def close_pull_request(self, number: int) -> PullRequest:
        """Unmerged."""
        self._write()
        changed = self.model.change_pull(number, close=True)
        self._answer()
        return self._pull(changed)

    def reopen_pull_request(self, number: int) -> PullRequest:
        """With its branch."""
        self._write()
        if self.model.refs.get(f"refs/heads/{self.model.pull(number).head}") is None:
            raise ConflictError(f"the branch of pull request {number} is gone")
        changed = self.model.change_pull(number, reopen=True)
        self._answer()
        return self._pull(changed)

    def pull_requests_of(self, commit: str) -> tuple[PullRequest, ...]:
        """Those that became this commit."""
        self._reach()
        return tuple(self._pull(pull) for pull in self.model.pulls.values() if pull.merge_commit == commit)

    def releases(self) -> tuple[ForgeRelease, ...]:
        """Drafts included."""
        self._reach()
        return tuple(map(_release, self.model.pages.values()))

    def find_release(self, tag: str) -> ForgeRelease | None:
        """Drafts included."""
        self._reach()
        page = self.model.page_of(tag)
        return None if page is None else _release(page)

    def create_release(
        self, tag: str, *, title: str, notes_markdown: str, draft: bool, prerelease: bool
    ) -> ForgeRelease:
        """One a tag."""
        known = self.find_release(tag)
        if known is not None:
            return known
        self._make()
        page = Page(0, tag, title, notes_markdown, draft, prerelease)
        made = self.model.create_page(page, one_a_tag=True)
        self._answer()
        return _release(made)

    def update_release(self, release: ForgeRelease) -> ForgeRelease:
        """As given."""
        self._write()
        page = self.model.change_page(
            self.model.page(int(release.key)),
            tag=release.tag,
            title=release.title,
            notes=release.notes_markdown,
            draft=release.draft,
            prerelease=release.prerelease,
        )
        self._answer()
        return _release(page)

    def delete_release(self, release: ForgeRelease) -> None:
        """The page and its files."""
        self._write()
        if int(release.key) in self.model.pages:
            self.model.delete_page(int(release.key))
        self._answer()

    def assets(self, release: ForgeRelease) -> tuple[Asset, ...]:
        """By name."""
        self._reach()
        files = self.model.page(int(release.key)).files.values()
        return tuple(sorted((_asset(file) for file in files), key=lambda asset: asset.name))

    def upload_asset(self, release: ForgeRelease, file: Path, *, digest: str) -> Asset:
        """Only what is missing."""
        for asset in self.assets(release):
            if asset.name == file.name and asset.whole:
                if asset.digest != digest:
                    raise ConflictError(f"another {file.name} is there: {asset.digest}, not {digest}")
                return asset
            if asset.name == file.name:
                self.delete_asset(release, asset)
        self._write()
        made = self.model.add_file(self.model.page(int(release.key)), file.name, file.read_bytes(), unique=True)
        self._answer()
        return _asset(made)

    def delete_asset(self, release: ForgeRelease, asset: Asset) -> None:
        """A file goes."""
        self._write()
        if int(asset.key) in self.model.page(int(release.key)).files:
            self.model.delete_file(int(asset.key))
        self._answer()

    def statuses(self, commit: str) -> tuple[CommitStatus, ...]:
        """The newest of each context."""
        self._reach()
        newest = {one.context: one for one in self.model.said if one.commit == commit}
        return tuple(_status(newest[context]) for context in sorted(newest))

    def checks(self, commit: str) -> tuple[CommitStatus, ...]:
        """Nothing is kept beside the statuses."""
        return self.statuses(commit)

    def set_status(self, commit: str, status: CommitStatus) -> CommitStatus:
        """Not twice."""
        if status not in self.statuses(commit):
            self._write()
            self.model.say(Said(0, commit, status.context, status.state, status.description, status.url))
            self._answer()
        return status

    def permissions(self) -> tuple[Permission, ...]:
        """All or nothing."""
        self._reach()
        return tuple(Permission(one, "write", self._may(one)) for one in Capability)

    def _may(self, capability: Capability) -> Known:
        return Known.YES if self.model.may_write and capability not in self.model.lacking else Known.NO

    def lacks(self) -> tuple[str, ...]:
        """Nothing is missing in memory."""
        return ()


def _release(page: Page) -> ForgeRelease:
    files = tuple((file.name, f"https://127.0.0.1/files/{file.key}/{quote(file.name)}") for file in page.files.values())
    return ForgeRelease(str(page.key), page.tag, page.title, page.notes, page.draft, page.prerelease, files=files)


def _asset(file: File) -> Asset:
    return Asset(str(file.key), file.name, len(file.content), f"sha256:{file.sha256}", file.whole)


def _status(said: Said) -> CommitStatus:
    return CommitStatus(said.context, said.state, said.description, said.url)
