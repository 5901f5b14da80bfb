"""Servers that end when the process is told to, and leave its end to the process."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import FrameType


@contextmanager
def stopping_on_signals() -> Iterator[None]:
    """Let uvicorn stop on a signal and the process go on to its own end.

    uvicorn raises the signal once more after it has stopped, for whoever handled it before: that is us.
    """

    def stopped(_number: int, _frame: FrameType | None) -> None:
        pass

    before = {number: signal.signal(number, stopped) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
