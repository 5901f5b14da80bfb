"""Looks that take seconds, beside the engine's loop, which must not wait for them."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from shipline.domain.errors import ShiplineError

log = logging.getLogger(__name__)


class Aside:
    """Calls `look` in a thread of its own, again and again, at most one at a time.

    `look` changes nothing, and needs nothing that is closed before the process ends. A new look begins `every_s`
    after the last one began, or when that has ended. One that raises a ShiplineError has found nothing; anything else
    that it raises comes from the next `poll`, and nobody is told where none comes: the process is ending then.
    """

    def __init__(
        self, look: Callable[[], bool], *, every_s: float, steady_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._look = look
        self._every_s = every_s
        self._steady_s = steady_s
        self._began_s = float("-inf")
        self._thread: threading.Thread | None = None
        self._found = False
        self._failure: Exception | None = None

    def poll(self) -> bool:
        """Whether the look that has ended since the last poll found something; begins the next one when it is time."""
        if self._thread is not None and self._thread.is_alive():
            return False
        found, self._found = self._found, False
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure
        if self._steady_s() - self._began_s >= self._every_s:
            self._began_s = self._steady_s()
            self._thread = threading.Thread(target=self._run, name="shipline-aside", daemon=True)
            self._thread.start()
        return found

    def wait(self) -> None:
        """Until the look under way has ended."""
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        try:
            self._found = self._look()
        except ShiplineError as error:
            log.debug("a look was in vain and will be tried again: %s", error.what)
        except Exception as error:  # noqa: BLE001 - raised by `poll`
            self._failure = error
