"""Dying at a chosen point: before or after any commit and any call to the outside.

In simulation dying is an exception that nothing catches; in a child process it is SIGKILL. Either way whatever was
committed or done stays, and whatever was in memory is gone.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

from shipline.store.database import Store
from shipline.store.transaction import Transaction


class Killed(BaseException):
    """The process is dead. Not an Exception: no code may survive it."""


def die_in_simulation(point: str) -> NoReturn:
    """Stop everything, as kill -9 would."""
    raise Killed(point)


def die_for_real(_point: str) -> NoReturn:
    """SIGKILL to this very process."""
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("alive after SIGKILL")


class Countdown:
    """Counts the points passed and dies at number `fatal` (from 1; None: never). `passed` names them all, in order."""

    def __init__(self, fatal: int | None, die: Callable[[str], NoReturn] = die_in_simulation) -> None:
        self.fatal = fatal
        self.die = die
        self.passed: list[str] = []

    def pass_point(self, name: str) -> None:
        """A place where a process can die."""
        self.passed.append(name)
        if len(self.passed) == self.fatal:
            self.die(f"{len(self.passed)}: {name}")


class MortalStore(Store):
    """A store whose process can die before and after each commit of a transaction that `watch` was told of."""

    def __init__(self, store: Store, countdown: Countdown) -> None:
        super().__init__(store.url, store.project)
        self._engines, self._is_open = store.engines, True
        self._countdown = countdown
        self.watching = True

    @contextmanager
    def begin(self) -> Iterator[Transaction]:
        """As Store.begin."""
        with super().begin() as tx:
            yield tx
            if self.watching:
                self._countdown.pass_point("before commit")
        if self.watching:
            self._countdown.pass_point("after commit")


class Mortal:
    """Any provider, with a place to die before and after each call of one of its methods in `effects`."""

    def __init__(self, provider: object, countdown: Countdown, *, name: str, effects: tuple[str, ...]) -> None:
        self._provider = provider
        self._countdown = countdown
        self._name = name
        self._effects = effects

    def __getattr__(self, attribute: str) -> Any:
        """The provider's own attribute, its effects guarded."""
        found = getattr(self._provider, attribute)
        if attribute not in self._effects:
            return found

        def guarded(*args: Any, **kwargs: Any) -> Any:
            self._countdown.pass_point(f"before {self._name}.{attribute}")
            result = found(*args, **kwargs)
            self._countdown.pass_point(f"after {self._name}.{attribute}")
            return result

        return guarded
