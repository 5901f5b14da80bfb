"""Webhooks of the forge in memory: nothing is sent, since nobody listens there."""

from __future__ import annotations

from shipline.ports.forge import Known
from shipline.ports.forge.hooks import Delivery, Hook, HookEvent
from shipline.testing.fakes.forge.hooks import HookRow
from shipline.testing.fakes.forge.memory_access import MemoryAccess


class MemoryHooks(MemoryAccess):
    """The hooks' noun over the model."""

    def hooks(self) -> tuple[Hook, ...]:
        """The oldest first."""
        self._reach()
        return tuple(map(_hook, self.model.hooks.rows.values()))

    def ensure_hook(self, url: str, *, events: frozenset[HookEvent], secret: str) -> Hook:
        """As given."""
        self._write()
        known = (row for row in self.model.hooks.rows.values() if row.url == url)
        row = next(known, None) or self.model.hooks.create(url, [], secret)
        row.words, row.secret, row.active = sorted(events), secret, True
        self._answer()
        return _hook(row)

    def delete_hook(self, key: str) -> None:
        """It goes."""
        self._write()
        if int(key) in self.model.hooks.rows:
            self.model.hooks.delete(int(key))
        self._answer()

    def deliveries(self, key: str) -> tuple[Delivery, ...]:
        """The newest first."""
        self._reach()
        sent = reversed(self.model.hooks.get(int(key)).sent)
        return tuple(Delivery(str(one.key), one.word, one.status, one.sent_us, one.again, one.guid) for one in sent)

    def redeliver(self, key: str, delivery: str) -> None:
        """Nothing was sent."""
        self._write()
        self.model.hooks.sent(int(key), int(delivery))

    def revive_hook(self, key: str) -> Hook:
        """On."""
        self._write()
        row = self.model.hooks.get(int(key))
        row.active = True
        self._answer()
        return _hook(row)


def _hook(row: HookRow) -> Hook:
    return Hook(str(row.key), row.url, frozenset(map(HookEvent, row.words)), row.active, Known.UNKNOWN)
