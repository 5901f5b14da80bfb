"""Git over HTTP for a fake forge: `git http-backend` serves the repository in which the forge's refs live.

The token is asked for as forges do (Basic, as the password), protected refs are refused by an `update` hook, ref by
ref, and what a push has moved is told to the model. From: gitprotocol-http; git-http-backend(1); githooks(5).
"""

from __future__ import annotations

import base64
import binascii
import os
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from shipline.testing.fakes.forge.happenings import RefMoved
from shipline.testing.fakes.forge.model import ForgeModel
from shipline.testing.fakes.forge.protection import HOOK, Refusals, refused_pushes
from shipline.testing.fakes.forge.refs import GitRefs

SERVE_TIMEOUT_S = 60


@dataclass(frozen=True)
class GitReply:
    """An answer in bytes."""

    status: int
    headers: Mapping[str, str]
    content: bytes


class GitFront:
    """The repository of `model` at `/{repository}.git`. `admits` says whether a token is let in, `refusals` how a push
    is refused."""

    def __init__(self, model: ForgeModel, refs: GitRefs, admits: Callable[[str], bool], refusals: Refusals) -> None:
        self.model = model
        self.refusals = refusals
        self.refs = refs
        self.admits = admits
        hook = refs.folder / "hooks" / "update"
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(HOOK, encoding="utf-8")
        hook.chmod(0o755)

    @property
    def prefix(self) -> str:
        """Where it is."""
        return f"/{self.model.repository}.git/"

    def answer(self, method: str, path: str, query: str, headers: Mapping[str, str], content: bytes) -> GitReply:
        """One request. A push is told to the model."""
        if not self.admits(_token_of(headers.get("Authorization", ""))):
            return GitReply(401, {"WWW-Authenticate": 'Basic realm="forge"'}, b"")
        is_push = path.endswith("git-receive-pack") or query == "service=git-receive-pack"
        if is_push and not self.model.may_write:
            return GitReply(403, {}, b"the token may not push\n")
        before = self.refs.all() if is_push and method == "POST" else {}
        reply = self._served(method, path, query, headers, content)
        if is_push and method == "POST":
            after = self.refs.all()
            names = sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
            self.model.pushed([RefMoved(name, before.get(name), after.get(name)) for name in names])
        return reply

    def _served(self, method: str, path: str, query: str, headers: Mapping[str, str], content: bytes) -> GitReply:
        folder = self.refs.folder
        environment = _plain() | {
            "GIT_PROJECT_ROOT": str(folder.parent),
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_CONFIG_COUNT": "3",
            "GIT_CONFIG_KEY_0": "http.receivepack",
            "GIT_CONFIG_VALUE_0": "true",
            "GIT_CONFIG_KEY_1": "safe.directory",
            "GIT_CONFIG_VALUE_1": "*",
            # As GitHub, GitLab and Gitea have it: a commit that is there can be asked for by its id.
            "GIT_CONFIG_KEY_2": "uploadpack.allowAnySHA1InWant",
            "GIT_CONFIG_VALUE_2": "true",
            "PATH_INFO": f"/{folder.name}/{path.removeprefix(self.prefix)}",
            "REQUEST_METHOD": method,
            "QUERY_STRING": query,
            "CONTENT_TYPE": headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(content)),
            "HTTP_CONTENT_ENCODING": headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": headers.get("Git-Protocol", ""),
            "REMOTE_USER": self.model.account,
            "REMOTE_ADDR": "127.0.0.1",
            "FORGE_RULES": "\n".join(
                refused_pushes(self.model.guards, self.model.protected, self.model.protected_tags, self.refusals)
            ),
        }
        done = subprocess.run(
            ["git", "http-backend"],
            input=content,
            env=environment,
            capture_output=True,
            timeout=SERVE_TIMEOUT_S,
            check=False,
        )
        return _read(done.stdout)


def _plain() -> dict[str, str]:
    """The environment without what belongs to another repository."""
    return {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}


def _token_of(authorization: str) -> str:
    """The password of Basic, or the token of Bearer; "" for neither."""
    scheme, _, given = authorization.partition(" ")
    if scheme.lower() != "basic":
        return given if scheme.lower() == "bearer" else ""
    try:
        return base64.b64decode(given, validate=True).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        return ""


def _read(said: bytes) -> GitReply:
    """What a CGI program answers (RFC 3875): headers, with the status among them, an empty line, the body."""
    head, _, content = said.partition(b"\r\n\r\n")
    lines = (line.partition(": ") for line in head.decode("latin-1").split("\r\n") if line)
    headers = {name: value for name, _, value in lines}
    status = int(headers.pop("Status", "200 OK").split()[0])
    return GitReply(status, headers, content)
