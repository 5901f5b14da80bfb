"""Which other processes are alive, judged by whether their heartbeats go on changing."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping


class Peers:
    """What one process has seen of the others.

    A peer is dead once its beat has stood still for `expires_s` of this process's own steady clock. The times that
    peers write are only compared with what they wrote before: wall clocks differ between machines, and jump.
    Somebody seen for the first time therefore counts as alive for `expires_s`.
    """

    def __init__(self, *, expires_s: float, steady_s: Callable[[], float] = time.monotonic) -> None:
        self.expires_s = expires_s
        self._steady_s = steady_s
        self._seen: dict[str, tuple[int | None, float]] = {}
        self._guard = threading.Lock()

    def are_alive(self, beats: Mapping[str, int], names: frozenset[str]) -> dict[str, bool]:
        """For each of `names`, whether it is alive by the newest `beats`; one without a beat was never heard of."""
        now_s = self._steady_s()
        with self._guard:
            seen = {name: self._look(name, beats.get(name), now_s) for name in names}
            self._seen.update(seen)
        return {name: now_s - since_s < self.expires_s for name, (_, since_s) in seen.items()}

    def forget(self, names: tuple[str, ...]) -> None:
        """Drop what is known of processes that are gone for good."""
        with self._guard:
            for name in names:
                self._seen.pop(name, None)

    def _look(self, name: str, beat_us: int | None, now_s: float) -> tuple[int | None, float]:
        known = self._seen.get(name)
        return known if known is not None and known[0] == beat_us else (beat_us, now_s)
