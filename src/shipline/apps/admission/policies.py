"""The policies that answer, read again when their files change."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from shipline.apps.admission.counts import Counts
from shipline.capabilities.gates import StandingPolicies
from shipline.domain.errors import ShiplineError

LOOK_EVERY_S = 2.0
_State = tuple[tuple[str, int, int, int], ...]


class Policies:
    """`standing` answers now. `load` reads and compiles them; what it raises at first is for whoever starts this.

    A change that cannot be used changes nothing: what stood before goes on answering, and `trouble` says why. It is
    tried again at each look, since what was in its way may pass without a change of the files.
    """

    def __init__(
        self, load: Callable[[], StandingPolicies], watched: Callable[[], tuple[Path, ...]], counts: Counts
    ) -> None:
        self._load, self._watched, self._counts = load, watched, counts
        self._state = self._seen()
        self.trouble = ""
        self.standing = load()
        counts.policies = self.standing.count

    async def follow(self, tell: Callable[[str], None]) -> None:
        """Look at the files every LOOK_EVERY_S, until this is cancelled. `tell` is given what is to be said."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            await self.look(tell)

    async def look(self, tell: Callable[[str], None]) -> None:
        """Look once."""
        try:
            state = await asyncio.to_thread(self._seen)
            if state == self._state:
                self.trouble = ""  # They are again as they stand.
                return
            self.standing = await asyncio.to_thread(self._load)
        except Exception as error:  # noqa: BLE001 - whatever it is, the next change must be seen
            trouble = _words(error)
            if trouble != self.trouble:
                self.trouble = trouble
                self._counts.reloads["failed"] += 1
                tell(f"the policies have changed and cannot be used; those from before go on answering: {trouble}")
            return
        self._state = state
        self.trouble = ""
        self._counts.reloads["done"] += 1
        self._counts.policies = self.standing.count
        tell(f"the policies have changed: {self.standing.count} are asked now")

    def _seen(self) -> _State:
        """What tells one state of the files from another, as far as they can be looked at."""
        found = []
        for path in self._watched():
            try:
                about = path.stat()
            except OSError:
                continue  # Reading says it.
            found.append((str(path), about.st_ino, about.st_mtime_ns, about.st_size))
        return tuple(found)


def _words(error: Exception) -> str:
    if isinstance(error, ShiplineError):
        return error.sentence()
    return (error.strerror if isinstance(error, OSError) else "") or f"{type(error).__name__}: {error}"[:200]
