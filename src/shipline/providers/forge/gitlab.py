"""The Forge port for GitLab, over its REST API, version 4.

From: docs.gitlab.com/api. GitLab has no drafts: a release whose time is far off is shown as upcoming, and that is what
a draft is here. It has no pre-releases. A release's files are links; their bytes lie in the project's registry of
generic packages, which states digests.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import quote

from shipline.clients.forge_http import UploadTarget, made
from shipline.clients.forge_json import entries, flag, instant, number, number_or_none, text, text_or_none
from shipline.domain.errors import ShiplineError
from shipline.ports.forge import (
    Asset,
    CommitStatus,
    ForgeRelease,
    Known,
    Permission,
    Protection,
    PullRequest,
    PullState,
    Ref,
    StatusState,
)
from shipline.ports.forge.rights import Capability
from shipline.providers.forge.access import (
    PULLS_MAX,
    ForgeSettings,
    Kind,
    commit_in_path,
    in_path,
    is_the_file,
)
from shipline.providers.forge.ci_secrets import GitLabSecrets
from shipline.providers.forge.gitlab_guards import GitLabGuards
from shipline.providers.forge.gitlab_hooks import GitLabHooks
from shipline.providers.forge.gitlab_reviews import GitLabReviews
from shipline.providers.forge.gitlab_speakers import GitLabSpeakers
from shipline.providers.forge.gitlab_tracker import API
from shipline.providers.forge.rest import RESTForge

GITLAB = Kind("GitLab", "GITLAB_TOKEN", "Bearer", "per_page", 100)
FILES_MAX = 1000
PACKAGE = "release-assets"
UNPACKABLE = re.compile(r"[^A-Za-z0-9._+-]")
# When a release is not announced yet, it is announced in a time that no clock reaches.
FAR_OFF = "2999-01-01T00:00:00.000Z"
DEVELOPER, MAINTAINER, REPORTER = (30, "Developer"), (40, "Maintainer"), (20, "Reporter")
# From: docs.gitlab.com/user/permissions.
ROLES = {
    Capability.CONTENT: DEVELOPER,
    Capability.PULLS: DEVELOPER,
    Capability.ISSUES: REPORTER,
    Capability.STATUSES: DEVELOPER,
    Capability.HOOKS: MAINTAINER,
    Capability.SETTINGS: MAINTAINER,
    Capability.VARIABLES: MAINTAINER,
    Capability.SECRETS: MAINTAINER,
}
PULL_STATES = {"opened": PullState.OPEN, "merged": PullState.MERGED}
WAITING = frozenset({"pending", "running", "created", "preparing", "waiting_for_resource", "scheduled", "manual"})
STATE_WORDS = {StatusState.PENDING: "pending", StatusState.SUCCESS: "success", StatusState.FAILURE: "failed"}


class GitLabForge(GitLabGuards, GitLabSecrets, GitLabSpeakers, GitLabReviews, GitLabHooks, RESTForge):
    """The Forge port for one project on GitLab."""

    Settings = ForgeSettings
    kind = GITLAB
    content_need = API
    git_user = "oauth2"

    @cached_property
    def _at(self) -> str:
        return f"/projects/{quote(self._settings.repository, safe='')}"

    # --- branches and tags -------------------------------------------------------------------------------------

    def _refs_at(self, kind: str) -> str:
        return f"{self._at}/repository/{kind}"

    def find_branch(self, name: str) -> Ref | None:
        """GET the branch."""
        found = self._http.find(self._ref_at("branches", name))
        return None if found is None else Ref(name, text(found, "commit", "id"), flag(found, "protected"))

    def _make_branch(self, name: str, commit: str) -> Ref:
        answer = self._http.send("POST", self._refs_at("branches"), {"branch": name, "ref": commit}, need=API)
        return Ref(name, text(answer, "commit", "id"), flag(answer, "protected"))

    def protection(self, branch: str) -> Protection:
        """What the branch says about this token."""
        found = self._http.get(self._ref_at("branches", branch))
        guarded, may = flag(found, "protected"), flag(found, "can_push")
        demands = () if may else ("changes come by merge request",)
        return Protection(branch, guarded, Known.YES if may else Known.NO, demands)

    # --- merge requests ----------------------------------------------------------------------------------------

    def open_pull_requests(self, *, head: str = "", base: str = "") -> tuple[PullRequest, ...]:
        """GET the list."""
        query = {"state": "opened", "order_by": "created_at", "sort": "desc"}
        query |= {"source_branch": head} if head else {}
        query |= {"target_branch": base} if base else {}
        items = self._list("merge_requests", PULLS_MAX, query)
        return tuple(_pull(item) for item in items if _is_own(item))

    def _pull(self, item: Any) -> PullRequest:
        return _pull(item)

    def _pull_at(self, number: int) -> str:
        return f"{self._at}/merge_requests/{number}"

    def _make_pull(self, *, head: str, base: str, title: str, body: str) -> PullRequest:
        given = {"source_branch": head, "target_branch": base, "title": title, "description": body}
        return _pull(self._http.send("POST", f"{self._at}/merge_requests", given, need=API))

    def update_pull_request(self, number: int, *, title: str, body: str) -> PullRequest:
        """PUT it."""
        given = {"title": title, "description": body}
        return _pull(self._http.send("PUT", self._pull_at(number), given, need=API))

    def _turn_pull(self, number: int, state: PullState) -> PullRequest:
        word = "close" if state is PullState.CLOSED else "reopen"
        return _pull(self._http.send("PUT", self._pull_at(number), {"state_event": word}, need=API))

    def pull_requests_of(self, commit: str) -> tuple[PullRequest, ...]:
        """GET those of a commit."""
        items = self._list(f"repository/commits/{commit_in_path(commit)}/merge_requests", PULLS_MAX)
        return tuple(_pull(item) for item in items if _is_own(item))

    # --- releases ----------------------------------------------------------------------------------------------

    def find_release(self, tag: str) -> ForgeRelease | None:
        """GET it by its tag, which is its key."""
        found = self._http.find(self._place(tag))
        return None if found is None else _release(found)

    def _release(self, item: Any) -> ForgeRelease:
        return _release(item)

    def _make_release(self, release: ForgeRelease) -> ForgeRelease:
        """GitLab has no mark for pre-releases, so that is left out."""
        body = {"tag_name": release.tag, "name": release.title, "description": release.notes_markdown}
        body |= {"released_at": FAR_OFF} if release.draft else {}
        return _release(self._http.send("POST", f"{self._at}/releases", body, need=API))

    def update_release(self, release: ForgeRelease) -> ForgeRelease:
        """PUT it. Its time is set where it is announced now, and else left as it is."""
        before = self.find_release(release.tag)
        body = {"name": release.title, "description": release.notes_markdown}
        if before is not None and before.draft != release.draft:
            now = datetime.fromtimestamp(self._context.clock.now_us() / 1_000_000, UTC)
            body["released_at"] = FAR_OFF if release.draft else now.strftime("%Y-%m-%dT%H:%M:%S.000Z")
        return _release(self._http.send("PUT", self._place(release.key), body, need=API))

    def delete_release(self, release: ForgeRelease) -> None:
        """DELETE the files and the page."""
        if self.find_release(release.tag) is None:
            return
        for asset in self.assets(release):
            self.delete_asset(release, asset)
        self._http.remove(self._place(release.key), need=API)

    def assets(self, release: ForgeRelease) -> tuple[Asset, ...]:
        """GET the links, and what the package registry says about the files of the same names."""
        stored = {file.name: file for file in self._stored(release)}
        items = self._list(f"releases/{in_path(release.key)}/assets/links", FILES_MAX)
        links = [(str(number(item, "id")), text(item, "name")) for item in items]
        found = (replace(stored.get(name, Asset("", name, None, None)), key=key) for key, name in links)
        return tuple(sorted(found, key=lambda asset: asset.name))

    def upload_asset(self, release: ForgeRelease, file: Path, *, digest: str) -> Asset:
        """PUT the bytes into the package, then POST the link to them."""
        size = file.stat().st_size
        name = quote(file.name, safe="")

        def stored() -> Asset | None:
            found = (one for one in self._stored(release) if one.name == file.name)
            return next((one for one in found if is_the_file(one, digest=digest, size=size)), None)

        def store() -> Asset:
            target = UploadTarget("PUT", f"{self._package(release.tag)}/{name}", {"select": "package_file"})
            return _file(self._http.upload(file, target, need=API))

        def linked() -> Asset | None:
            return next((one for one in self.assets(release) if one.name == file.name), None)

        def link() -> Asset:
            body = {
                "name": file.name,
                "url": f"{self._http.url}{self._package(release.tag)}/{name}",
                "link_type": "package",
                "direct_asset_path": f"/{name}",
            }
            path = f"{self._place(release.key)}/assets/links"
            return replace(kept, key=str(number(self._http.send("POST", path, body, need=API), "id")))

        kept = made(stored, store)
        return made(linked, link)

    def delete_asset(self, release: ForgeRelease, asset: Asset) -> None:
        """DELETE the link, then the file."""
        self._http.remove(f"{self._place(release.key)}/assets/links/{int(asset.key)}", need=API)
        for package in self._packages(release.tag):
            for item in self._list(f"packages/{package}/package_files", FILES_MAX):
                if text(item, "file_name") == asset.name:
                    path = f"{self._at}/packages/{package}/package_files/{number(item, 'id')}"
                    self._http.remove(path, need=API)

    def _place(self, tag: str) -> str:
        return f"{self._at}/releases/{in_path(tag)}"

    def _package(self, tag: str) -> str:
        return f"{self._at}/packages/generic/{PACKAGE}/{UNPACKABLE.sub('-', tag)}"

    def _packages(self, tag: str) -> tuple[int, ...]:
        version = UNPACKABLE.sub("-", tag)
        query = {"package_type": "generic", "package_name": PACKAGE, "package_version": version}
        items = self._list("packages", FILES_MAX, query)
        return tuple(
            number(item, "id") for item in items if text(item, "name") == PACKAGE and text(item, "version") == version
        )

    def _stored(self, release: ForgeRelease) -> tuple[Asset, ...]:
        """The files of the release's package, the newest of a name last."""
        return tuple(
            _file(item)
            for package in self._packages(release.tag)
            for item in self._list(f"packages/{package}/package_files", FILES_MAX)
        )

    # --- statuses ----------------------------------------------------------------------------------------------

    def _statuses_at(self, commit: str) -> str:
        """Jobs of pipelines are among them."""
        return f"repository/commits/{commit}/statuses"

    def _status(self, item: Any) -> CommitStatus:
        word = text(item, "status")
        state = StatusState.SUCCESS if word == "success" else StatusState.FAILURE
        return CommitStatus(
            context=text(item, "name"),
            state=StatusState.PENDING if word in WAITING else state,
            description=text_or_none(item, "description") or "",
            url=text_or_none(item, "target_url") or "",
        )

    def _make_status(self, commit: str, status: CommitStatus) -> CommitStatus:
        """GitLab refuses to say again what is said already."""
        body = {"state": STATE_WORDS[status.state], "name": status.context, "description": status.description}
        body |= {"target_url": status.url} if status.url else {}
        return self._status(self._http.send("POST", f"{self._at}/statuses/{commit}", body, need=API))

    # --- what the token may ------------------------------------------------------------------------------------

    def permissions(self) -> tuple[Permission, ...]:
        """The token's role in the project, and its scopes where it may ask for them."""
        project = self._http.get(self._at)
        levels = [
            number_or_none(project, "permissions", of, "access_level") for of in ("project_access", "group_access")
        ]
        known = [level for level in levels if level is not None]
        scope = self._has_scope()
        found = []
        for capability in Capability:
            level, role = ROLES[capability]
            has_role = Known.UNKNOWN if not known else Known.YES if max(known) >= level else Known.NO
            granted = Known.NO if Known.NO in (has_role, scope) else has_role if scope is Known.YES else scope
            todo = f"make a token with the scope `api`, of a user with the role {role} or higher"
            need = f"scope api, role {role}"
            found.append(Permission(capability, need, granted, "" if granted is Known.YES else todo))
        return tuple(found)

    def _has_scope(self) -> Known:
        try:
            found = self._http.find("/personal_access_tokens/self")
        except ShiplineError:  # A token of another kind may not ask.
            return Known.UNKNOWN
        if found is None:
            return Known.UNKNOWN
        return Known.YES if "api" in entries(found, "scopes") else Known.NO

    def lacks(self) -> tuple[str, ...]:
        """Six things."""
        return (
            "a push of more than three branches or tags is told to no webhook: they are looked for",
            "webhooks are told of milestones since 18.2, and never of their edits: those are looked for",
            "one merge request alone cannot be merged by rebasing",
            "releases have no mark for pre-releases",
            "there are no drafts: until all files are there, a release is shown as upcoming",
            "the release that was announced last is shown as the latest, also one of a maintenance branch",
        )


