"""World(seed): a store, a jumping clock, repeatable ids, and engines that can be killed and started again."""

from __future__ import annotations

from pathlib import Path

from shipline.engine import journal
from shipline.engine.engine import Catalogue, Engine
from shipline.store.database import Store
from shipline.testing.fakes.clock import FakeClock, SeededIds

TICKS_MAX = 100_000


class World:
    """Everything that outlives a process: the store and the time. Engines come and go."""

    def __init__(self, seed: int, folder: Path, *, url: str | None = None) -> None:
        self.seed = seed
        self.clock = FakeClock()
        self.ids = SeededIds(seed, self.clock)
        self.store = Store(url if url is not None else f"sqlite:///{folder / 'world.db'}").open()
        self._incarnations = 0

    def engine(self, catalogue: Catalogue, store: Store | None = None) -> Engine:
        """A new process: an engine that knows nothing but what is in the store."""
        self._incarnations += 1
        name = f"node-{self._incarnations}"
        return Engine(store if store is not None else self.store, catalogue, self.clock, self.ids, node_id=name)

    def run_until_quiet(self, engine: Engine) -> int:
        """Tick whatever is due, jumping over the waits, until nothing is planned any more; returns the ticks."""
        for ticks in range(TICKS_MAX):
            if engine.sweep() > 0:
                continue
            with self.store.begin() as tx:
                wake_us = journal.next_wake_us(tx)
            if wake_us is None:
                return ticks
            self.clock.jump_to(max(wake_us, self.clock.now_us()))
        raise AssertionError(f"seed {self.seed}: still busy after {TICKS_MAX} ticks")

    def close(self) -> None:
        """Give the store back."""
        self.store.close()
