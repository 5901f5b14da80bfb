"""DBOS, behind one narrow module: it schedules ticks, durably and on several nodes, and holds no state of ours.

Everything is safe without it: rows say what is due, and the sweep finds what DBOS lost. Its pitfalls are kept out
here: no service is called (no conductor, no automatic upgrade, no sharding), values are JSON, the application's
version is constant, and the executor's id is stable on SQLite and unique for each incarnation on PostgreSQL.
DBOS 3.4: https://docs.dbos.dev/python/reference/
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from dbos import DBOS, DBOSClient, DBOSConfig, DBOSPortableJSONSerializer, EnqueueOptions
from sqlalchemy.engine import make_url

from shipline.store.database import Store
from shipline.store.transaction import Transaction

APPLICATION = "shipline"
APPLICATION_VERSION = "1"
QUEUE = "ticks"
WORKERS = 8
POLL_S = 0.05


class DBOSScheduler:
    """Four methods: start, enqueue, recover, stop. One at a time in a process, as DBOS has it."""

    def __init__(self, store: Store, *, node_id: str) -> None:
        self.store = store
        self.node_id = node_id
        self._client: DBOSClient | None = None
        self._tick: Callable[[str], None] = lambda _run_id: None

    def start(self, tick: Callable[[str], None]) -> None:
        """Launch DBOS on the store's database; from now on it calls `tick(run_id)` for whatever was enqueued."""
        logging.getLogger("dbos").setLevel(logging.ERROR)
        self._tick = tick
        DBOS(config=self._configuration())

        @DBOS.workflow(name="tick", max_recovery_attempts=100)
        def tick_workflow(run_id: str) -> None:
            self._tick(run_id)

        DBOS.launch()
        DBOS.register_queue(QUEUE, worker_concurrency=WORKERS, polling_interval_sec=POLL_S)
        self._client = DBOSClient(
            system_database_engine=self.store.engine,
            serializer=DBOSPortableJSONSerializer(),
            application_name=APPLICATION,
        )

    def enqueue(self, tx: Transaction, run_id: str, *, key: str, delay_s: float) -> None:
        """Plan a tick in the caller's transaction. The same key is planned once."""
        if self._client is None:
            return
        options: EnqueueOptions = {
            "workflow_name": "tick",
            "queue_name": QUEUE,
            "workflow_id": key,
            "app_version": APPLICATION_VERSION,
        }
        if delay_s > 0:
            options["delay_seconds"] = delay_s
        self._client.enqueue_in_transaction(tx.connection, options, run_id)

    def recover(self, dead: tuple[str, ...]) -> int:
        """Enqueue again the ticks that dead nodes had begun; returns how many.

        DBOS does this by itself only for the executor's own id and through a service that we do not use, hence the
        private call; a contract test watches it.
        """
        return len(DBOS._recover_pending_workflows(list(dead))) if dead else 0  # noqa: SLF001 - the only way in 3.4

    def stop(self) -> None:
        """Finish the ticks under way and stop."""
        if self._client is not None:
            self._client.destroy()
            self._client = None
        DBOS.destroy(destroy_registry=True)

    def _configuration(self) -> DBOSConfig:
        url = make_url(self.store.url)
        if not self.store.is_sqlite:
            url = url.set(drivername="postgresql")
        return {
            "name": APPLICATION,
            "system_database_url": url.render_as_string(hide_password=False),
            "application_version": APPLICATION_VERSION,
            "executor_id": "sqlite" if self.store.is_sqlite else self.node_id,
            "serializer": DBOSPortableJSONSerializer(),
            "log_level": "ERROR",
            "enable_otlp": False,
        }
