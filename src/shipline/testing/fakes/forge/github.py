"""GitHub's dialect, as GitHub Enterprise Server has it: below /api/v3, uploads below /api/uploads.

From: docs.github.com/rest, version 2022-11-28.
"""

from __future__ import annotations

from email.message import Message
from typing import Any
from urllib.parse import quote

from shipline.ports.forge import PullState
from shipline.ports.forge.reviews import MergeMethod
from shipline.ports.forge.rights import Capability
from shipline.testing.fakes.forge.ci_secrets import GitHubSecrets
from shipline.testing.fakes.forge.dialects import ReposDialect
from shipline.testing.fakes.forge.github_app import FakeGitHubApp
from shipline.testing.fakes.forge.guards import GitHubGuards
from shipline.testing.fakes.forge.hooks import HookRow
from shipline.testing.fakes.forge.model import File, ForgeModel, Page, Pull
from shipline.testing.fakes.forge.protection import REFUSALS
from shipline.testing.fakes.forge.pulls import LineNote
from shipline.testing.fakes.forge.quota import Quota
from shipline.testing.fakes.forge.refusals import Refused
from shipline.testing.fakes.forge.repos_hooks import GitHubHooks, few_tags
from shipline.testing.fakes.forge.repos_tracker import said_at
from shipline.testing.fakes.forge.server import Handler, Reply, Request
from shipline.testing.fakes.forge.tracker import Badge, Item, Note, Stone

STATUSES = {"duplicate": 422, "missing": 404, "invalid": 422, "forbidden": 403, "blocked": 405, "moved": 409}

# Why a pull request is not merged, in the words of `mergeable_state`.
MERGE_WORDS = {
    "": "clean",
    "closed": "unknown",
    "draft": "draft",
    "changes": "blocked",
    "approvals": "blocked",
    "checks": "blocked",
    "conflict": "dirty",
}


