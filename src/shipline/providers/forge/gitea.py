"""The Forge port for Gitea and Forgejo, over their REST API, version 1.

From: docs.gitea.com/api. No digests are stated for a release's files, so that one of the same name and size is taken
for the same; two may bear one name, so they are looked for before they are sent.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

from shipline.clients.forge_http import ForgeHTTP, UploadTarget, made
from shipline.clients.forge_json import entries, flag, number, number_or_none, text, text_or_none
from shipline.ports.forge import (
    Asset,
    Comment,
    CommitStatus,
    ForgeRelease,
    Known,
    Permission,
    Protection,
    PullRequest,
    PullState,
    Ref,
    StatusState,
    bears,
    hidden,
)
from shipline.ports.provider import ProviderContext
from shipline.providers.forge.access import (
    COMMENTS_MAX,
    PULLS_MAX,
    RELEASES_MAX,
    STATUSES_MAX,
    ForgeSettings,
    Kind,
    Token,
    client,
    commit_in_path,
    in_path,
    is_the_file,
    newest_of_each,
    same,
)

GITEA = Kind("Gitea", "GITEA_TOKEN", "token", "limit", 50)
REPOSITORY, ISSUES = "write:repository", "write:issue"
ASSETS_MAX = 1000
STATES = {"pending": StatusState.PENDING, "success": StatusState.SUCCESS}


class GiteaForge:
    """The Forge port for one repository on Gitea or Forgejo."""

    api_version = 1
    Settings = ForgeSettings

    def __init__(self, settings: ForgeSettings, context: ProviderContext) -> None:
        self._settings = settings
        self._context = context

    @cached_property
    def _http(self) -> ForgeHTTP:
        token = Token.of(self._settings, self._context, GITEA.variable)
        return client(GITEA, self._settings, self._context, token)

    @cached_property
    def _at(self) -> str:
        return f"/repos/{self._settings.repository}"

    # --- branches and tags -------------------------------------------------------------------------------------

    def default_branch(self) -> str:
        """GET the repository."""
        return text(self._http.get(self._at), "default_branch")

    def find_branch(self, name: str) -> Ref | None:
        """GET the branch."""
        found = self._http.find(f"{self._at}/branches/{in_path(name, slashes=True)}")
        return None if found is None else _branch(found)

    def create_branch(self, name: str, commit: str) -> Ref:
        """POST it; Gitea says 409 for one that is there."""
        in_path(name)

        def make() -> Ref:
            body = {"new_branch_name": name, "old_ref_name": commit_in_path(commit)}
            return _branch(self._http.send("POST", f"{self._at}/branches", body, need=REPOSITORY))

        return same(made(lambda: self.find_branch(name), make), commit, "branch")

    def delete_branch(self, name: str, commit: str) -> None:
        """DELETE it."""
        found = self.find_branch(name)
        if found is not None:
            same(found, commit, "branch")
            self._http.remove(f"{self._at}/branches/{in_path(name, slashes=True)}", need=REPOSITORY)

    def find_tag(self, name: str) -> Ref | None:
        """GET the tag."""
        found = self._http.find(f"{self._at}/tags/{in_path(name, slashes=True)}")
        return None if found is None else Ref(name, text(found, "commit", "sha"))

    def create_tag(self, name: str, commit: str) -> Ref:
        """POST it."""
        in_path(name)

        def make() -> Ref:
            body = {"tag_name": name, "target": commit_in_path(commit)}
            answer = self._http.send("POST", f"{self._at}/tags", body, need=REPOSITORY)
            return Ref(name, text(answer, "commit", "sha"))

        return same(made(lambda: self.find_tag(name), make), commit, "tag")

    def protection(self, branch: str) -> Protection:
        """What the branch says about this token."""
        found = self._http.get(f"{self._at}/branches/{in_path(branch, slashes=True)}")
        may = Known.YES if flag(found, "user_can_push") else Known.NO
        demands = []
        if may is Known.NO:
            demands.append("changes come by pull request")
        if flag(found, "enable_status_check"):
            demands.append("checks must have passed")
        approvals = number_or_none(found, "required_approvals")
        if approvals:
            demands.append(f"{approvals} must approve")
        return Protection(branch, flag(found, "protected"), may, tuple(demands))

    # --- pull requests -----------------------------------------------------------------------------------------

    def open_pull_requests(self, *, head: str = "", base: str = "") -> tuple[PullRequest, ...]:
        """GET the list, which older Giteas do not filter by branches."""
        items = self._list("pulls", PULLS_MAX, {"state": "open"})
        found = (_pull(item) for item in items if _is_own(item))
        chosen = [pull for pull in found if head in ("", pull.head) and base in ("", pull.base)]
        return tuple(sorted(chosen, key=lambda pull: pull.number, reverse=True))

    def find_pull_request(self, number: int) -> PullRequest | None:
        """GET it."""
        found = self._http.find(f"{self._at}/pulls/{number}")
        return None if found is None else _pull(found)

    def create_pull_request(self, *, head: str, base: str, title: str, body: str) -> PullRequest:
        """POST it; Gitea says 409 where one is open."""
        given = {"head": head, "base": base, "title": title, "body": body}

        def make() -> PullRequest:
            return _pull(self._http.send("POST", f"{self._at}/pulls", given, need=REPOSITORY))

        return made(lambda: next(iter(self.open_pull_requests(head=head, base=base)), None), make)

    def update_pull_request(self, number: int, *, title: str, body: str) -> PullRequest:
        """PATCH it."""
        return self._change_pull(number, {"title": title, "body": body})

    def close_pull_request(self, number: int) -> PullRequest:
        """PATCH its state."""
        found = _pull(self._http.get(f"{self._at}/pulls/{number}"))
        return found if found.state is not PullState.OPEN else self._change_pull(number, {"state": "closed"})

    def pull_requests_of(self, commit: str) -> tuple[PullRequest, ...]:
        """GET the one of a commit: Gitea names one."""
        found = self._http.find(f"{self._at}/commits/{commit_in_path(commit)}/pull")
        return () if found is None or not _is_own(found) else (_pull(found),)

    def _change_pull(self, number: int, body: dict[str, str]) -> PullRequest:
        return _pull(self._http.send("PATCH", f"{self._at}/pulls/{number}", body, need=REPOSITORY))

    # --- releases ----------------------------------------------------------------------------------------------

    def find_release(self, tag: str) -> ForgeRelease | None:
        """GET it by its tag, or from the list, where drafts are."""
        found = self._http.find(f"{self._at}/releases/tags/{in_path(tag, slashes=True)}")
        if found is not None:
            return _release(found)
        drafts = [item for item in self._list("releases", RELEASES_MAX) if text(item, "tag_name") == tag]
        return _release(drafts[0]) if drafts else None

    def create_release(
        self, tag: str, *, title: str, notes_markdown: str, draft: bool, prerelease: bool
    ) -> ForgeRelease:
        """POST it."""
        in_path(tag)
        body = {"tag_name": tag, "name": title, "body": notes_markdown, "draft": draft, "prerelease": prerelease}

        def make() -> ForgeRelease:
            return _release(self._http.send("POST", f"{self._at}/releases", body, need=REPOSITORY))

        return made(lambda: self.find_release(tag), make)

    def update_release(self, release: ForgeRelease) -> ForgeRelease:
        """PATCH it."""
        body = {
            "tag_name": release.tag,
            "name": release.title,
            "body": release.notes_markdown,
            "draft": release.draft,
            "prerelease": release.prerelease,
        }
        return _release(self._http.send("PATCH", self._place(release), body, need=REPOSITORY))

    def delete_release(self, release: ForgeRelease) -> None:
        """DELETE it."""
        self._http.remove(self._place(release), need=REPOSITORY)

    def assets(self, release: ForgeRelease) -> tuple[Asset, ...]:
        """GET the list."""
        items = self._http.pages(f"{self._place(release)}/assets", items_max=ASSETS_MAX)
        return tuple(sorted((_asset(item) for item in items), key=lambda asset: asset.name))

    def upload_asset(self, release: ForgeRelease, file: Path, *, digest: str) -> Asset:
        """POST the bytes as a form."""
        size = file.stat().st_size

        def look() -> Asset | None:
            found = (one for one in self.assets(release) if one.name == file.name)
            return next((one for one in found if is_the_file(one, digest=digest, size=size)), None)

        def make() -> Asset:
            target = UploadTarget("POST", f"{self._place(release)}/assets", {"name": file.name}, "attachment")
            return _asset(self._http.upload(file, target, need=REPOSITORY))

        return made(look, make)

    def delete_asset(self, release: ForgeRelease, asset: Asset) -> None:
        """DELETE it."""
        self._http.remove(f"{self._place(release)}/assets/{int(asset.key)}", need=REPOSITORY)

    def _place(self, release: ForgeRelease) -> str:
        return f"{self._at}/releases/{int(release.key)}"

    # --- comments and statuses ---------------------------------------------------------------------------------

    def put_comment(self, number: int, *, marker: str, body: str) -> Comment:
        """PATCH the first that bears the marker, or POST one."""
        wanted = f"{hidden(marker)}\n{body}"
        path = f"issues/{number}/comments"

        def look() -> Comment | None:
            items = self._list(path, COMMENTS_MAX)
            return next((_comment(item) for item in items if bears(text_or_none(item, "body") or "", marker)), None)

        def make() -> Comment:
            return _comment(self._http.send("POST", f"{self._at}/{path}", {"body": wanted}, need=ISSUES))

        found = made(look, make)
        if found.body == wanted:
            return found
        place = f"{self._at}/issues/comments/{int(found.key)}"
        return _comment(self._http.send("PATCH", place, {"body": wanted}, need=ISSUES))

    def statuses(self, commit: str) -> tuple[CommitStatus, ...]:
        """GET the list."""
        items = list(self._list(f"statuses/{commit_in_path(commit)}", STATUSES_MAX))
        items.sort(key=lambda item: number(item, "id"), reverse=True)
        return newest_of_each(_status(item) for item in items)

    def set_status(self, commit: str, status: CommitStatus) -> CommitStatus:
        """POST it: Gitea keeps all of them."""
        wanted = replace(status, description=status.description[:255])
        body = {
            "state": wanted.state.value,
            "context": wanted.context,
            "description": wanted.description,
            "target_url": wanted.url,
        }

        def make() -> CommitStatus:
            path = f"{self._at}/statuses/{commit_in_path(commit)}"
            return _status(self._http.send("POST", path, body, need=REPOSITORY))

        return made(lambda: next((one for one in self.statuses(commit) if one == wanted), None), make)

    # --- what the token may ------------------------------------------------------------------------------------

    def permissions(self) -> tuple[Permission, ...]:
        """What the repository says about the token's user. Gitea tells nobody a token's scopes."""
        may_push = Known.YES if flag(self._http.get(self._at), "permissions", "push") else Known.NO
        rest = Known.NO if may_push is Known.NO else Known.UNKNOWN
        todo = "make a token with the scopes write:repository and write:issue, of a user who may write here"
        return (
            Permission("write access to the repository", may_push, "" if may_push is Known.YES else todo),
            Permission(ISSUES, rest, todo),
        )

    def lacks(self) -> tuple[str, ...]:
        """One thing."""
        return ("no digests are stated for a release's files: they are compared by name and size",)

    def _list(self, path: str, items_max: int, query: dict[str, str] | None = None) -> Iterator[Any]:
        return self._http.pages(f"{self._at}/{path}", query, items_max=items_max)


def _branch(item: Any) -> Ref:
    return Ref(text(item, "name"), text(item, "commit", "id"), flag(item, "protected"))


def _is_own(item: Any) -> bool:
    """True if it comes from this repository and not from a fork of it."""
    return number_or_none(item, "head", "repo_id") == number(item, "base", "repo_id")


def _pull(item: Any) -> PullRequest:
    merged = flag(item, "merged")
    is_open = text(item, "state") == "open"
    return PullRequest(
        number=number(item, "number"),
        title=text(item, "title"),
        body=text_or_none(item, "body") or "",
        head=text(item, "head", "ref"),
        base=text(item, "base", "ref"),
        state=PullState.MERGED if merged else PullState.OPEN if is_open else PullState.CLOSED,
        url=text(item, "html_url"),
        merge_commit=text_or_none(item, "merge_commit_sha") if merged else None,
        labels=tuple(text(label, "name") for label in entries(item, "labels")),
    )


def _release(item: Any) -> ForgeRelease:
    return ForgeRelease(
        key=str(number(item, "id")),
        tag=text(item, "tag_name"),
        title=text_or_none(item, "name") or "",
        notes_markdown=text_or_none(item, "body") or "",
        draft=flag(item, "draft"),
        prerelease=flag(item, "prerelease"),
        url=text_or_none(item, "html_url") or "",
    )


def _asset(item: Any) -> Asset:
    return Asset(str(number(item, "id")), text(item, "name"), number_or_none(item, "size"), None)


def _comment(item: Any) -> Comment:
    return Comment(str(number(item, "id")), text_or_none(item, "body") or "")


def _status(item: Any) -> CommitStatus:
    return CommitStatus(
        context=text(item, "context"),
        state=STATES.get(text(item, "status"), StatusState.FAILURE),
        description=text_or_none(item, "description") or "",
        url=text_or_none(item, "target_url") or "",
    )
