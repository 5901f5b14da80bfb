"""The owner's loop: it finds what is due, hands it to the scheduler, and takes over from the dead."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Protocol

from shipline.domain.errors import ShiplineError
from shipline.engine import journal
from shipline.engine.engine import Engine, NoPlanner
from shipline.engine.lease import Lease
from shipline.store.errors import CorruptStore, FullDisk
from shipline.store.transaction import Transaction

POLL_S = 0.2
# Never look more often than this, however many wake times lie close together.
POLL_MIN_S = 0.01
# A run that is due and was handed over already is handed over again after this long: its tick may have failed.
AGAIN_S = 3.0
RUNS_QUEUED_MAX = 400
# Runs that are ticked in a row, and how many rows there are at least before one holds two.
BATCH_MAX = 20
BATCHES_MIN = 16
# How long the rows of finished ticks are kept, and how often they are looked for.
KEPT_US = 3_600_000_000
FORGET_EVERY_S = 60.0

log = logging.getLogger(__name__)


class Scheduler(Protocol):
    """What the loop needs of DBOS."""

    def start(self, tick: Callable[[str], None]) -> None:
        """From now on call `tick(run_id)` for what is enqueued."""
        ...

    def enqueue(self, tx: Transaction, run_ids: tuple[str, ...], *, key: str) -> None:
        """Plan a tick of each, in a row, in the caller's transaction. The same key for the same runs: once."""
        ...

    def queued(self) -> tuple[str, ...]:
        """The runs that have a tick in the queue; where there are very many, not all of them."""
        ...

    def recover(self, dead: tuple[str, ...]) -> int:
        """Take over what dead nodes had begun; returns how many ticks."""
        ...

    def forget(self, *, before_us: int) -> int:
        """Delete a batch of what is kept of ticks that ended before; returns how many."""
        ...

    def stop(self) -> None:
        """Finish the ticks under way and stop. Nothing where it was not started."""
        ...


def batches(run_ids: tuple[str, ...], *, waiting: int) -> list[tuple[str, ...]]:
    """The runs that are ticked in a row, where so many others wait in the queue.

    Only a backlog makes rows longer than one: a slow step holds those behind it up, and what a row costs the scheduler
    is shared by all in it.
    """
    size = min(BATCH_MAX, max(1, (waiting + len(run_ids)) // BATCHES_MIN))
    return [run_ids[at : at + size] for at in range(0, len(run_ids), size)]


class Runner:
    """Runs an engine in this process if it may. `chores` are called in every round: the log's sequencer, reactors."""

    def __init__(
        self, engine: Engine, scheduler: Scheduler, lease: Lease, chores: tuple[Callable[[], object], ...]
    ) -> None:
        self.engine = engine
        self.scheduler = scheduler
        self.lease = lease
        self.chores = chores
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._handed: dict[str, tuple[int, float]] = {}
        self._is_behind = False  # More waited in the queue, when it was last looked at, than can be begun at once.
        self._forgot_s = float("-inf")

    def start(self) -> bool:
        """Own the engine and run it in the background; False if another process does. May be tried again."""
        if not self.lease.acquire():
            return False
        self.engine.planner = self.scheduler
        try:
            with self.engine.store.begin() as tx:
                self.engine.beat(tx)  # Before DBOS knows this process: what it begins must be found when it dies.
            self.scheduler.start(self.engine.advance)
        except BaseException:
            self.engine.planner = NoPlanner()
            self.lease.release()
            raise
        self._stop.clear()
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
        """One look around. Whatever goes wrong is logged and tried again in the next round."""
        jobs = (self._hand_over, self._take_over, *self.chores, self._forget)
        troubles = [_attempt(job) for job in jobs]
        self.engine.trouble = next((each for each in troubles if isinstance(each, FullDisk | CorruptStore)), None)

    def _hand_over(self) -> None:
        """Give every run that is due a tick, unless it has one in the queue."""
        due = self.engine.due()
        self._handed = {run_id: handed for run_id, handed in self._handed.items() if run_id in due}
        self._is_behind = False
        if not due:
            return
        queued = set(self.scheduler.queued())
        self._is_behind = len(queued) >= BATCHES_MIN
        missing = [run_id for run_id in due if run_id not in queued][: max(0, RUNS_QUEUED_MAX - len(queued))]
        now_s = time.monotonic()
        with self.engine.store.begin() as tx:
            revisions = journal.revisions_of(tx, missing)
            late = tuple(
                run_id for run_id in missing if run_id in revisions and self._is_late(run_id, revisions, now_s)
            )
            for run_ids in batches(late, waiting=len(queued)):
                self.scheduler.enqueue(tx, run_ids, key=self.engine.ids.new("tick"))
        self._handed |= {run_id: (revisions[run_id], now_s) for run_id in late}

    def _is_late(self, run_id: str, revisions: dict[str, int], now_s: float) -> bool:
        """True if the run was not handed over since it last went on, or so long ago that its tick may have died."""
        revision, handed_s = self._handed.get(run_id, (0, 0.0))
        return revisions[run_id] != revision or now_s - handed_s >= AGAIN_S

    def _take_over(self) -> None:
        dead = self.engine.dead()
        if not dead:
            return
        taken = self.scheduler.recover(dead)
        if taken:
            log.warning("took over %d ticks of %s", taken, ", ".join(dead))
        self.engine.bury(dead)  # Last: whoever is buried is not looked after again.

    def _forget(self) -> None:
        if time.monotonic() - self._forgot_s < FORGET_EVERY_S:
            return
        if self.scheduler.forget(before_us=self.engine.clock.now_us() - KEPT_US) == 0:
            self._forgot_s = time.monotonic()

    def _do_chores(self) -> None:
        for chore in self.chores:
            _attempt(chore)

    def _pause_s(self) -> float:
        """Until the next run wakes, or POLL_S: other processes plan too. Who is behind would begin it no earlier."""
        if self._is_behind:
            return POLL_S
        now_us = self.engine.clock.now_us()
        with self.engine.store.begin() as tx:
            wake_us = journal.next_wake_us(tx, after_us=now_us)
        if wake_us is None:
            return POLL_S
        return min(POLL_S, max(POLL_MIN_S, (wake_us - now_us) / 1_000_000))

    def _loop(self) -> None:
        pause_s = 0.0
        while not self._stop.wait(pause_s):
            self.round()
            try:
                pause_s = self._pause_s()
            except ShiplineError:
                pause_s = POLL_S  # The round has said what is wrong.


def _attempt(job: Callable[[], object]) -> ShiplineError | None:
    """One part of a round: its trouble must not keep the others from their work, nor end the loop. Returns it."""
    try:
        job()
    except ShiplineError as error:
        log.warning("a part of the engine's round failed and will be tried again: %s", error.diagnosis())
        return error
    except Exception:
        log.exception("a part of the engine's round failed and will be tried again")
    return None
