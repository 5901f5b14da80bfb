"""Synthetic requests in the background of the process that runs the engine. They end with it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from shipline.bootstrap.rehearsals import load_plan
from shipline.capabilities.rollouts import NoSender, Synthetic
from shipline.domain.errors import ShiplineError
from shipline.ports.load import SECONDS_MAX

if TYPE_CHECKING:
    from collections.abc import Callable

    from shipline.configuration import EnvironmentSettings
    from shipline.ports.clock import Clock
    from shipline.ports.load import Load, LoadPlan, LoadReport
    from shipline.ports.traffic import Traffic


class KeptLoad:
    """Sends for as long as that is asked for again and again. `plan_for` gives what is sent, by its rate."""

    def __init__(self, load: Load, plan_for: Callable[[float], LoadPlan], clock: Clock) -> None:
        self._load = load
        self._plan_for = plan_for
        self._clock = clock
        self._guard = threading.Lock()
        self._thread: threading.Thread | None = None
        self._rate_per_s = 0.0
        self._until_us = 0
        self._sent = 0

    def keep(self, rate_per_s: float, for_s: float) -> int:
        """See `rollouts.synthetic.Sender`."""
        with self._guard:
            self._rate_per_s = rate_per_s
            self._until_us = self._clock.now_us() + int(for_s * 1_000_000)
            if rate_per_s > 0 and self._thread is None:
                self._thread = threading.Thread(target=self._go_on, daemon=True)
                self._thread.start()
            sent, self._sent = self._sent, 0
            return sent

    def _go_on(self) -> None:
        """Send at the rate of now, one after the other as it changes, until nobody asks for it any more."""
        try:
            while (rate_per_s := self._wanted_per_s()) > 0:
                self._send(rate_per_s)
        except ShiplineError:
            return  # Nobody knows the address now: it is tried again with the next look.
        finally:
            with self._guard:
                if self._thread is threading.current_thread():
                    self._thread = None

    def _wanted_per_s(self) -> float:
        with self._guard:
            if self._rate_per_s > 0 and self._clock.now_us() < self._until_us:
                return self._rate_per_s
            # Whoever asks from here on begins anew.
            self._thread = None
            return 0.0

    def _send(self, rate_per_s: float) -> None:
        counted = 0

        def is_over(report: LoadReport) -> bool:
            nonlocal counted
            with self._guard:
                self._sent += report.sent - counted
                counted = report.sent
                return self._rate_per_s != rate_per_s or self._clock.now_us() >= self._until_us

        is_over(self._load.send(self._plan_for(rate_per_s), is_over=is_over))


def synthetic_of(load: Callable[[], Load], where: EnvironmentSettings, traffic: Traffic, clock: Clock) -> Synthetic:
    """What fills up an environment's traffic, if its settings allow that and ask for it."""
    said = where.rehearsal
    if not (said.allowed and said.synthetic_rate):
        return Synthetic(NoSender())

    def plan_for(rate_per_s: float) -> LoadPlan:
        return load_plan(where, traffic.address(), rate_per_s=rate_per_s, seconds=float(SECONDS_MAX))

    return Synthetic(KeptLoad(load(), plan_for, clock), float(said.synthetic_rate), float(said.seconds_max))
