"""Answers of others, remembered for a while, so that few requests of a cluster wait for anybody."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections import Counter, OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Generic, TypeVar

KEPT_MAX = 10_000
KEPT_BYTES_MAX = 64 * 1024 * 1024
ASKED_AT_ONCE_MAX = 256
WORKERS = 16
LATE = "there was no answer in time; when it has come, the next request finds it"
CROWDED = "too much is asked about at once"
Question = TypeVar("Question")
Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class _Kept(Generic[Answer]):
    answer: Answer
    until_s: float
    size: int


class Remembered(ABC, Generic[Question, Answer]):
    """Answers by question, of which each is asked once at a time. For one event loop.

    `ask` may take long; it is called in threads. `now_s` is a clock that never goes back. `counts` has `remembered`,
    `asked`, `late` (no answer in time) and `crowded` (too many are asked already).
    """

    def __init__(self, ask: Callable[[Question], Answer], now_s: Callable[[], float], counts: Counter[str]) -> None:
        self._ask, self._now_s, self._counts = ask, now_s, counts
        self._kept: OrderedDict[Question, _Kept[Answer]] = OrderedDict()
        self._size = 0
        self._asked: dict[Question, asyncio.Task[Answer]] = {}
        self._pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="asking")

    @abstractmethod
    def unknown(self, words: str) -> Answer:
        """The answer where there is none."""

    @abstractmethod
    def lifetime_s(self, question: Question, answer: Answer) -> float:
        """For how long it is remembered."""

    @abstractmethod
    def size_of(self, answer: Answer) -> int:
        """What it weighs in memory, in bytes or so."""

    async def of(self, questions: Sequence[Question], *, within_s: float) -> dict[Question, Answer]:
        """An answer to each; an unknown one where there is none in time. Who is asked then is asked on."""
        found: dict[Question, Answer] = {}
        waiting: dict[Question, asyncio.Task[Answer]] = {}
        for question in questions:
            kept = self._remembered(question)
            if kept is not None:
                found[question] = kept.answer
            elif question in self._asked or len(self._asked) < ASKED_AT_ONCE_MAX:
                waiting[question] = self._asking(question)
            else:
                self._counts["crowded"] += 1
                found[question] = self.unknown(CROWDED)
        if waiting:
            await asyncio.wait(waiting.values(), timeout=within_s)
        for question, task in waiting.items():
            self._counts["asked" if task.done() else "late"] += 1
            found[question] = task.result() if task.done() else self.unknown(LATE)
        return found

    def close(self) -> None:
        """Ask nothing more."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _remembered(self, question: Question) -> _Kept[Answer] | None:
        kept = self._kept.get(question)
        if kept is None:
            return None
        if kept.until_s <= self._now_s():
            self._forget(question)
            return None
        self._kept.move_to_end(question)
        self._counts["remembered"] += 1
        return kept

    def _asking(self, question: Question) -> asyncio.Task[Answer]:
        if question not in self._asked:
            self._asked[question] = asyncio.create_task(self._answered(question))
        return self._asked[question]

    async def _answered(self, question: Question) -> Answer:
        try:
            answer = await asyncio.get_running_loop().run_in_executor(self._pool, self._ask, question)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is no answer
            answer = self.unknown(f"asking went wrong ({type(error).__name__})")
        finally:
            del self._asked[question]
        self._keep(question, answer)
        return answer

    def _keep(self, question: Question, answer: Answer) -> None:
        if question in self._kept:
            self._forget(question)
        size = self.size_of(answer)
        self._kept[question] = _Kept(answer, self._now_s() + self.lifetime_s(question, answer), size)
        self._size += size
        while len(self._kept) > KEPT_MAX or self._size > KEPT_BYTES_MAX:
            self._forget(next(iter(self._kept)))

    def _forget(self, question: Question) -> None:
        self._size -= self._kept.pop(question).size