def _is_own(item: Any) -> bool:
    """True if it comes from this project and not from a fork of it."""
    return number(item, "source_project_id") == number(item, "target_project_id")


def _pull(item: Any) -> PullRequest:
    state = PULL_STATES.get(text(item, "state"), PullState.CLOSED)
    merged = text_or_none(item, "merge_commit_sha") or text_or_none(item, "squash_commit_sha")
    return PullRequest(
        number=number(item, "iid"),
        title=text(item, "title"),
        body=text_or_none(item, "description") or "",
        head=text(item, "source_branch"),
        base=text(item, "target_branch"),
        state=state,
        url=text(item, "web_url"),
        merge_commit=merged if state is PullState.MERGED else None,
        labels=tuple(label for label in entries(item, "labels") if isinstance(label, str)),
        author=text_or_none(item, "author", "username") or "",
        draft=flag(item, "draft"),
        fork=not _is_own(item),
        head_commit=text_or_none(item, "sha") or "",
        updated_us=instant(item, "updated_at"),
    )


def _release(item: Any) -> ForgeRelease:
    tag = text(item, "tag_name")
    links = item["assets"]["links"] if isinstance(item.get("assets"), dict) else []
    files = (
        (text_or_none(link, "name"), text_or_none(link, "direct_asset_url") or text_or_none(link, "url"))
        for link in links
    )
    return ForgeRelease(
        key=tag,
        tag=tag,
        title=text_or_none(item, "name") or "",
        notes_markdown=text_or_none(item, "description") or "",
        draft=flag(item, "upcoming_release"),
        prerelease=False,
        url=text_or_none(item, "_links", "self") or "",
        files=tuple((name, url) for name, url in files if name and url),
    )


def _file(item: Any) -> Asset:
    sha256 = text_or_none(item, "file_sha256")
    digest = f"sha256:{sha256}" if sha256 else None
    return Asset(str(number(item, "id")), text(item, "file_name"), number_or_none(item, "size"), digest)
