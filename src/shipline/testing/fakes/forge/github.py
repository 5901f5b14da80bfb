"""GitHub's dialect, as GitHub Enterprise Server has it: below /api/v3, uploads below /api/uploads.

From: docs.github.com/rest, version 2022-11-28.
"""

from __future__ import annotations

from email.message import Message
from typing import Any

from shipline.ports.forge import PullState, StatusState
from shipline.testing.fakes.forge.github_app import FakeGitHubApp
from shipline.testing.fakes.forge.model import File, ForgeModel, Note, Page, Pull, Refused, Said
from shipline.testing.fakes.forge.server import Handler, Reply, Request

STATUSES = {"duplicate": 422, "missing": 404, "invalid": 422}
STATES = {"error": StatusState.FAILURE}


class GitHubDialect:
    """How GitHub says it. `states_digests` False: as Enterprise Servers before 3.18. `app`: one that is known there."""

    prefix = "/api/v3"
    page_parameter = "per_page"
    page_size_max = 100

    def __init__(self, model: ForgeModel, app: FakeGitHubApp | None = None) -> None:
        self.model = model
        self.app = app
        self.states_digests = True

    def token_of(self, headers: Message) -> str:
        """`Bearer` or `token`."""
        return (headers.get("Authorization") or "").removeprefix("Bearer ").removeprefix("token ")

    def refusal(self, refused: Refused) -> Reply:
        """Most of it is a 422 with a list of errors."""
        status = STATUSES[refused.kind]
        if status == STATUSES["missing"]:
            return self.says_no(status)
        code = "already_exists" if refused.kind == "duplicate" else "invalid"
        return Reply({"message": str(refused), "errors": [{"code": code, "message": str(refused)}]}, status)

    def says_no(self, status: int) -> Reply:
        """What GitHub calls a lack of permission, too."""
        words = {401: "Bad credentials", 403: "Resource not accessible by integration", 404: "Not Found"}
        headers = {"X-Accepted-GitHub-Permissions": "contents=write"} if status == STATUSES["missing"] - 1 else {}
        return Reply({"message": words[status], "documentation_url": "https://docs.github.com/rest"}, status, headers)

    def routes(self) -> list[tuple[str, str, Handler]]:
        """All that the port needs."""
        at = f"/api/v3/repos/{self.model.repository}"
        uploads = f"/api/uploads/repos/{self.model.repository}"
        return [
            *(self.app.routes(self.prefix) if self.app is not None else ()),
            ("GET", at, self.repository),
            ("GET", f"{at}/branches/(.+)", self.branch),
            ("GET", f"{at}/rules/branches/(.+)", self.rules),
            ("GET", f"{at}/git/ref/(.+)", self.ref),
            ("GET", f"{at}/git/tags/(.+)", lambda _: self.says_no(404)),
            ("POST", f"{at}/git/refs", self.create_ref),
            ("DELETE", f"{at}/git/refs/(.+)", self.delete_ref),
            ("GET", f"{at}/pulls", self.pulls),
            ("POST", f"{at}/pulls", self.open_pull),
            ("GET", rf"{at}/pulls/(\d+)", lambda asked: Reply(self._pull(self.model.pull(asked.number(0))))),
            ("PATCH", rf"{at}/pulls/(\d+)", self.change_pull),
            ("GET", f"{at}/commits/(.+)/pulls", self.pulls_of),
            ("GET", f"{at}/commits/(.+)/statuses", self.statuses),
            ("POST", f"{at}/statuses/(.+)", self.say),
            ("GET", f"{at}/releases/tags/(.+)", self.page_of),
            ("GET", f"{at}/releases", self.pages),
            ("POST", f"{at}/releases", self.create_page),
            ("PATCH", rf"{at}/releases/(\d+)", self.change_page),
            ("DELETE", rf"{at}/releases/(\d+)", self.delete_page),
            ("GET", rf"{at}/releases/(\d+)/assets", self.files),
            ("DELETE", rf"{at}/releases/assets/(\d+)", self.delete_file),
            ("POST", rf"{uploads}/releases/(\d+)/assets", self.add_file),
            ("GET", rf"{at}/issues/(\d+)/comments", self.notes),
            ("POST", rf"{at}/issues/(\d+)/comments", self.add_note),
            ("PATCH", rf"{at}/issues/comments/(\d+)", self.change_note),
        ]

    # --- repository, branches, tags ----------------------------------------------------------------------------

    def repository(self, _: Request) -> Reply:
        may = self.model.may_write
        return Reply(
            {
                "full_name": self.model.repository,
                "default_branch": self.model.default_branch,
                "permissions": {"admin": False, "push": may, "pull": True},
            }
        )

    def branch(self, asked: Request) -> Reply:
        (name,) = asked.names
        commit = self.model.refs.get(f"refs/heads/{name}")
        if commit is None:
            return Reply({"message": "Branch not found"}, 404)
        return Reply({"name": name, "commit": {"sha": commit}, "protected": name in self.model.protected})

    def rules(self, asked: Request) -> Reply:
        return Reply([{"type": "pull_request"}] if asked.names[0] in self.model.protected else [])

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
        state = PullState.OPEN if asked.query.get("state", "open") == "open" else None
        found = [
            pull
            for pull in self.model.pulls.values()
            if state in (None, pull.state)
            and head in ("", f"{'stranger' if pull.fork else owner}:{pull.head}")
            and base in ("", pull.base)
        ]
        return Reply([self._pull(pull) for pull in reversed(found)])

    def open_pull(self, asked: Request) -> Reply:
        body = asked.body
        made = self.model.open_pull(body["head"], body["base"], body["title"], body.get("body") or "")
        return Reply(self._pull(made), 201)

    def change_pull(self, asked: Request) -> Reply:
        body = asked.body
        changed = self.model.change_pull(
            asked.number(0), title=body.get("title"), body=body.get("body"), close=body.get("state") == "closed"
        )
        return Reply(self._pull(changed))

    def pulls_of(self, asked: Request) -> Reply:
        found = [pull for pull in self.model.pulls.values() if pull.merge_commit == asked.names[0]]
        return Reply([self._pull(pull) for pull in found])

    def _pull(self, pull: Pull) -> dict[str, Any]:
        source = f"stranger/{self.model.repository.partition('/')[2]}" if pull.fork else self.model.repository
        merged = pull.state is PullState.MERGED
        return {
            "number": pull.number,
            "title": pull.title,
            "body": pull.body,
            "state": "open" if pull.state is PullState.OPEN else "closed",
            "merged_at": "2026-01-01T00:00:00Z" if merged else None,
            # GitHub states a test merge's commit for open ones.
            "merge_commit_sha": pull.merge_commit if merged else "0" * 40,
            "head": {"ref": pull.head, "repo": {"full_name": source}},
            "base": {"ref": pull.base, "repo": {"full_name": self.model.repository}},
            "html_url": f"https://127.0.0.1/{self.model.repository}/pull/{pull.number}",
            "labels": [{"name": label} for label in pull.labels],
        }

    # --- releases ----------------------------------------------------------------------------------------------

    def page_of(self, asked: Request) -> Reply:
        found = self.model.page_of(asked.names[0])
        return self.says_no(404) if found is None or found.draft else Reply(_page(found))

    def pages(self, _: Request) -> Reply:
        return Reply([_page(page) for page in reversed(self.model.pages.values())])

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
        return Reply(_page(self.model.create_page(page, one_a_tag=False)), 201)

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
        return Reply(_page(page))

    def delete_page(self, asked: Request) -> Reply:
        self.model.delete_page(asked.number(0))
        return Reply(None, 204)

    def files(self, asked: Request) -> Reply:
        return Reply([self._file(file) for file in self.model.page(asked.number(0)).files.values()])

    def add_file(self, asked: Request) -> Reply:
        page = self.model.page(asked.number(0))
        return Reply(self._file(self.model.add_file(page, asked.query["name"], asked.content, unique=True)), 201)

    def delete_file(self, asked: Request) -> Reply:
        self.model.delete_file(asked.number(0))
        return Reply(None, 204)

    def _file(self, file: File) -> dict[str, Any]:
        digest = f"sha256:{file.sha256}" if self.states_digests and file.whole else None
        return {
            "id": file.key,
            "name": file.name,
            "size": len(file.content),
            "digest": digest,
            "state": "uploaded" if file.whole else "starter",
        }

    # --- comments and statuses ---------------------------------------------------------------------------------

    def notes(self, asked: Request) -> Reply:
        self.model.pull(asked.number(0))
        return Reply([_note(note) for note in self.model.notes.values() if note.pull == asked.number(0)])

    def add_note(self, asked: Request) -> Reply:
        return Reply(_note(self.model.add_note(asked.number(0), asked.body["body"])), 201)

    def change_note(self, asked: Request) -> Reply:
        return Reply(_note(self.model.change_note(asked.number(0), asked.body["body"])))

    def statuses(self, asked: Request) -> Reply:
        return Reply([_status(said) for said in reversed(self.model.said) if said.commit == asked.names[0]])

    def say(self, asked: Request) -> Reply:
        body = asked.body
        state = STATES.get(body["state"]) or StatusState(body["state"])
        said = Said(
            key=0,
            commit=asked.names[0],
            context=body.get("context", "default"),
            state=state,
            description=body.get("description") or "",
            url=body.get("target_url") or "",
        )
        return Reply(_status(self.model.say(said)), 201)


def _ref(name: str, commit: str) -> dict[str, Any]:
    return {"ref": name, "object": {"type": "commit", "sha": commit}}


def _page(page: Page) -> dict[str, Any]:
    return {
        "id": page.key,
        "tag_name": page.tag,
        "name": page.title,
        "body": page.notes,
        "draft": page.draft,
        "prerelease": page.prerelease,
        "html_url": f"https://127.0.0.1/releases/{page.tag}",
        # A client that follows this sends its token to a stranger.
        "upload_url": "https://uploads.example.com/assets{?name,label}",
    }


def _note(note: Note) -> dict[str, Any]:
    return {"id": note.key, "body": note.body}


def _status(said: Said) -> dict[str, Any]:
    return {
        "id": said.key,
        "context": said.context,
        "state": said.state.value,
        "description": said.description,
        "target_url": said.url or None,
    }
