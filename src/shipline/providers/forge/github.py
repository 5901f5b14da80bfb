"""The Forge port for GitHub and GitHub Enterprise Server, over its REST API.

From: docs.github.com/rest, version 2022-11-28. Drafts are not found by their tag, and two may bear the same one: so
they are looked for in the list of releases. Uploads go to an address of their own, which is derived from the API's.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from shipline.clients.forge_http import ForgeHTTP, UploadTarget, made
from shipline.clients.forge_json import entries, flag, number, number_or_none, text, text_or_none
from shipline.domain.errors import ConflictError
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
    client,
    commit_in_path,
    in_path,
    is_the_file,
    newest_of_each,
    same,
)
from shipline.providers.forge.github_access import GITHUB, GitHubSettings, credential_of

CONTENTS, PULLS, STATUSES = "contents: write", "pull requests: write", "commit statuses: write"
ASSETS_MAX = 1000
RULES_MAX = 200
RULE_WORDS = {
    "pull_request": "changes come by pull request",
    "required_status_checks": "checks must have passed",
    "required_signatures": "commits must be signed",
    "update": "nobody may push, but for those who bypass the rule",
    "required_linear_history": "no merge commits",
}


class GitHubForge:
    """The Forge port for one repository on GitHub."""

    api_version = 1
    Settings = GitHubSettings

    def __init__(self, settings: GitHubSettings, context: ProviderContext) -> None:
        self._settings = settings
        self._context = context

    @cached_property
    def _http(self) -> ForgeHTTP:
        return client(GITHUB, self._settings, self._context, credential_of(self._settings, self._context))

    @cached_property
    def _at(self) -> str:
        return f"/repos/{self._settings.repository}"

    # --- branches and tags -------------------------------------------------------------------------------------

    def default_branch(self) -> str:
        """GET the repository."""
        return text(self._http.get(self._at), "default_branch")

    def find_branch(self, name: str) -> Ref | None:
        """GET the branch."""
        found = self._http.find(f"{self._at}/branches/{in_path(name)}")
        return None if found is None else Ref(name, text(found, "commit", "sha"), flag(found, "protected"))

    def create_branch(self, name: str, commit: str) -> Ref:
        """POST the ref."""
        return same(made(lambda: self.find_branch(name), lambda: self._create("heads", name, commit)), commit, "branch")

    def delete_branch(self, name: str, commit: str) -> None:
        """DELETE the ref; GitHub says 422 for one that is gone."""
        found = self.find_branch(name)
        if found is None:
            return
        same(found, commit, "branch")
        try:
            self._http.remove(f"{self._at}/git/refs/heads/{in_path(name, slashes=True)}", need=CONTENTS)
        except ConflictError:
            if self.find_branch(name) is not None:
                raise

    def find_tag(self, name: str) -> Ref | None:
        """GET the ref, and what an annotated tag leads to."""
        found = self._http.find(f"{self._at}/git/ref/tags/{in_path(name, slashes=True)}")
        if found is None or text(found, "ref") != f"refs/tags/{name}":
            return None
        target = found["object"]
        if text(target, "type") == "tag":
            target = self._http.get(f"{self._at}/git/tags/{commit_in_path(text(target, 'sha'))}")["object"]
        return Ref(name, text(target, "sha"))

    def create_tag(self, name: str, commit: str) -> Ref:
        """POST the ref."""
        return same(made(lambda: self.find_tag(name), lambda: self._create("tags", name, commit)), commit, "tag")

    def _create(self, kind: str, name: str, commit: str) -> Ref:
        in_path(name)
        body = {"ref": f"refs/{kind}/{name}", "sha": commit_in_path(commit)}
        answer = self._http.send("POST", f"{self._at}/git/refs", body, need=CONTENTS)
        return Ref(name, text(answer, "object", "sha"))

    def protection(self, branch: str) -> Protection:
        """The branch's mark and the rules that hold for it; who bypasses them is for administrators to read."""
        found = self._http.get(f"{self._at}/branches/{in_path(branch)}")
        kinds = {text(rule, "type") for rule in self._list(f"rules/branches/{in_path(branch)}", RULES_MAX)}
        demands = tuple(words for kind, words in RULE_WORDS.items() if kind in kinds)
        guarded = flag(found, "protected") or bool(demands)
        may = Known.UNKNOWN if guarded else self._may_push()
        return Protection(branch, guarded, Known.NO if self._may_push() is Known.NO else may, demands)

    def _may_push(self) -> Known:
        repository = self._http.get(self._at)
        if not isinstance(repository.get("permissions"), dict):
            return Known.UNKNOWN
        return Known.YES if flag(repository, "permissions", "push") else Known.NO

    # --- pull requests -----------------------------------------------------------------------------------------

    def open_pull_requests(self, *, head: str = "", base: str = "") -> tuple[PullRequest, ...]:
        """GET the list. GitHub filters by head only together with its owner."""
        query = {"state": "open", "sort": "created", "direction": "desc"}
        if head:
            query["head"] = f"{self._settings.repository.partition('/')[0]}:{head}"
        if base:
            query["base"] = base
        found = (self._pull(item) for item in self._list("pulls", PULLS_MAX, query) if self._is_own(item))
        return tuple(pull for pull in found if head in ("", pull.head) and base in ("", pull.base))

    def find_pull_request(self, number: int) -> PullRequest | None:
        """GET it."""
        found = self._http.find(f"{self._at}/pulls/{number}")
        return None if found is None else self._pull(found)

    def create_pull_request(self, *, head: str, base: str, title: str, body: str) -> PullRequest:
        """POST it; GitHub says 422 where one is open."""
        given = {"head": head, "base": base, "title": title, "body": body}

        def make() -> PullRequest:
            return self._pull(self._http.send("POST", f"{self._at}/pulls", given, need=PULLS))

        return made(lambda: next(iter(self.open_pull_requests(head=head, base=base)), None), make)

    def update_pull_request(self, number: int, *, title: str, body: str) -> PullRequest:
        """PATCH it."""
        return self._change_pull(number, {"title": title, "body": body})

    def close_pull_request(self, number: int) -> PullRequest:
        """PATCH its state."""
        found = self._pull(self._http.get(f"{self._at}/pulls/{number}"))
        return found if found.state is not PullState.OPEN else self._change_pull(number, {"state": "closed"})

    def pull_requests_of(self, commit: str) -> tuple[PullRequest, ...]:
        """GET those of a commit."""
        items = self._list(f"commits/{commit_in_path(commit)}/pulls", 100)
        return tuple(self._pull(item) for item in items if self._is_own(item))

    def _change_pull(self, number: int, body: dict[str, str]) -> PullRequest:
        return self._pull(self._http.send("PATCH", f"{self._at}/pulls/{number}", body, need=PULLS))

    def _is_own(self, item: Any) -> bool:
        """True if it comes from this repository: what a fork proposes is not ours, whatever its body says."""
        source = text_or_none(item, "head", "repo", "full_name")
        return source is not None and source.lower() == self._settings.repository.lower()

    def _pull(self, item: Any) -> PullRequest:
        merged = text_or_none(item, "merged_at") is not None
        is_open = text(item, "state") == "open"
        return PullRequest(
            number=number(item, "number"),
            title=text(item, "title"),
            body=text_or_none(item, "body") or "",
            head=text(item, "head", "ref"),
            base=text(item, "base", "ref"),
            state=PullState.OPEN if is_open else PullState.MERGED if merged else PullState.CLOSED,
            url=text(item, "html_url"),
            merge_commit=text_or_none(item, "merge_commit_sha") if merged else None,
            labels=tuple(text(label, "name") for label in entries(item, "labels")),
        )

    # --- releases ----------------------------------------------------------------------------------------------

    def find_release(self, tag: str) -> ForgeRelease | None:
        """GET it by its tag; a draft is in the list alone, the oldest of several being the one."""
        found = self._http.find(f"{self._at}/releases/tags/{in_path(tag)}")
        if found is not None:
            return _release(found)
        drafts = [item for item in self._list("releases", RELEASES_MAX) if text(item, "tag_name") == tag]
        return _release(min(drafts, key=lambda item: number(item, "id"))) if drafts else None

    def create_release(
        self, tag: str, *, title: str, notes_markdown: str, draft: bool, prerelease: bool
    ) -> ForgeRelease:
        """POST it. `make_latest` is left to GitHub's own rule."""
        in_path(tag)
        body = {"tag_name": tag, "name": title, "body": notes_markdown, "draft": draft, "prerelease": prerelease}

        def make() -> ForgeRelease:
            return _release(self._http.send("POST", f"{self._at}/releases", body, need=CONTENTS))

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
        return _release(self._http.send("PATCH", self._place(release), body, need=CONTENTS))

    def delete_release(self, release: ForgeRelease) -> None:
        """DELETE it."""
        self._http.remove(self._place(release), need=CONTENTS)

    def assets(self, release: ForgeRelease) -> tuple[Asset, ...]:
        """GET the list; digests are stated since June 2025, and by Enterprise Server later."""
        items = self._http.pages(f"{self._place(release)}/assets", items_max=ASSETS_MAX)
        return tuple(sorted((_asset(item) for item in items), key=lambda asset: asset.name))

    def upload_asset(self, release: ForgeRelease, file: Path, *, digest: str) -> Asset:
        """POST the bytes to the upload address. What was cut off is listed as a `starter`, and goes first."""
        size = file.stat().st_size

        def look() -> Asset | None:
            for asset in self.assets(release):
                if asset.name == file.name and is_the_file(asset, digest=digest, size=size):
                    return asset
            return None

        def make() -> Asset:
            for asset in self.assets(release):
                if asset.name == file.name and not asset.whole:
                    self.delete_asset(release, asset)
            place = f"{_upload_url(self._http.url)}{self._place(release)}/assets"
            target = UploadTarget("POST", place, {"name": file.name})
            return _asset(self._http.upload(file, target, need=CONTENTS))

        return made(look, make)

    def delete_asset(self, release: ForgeRelease, asset: Asset) -> None:
        """DELETE it."""
        self._http.remove(f"{self._place(release).rpartition('/')[0]}/assets/{int(asset.key)}", need=CONTENTS)

    def _place(self, release: ForgeRelease) -> str:
        return f"{self._at}/releases/{int(release.key)}"

    # --- comments and statuses ---------------------------------------------------------------------------------

    def put_comment(self, number: int, *, marker: str, body: str) -> Comment:
        """PATCH the first that bears the marker, or POST one."""
        wanted = f"{hidden(marker)}\n{body}"

        def look() -> Comment | None:
            items = self._list(f"issues/{number}/comments", COMMENTS_MAX)
            return next((_comment(item) for item in items if bears(text_or_none(item, "body") or "", marker)), None)

        def make() -> Comment:
            path = f"{self._at}/issues/{number}/comments"
            return _comment(self._http.send("POST", path, {"body": wanted}, need=PULLS))

        found = made(look, make)
        if found.body == wanted:
            return found
        place = f"{self._at}/issues/comments/{int(found.key)}"
        return _comment(self._http.send("PATCH", place, {"body": wanted}, need=PULLS))

    def statuses(self, commit: str) -> tuple[CommitStatus, ...]:
        """GET the list, the newest first. Check runs, which GitHub keeps apart, are not among them."""
        items = self._list(f"commits/{commit_in_path(commit)}/statuses", STATUSES_MAX)
        return newest_of_each(_status(item) for item in items)

    def set_status(self, commit: str, status: CommitStatus) -> CommitStatus:
        """POST it: GitHub keeps all of them, and takes 1000 of a context."""
        wanted = replace(status, description=status.description[:140])
        body = {"state": wanted.state.value, "context": wanted.context, "description": wanted.description}
        body |= {"target_url": wanted.url} if wanted.url else {}

        def make() -> CommitStatus:
            path = f"{self._at}/statuses/{commit_in_path(commit)}"
            return _status(self._http.send("POST", path, body, need=STATUSES))

        return made(lambda: next((one for one in self.statuses(commit) if one == wanted), None), make)

    # --- what the token may ------------------------------------------------------------------------------------

    def permissions(self) -> tuple[Permission, ...]:
        """What the repository says about the token. GitHub tells nobody the finer permissions of a token."""
        may_push = self._may_push()
        rest = Known.NO if may_push is Known.NO else Known.UNKNOWN
        todo = "a workflow asks for it under `permissions:`; an app or a fine-grained token is given it by its owner"
        return (
            Permission(CONTENTS, may_push, "" if may_push is Known.YES else todo),
            Permission(PULLS, rest, todo),
            Permission(STATUSES, rest, todo),
        )

    def lacks(self) -> tuple[str, ...]:
        """One thing, which surprises everybody."""
        return ("what is pushed or opened with a workflow's own GITHUB_TOKEN starts no workflow: use an app's token",)

    def _list(self, path: str, items_max: int, query: dict[str, str] | None = None) -> Iterator[Any]:
        return self._http.pages(f"{self._at}/{path}", query, items_max=items_max)


def _upload_url(api_url: str) -> str:
    """Where files go. GitHub: from api. to uploads.; Enterprise Server: from /api/v3 to /api/uploads, the same host.

    The address in an answer is not used: a token is not sent to wherever an answer says.
    """
    parts = urlsplit(api_url)
    if (parts.hostname or "").startswith("api.") and parts.path.strip("/") == "":
        return f"{parts.scheme}://uploads.{parts.netloc.removeprefix('api.')}"
    return api_url.removesuffix("/v3") + "/uploads"


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
    return Asset(
        key=str(number(item, "id")),
        name=text(item, "name"),
        size=number_or_none(item, "size"),
        digest=text_or_none(item, "digest"),
        whole=text_or_none(item, "state") in (None, "uploaded"),
    )


def _comment(item: Any) -> Comment:
    return Comment(str(number(item, "id")), text_or_none(item, "body") or "")


def _status(item: Any) -> CommitStatus:
    state = text(item, "state")
    known = {"pending": StatusState.PENDING, "success": StatusState.SUCCESS}
    return CommitStatus(
        context=text(item, "context"),
        state=known.get(state, StatusState.FAILURE),
        description=text_or_none(item, "description") or "",
        url=text_or_none(item, "target_url") or "",
    )
