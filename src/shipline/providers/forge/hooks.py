"""Webhooks, as all forges with a REST API do them: made once, then brought into the form that is wanted."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar

from shipline.clients.forge_http import made
from shipline.clients.forge_json import entries, flag, number, text
from shipline.ports.forge import Known
from shipline.ports.forge.hooks import HOOKS_MAX, Hook, HookEvent
from shipline.providers.forge.base import RESTAccess


class RESTHooks(RESTAccess):
    """What the forges have alike. `hook_need` names the permission that hooks take."""

    hook_need: str

    @abstractmethod
    def _hook(self, item: Any) -> Hook:
        """A hook out of JSON."""

    @abstractmethod
    def _hook_body(self, url: str, events: frozenset[HookEvent], secret: str) -> dict[str, Any]:
        """A hook into JSON, as it is when it is changed."""

    def _new_hook(self, body: dict[str, Any]) -> dict[str, Any]:
        """What a new one takes beside that."""
        return body

    def hooks(self) -> tuple[Hook, ...]:
        """GET the list."""
        items = self._http.pages(f"{self._at}/hooks", items_max=HOOKS_MAX, need=self.hook_need)
        return tuple(sorted(map(self._hook, items), key=lambda hook: int(hook.key)))

    def ensure_hook(self, url: str, *, events: frozenset[HookEvent], secret: str) -> Hook:
        """POST it where it is not there, and set it anew where it is."""
        body = self._hook_body(url, events, secret)
        fresh: list[Hook] = []

        def make() -> Hook:
            path = f"{self._at}/hooks"
            answer = self._http.send("POST", path, self._new_hook(body), need=self.hook_need, secret=secret)
            fresh.append(self._hook(answer))
            return fresh[0]

        found = made(lambda: next((hook for hook in self.hooks() if hook.url == url), None), make)
        return found if fresh else self._set_hook(found.key, body, secret)

    def _set_hook(self, key: str, body: dict[str, Any], secret: str) -> Hook:
        place = f"{self._at}/hooks/{int(key)}"
        return self._hook(self._http.send(self.change_method, place, body, need=self.hook_need, secret=secret))

    def delete_hook(self, key: str) -> None:
        """DELETE it."""
        self._http.remove(f"{self._at}/hooks/{int(key)}", need=self.hook_need)

    def _read_hook(self, key: str) -> Hook:
        return self._hook(self._http.get(f"{self._at}/hooks/{int(key)}", need=self.hook_need))

    def revive_hook(self, key: str) -> Hook:
        """Switch it on where it is off."""
        found = self._read_hook(key)
        if found.active:
            return found
        return self._hook(self._change(f"hooks/{int(key)}", {"active": True}, self.hook_need))


class ReposHooks(RESTHooks):
    """What GitHub and Gitea have alike. `words` are the forge's own for each event."""

    words: ClassVar[dict[HookEvent, tuple[str, ...]]]

    def _hook(self, item: Any) -> Hook:
        there = set(entries(item, "events"))
        healthy, said = self._health(item)
        return Hook(
            key=str(number(item, "id")),
            url=text(item, "config", "url"),
            events=frozenset(event for event, words in self.words.items() if there & set(words)),
            active=flag(item, "active"),
            healthy=healthy,
            said=said,
        )

    def _health(self, item: Any) -> tuple[Known, str]:
        del item
        return Known.UNKNOWN, ""

    def _hook_body(self, url: str, events: frozenset[HookEvent], secret: str) -> dict[str, Any]:
        words = [word for event in sorted(events) for word in self.words.get(event, ())]
        config = {"url": url, "content_type": "json", "secret": secret}
        return {"active": True, "events": words, "config": config}
