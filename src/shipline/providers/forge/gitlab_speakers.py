"""Who says something on GitLab.

From: docs.gitlab.com/api/{members,users,emoji_reactions}.
"""

from __future__ import annotations

import re
from typing import Any

from shipline.clients.forge_json import flag, number, text_or_none
from shipline.ports.forge.answers import Known, Thread
from shipline.ports.forge.speakers import Reaction, Role, Speaker
from shipline.providers.forge.gitlab_tracker import API, GitLabTracker
from shipline.providers.forge.speakers import NOBODY, REACTIONS_MAX, RESTSpeakers

# From: docs.gitlab.com/api/access_requests; those between two are custom roles, which stand on the lower one.
LEVELS = ((50, Role.ADMIN), (40, Role.MAINTAIN), (30, Role.WRITE), (20, Role.TRIAGE), (1, Role.READ))
WORDS = {Reaction.SEEN: "eyes", Reaction.YES: "thumbsup", Reaction.NO: "thumbsdown"}
# From: docs.gitlab.com/user/project/settings/project_access_tokens, and docs.gitlab.com/user/profile/service_accounts.
_ROBOT = re.compile(r"(?:project|group)_[0-9]+_bot.*|service_account_.*", re.IGNORECASE)


class GitLabSpeakers(GitLabTracker, RESTSpeakers):
    """GitLab's part."""

    def _is_below(self, thread: Thread, item: Any) -> bool:
        """It was asked for below the thread; what GitLab itself has noted is nobody's."""
        del thread
        return not flag(item, "system")

    def _speaker(self, login: str) -> Speaker:
        """The member of that number, also by a group; who is none may read, and write comments, where all may."""
        listed = [one for one in self._http.get("/users", {"username": login}) if self._is_called(one, login)]
        if len(listed) != 1:
            return NOBODY
        user = number(listed[0], "id")
        member = self._http.find(f"{self._at}/members/all/{user}")
        robot = self._robot(login, self._http.find(f"/users/{user}"))
        if member is None or text_or_none(member, "state") != "active":
            return Speaker(Role.NONE, robot)
        level = number(member, "access_level")
        return Speaker(next((role for least, role in LEVELS if level >= least), Role.NONE), robot)

    def _is_called(self, user: Any, login: str) -> bool:
        return (text_or_none(user, "username") or "").casefold() == login.casefold()

    def _robot(self, login: str, user: Any) -> Known:
        told = user.get("bot") if isinstance(user, dict) else None
        if told is True or _ROBOT.fullmatch(login):
            return Known.YES
        return Known.NO if told is False else Known.UNKNOWN

    def _react(self, thread: Thread, key: int, reaction: Reaction) -> None:
        """GitLab answers a double with 404, like what is not there: so it is looked for first."""
        path = f"{self._comment_at(thread, key)}/award_emoji"
        if any(self._is_mine(one, WORDS[reaction]) for one in self._list(path, REACTIONS_MAX)):
            return
        self._http.send("POST", f"{self._at}/{path}", {"name": WORDS[reaction]}, need=API)

    def _is_mine(self, award: Any, word: str) -> bool:
        return text_or_none(award, "name") == word and self._is_ours(text_or_none(award, "user", "username") or "")
