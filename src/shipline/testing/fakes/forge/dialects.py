"""What two dialects say alike: all that Gitea took over from GitHub.

Each dialect is the model put into words; what differs between two forges stands in their own files.
"""

from __future__ import annotations

from typing import Any

from shipline.ports.forge import PullState, StatusState
from shipline.ports.forge.reviews import Opinion
from shipline.testing.fakes.forge.hooks import Courier
from shipline.testing.fakes.forge.model import File, ForgeModel, Page, Pull, Said
from shipline.testing.fakes.forge.pulls import ReviewSaid
from shipline.testing.fakes.forge.repos_hooks import ReposHooks
from shipline.testing.fakes.forge.repos_tracker import ReposTracker, said_at
from shipline.testing.fakes.forge.server import Handler, Reply, Request


class ReposDialect(ReposTracker, ReposHooks):
    """Repositories below /repos, with pull requests and releases that have numbers, and all of the tracker.

    `failures` are words for a failed status beside `failure`; `state_name` is what a status calls its state, and
    `changed_status` what a changed pull request is answered with.
    """

    failures: tuple[str, ...] = ("error",)
    state_name = "state"
    changed_status = 200

    def __init__(self, model: ForgeModel) -> None:
        self.model = model
        self.courier = Courier(model.hooks, self)
        self.origin = ""

    def repos_routes(self, at: str) -> list[tuple[str, str, Handler]]:
        """What both have at the same addresses; tried after a dialect's own."""
        return [
            ("GET", f"{at}/pulls", self.pulls),
            ("POST", f"{at}/pulls", self.open_pull),
            ("GET", rf"{at}/pulls/(\d+)", lambda asked: Reply(self._pull(self.model.pull(asked.number(0))))),
            ("PATCH", rf"{at}/pulls/(\d+)", self.change_pull),
            ("GET", rf"{at}/pulls/(\d+)/reviews", self.reviews),
            ("GET", rf"{at}/pulls/(\d+)/files", self.changed_files),
            ("POST", rf"{at}/pulls/(\d+)/requested_reviewers", self.ask_reviewers),
            ("POST", f"{at}/statuses/(.+)", self.say),
            ("GET", f"{at}/releases/tags/(.+)", self.page_of),
            ("GET", f"{at}/releases", lambda _: Reply([self._page(page) for page in self._newest_pages()])),
            ("POST", f"{at}/releases", self.create_page),
            ("PATCH", rf"{at}/releases/(\d+)", self.change_page),
            ("DELETE", rf"{at}/releases/(\d+)", self.delete_page),
            *self.tracker_routes(at),
            *self.hook_routes(at),
        ]

    # --- what each says itself ---------------------------------------------------------------------------------

    def pulls(self, asked: Request) -> Reply:
        raise NotImplementedError

    def says_no(self, status: int) -> Reply:
        raise NotImplementedError

    def _pull(self, pull: Pull) -> dict[str, Any]:
        raise NotImplementedError

    def _file(self, file: File) -> dict[str, Any]:
        raise NotImplementedError

    # --- pull requests -----------------------------------------------------------------------------------------

    def open_pull(self, asked: Request) -> Reply:
        body = asked.body
        made = self.model.open_pull(body["head"], body["base"], body["title"], body.get("body") or "")
        return Reply(self._pull(made), 201)

    def change_pull(self, asked: Request) -> Reply:
        body = asked.body
        changed = self.model.change_pull(
            asked.number(0),
            title=body.get("title"),
            body=body.get("body"),
            close=body.get("state") == "closed",
            reopen=body.get("state") == "open",
        )
        return Reply(self._pull(changed), self.changed_status)

    def _common_of(self, pull: Pull, web: str) -> dict[str, Any]:
        """What both say of a pull request; `web` is its page."""
        return {
            "number": pull.number,
            "title": pull.title,
            "body": pull.body,
            "state": "open" if pull.state is PullState.OPEN else "closed",
            "html_url": web,
            "labels": [self._badge_named(label) for label in pull.labels],
            "user": self._user(pull.author),
            "draft": pull.draft,
            "requested_reviewers": [self._user(name) for name in pull.reviewers],
            "updated_at": said_at(pull.updated_us),
        }

    request_changes = "CHANGES_REQUESTED"
    """The word for a review that wants changes."""
    dismissed_word = "DISMISSED"
    """The word for one that counts no more; "": it keeps its word, and says so beside."""

    def reviews(self, asked: Request) -> Reply:
        return Reply([self._review(one) for one in self.model.pull(asked.number(0)).said])

    def _review(self, said: ReviewSaid) -> dict[str, Any]:
        words = {Opinion.APPROVED: "APPROVED", Opinion.CHANGES_REQUESTED: self.request_changes}
        word = words.get(said.opinion, "COMMENT" if self.dismissed_word == "" else "COMMENTED")
        if said.dismissed and self.dismissed_word:
            word = self.dismissed_word
        dismissed = {} if self.dismissed_word else {"dismissed": said.dismissed}
        return {"id": said.key, "user": self._user(said.author), "state": word, "commit_id": said.commit} | dismissed

    def ask_reviewers(self, asked: Request) -> Reply:
        raise NotImplementedError

    removed_word = "removed"

    def changed_files(self, asked: Request) -> Reply:
        words = {"A": "added", "D": self.removed_word}
        return Reply(
            [
                {
                    "filename": one.path,
                    "status": words.get(one.letter, "modified" if self.dismissed_word else "changed"),
                    "additions": one.added,
                    "deletions": one.removed,
                    "changes": one.added + one.removed,
                }
                for one in self.model.changes_of(self.model.pull(asked.number(0)))
            ]
        )

    # --- releases ----------------------------------------------------------------------------------------------

    one_a_tag = True
    """False where a second draft of one tag is taken."""

    def page_of(self, asked: Request) -> Reply:
        """A draft is not found by its tag."""
        found = self.model.page_of(asked.names[0])
        return self.says_no(404) if found is None or found.draft else Reply(self._page(found))

    def create_page(self, asked: Request) -> Reply:
        body = asked.body
        page = Page(
            key=0,
            tag=body["tag_name"],
            title=body.get("name") or "",
            notes=body.get("body") or "",
            draft=body.get("draft", False),
            prerelease=body.get("prerelease", False),
        )
        return Reply(self._page(self.model.create_page(page, one_a_tag=self.one_a_tag)), 201)

    def change_page(self, asked: Request) -> Reply:
        body = asked.body
        page = self.model.change_page(
            self.model.page(asked.number(0)),
            tag=body.get("tag_name"),
            title=body.get("name"),
            notes=body.get("body"),
            draft=body.get("draft"),
            prerelease=body.get("prerelease"),
        )
        return Reply(self._page(page))

    def delete_page(self, asked: Request) -> Reply:
        self.model.delete_page(asked.number(0))
        return Reply(None, 204)

    def delete_file(self, asked: Request) -> Reply:
        """Its number stands last."""
        self.model.delete_file(asked.number(-1))
        return Reply(None, 204)

    def _newest_pages(self) -> list[Page]:
        return list(reversed(self.model.pages.values()))

    def _page(self, page: Page) -> dict[str, Any]:
        return {
            "id": page.key,
            "tag_name": page.tag,
            "name": page.title,
            "body": page.notes,
            "draft": page.draft,
            "prerelease": page.prerelease,
            "html_url": f"https://127.0.0.1/releases/tag/{page.tag}",
            "assets": [self._file(file) for file in page.files.values()],
        }

    # --- statuses ----------------------------------------------------------------------------------------------

    def say(self, asked: Request) -> Reply:
        body = asked.body
        state = StatusState.FAILURE if body["state"] in self.failures else StatusState(body["state"])
        said = Said(
            key=0,
            commit=asked.names[0],
            context=body.get("context") or "default",
            state=state,
            description=body.get("description") or "",
            url=body.get("target_url") or "",
        )
        return Reply(self._status(self.model.say(said)), 201)

    def _status(self, said: Said) -> dict[str, Any]:
        return {
            "id": said.key,
            "context": said.context,
            self.state_name: said.state.value,
            "description": said.description,
            "target_url": said.url or None,
        }
