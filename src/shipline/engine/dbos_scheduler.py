"""DBOS, behind one narrow module: it runs ticks, durably and on several nodes, and holds no state of ours.

Everything is safe without it: rows say what is due, and the sweep finds what DBOS lost. Its pitfalls are kept out
here: no service is called (no conductor, no automatic upgrade, no sharding), values are JSON, the application's
version is constant, and the executor's id is stable on SQLite and unique for each incarnation on PostgreSQL.
DBOS's own delays are not used: it looks at them once a second, and its clock is not ours.
DBOS 3.4: https://docs.dbos.dev/python/reference/
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime

from dbos import DBOS, DBOSClient, DBOSConfig, DBOSPortableJSONSerializer
from sqlalchemy.engine import make_url

from shipline.domain.errors import ShiplineError
from shipline.store.database import Store
from shipline.store.errors import translated_errors
from shipline.store.transaction import Transaction

APPLICATION = "shipline"
APPLICATION_VERSION = "1"
QUEUE = "ticks"
WORKERS = 8
POLL_S = 0.05
# How long DBOS's listener sleeps between two looks, and therefore how long it takes to stop.
LISTENER_POLL_S = 0.1
# Rows are the real backlog; DBOS's queue is kept at most this long beyond the ticks that steps plan themselves.
QUEUED_MAX = 200
FORGET_BATCH = 500
# What stands between the ids of the runs that one of DBOS's workflows ticks. Ids have none.
BETWEEN = "+"
# The thread names of DBOS's pool (`DBOS._launch`); a contract test watches them.
POOL_PREFIX = "dbos-executor-"
SETTLE_S = 5.0

log = logging.getLogger(__name__)
_one_at_a_time = threading.Lock()


class DBOSScheduler:
    """Runs ticks. One at a time in a process, as DBOS has it; may be started again after `stop`."""

    def __init__(self, store: Store, *, node_id: str) -> None:
        self.store = store
        self.executor_id = "sqlite" if store.is_sqlite else node_id
        self._dbos: DBOS | None = None
        self._client: DBOSClient | None = None
        self._tick: Callable[[str], None] | None = None
        self._under_way = 0
        self._changed = threading.Condition()
        self._stopping = threading.Event()

    def start(self, tick: Callable[[str], None]) -> None:
        """Launch DBOS on the store's database; from now on it calls `tick(run_id)` for whatever was enqueued.

        An exception of `tick` is logged, and the tick counts as done: whoever sweeps finds the run again.
        Raises RuntimeError where another scheduler runs in this process, ShiplineError for the database's trouble.
        """
        if not _one_at_a_time.acquire(blocking=False):
            raise RuntimeError("another scheduler runs in this process")
        self._tick = tick
        self._stopping.clear()
        try:
            with translated_errors(self.store.path):
                self._launch()
        except BaseException:
            self._tick = None
            self._shut_down()
            raise

    def enqueue(self, tx: Transaction, run_ids: tuple[str, ...], *, key: str) -> None:
        """Plan a tick of each of these runs, one after the other, in the caller's transaction; the same key once."""
        if self._client is not None:
            joined = BETWEEN.join(run_ids)
            self._client.enqueue_in_transaction(
                tx.connection,
                {
                    "workflow_name": "tick",
                    "queue_name": QUEUE,
                    "workflow_id": f"{joined}:{key}",
                    "app_version": APPLICATION_VERSION,
                },
                joined,
            )

    def queued(self) -> tuple[str, ...]:
        """The runs that have a tick in the queue, in QUEUED_MAX of its workflows at most."""
        if self._client is None:
            return ()
        with translated_errors(self.store.path):
            found = self._client.list_workflows(
                queue_name=QUEUE, status="ENQUEUED", limit=QUEUED_MAX, load_input=False, load_output=False
            )
        return tuple(run_id for status in found for run_id in status.workflow_id.partition(":")[0].split(BETWEEN))

    def recover(self, dead: tuple[str, ...]) -> int:
        """Enqueue again the ticks that dead nodes had begun; returns how many.

        DBOS does this by itself only for the executor's own id and through a service that we do not use, hence the
        private call; a contract test watches it.
        """
        if not dead or self._dbos is None:
            return 0
        with translated_errors(self.store.path):
            return len(DBOS._recover_pending_workflows(list(dead)))  # noqa: SLF001 - the only way in 3.4

    def forget(self, *, before_us: int) -> int:
        """Delete DBOS's rows of ticks that ended before `before_us`, at most FORGET_BATCH; returns how many.

        DBOS 3.4 has no retention of its own outside its service.
        """
        if self._client is None:
            return 0
        with translated_errors(self.store.path):
            ended = self._client.list_workflows(
                completed_before=datetime.fromtimestamp(before_us / 1_000_000, tz=UTC).isoformat(),
                limit=FORGET_BATCH,
                load_input=False,
                load_output=False,
            )
            if ended:
                self._client.delete_workflows([status.workflow_id for status in ended])
        return len(ended)

    def stop(self) -> None:
        """Begin no more ticks, finish those under way, however long they take, and stop. Safe to call twice."""
        if self._dbos is None:
            return
        self._stopping.set()
        for event in self._dbos.background_thread_stop_events:
            event.set()  # As DBOS.destroy does first, but it would then leave the ticks under way behind.
        self._finish_ticks()
        self._shut_down()

    def _finish_ticks(self) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._under_way == 0)
        deadline_s = time.monotonic() + SETTLE_S
        while self._any_pending() and time.monotonic() < deadline_s:
            time.sleep(0.01)  # noqa: TID251 - threads of DBOS are waited for, not time
        with self._changed:
            self._changed.wait_for(lambda: self._under_way == 0)
            self._tick = None

    def _any_pending(self) -> bool:
        """True while DBOS has not written down that the ticks of this process have ended."""
        if self._client is None:
            return False
        try:
            with translated_errors(self.store.path):
                return bool(
                    self._client.list_workflows(
                        status="PENDING", executor_id=self.executor_id, limit=1, load_input=False
                    )
                )
        except ShiplineError:
            return False  # Nothing can be written down now; it is found again at the next start.

    def _shut_down(self) -> None:
        if self._client is not None:
            self._client.destroy()
            self._client = None
        DBOS.destroy(destroy_registry=True)
        self._dbos = None
        deadline_s = time.monotonic() + SETTLE_S
        for thread in _pool_threads():
            thread.join(max(0.0, deadline_s - time.monotonic()))
        _one_at_a_time.release()

    def _launch(self) -> None:
        _quiet_logs()
        url = self._url()
        DBOS.migrate(url)
        self._client = DBOSClient(
            system_database_engine=self.store.engine,
            serializer=DBOSPortableJSONSerializer(),
            application_name=APPLICATION,
            retry_connection_errors=False,
        )
        # Before the launch: what is registered later is only looked at a second later.
        self._client.register_queue(QUEUE, worker_concurrency=WORKERS, polling_interval_sec=POLL_S)
        self._dbos = DBOS(config=self._configuration(url))

        @DBOS.workflow(name="tick", max_recovery_attempts=100)
        def tick_workflow(joined: str) -> None:
            for run_id in joined.split(BETWEEN):
                self._call(run_id)

        DBOS.launch()

    def _call(self, run_id: str) -> None:
        with self._changed:
            tick = self._tick
            if tick is None or self._stopping.is_set():
                return  # The run is still due.
            self._under_way += 1
        try:
            tick(run_id)
        except ShiplineError as error:
            log.warning("a tick of %s failed and will be tried again: %s", run_id, error.diagnosis())
        except Exception:
            log.exception("a tick of %s failed and will be tried again", run_id)
        finally:
            with self._changed:
                self._under_way -= 1
                self._changed.notify_all()

    def _url(self) -> str:
        url = make_url(self.store.url)
        if not self.store.is_sqlite:
            url = url.set(drivername="postgresql")
        return url.render_as_string(hide_password=False)

    def _configuration(self, url: str) -> DBOSConfig:
        return {
            "name": APPLICATION,
            "system_database_url": url,
            "application_version": APPLICATION_VERSION,
            "executor_id": self.executor_id,
            "serializer": DBOSPortableJSONSerializer(),
            "log_level": "ERROR",
            "enable_otlp": False,
            "notification_listener_polling_interval_sec": LISTENER_POLL_S,
        }


def _quiet_logs() -> None:
    """DBOS puts a handler that prints on its logger where that has none; ours leaves its errors to our own logging."""
    logger = logging.getLogger("dbos")
    logger.setLevel(logging.ERROR)
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())


def _pool_threads() -> tuple[threading.Thread, ...]:
    return tuple(thread for thread in threading.enumerate() if thread.name.startswith(POOL_PREFIX))
