"""GitLab's dialect, version 4 of its API: the release's tag is its key, its files are links to generic packages.

From: docs.gitlab.com/api.
"""

from __future__ import annotations

import re
from email.message import Message
from typing import Any
from urllib.parse import quote

from shipline.ports.forge import PullState, StatusState
from shipline.ports.forge.answers import Thread
from shipline.ports.forge.reviews import MergeMethod, Opinion, closing_numbers
from shipline.ports.forge.rights import Capability
from shipline.testing.fakes.forge.gitlab_hooks import GitLabHooks, few
from shipline.testing.fakes.forge.gitlab_tracker import PROJECT_ID, GitLabTracker
from shipline.testing.fakes.forge.guards import GitLabGuards
from shipline.testing.fakes.forge.hooks import Courier
from shipline.testing.fakes.forge.model import File, ForgeModel, Page, Pull, Said
from shipline.testing.fakes.forge.protection import REFUSALS
from shipline.testing.fakes.forge.pulls import LineNote
from shipline.testing.fakes.forge.quota import Quota
from shipline.testing.fakes.forge.refs import Changed
from shipline.testing.fakes.forge.refusals import Refused
from shipline.testing.fakes.forge.repos_tracker import asked_at, said_at
from shipline.testing.fakes.forge.server import Handler, Reply, Request

FORK_ID = 43
STATUSES = {"duplicate": 409, "missing": 404, "invalid": 400, "forbidden": 403, "blocked": 405, "moved": 409}
MAINTAINER, DEVELOPER, GUEST = 40, 30, 10
ANNOUNCED = "2026-01-01T00:00:00.000Z"
PULL_WORDS = {PullState.OPEN: "opened", PullState.MERGED: "merged", PullState.CLOSED: "closed"}
STATE_WORDS = {StatusState.PENDING: "pending", StatusState.SUCCESS: "success", StatusState.FAILURE: "failed"}
STATES = {word: state for state, word in STATE_WORDS.items()} | {"running": StatusState.PENDING}

# Why a merge request is not merged, in the words of `detailed_merge_status`.
MERGE_WORDS = {
    "": "mergeable",
    "closed": "not_open",
    "draft": "draft_status",
    "changes": "requested_changes",
    "approvals": "not_approved",
    "checks": "ci_must_pass",
    "conflict": "conflict",
}