class GitHubDialect(GitHubHooks, GitHubGuards, GitHubSecrets, ReposDialect):
    """How GitHub says it. `states_digests` False: as Enterprise Servers before 3.18. `app`: one that is known there.

    `runs` are those of checks: commit, name and conclusion, None while it runs.
    """

    refusals = REFUSALS["github"]
    prefix = "/api/v3"
    page_parameter = "per_page"
    page_size_max = 100
    one_a_tag = False
    milestone_key = "number"
    unique_titles = True

    def __init__(self, model: ForgeModel, app: FakeGitHubApp | None = None) -> None:
        super().__init__(model)
        model.tells_of = few_tags
        self.app = app
        self._latest_key = 0
        self.runs: list[tuple[str, str, str | None]] = []
        self.states_digests = True

    def line_notes(self, asked: Request) -> Reply:
        """Comments on lines."""
        return Reply([self._line_note(note) for note in self.model.pull(asked.number(0)).line_notes])

    def note_line(self, asked: Request) -> Reply:
        """One more."""
        body = asked.body
        first = int(body.get("start_line", body["line"]))
        made = LineNote(0, self.model.account, body["commit_id"], body["path"], first, int(body["line"]), body["body"])
        return Reply(self._line_note(self.model.note_line(asked.number(0), made)), 201)

    def _line_note(self, note: LineNote) -> dict[str, Any]:
        address = f"https://127.0.0.1/comments/{note.key}"
        links = {name: {"href": address} for name in ("self", "html", "pull_request")}
        said = {"id": note.key, "node_id": "", "url": address, "html_url": address, "pull_request_url": address}
        said |= {"body": note.body, "path": note.path, "commit_id": note.commit, "original_commit_id": note.commit}
        said |= {"line": note.last_line, "start_line": note.line, "side": "RIGHT", "diff_hunk": "@@", "_links": links}
        said |= {"user": self._user(note.author), "created_at": said_at(0), "updated_at": said_at(0)}
        return said | {"pull_request_review_id": None, "author_association": "MEMBER"}

    def token_of(self, headers: Message) -> str:
        """`Bearer` or `token`."""
        return (headers.get("Authorization") or "").removeprefix("Bearer ").removeprefix("token ")

    def refusal(self, refused: Refused) -> Reply:
        """Most of it is a 422 with a list of errors."""
        status = STATUSES[refused.kind]
        if status in (STATUSES["missing"], STATUSES["forbidden"]):
            return self.says_no(status)
        code = "already_exists" if refused.kind == "duplicate" else "invalid"
        return Reply({"message": str(refused), "errors": [{"code": code, "message": str(refused)}]}, status)

    def says_no(self, status: int) -> Reply:
        """What GitHub calls a lack of permission, too."""
        words = {401: "Bad credentials", 403: "Resource not accessible by integration", 404: "Not Found"}
        headers = {"X-Accepted-GitHub-Permissions": "contents=write"} if status == STATUSES["missing"] - 1 else {}
        return Reply({"message": words[status], "documentation_url": "https://docs.github.com/rest"}, status, headers)

    def allowance(self, quota: Quota) -> dict[str, str]:
        """With every answer."""
        numbers = {"Limit": quota.limit, "Remaining": quota.remaining, "Used": quota.used, "Reset": quota.resets_s}
        return {f"X-RateLimit-{name}": str(number) for name, number in numbers.items()}

    def turned_away(self, quota: Quota, wait_s: int) -> Reply:
        """403 for both limits; the secondary one says how long to wait."""
        if quota.remaining == 0:
            return Reply({"message": "API rate limit exceeded"}, 403, self.allowance(quota))
        words = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
        return Reply({"message": words}, 403, self.allowance(quota) | {"Retry-After": str(wait_s)})

    def routes(self) -> list[tuple[str, str, Handler]]:
        """All that the port needs."""
        at = f"/api/v3/repos/{self.model.repository}"
        uploads = f"/api/uploads/repos/{self.model.repository}"
        return [
            *(self.app.routes(self.prefix) if self.app is not None else ()),
            ("GET", at, self.repository),
            ("PATCH", at, self.change_repository),
            *self.guard_routes(at),
            *self.secret_routes(at),
            ("GET", f"{at}/branches/(.+)", self.branch),
            ("GET", f"{at}/rules/branches/(.+)", self.rules),
            ("GET", f"{at}/git/ref/(.+)", self.ref),
            ("GET", f"{at}/git/tags/(.+)", lambda _: self.says_no(404)),
            ("POST", f"{at}/git/refs", self.create_ref),
            ("DELETE", f"{at}/git/refs/(.+)", self.delete_ref),
            ("GET", f"{at}/commits/(.+)/pulls", self.pulls_of),
            ("GET", f"{at}/commits/(.+)/statuses", self.statuses),
            ("GET", f"{at}/releases/latest", self.latest_page),
            ("GET", rf"{at}/releases/(\d+)", lambda asked: Reply(self._page(self.model.page(asked.number(0))))),
            ("GET", rf"{at}/releases/(\d+)/assets", self.files),
            ("DELETE", rf"{at}/releases/assets/(\d+)", self.delete_file),
            ("POST", rf"{uploads}/releases/(\d+)/assets", self.add_file),
            *self.github_hook_routes(at),
            ("PUT", rf"{at}/pulls/(\d+)/merge", self.merge),
            ("GET", rf"{at}/pulls/(\d+)/comments", self.line_notes),
            ("POST", rf"{at}/pulls/(\d+)/comments", self.note_line),
            ("GET", f"{at}/labels/([^/]+)", lambda asked: Reply(self._badge(self.model.badge_named(asked.names[0])))),
            ("GET", f"{at}/commits/([^/]+)/check-runs", self.check_runs),
            ("PATCH", f"{at}/labels/([^/]+)", self.change_badge),
            ("DELETE", f"{at}/labels/([^/]+)", self.delete_badge),
            ("DELETE", rf"{at}/issues/(\d+)/labels/([^/]+)", self.take_label),
            *self.repos_routes(at),
        ]

    # --- where things are --------------------------------------------------------------------------------------

    def _url(self, *parts: object) -> dict[str, str]:
        """The address of a thing, by which clients come back to it."""
        at = f"{self.origin}{self.prefix}/repos/{self.model.repository}"
        return {"url": "/".join([at, *(quote(str(part), safe="/") for part in parts)])}

    def _stone(self, stone: Stone) -> dict[str, Any]:
        return super()._stone(stone) | self._url("milestones", stone.key)

    def _item(self, item: Item) -> dict[str, Any]:
        return super()._item(item) | self._url("issues", item.number)

    def _badge(self, badge: Badge) -> dict[str, Any]:
        return super()._badge(badge) | self._url("labels", badge.name)

    def _note(self, note: Note) -> dict[str, Any]:
        return super()._note(note) | self._url("issues/comments", note.key)

    def _hook(self, row: HookRow) -> dict[str, Any]:
        return super()._hook(row) | self._url("hooks", row.key)

    def _user(self, name: str) -> dict[str, Any]:
        """Apps are no users."""
        return super()._user(name) | {"type": "Bot" if name in self.model.robots else "User"}

    def _reaction(self, key: int) -> dict[str, Any]:
        return {"id": 1 + len(self.model.note(key).reactions)}

    # --- repository, branches, tags ----------------------------------------------------------------------------

    def repository(self, _: Request) -> Reply:
        may = self.model.may_write
        admin = may and Capability.HOOKS not in self.model.lacking
        scopes = self.model.scopes
        return Reply(
            {
                "full_name": self.model.repository,
                "name": self.model.repository.partition("/")[2],
                "owner": self._user(self.model.repository.partition("/")[0]),
                "default_branch": self.model.default_branch,
                "permissions": {"admin": admin, "push": may, "triage": may, "pull": True},
            }
            | self._merging()
            | self._url(),
            headers={} if scopes is None else {"X-OAuth-Scopes": ", ".join(sorted(scopes))},
        )

    def change_repository(self, asked: Request) -> Reply:
        self._set_merging(asked.body)
        return self.repository(asked)

    def branch(self, asked: Request) -> Reply:
        (name,) = asked.names
        commit = self.model.refs.get(f"refs/heads/{name}")
        if commit is None:
            return Reply({"message": "Branch not found"}, 404)
        return Reply({"name": name, "commit": {"sha": commit}, "protected": self.model.is_guarded(name)})

    def rules(self, asked: Request) -> Reply:
        return Reply([{"type": "pull_request"}] if self.model.is_guarded(asked.names[0]) else [])

    def ref(self, asked: Request) -> Reply:
        name = f"refs/{asked.names[0]}"
        commit = self.model.refs.get(name)
        return self.says_no(404) if commit is None else Reply(_ref(name, commit))

    def create_ref(self, asked: Request) -> Reply:
        name = asked.body["ref"]
        return Reply(_ref(name, self.model.create_ref(name, asked.body["sha"])), 201)

    def delete_ref(self, asked: Request) -> Reply:
        try:
            self.model.delete_ref(f"refs/{asked.names[0]}")
        except Refused as refused:
            return Reply({"message": str(refused)}, 422)
        return Reply(None, 204)

    # --- pull requests -----------------------------------------------------------------------------------------

    def pulls(self, asked: Request) -> Reply:
        owner = self.model.repository.partition("/")[0]
        head, base = asked.query.get("head", ""), asked.query.get("base", "")
        state = asked.query.get("state", "open")
        found = [
            pull
            for pull in self.model.pulls.values()
            if (state == "all" or (state == "open") == (pull.state is PullState.OPEN))
            and head in ("", f"{'stranger' if pull.fork else owner}:{pull.head}")
            and base in ("", pull.base)
        ]
        if asked.query.get("sort") == "updated":
            found.sort(key=lambda pull: pull.updated_us)
        # A list does not say whether they can be merged.
        alone = ("mergeable", "mergeable_state")
        listed = [self._pull(pull) for pull in reversed(found)]
        return Reply([{name: pull[name] for name in pull if name not in alone} for pull in listed])

    def merge(self, asked: Request) -> Reply:
        """A method that is not given is a merge by commit."""
        body = asked.body
        method = MergeMethod(body.get("merge_method", "merge"))
        try:
            merged = self.model.merge_on_request(asked.number(0), body.get("sha", ""), method)
        except Refused as refused:
            return Reply({"message": str(refused)}, STATUSES[refused.kind])
        return Reply({"sha": merged.merge_commit, "merged": True, "message": "Pull Request successfully merged"})

    def ask_reviewers(self, asked: Request) -> Reply:
        return Reply(self._pull(self.model.ask_reviewers(asked.number(0), asked.body["reviewers"])), 201)

    def pulls_of(self, asked: Request) -> Reply:
        found = [pull for pull in self.model.pulls.values() if pull.merge_commit == asked.names[0]]
        return Reply([self._pull(pull) for pull in found])

    def _pull(self, pull: Pull) -> dict[str, Any]:
        source = f"stranger/{self.model.repository.partition('/')[2]}" if pull.fork else self.model.repository
        merged = pull.state is PullState.MERGED
        why = self.model.blocked(pull)
        return (
            self._common_of(pull, f"https://127.0.0.1/{self.model.repository}/pull/{pull.number}")
            | {
                "merged_at": "2026-01-01T00:00:00Z" if merged else None,
                # GitHub states a test merge's commit for open ones.
                "merge_commit_sha": pull.merge_commit if merged else "0" * 40,
                "head": {"ref": pull.head, "sha": self.model.head_of(pull), "repo": {"full_name": source}},
                "base": {"ref": pull.base, "repo": {"full_name": self.model.repository}},
                "mergeable": None if merged else why != "conflict",
                "mergeable_state": MERGE_WORDS[why],
                "issue_url": self._url("issues", pull.number)["url"],
            }
            | self._url("pulls", pull.number)
        )

    # --- issues ------------------------------------------------------------------------------------------------

    def _names_of(self, labels: list[Any]) -> list[str]:
        return [label if isinstance(label, str) else label["name"] for label in labels]

    def _chosen(self, asked: Request, item: Item) -> bool:
        return asked.query.get("milestone", str(item.milestone)) == str(item.milestone)

    def change_badge(self, asked: Request) -> Reply:
        return self.change_badge_of(self.model.badge_named(asked.names[0]), asked.body)

    def delete_badge(self, asked: Request) -> Reply:
        self.model.delete_badge(self.model.badge_named(asked.names[0]))
        return Reply(None, 204)

    def take_label(self, asked: Request) -> Reply:
        thread = self._thread_of(asked.number(0))
        if asked.names[1] not in self.model.labels_of(thread):
            return Reply({"message": "Label does not exist"}, 404)
        self.model.take_labels(thread, [asked.names[1]])
        return Reply(self._labels(asked.number(0)))

    # --- releases ----------------------------------------------------------------------------------------------

    def _page(self, page: Page) -> dict[str, Any]:
        # A client that follows this sends its token to a stranger.
        return super()._page(page) | {"upload_url": "https://uploads.example.com/assets{?name,label}"}

    def create_page(self, asked: Request) -> Reply:
        reply = super().create_page(asked)
        self._rank(self.model.page(reply.body["id"]), asked.body, newly=True)
        return reply

    def change_page(self, asked: Request) -> Reply:
        was_draft = self.model.page(asked.number(0)).draft
        reply = super().change_page(asked)
        self._rank(self.model.page(asked.number(0)), asked.body, newly=was_draft)
        return reply

    def _rank(self, page: Page, body: dict[str, Any], *, newly: bool) -> None:
        """`make_latest` counts for what is announced, and is true for what is announced newly."""
        wanted = body.get("make_latest", "true" if newly else "")
        if page.draft or page.prerelease or wanted in ("", "false"):
            return
        self._latest_key = page.key if wanted == "true" else 0

    def latest(self) -> Page | None:
        """The release that is called the latest: the one that was made so, else the newest that is announced."""
        announced = [page for page in self._newest_pages() if not page.draft and not page.prerelease]
        chosen = (page for page in announced if page.key == self._latest_key)
        return next(chosen, announced[0] if announced else None)

    def latest_page(self, _: Request) -> Reply:
        found = self.latest()
        return self.says_no(404) if found is None else Reply(self._page(found))

    def files(self, asked: Request) -> Reply:
        return Reply([self._file(file) for file in self.model.page(asked.number(0)).files.values()])

    def add_file(self, asked: Request) -> Reply:
        page = self.model.page(asked.number(0))
        return Reply(self._file(self.model.add_file(page, asked.query["name"], asked.content, unique=True)), 201)

    def _file(self, file: File) -> dict[str, Any]:
        digest = f"sha256:{file.sha256}" if self.states_digests and file.whole else None
        return {
            "id": file.key,
            "name": file.name,
            "size": len(file.content),
            "digest": digest,
            "state": "uploaded" if file.whole else "starter",
            "browser_download_url": f"https://127.0.0.1/releases/download/{file.name}",
        }

    # --- statuses ----------------------------------------------------------------------------------------------

    def check_runs(self, asked: Request) -> Reply:
        """The newest of each name, of which an object holds a page."""
        newest = {name: conclusion for commit, name, conclusion in self.runs if commit == asked.names[0]}
        listed = [
            {"name": name, "status": "in_progress" if conclusion is None else "completed", "conclusion": conclusion}
            for name, conclusion in newest.items()
        ]
        size, page = int(asked.query.get("per_page", "30")), int(asked.query.get("page", "1"))
        return Reply({"total_count": len(listed), "check_runs": listed[(page - 1) * size : page * size]})

    def statuses(self, asked: Request) -> Reply:
        return Reply([self._status(said) for said in reversed(self.model.said) if said.commit == asked.names[0]])


def _ref(name: str, commit: str) -> dict[str, Any]:
    return {"ref": name, "object": {"type": "commit", "sha": commit}}
