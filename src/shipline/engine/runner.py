"""The owner's loop: it finds what is due, hands it to the scheduler, and takes over from the dead."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Protocol

from shipline.domain.errors import ShiplineError
from shipline.engine import journal
from shipline.engine.engine import BEAT_EXPIRES_US, Engine, NoPlanner
from shipline.engine.lease import Lease
from shipline.store.transaction import Transaction

POLL_S = 0.2
# A due run is handed over again after this long: the first hand-over may have died with its process.
AGAIN_US = 3_000_000

log = logging.getLogger(__name__)


class Scheduler(Protocol):
    """What the loop needs of DBOS."""

    def start(self, tick: Callable[[str], None]) -> None:
        """From now on call `tick(run_id)` for what is enqueued."""
        ...

    def enqueue(self, tx: Transaction, run_id: str, *, key: str, delay_s: float) -> None:
        """Plan a tick in the caller's transaction."""
        ...

    def recover(self, dead: tuple[str, ...]) -> int:
        """Take over what dead nodes had begun."""
        ...

    def stop(self) -> None:
        """Finish and stop."""
        ...


class Runner:
    """Runs an engine in this process if it may: `start` says whether it owns the lease.

    `chores` are called in every round: the log's sequencer, reactors.
    """

    def __init__(
        self, engine: Engine, scheduler: Scheduler, lease: Lease, chores: tuple[Callable[[], object], ...]
    ) -> None:
        self.engine = engine
        self.scheduler = scheduler
        self.lease = lease
        self.chores = chores
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> bool:
        """Own the engine and run it in the background; False if another process does."""
        if not self.lease.acquire():
            return False
        self.scheduler.start(self.engine.tick)
        self.engine.planner = self.scheduler
        self._thread = threading.Thread(target=self._loop, name="shipline-engine", daemon=True)
        self._thread.start()
        return True

    def stop(self) -> None:
        """Finish the steps under way, do the chores once more, and give the lease back. Safe to call twice."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
            self.engine.planner = NoPlanner()
            self.scheduler.stop()
            self._do_chores()
        self.lease.release()

    def round(self) -> None:
        """One look around."""
        due = self.engine.due()
        now_us = self.engine.clock.now_us()
        if due:
            with self.engine.store.begin() as tx:
                for run_id in due:
                    run = journal.load_run(tx, run_id)
                    if run is not None:
                        key = f"{run_id}:{run.revision}:due:{now_us // AGAIN_US}"
                        self.scheduler.enqueue(tx, run_id, key=key, delay_s=0)
        self.scheduler.recover(self._dead(now_us))
        self._do_chores()

    def _dead(self, now_us: int) -> tuple[str, ...]:
        if self.engine.store.is_sqlite:
            return ()  # The one executor's own id: DBOS recovers it at launch.
        with self.engine.store.begin() as tx:
            return journal.bury(tx, older_than_us=now_us - BEAT_EXPIRES_US)

    def _do_chores(self) -> None:
        for chore in self.chores:
            chore()

    def _loop(self) -> None:
        while not self._stop.wait(POLL_S):
            try:
                self.round()
            except ShiplineError as error:
                log.warning("the engine's round failed and will be tried again: %s", error.diagnosis())
            except Exception:
                log.exception("the engine's round failed and will be tried again")