class GitLabDialect(GitLabTracker, GitLabHooks, GitLabGuards):
    """How GitLab says it. `packages` are the names and versions of the generic packages, their ids by order."""

    refusals = REFUSALS["gitlab"]
    prefix = "/api/v4"
    page_parameter = "per_page"
    page_size_max = 100

    def __init__(self, model: ForgeModel) -> None:
        self.model = model
        self.courier = Courier(model.hooks, self)
        self.origin = ""
        model.tells_of = few
        self.packages: list[tuple[str, str]] = []
        self.links: dict[int, str] = {}

    def token_of(self, headers: Message) -> str:
        """As an access token or as OAuth has it."""
        return headers.get("PRIVATE-TOKEN") or (headers.get("Authorization") or "").removeprefix("Bearer ")

    def refusal(self, refused: Refused) -> Reply:
        """409 for what is there, but 400 for branches and tags, which have their own handlers."""
        return Reply({"message": [str(refused)]}, STATUSES[refused.kind])

    def says_no(self, status: int) -> Reply:
        """The number and a word."""
        words = {401: "401 Unauthorized", 403: "403 Forbidden", 404: "404 Not found"}
        return Reply({"message": words[status]}, status)

    def allowance(self, quota: Quota) -> dict[str, str]:
        """With every answer."""
        numbers = {"Limit": quota.limit, "Remaining": quota.remaining, "Observed": quota.used, "Reset": quota.resets_s}
        return {f"RateLimit-{name}": str(number) for name, number in numbers.items()}

    def turned_away(self, quota: Quota, wait_s: int) -> Reply:
        """429, and how long to wait."""
        return Reply({"message": "Retry later"}, 429, self.allowance(quota) | {"Retry-After": str(wait_s)})

    def routes(self) -> list[tuple[str, str, Handler]]:
        """All that the port needs."""
        at = f"/api/v4/projects/(?:{quote(self.model.repository, safe='')}|{PROJECT_ID})"
        return [
            ("GET", at, self.project),
            ("PUT", at, self.change_project),
            *self.guard_routes(at),
            ("GET", "/api/v4/personal_access_tokens/self", lambda _: Reply({"id": 1, "scopes": ["api"]})),
            ("GET", f"{at}/repository/branches/([^/]+)", self.branch),
            ("POST", f"{at}/repository/branches", self.create_branch),
            ("DELETE", f"{at}/repository/branches/([^/]+)", self.delete_branch),
            ("GET", f"{at}/repository/tags/([^/]+)", self.tag),
            ("POST", f"{at}/repository/tags", self.create_tag),
            ("GET", f"{at}/merge_requests", self.pulls),
            ("POST", f"{at}/merge_requests", self.open_pull),
            ("GET", rf"{at}/merge_requests/(\d+)", lambda asked: Reply(self._pull(self.model.pull(asked.number(0))))),
            ("PUT", rf"{at}/merge_requests/(\d+)/merge", self.merge),
            ("GET", rf"{at}/merge_requests/(\d+)/approvals", self.approvals),
            ("GET", rf"{at}/merge_requests/(\d+)/reviewers", self.reviewers),
            ("POST", rf"{at}/merge_requests/(\d+)/discussions", self.discuss),
            ("GET", rf"{at}/merge_requests/(\d+)/diffs", self.changed_files),
            ("GET", rf"{at}/merge_requests/(\d+)/closes_issues", self.closes_issues),
            ("PUT", rf"{at}/merge_requests/(\d+)", self.change_pull),
            ("GET", f"{at}/repository/commits/([^/]+)/merge_requests", self.pulls_of),
            ("GET", f"{at}/repository/commits/([^/]+)/statuses", self.statuses),
            ("POST", f"{at}/statuses/([^/]+)", self.say),
            ("GET", f"{at}/releases", lambda _: Reply([self._page(page) for page in self.model.pages.values()])),
            ("GET", f"{at}/releases/([^/]+)", lambda asked: Reply(self._page(self._page_of(asked)))),
            ("POST", f"{at}/releases", self.create_page),
            ("PUT", f"{at}/releases/([^/]+)", self.change_page),
            ("DELETE", f"{at}/releases/([^/]+)", self.delete_page),
            ("GET", f"{at}/releases/([^/]+)/assets/links", self.list_links),
            ("POST", f"{at}/releases/([^/]+)/assets/links", self.add_link),
            ("DELETE", rf"{at}/releases/([^/]+)/assets/links/(\d+)", self.delete_link),
            ("PUT", f"{at}/packages/generic/([^/]+)/([^/]+)/([^/]+)", self.store),
            ("GET", f"{at}/packages", self.list_packages),
            ("GET", rf"{at}/packages/(\d+)/package_files", self.list_stored),
            ("DELETE", rf"{at}/packages/(\d+)/package_files/(\d+)", self.delete_stored),
            *self.tracker_routes(at),
            *self.hook_routes(at),
        ]

    # --- project, branches, tags -------------------------------------------------------------------------------

    def project(self, _: Request) -> Reply:
        full = DEVELOPER if Capability.HOOKS in self.model.lacking else MAINTAINER
        level = full if self.model.may_write else GUEST
        return Reply(
            {
                "id": PROJECT_ID,
                "path_with_namespace": self.model.repository,
                "default_branch": self.model.default_branch,
                "permissions": {"project_access": {"access_level": level}, "group_access": None},
            }
            | self.project_says
        )

    def branch(self, asked: Request) -> Reply:
        (name,) = asked.names
        commit = self.model.refs.get(f"refs/heads/{name}")
        return self.says_no(404) if commit is None else Reply(self._branch(name, commit))

    def create_branch(self, asked: Request) -> Reply:
        given = asked.body | dict(asked.query)
        commit = self._create("heads", given["branch"], given["ref"], "Branch already exists")
        return commit if isinstance(commit, Reply) else Reply(self._branch(given["branch"], commit), 201)

    def delete_branch(self, asked: Request) -> Reply:
        self.model.delete_ref(f"refs/heads/{asked.names[0]}")
        return Reply(None, 204)

    def tag(self, asked: Request) -> Reply:
        (name,) = asked.names
        commit = self.model.refs.get(f"refs/tags/{name}")
        return self.says_no(404) if commit is None else Reply({"name": name, "commit": {"id": commit}})

    def create_tag(self, asked: Request) -> Reply:
        given = asked.body | dict(asked.query)
        commit = self._create("tags", given["tag_name"], given["ref"], f"Tag {given['tag_name']} already exists")
        answer = {"name": given["tag_name"], "commit": {"id": commit}}
        return commit if isinstance(commit, Reply) else Reply(answer, 201)

    def _create(self, kind: str, name: str, commit: str, words: str) -> str | Reply:
        try:
            return self.model.create_ref(f"refs/{kind}/{name}", commit)
        except Refused as refused:
            return Reply({"message": words if refused.kind == "duplicate" else str(refused)}, 400)

    def _branch(self, name: str, commit: str) -> dict[str, Any]:
        guarded = self.model.is_guarded(name)
        can_push = self.model.may_write and not guarded
        return {"name": name, "commit": {"id": commit}, "protected": guarded, "can_push": can_push}

    # --- merge requests ----------------------------------------------------------------------------------------

    def pulls(self, asked: Request) -> Reply:
        query = asked.query
        found = [
            pull
            for pull in self.model.pulls.values()
            if query.get("state", "all") in ("all", PULL_WORDS[pull.state])
            and query.get("source_branch", pull.head) == pull.head
            and query.get("target_branch", pull.base) == pull.base
            and query.get("author_username", pull.author) == pull.author
            and pull.updated_us >= asked_at(query.get("updated_after", "1970-01-01T00:00:00Z"))
        ]
        return Reply([self._pull(pull) for pull in reversed(found)])

    def open_pull(self, asked: Request) -> Reply:
        body = asked.body
        made = self.model.open_pull(
            body["source_branch"], body["target_branch"], body["title"], body.get("description") or ""
        )
        return Reply(self._pull(made), 201)

    def change_pull(self, asked: Request) -> Reply:
        body = asked.body
        self.change_thread(Thread.pull(asked.number(0)), body)
        if "reviewer_ids" in body:
            names = [name for name in self.model.people if self._user(name)["id"] in body["reviewer_ids"]]
            self.model.ask_reviewers(asked.number(0), names)
        changed = self.model.change_pull(
            asked.number(0),
            title=body.get("title"),
            body=body.get("description"),
            close=body.get("state_event") == "close",
            reopen=body.get("state_event") == "reopen",
        )
        return Reply(self._pull(changed))

    def pulls_of(self, asked: Request) -> Reply:
        return Reply([self._pull(pull) for pull in self.model.pulls.values() if pull.merge_commit == asked.names[0]])

    def merge(self, asked: Request) -> Reply:
        """Parameters stand in the body or in the address."""
        body = asked.body | dict(asked.query)
        method = MergeMethod.SQUASH if body.get("squash") in (True, "True", "true") else MergeMethod.MERGE
        return Reply(self._pull(self.model.merge_on_request(asked.number(0), body.get("sha", ""), method)))

    def approvals(self, asked: Request) -> Reply:
        opinions = self.model.opinions(self.model.pull(asked.number(0)))
        approving = [one.author for one in opinions if one.opinion is Opinion.APPROVED]
        return Reply({"approved_by": [{"user": self._user(name)} for name in approving]})

    def discuss(self, asked: Request) -> Reply:
        """A thread on a line; a suggestion in it says how many lines it takes below that."""
        pull, place = self.model.pull(asked.number(0)), asked.body["position"]
        ends = self._diff_refs(pull)
        if place["position_type"] != "text" or any(place[name] != ends[name] for name in ends):
            raise Refused("invalid", '400 Bad request - Note {:line_code=>["can\'t be blank"]}')
        body, line = asked.body["body"], int(place["new_line"])
        below = re.search(r"^```suggestion:-0\+([0-9]+)$", body, re.MULTILINE)
        last = line + (int(below[1]) if below else 0)
        made = LineNote(0, self.model.account, place["head_sha"], place["new_path"], line, last, body)
        note = self._line_note(self.model.note_line(pull.number, made))
        return Reply({"id": f"{note['id']:040x}", "individual_note": False, "notes": [note]}, 201)

    def _diff_refs(self, pull: Pull) -> dict[str, str]:
        base = self.model.refs.get(f"refs/heads/{pull.base}") or ""
        return {"base_sha": base, "start_sha": base, "head_sha": self.model.head_of(pull)}

    def reviewers(self, asked: Request) -> Reply:
        pull = self.model.pull(asked.number(0))
        states = dict.fromkeys(pull.reviewers, "unreviewed")
        words = {Opinion.APPROVED: "approved", Opinion.CHANGES_REQUESTED: "requested_changes"}
        states |= {one.author: words.get(one.opinion, "reviewed") for one in self.model.opinions(pull)}
        return Reply([{"user": self._user(name), "state": state} for name, state in states.items()])

    def changed_files(self, asked: Request) -> Reply:
        return Reply([_diff(one) for one in self.model.changes_of(self.model.pull(asked.number(0)))])

    def closes_issues(self, asked: Request) -> Reply:
        numbers = closing_numbers(self.model.pull(asked.number(0)).body)
        return Reply([self._item(self.model.items[number]) for number in numbers if number in self.model.items])

    def _pull(self, pull: Pull) -> dict[str, Any]:
        return {
            "id": 1000 + pull.number,
            "iid": pull.number,
            "project_id": PROJECT_ID,
            "title": pull.title,
            "description": pull.body,
            "state": PULL_WORDS[pull.state],
            "source_branch": pull.head,
            "target_branch": pull.base,
            "source_project_id": FORK_ID if pull.fork else PROJECT_ID,
            "target_project_id": PROJECT_ID,
            "merge_commit_sha": pull.merge_commit,
            "squash_commit_sha": None,
            "web_url": f"https://127.0.0.1/-/merge_requests/{pull.number}",
            "labels": list(pull.labels),
            "author": self._user(pull.author),
            "assignees": [self._user(name) for name in pull.assignees],
            "reviewers": [self._user(name) for name in pull.reviewers],
            "draft": pull.draft,
            "sha": self.model.head_of(pull),
            "diff_refs": self._diff_refs(pull),
            "updated_at": said_at(pull.updated_us),
            "detailed_merge_status": MERGE_WORDS[self.model.blocked(pull)],
        }

    # --- releases ----------------------------------------------------------------------------------------------

    def _page_of(self, asked: Request) -> Page:
        found = self.model.page_of(asked.names[0])
        if found is None:
            raise Refused("missing", "404 Not Found")
        return found

    def create_page(self, asked: Request) -> Reply:
        body = asked.body
        if self.model.refs.get(f"refs/tags/{body['tag_name']}") is None:
            return Reply({"message": "Ref is not specified"}, 422)
        draft = body.get("released_at", ANNOUNCED) > ANNOUNCED
        page = Page(0, body["tag_name"], body.get("name") or "", body.get("description") or "", draft, prerelease=False)
        return Reply(self._page(self.model.create_page(page, one_a_tag=True)), 201)

    def change_page(self, asked: Request) -> Reply:
        body = asked.body
        moved = body.get("released_at")
        draft = None if moved is None else moved.startswith("2999")
        page = self.model.change_page(
            self._page_of(asked), title=body.get("name"), notes=body.get("description"), draft=draft
        )
        return Reply(self._page(page))

    def delete_page(self, asked: Request) -> Reply:
        page = self._page_of(asked)
        self.model.delete_page(page.key)
        return Reply(self._page(page))

    def _page(self, page: Page) -> dict[str, Any]:
        return {
            "tag_name": page.tag,
            "name": page.title,
            "description": page.notes,
            "upcoming_release": page.draft,
            "released_at": "2999-01-01T00:00:00.000Z" if page.draft else ANNOUNCED,
            "assets": {"links": [_link(file) for file in page.files.values()]},
            "_links": {"self": f"https://127.0.0.1/-/releases/{quote(page.tag, safe='')}"},
        }

    def list_links(self, asked: Request) -> Reply:
        return Reply([_link(file) for file in self._page_of(asked).files.values()])

    def add_link(self, asked: Request) -> Reply:
        body = asked.body
        made = self.model.add_file(self._page_of(asked), body["name"], body["url"].encode(), unique=True)
        return Reply(_link(made), 201)

    def delete_link(self, asked: Request) -> Reply:
        self.model.delete_file(asked.number(1))
        return Reply({"id": asked.number(1)})

    def store(self, asked: Request) -> Reply:
        name, version, file_name = asked.names
        if (name, version) not in self.packages:
            self.packages.append((name, version))
        made = File(self.model.next_key(), file_name, asked.content)
        self.model.stored.setdefault(f"{name}/{version}", {})[made.key] = made
        self.model.effects.append(f"store {file_name}")
        return Reply(_stored(made) if asked.query.get("select") == "package_file" else {"message": "201 Created"}, 201)

    def list_packages(self, asked: Request) -> Reply:
        wanted = (asked.query.get("package_name"), asked.query.get("package_version"))
        found = [
            {"id": number, "name": package[0], "version": package[1], "package_type": "generic"}
            for number, package in enumerate(self.packages, start=1)
            if package == wanted
        ]
        return Reply(found)

    def list_stored(self, asked: Request) -> Reply:
        return Reply([_stored(file) for file in self._stored_in(asked).values()])

    def delete_stored(self, asked: Request) -> Reply:
        if self._stored_in(asked).pop(asked.number(1), None) is None:
            return self.says_no(404)
        return Reply(None, 204)

    def _stored_in(self, asked: Request) -> dict[int, File]:
        return self.model.stored.setdefault("/".join(self.packages[asked.number(0) - 1]), {})

    # --- statuses ----------------------------------------------------------------------------------------------

    def statuses(self, asked: Request) -> Reply:
        newest = {said.context: said for said in self.model.said if said.commit == asked.names[0]}
        return Reply([_status(said) for said in newest.values()])

    def say(self, asked: Request) -> Reply:
        body = asked.body
        said = Said(
            key=0,
            commit=asked.names[0],
            context=body.get("name", "default"),
            state=STATES.get(body["state"], StatusState.FAILURE),
            description=body.get("description") or "",
            url=body.get("target_url") or "",
        )
        known = [one for one in self.model.said if (one.commit, one.context) == (said.commit, said.context)]
        if known and known[-1].state is said.state:
            words = f"Cannot transition status via :{body['state']} from :{body['state']}"
            return Reply({"message": words}, 400)
        return Reply(_status(self.model.say(said)), 201)


def _diff(one: Changed) -> dict[str, Any]:
    """A file, with as many lines as were changed."""
    return {
        "old_path": one.path,
        "new_path": one.path,
        "new_file": one.letter == "A",
        "deleted_file": one.letter == "D",
        "renamed_file": False,
        "diff": "@@ -1 +1 @@\n" + "+x\n" * one.added + "-x\n" * one.removed,
    }


def _link(file: File) -> dict[str, Any]:
    url = file.content.decode("utf-8", "replace")
    return {"id": file.key, "name": file.name, "url": url, "direct_asset_url": url, "link_type": "package"}


def _stored(file: File) -> dict[str, Any]:
    return {"id": file.key, "file_name": file.name, "size": len(file.content), "file_sha256": file.sha256}


def _status(said: Said) -> dict[str, Any]:
    return {
        "id": said.key,
        "sha": said.commit,
        "name": said.context,
        "status": STATE_WORDS[said.state],
        "description": said.description,
        "target_url": said.url or None,
    }
