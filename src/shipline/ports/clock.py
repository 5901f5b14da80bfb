"""The Clock port: the only source of time."""

from __future__ import annotations

from typing import Protocol


class Clock(Protocol):
    """Wall time and waiting."""

    def now_us(self) -> int:
        """UTC microseconds since 1970."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait; a fake clock jumps instead."""
        ...
