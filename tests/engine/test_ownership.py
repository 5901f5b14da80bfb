"""Who waits for what only an engine can do takes it over when its owner has ended."""

from __future__ import annotations

import threading

from shipline.domain.errors import ShiplineError, UnavailableError
from shipline.engine.ownership import owning
from tests.machine import PATIENCE_S


class Busy:
    """A runner that another process keeps from running, then the store, and then nothing."""

    def __init__(self) -> None:
        self.answers: list[bool | ShiplineError] = [False, UnavailableError("the database did not answer"), True]
        self.running = threading.Event()

    def start(self) -> bool:
        answer = self.answers.pop(0)
        if isinstance(answer, ShiplineError):
            raise answer
        if answer:
            self.running.set()
        return answer

    def stop(self) -> None:
        self.running.clear()


def test_a_store_in_trouble_keeps_nobody_from_taking_the_engine_over_later() -> None:
    runner = Busy()
    with owning(runner) as mine:
        assert not mine
        assert runner.running.wait(PATIENCE_S)
    assert runner.answers == []
