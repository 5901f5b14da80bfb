"""Gitea's dialect, version 1 of its API: close to GitHub's, and different where it hurts.

From: docs.gitea.com/api. No digests; two files of a release may bear one name; a status says `status`, not `state`.
"""

from __future__ import annotations

import re
from email.message import Message
from typing import Any

from shipline.ports.forge import PullState
from shipline.ports.forge.answers import Thread
from shipline.ports.forge.reviews import MergeMethod
from shipline.ports.forge.rights import Capability
from shipline.testing.fakes.forge.ci_secrets import GiteaSecrets
from shipline.testing.fakes.forge.dialects import ReposDialect
from shipline.testing.fakes.forge.guards import GiteaGuards
from shipline.testing.fakes.forge.model import File, Pull
from shipline.testing.fakes.forge.protection import REFUSALS
from shipline.testing.fakes.forge.quota import Quota
from shipline.testing.fakes.forge.refusals import Refused
from shipline.testing.fakes.forge.repos_hooks import GiteaHooks
from shipline.testing.fakes.forge.server import Handler, Reply, Request
from shipline.testing.fakes.forge.tracker import Item

REPOSITORY_ID, FORK_ID = 7, 8


class GiteaDialect(GiteaHooks, GiteaGuards, GiteaSecrets, ReposDialect):
    """How Gitea says it."""

    refusals = REFUSALS["gitea"]
    prefix = "/api/v1"
    page_parameter = "limit"
    page_size_max = 50
    failures = ("error", "warning")
    state_name = "status"
    changed_status = 201
    milestone_key = "id"
    unique_titles = False
    request_changes = "REQUEST_CHANGES"
    dismissed_word = ""
    removed_word = "deleted"

    def _role_name(self, role: str) -> str:
        """It has no roles between."""
        return {"maintain": "write", "triage": "read"}.get(role, role)

    def _user(self, name: str) -> dict[str, Any]:
        """Who runs its actions has a number below zero; no other account is marked as a robot."""
        own = super()._user(name)
        return own | {"id": -2} if name in self.model.robots and name != self.model.account else own

    def token_of(self, headers: Message) -> str:
        """`token` or `Bearer`."""
        return (headers.get("Authorization") or "").removeprefix("token ").removeprefix("Bearer ")

    def refusal(self, refused: Refused) -> Reply:
        """409 for what is there."""
        status = {"duplicate": 409, "missing": 404, "invalid": 422, "forbidden": 403, "blocked": 405, "moved": 409}[
            refused.kind
        ]
        return Reply({"message": str(refused), "url": "http://127.0.0.1/api/swagger"}, status)

    def says_no(self, status: int) -> Reply:
        """A few words."""
        words = {
            401: "invalid username, password or token",
            403: "token does not have at least one of required scope(s)",
        }
        return Reply({"message": words.get(status, "The target couldn't be found.")}, status)

    def allowance(self, quota: Quota) -> dict[str, str]:
        """It says nothing."""
        del quota
        return {}

    def turned_away(self, quota: Quota, wait_s: int) -> Reply:
        """A proxy before it does that."""
        del quota
        return Reply({"message": "too many requests"}, 429, {"Retry-After": str(wait_s)})

    def routes(self) -> list[tuple[str, str, Handler]]:
        """All that the port needs."""
        at = f"/api/v1/repos/{self.model.repository}"
        return [
            ("GET", at, self.repository),
            ("PATCH", at, self.change_repository),
            ("GET", f"{at}/branches/(.+)", self.branch),
            ("POST", f"{at}/branches", self.create_branch),
            ("DELETE", f"{at}/branches/(.+)", self.delete_branch),
            ("GET", f"{at}/tags/(.+)", self.tag),
            ("POST", f"{at}/tags", self.create_tag),
            ("GET", f"{at}/commits/([^/]+)/pull", self.pull_of),
            ("GET", f"{at}/statuses/([^/]+)", self.statuses),
            ("GET", rf"{at}/releases/(\d+)/assets", self.files),
            ("POST", rf"{at}/releases/(\d+)/assets", self.add_file),
            ("DELETE", rf"{at}/releases/(\d+)/assets/(\d+)", self.delete_file),
            ("GET", f"{at}/assignees", lambda _: Reply([self._user(name) for name in self.model.people])),
            ("POST", rf"{at}/pulls/(\d+)/merge", self.merge),
            ("PATCH", rf"{at}/labels/(\d+)", self.change_badge),
            ("DELETE", rf"{at}/labels/(\d+)", self.delete_badge),
            ("DELETE", rf"{at}/issues/(\d+)/labels/(\d+)", self.take_label),
            *self.guard_routes(at),
            *self.secret_routes(at),
            *self.repos_routes(at),
        ]

    # --- repository, branches, tags ----------------------------------------------------------------------------

    def repository(self, _: Request) -> Reply:
        may = self.model.may_write
        permissions = {"admin": may and Capability.HOOKS not in self.model.lacking, "push": may, "pull": True}
        return Reply(
            {"id": REPOSITORY_ID, "default_branch": self.model.default_branch, "permissions": permissions}
            | self._merging()
        )

    def change_repository(self, asked: Request) -> Reply:
        self._set_merging(asked.body)
        return self.repository(asked)

    def branch(self, asked: Request) -> Reply:
        (name,) = asked.names
        commit = self.model.refs.get(f"refs/heads/{name}")
        return self.says_no(404) if commit is None else Reply(self._branch(name, commit))

    def create_branch(self, asked: Request) -> Reply:
        name = asked.body["new_branch_name"]
        commit = self.model.create_ref(f"refs/heads/{name}", asked.body["old_ref_name"])
        return Reply(self._branch(name, commit), 201)

    def delete_branch(self, asked: Request) -> Reply:
        self.model.delete_ref(f"refs/heads/{asked.names[0]}")
        return Reply(None, 204)

    def tag(self, asked: Request) -> Reply:
        (name,) = asked.names
        commit = self.model.refs.get(f"refs/tags/{name}")
        return self.says_no(404) if commit is None else Reply({"name": name, "commit": {"sha": commit}})

    def create_tag(self, asked: Request) -> Reply:
        name = asked.body["tag_name"]
        commit = self.model.create_ref(f"refs/tags/{name}", asked.body["target"])
        return Reply({"name": name, "commit": {"sha": commit}}, 201)

    def _branch(self, name: str, commit: str) -> dict[str, Any]:
        guarded = self.model.is_guarded(name)
        return {
            "name": name,
            "commit": {"id": commit},
            "protected": guarded,
            "user_can_push": self.model.may_write and not guarded,
            "enable_status_check": False,
            "required_approvals": 1 if guarded else 0,
        }

    # --- pull requests -----------------------------------------------------------------------------------------

    def pulls(self, asked: Request) -> Reply:
        """No filter by branches, as before 1.23."""
        state = asked.query.get("state", "open")
        found = [
            pull
            for pull in self.model.pulls.values()
            if state == "all" or (state == "open") == (pull.state is PullState.OPEN)
        ]
        if asked.query.get("sort") == "recentupdate":
            found.sort(key=lambda pull: -pull.updated_us)
        return Reply([self._pull(pull) for pull in found])

    def merge(self, asked: Request) -> Reply:
        """Fields are found in any case: older ones begin with a capital letter."""
        body = {name.lower(): value for name, value in asked.body.items()}
        self.model.merge_on_request(asked.number(0), body.get("head_commit_id", ""), MergeMethod(body["do"]))
        return Reply(None)

    def ask_reviewers(self, asked: Request) -> Reply:
        pull = self.model.ask_reviewers(asked.number(0), asked.body["reviewers"])
        return Reply([{"user": self._user(name), "state": "REQUEST_REVIEW"} for name in pull.reviewers], 201)

    def pull_of(self, asked: Request) -> Reply:
        found = [pull for pull in self.model.pulls.values() if pull.merge_commit == asked.names[0]]
        return Reply(self._pull(found[0])) if found else self.says_no(404)

    # --- issues ------------------------------------------------------------------------------------------------

    author_asked = "created_by"

    def _names_of(self, labels: list[Any]) -> list[str]:
        """By their numbers."""
        return [self.model.badge(key).name for key in labels]

    def _labels_asked(self, given: str) -> str:
        """A label that is not known is left out of the query."""
        return ",".join(name for name in given.split(",") if self.model.has_label(name))

    def _chosen(self, asked: Request, item: Item) -> bool:
        """By titles or keys of milestones."""
        wanted = asked.query.get("milestones")
        stone = None if item.milestone is None else self.model.stones[item.milestone]
        return wanted is None or (stone is not None and wanted in (stone.title, str(stone.key)))

    def _assign(self, thread: Thread, names: list[str]) -> None:
        strangers = set(names) - set(self.model.people)
        if strangers:
            raise Refused("invalid", f"Assignee does not exist: [name: {min(strangers)}]")
        super()._assign(thread, names)

    def change_badge(self, asked: Request) -> Reply:
        return self.change_badge_of(self.model.badge(asked.number(0)), asked.body)

    def delete_badge(self, asked: Request) -> Reply:
        self.model.delete_badge(self.model.badge(asked.number(0)))
        return Reply(None, 204)

    def take_label(self, asked: Request) -> Reply:
        self.model.take_labels(self._thread_of(asked.number(0)), [self.model.badge(asked.number(1)).name])
        return Reply(None, 204)

    # --- releases ----------------------------------------------------------------------------------------------

    def files(self, asked: Request) -> Reply:
        return Reply([self._file(file) for file in self.model.page(asked.number(0)).files.values()])

    def _file(self, file: File) -> dict[str, Any]:
        url = f"https://127.0.0.1/attachments/{file.key:032x}"
        return {
            "id": file.key,
            "name": file.name,
            "size": len(file.content),
            "uuid": f"{file.key:032x}",
            "browser_download_url": url,
        }

    def add_file(self, asked: Request) -> Reply:
        name, content = _attachment(asked)
        page = self.model.page(asked.number(0))
        made = self.model.add_file(page, asked.query.get("name", name), content, unique=False)
        return Reply(self._file(made), 201)

    # --- statuses ----------------------------------------------------------------------------------------------

    def statuses(self, asked: Request) -> Reply:
        return Reply([self._status(said) for said in self.model.said if said.commit == asked.names[0]])

    def _pull(self, pull: Pull) -> dict[str, Any]:
        return self._common_of(pull, f"https://127.0.0.1/pulls/{pull.number}") | {
            "merged": pull.state is PullState.MERGED,
            "merge_commit_sha": pull.merge_commit,
            "mergeable": self.model.blocked(pull) in ("", "changes", "approvals", "checks"),
            "head": {
                "ref": pull.head,
                "sha": self.model.head_of(pull),
                "repo_id": FORK_ID if pull.fork else REPOSITORY_ID,
            },
            "base": {"ref": pull.base, "repo_id": REPOSITORY_ID},
        }


def _attachment(asked: Request) -> tuple[str, bytes]:
    """The field `attachment` of a form (RFC 7578): the part's file name, and its bytes as they came."""
    boundary = asked.content_type.partition("boundary=")[2].strip('"').encode()
    for part in asked.content.split(b"--" + boundary) if boundary else ():
        head, _, content = part.partition(b"\r\n\r\n")
        if b'name="attachment"' in head:
            name = re.search(rb'filename="([^"]*)"', head)
            return (name[1].decode() if name else ""), content.removesuffix(b"\r\n")
    raise Refused("invalid", "attachment is missing")
