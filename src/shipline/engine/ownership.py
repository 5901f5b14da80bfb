"""Taking over the engine from a process that has ended, while this one waits for what only an engine can do."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from shipline.domain.errors import ShiplineError

OWN_AGAIN_S = 1.0

log = logging.getLogger(__name__)


class Owner(Protocol):
    """What may run the engine: a Runner."""

    def start(self) -> bool:
        """Run it, if this process may; False where another does. May be tried again."""
        ...

    def stop(self) -> None:
        """Run it no more. Nothing where it was not started."""
        ...


@contextmanager
def owning(runner: Owner) -> Iterator[bool]:
    """Run the engine in the block, if this process may; as soon as it may, if another owns it now.

    Gives whether it is this one from the start.
    """
    left = threading.Event()
    waiter = None
    mine = runner.start()
    if not mine:
        waiter = threading.Thread(target=_take_over, args=(runner, left), name="shipline-owner", daemon=True)
        waiter.start()
    try:
        yield mine
    finally:
        left.set()
        if waiter is not None:
            waiter.join()
        runner.stop()


def _take_over(runner: Owner, left: threading.Event) -> None:
    while not left.wait(OWN_AGAIN_S):
        try:
            if runner.start():
                return
        except ShiplineError as error:  # The store's trouble of this moment: the next try may go well.
            log.warning("the engine cannot be run here yet: %s", error.diagnosis())
