"""Who says something, as the forges with a REST API tell it."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any
from urllib.parse import quote

from shipline.clients.forge_json import number, text_or_none
from shipline.domain.errors import ConflictError, RefusedError
from shipline.ports.forge.answers import Known, Thread
from shipline.ports.forge.speakers import Reaction, Remark, Role, Speaker
from shipline.providers.forge.tracker import RESTTracker

NOBODY = Speaker(Role.UNKNOWN, Known.UNKNOWN)
REACTIONS_MAX = 1000
_LOGIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}(?:\[bot\])?")


class RESTSpeakers(RESTTracker):
    """What the forges have alike."""

    def remark(self, thread: Thread, key: str) -> Remark | None:
        """GET it."""
        found = self._http.find(f"{self._at}/{self._comment_at(thread, int(key))}")
        if found is None or not self._is_below(thread, found):
            return None
        return Remark(self._comment(found), is_edited(found))

    def _is_below(self, thread: Thread, item: Any) -> bool:
        """Whether a comment that was found by its key alone belongs to the thread."""
        raise NotImplementedError

    def speaker(self, login: str) -> Speaker:
        """What the forge says; what the token may not ask is not known."""
        try:
            return self._speaker(login)
        except RefusedError:
            return NOBODY

    def _speaker(self, login: str) -> Speaker:
        """The same, and RefusedError where the token may not ask."""
        raise NotImplementedError

    def react(self, thread: Thread, key: str, reaction: Reaction) -> None:
        """POST it; one that is there already is answered with itself, or refused as a double."""
        try:
            self._react(thread, int(key), reaction)
        except ConflictError:
            return
        except RefusedError:
            if self.remark(thread, key) is not None:
                raise

    def _react(self, thread: Thread, key: int, reaction: Reaction) -> None:
        raise NotImplementedError


class ReposSpeakers(RESTSpeakers):
    """GitHub's part, and Gitea's, which took it over. `permission_need` is what asking for a role takes."""

    permission_need = ""

    def _is_below(self, thread: Thread, item: Any) -> bool:
        """By the address of its issue, or pull request, which ends in the number."""
        where = text_or_none(item, "issue_url") or text_or_none(item, "pull_request_url") or ""
        return where.rstrip("/").rpartition("/")[2] == str(thread.number)

    def _speaker(self, login: str) -> Speaker:
        """The role by its own name, which GitHub has more of; one that an organization has made by what it can at
        least do."""
        if not _LOGIN.fullmatch(login):
            return NOBODY
        path = f"{self._at}/collaborators/{quote(login, safe='')}/permission"
        found = self._http.find(path, need=self.permission_need)
        if found is None:
            return Speaker(Role.NONE, Known.UNKNOWN)
        words = (text_or_none(found, "role_name") or "", text_or_none(found, "permission") or "")
        known = (REPOS_ROLES[word] for word in words if word in REPOS_ROLES)
        return Speaker(next(known, Role.UNKNOWN), self._robot(login, found))

    def _robot(self, login: str, found: Any) -> Known:
        raise NotImplementedError

    def _react(self, thread: Thread, key: int, reaction: Reaction) -> None:
        path = f"{self._at}/issues/comments/{key}/reactions"
        self._http.send("POST", path, {"content": reaction.value}, need=self._thread_need(thread))


# From: docs.github.com/rest/collaborators/collaborators, docs.gitea.com/api (repoGetRepoPermissions).
REPOS_ROLES = {
    "owner": Role.ADMIN,
    "admin": Role.ADMIN,
    "maintain": Role.MAINTAIN,
    "write": Role.WRITE,
    "triage": Role.TRIAGE,
    "read": Role.READ,
    "none": Role.NONE,
}


class GitHubSpeakers(ReposSpeakers):
    """GitHub's part."""

    permission_need = "metadata: read"

    def _robot(self, login: str, found: Any) -> Known:
        """Apps are no users, and are called so."""
        kind = text_or_none(found, "user", "type")
        if login.endswith("[bot]") or kind not in (None, "User"):
            return Known.YES
        return Known.NO if kind == "User" else Known.UNKNOWN


class GiteaSpeakers(ReposSpeakers):
    """Gitea's part: who runs its actions has a number below zero; other accounts of programs are like people's."""

    permission_need = "read:repository, as an administrator of the repository"

    def _robot(self, login: str, found: Any) -> Known:
        del login
        return Known.YES if number(found, "user", "id") < 0 else Known.NO


def is_edited(item: Any) -> bool:
    """Whether a comment was changed a second or more after it was written; also where that cannot be told.

    Forges write the two times down one after the other, so that they differ by a moment.
    """
    try:
        written, changed = (datetime.fromisoformat(str(item[name])) for name in ("created_at", "updated_at"))
        return (changed - written).total_seconds() >= 1
    except (KeyError, TypeError, ValueError):
        return True
