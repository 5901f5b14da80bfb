"""The API that GitHub has and that Gitea took over: repositories below /repos, releases and comments with numbers.

Where the two differ, each says so itself.
"""

from __future__ import annotations

from abc import abstractmethod
from functools import cached_property
from typing import Any

from shipline.clients.forge_json import entries, flag, instant, number, text, text_or_none
from shipline.ports.forge import Asset, ForgeRelease, PullRequest, PullState
from shipline.providers.forge.access import RELEASES_MAX, in_path
from shipline.providers.forge.repos_tracker import ReposTracker
from shipline.providers.forge.rest import RESTForge
from shipline.providers.forge.reviews import ReposReviews

ASSETS_MAX = 1000


class ReposForge(ReposReviews, RESTForge, ReposTracker):
    """What both have. `pull_need` names the permission that pull requests take."""

    pull_need: str

    @cached_property
    def _at(self) -> str:
        return f"/repos/{self._settings.repository}"

    # --- pull requests -----------------------------------------------------------------------------------------

    @abstractmethod
    def _was_merged(self, item: Any) -> bool:
        """Whether a pull request says that it was."""

    @abstractmethod
    def _is_own(self, item: Any) -> bool:
        """True if it comes from this repository and not from a fork of it."""

    def _pull(self, item: Any) -> PullRequest:
        merged, is_open = self._was_merged(item), text(item, "state") == "open"
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
            author=self._author(item),
            draft=flag(item, "draft"),
            fork=not self._is_own(item),
            head_commit=text_or_none(item, "head", "sha") or "",
            updated_us=instant(item, "updated_at"),
        )

    def _pull_at(self, number: int) -> str:
        return f"{self._at}/pulls/{number}"

    def _make_pull(self, *, head: str, base: str, title: str, body: str) -> PullRequest:
        given = {"head": head, "base": base, "title": title, "body": body}
        return self._pull(self._http.send("POST", f"{self._at}/pulls", given, need=self.pull_need))

    def update_pull_request(self, number: int, *, title: str, body: str) -> PullRequest:
        """PATCH it."""
        given = {"title": title, "body": body}
        return self._pull(self._http.send("PATCH", self._pull_at(number), given, need=self.pull_need))

    def _turn_pull(self, number: int, state: PullState) -> PullRequest:
        return self._pull(self._http.send("PATCH", self._pull_at(number), {"state": state.value}, need=self.pull_need))

    # --- releases ----------------------------------------------------------------------------------------------

    @abstractmethod
    def _asset(self, item: Any) -> Asset:
        """A file of a release out of JSON."""

    def _release(self, item: Any) -> ForgeRelease:
        listed = ((text_or_none(each, "name"), text_or_none(each, "browser_download_url")) for each in _files(item))
        return ForgeRelease(
            key=str(number(item, "id")),
            tag=text(item, "tag_name"),
            title=text_or_none(item, "name") or "",
            notes_markdown=text_or_none(item, "body") or "",
            draft=flag(item, "draft"),
            prerelease=flag(item, "prerelease"),
            url=text_or_none(item, "html_url") or "",
            files=tuple((name, url) for name, url in listed if name and url),
        )

    def find_release(self, tag: str) -> ForgeRelease | None:
        """GET it by its tag; a draft is in the list alone, the oldest of several being the one."""
        found = self._http.find(f"{self._at}/releases/tags/{in_path(tag)}")
        if found is not None:
            return self._release(found)
        drafts = [item for item in self._list("releases", RELEASES_MAX) if text(item, "tag_name") == tag]
        return self._release(min(drafts, key=lambda item: number(item, "id"))) if drafts else None

    def _make_release(self, release: ForgeRelease) -> ForgeRelease:
        return self._release(
            self._http.send("POST", f"{self._at}/releases", self._told(release), need=self.content_need)
        )

    def update_release(self, release: ForgeRelease) -> ForgeRelease:
        """PATCH it."""
        return self._release(
            self._http.send("PATCH", self._place(release), self._told(release), need=self.content_need)
        )

    def _told(self, release: ForgeRelease) -> dict[str, Any]:
        """A release into JSON."""
        return {
            "tag_name": release.tag,
            "name": release.title,
            "body": release.notes_markdown,
            "draft": release.draft,
            "prerelease": release.prerelease,
        }

    def delete_release(self, release: ForgeRelease) -> None:
        """DELETE it."""
        self._http.remove(self._place(release), need=self.content_need)

    def assets(self, release: ForgeRelease) -> tuple[Asset, ...]:
        """GET the list."""
        items = self._http.pages(f"{self._place(release)}/assets", items_max=ASSETS_MAX)
        return tuple(sorted((self._asset(item) for item in items), key=lambda asset: asset.name))

    def _place(self, release: ForgeRelease) -> str:
        return f"{self._at}/releases/{int(release.key)}"


def _files(item: Any) -> tuple[Any, ...]:
    """What is listed with a release; older answers leave it out."""
    return tuple(entries(item, "assets")) if isinstance(item.get("assets"), list) else ()
