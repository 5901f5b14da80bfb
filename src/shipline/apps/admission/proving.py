"""What registries say about images, remembered for a while, so that few requests of a cluster wait for a registry."""

from __future__ import annotations

import asyncio
import json
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from shipline.apps.admission.counts import Counts
from shipline.capabilities.gates import ImageDemand, ImageProof
from shipline.domain.verdict import Answer

KEPT_S = {Answer.PASS: 900.0, Answer.FAIL: 30.0, Answer.UNKNOWN: 5.0}
"""A signature that is taken away counts a quarter of an hour on; one that is added half a minute later."""
TAG_KEPT_S = 30.0
KEPT_MAX = 10_000
KEPT_BYTES_MAX = 64 * 1024 * 1024
ASKED_AT_ONCE_MAX = 256
WORKERS = 16
_LATE = "the registry has not answered in time; when it has, the next request finds the answer"
_CROWDED = "too many images are asked about at once"


@dataclass(frozen=True, slots=True)
class _Kept:
    proof: ImageProof
    until_s: float
    size: int


class Proofs:
    """Answers by demand, of which each is asked once at a time. For one event loop.

    `prove` asks a registry and may take long; it is called in threads. `now_s` is a clock that never goes back.
    """

    def __init__(self, prove: Callable[[ImageDemand], ImageProof], now_s: Callable[[], float], counts: Counts) -> None:
        self._prove, self._now_s, self._counts = prove, now_s, counts
        self._kept: OrderedDict[ImageDemand, _Kept] = OrderedDict()
        self._size = 0
        self._asked: dict[ImageDemand, asyncio.Task[ImageProof]] = {}
        self._pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="registry")

    async def of(self, demands: Sequence[ImageDemand], *, within_s: float) -> dict[ImageDemand, ImageProof]:
        """An answer to each; UNKNOWN where there is none in time. Who is asked then is asked on."""
        found: dict[ImageDemand, ImageProof] = {}
        waiting: dict[ImageDemand, asyncio.Task[ImageProof]] = {}
        for demand in demands:
            proof = self._remembered(demand)
            if proof is not None:
                found[demand] = proof
            elif demand in self._asked or len(self._asked) < ASKED_AT_ONCE_MAX:
                waiting[demand] = self._asking(demand)
            else:
                self._counts.proofs["crowded"] += 1
                found[demand] = ImageProof(Answer.UNKNOWN, _CROWDED)
        if waiting:
            await asyncio.wait(waiting.values(), timeout=within_s)
        for demand, task in waiting.items():
            self._counts.proofs["asked" if task.done() else "late"] += 1
            found[demand] = task.result() if task.done() else ImageProof(Answer.UNKNOWN, _LATE)
        return found

    def close(self) -> None:
        """Ask nothing more."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _remembered(self, demand: ImageDemand) -> ImageProof | None:
        kept = self._kept.get(demand)
        if kept is None:
            return None
        if kept.until_s <= self._now_s():
            self._forget(demand)
            return None
        self._kept.move_to_end(demand)
        self._counts.proofs["remembered"] += 1
        return kept.proof

    def _asking(self, demand: ImageDemand) -> asyncio.Task[ImageProof]:
        if demand not in self._asked:
            self._asked[demand] = asyncio.create_task(self._ask(demand))
        return self._asked[demand]

    async def _ask(self, demand: ImageDemand) -> ImageProof:
        try:
            proof = await asyncio.get_running_loop().run_in_executor(self._pool, self._prove, demand)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is no proof
            proof = ImageProof(Answer.UNKNOWN, f"asking the registry went wrong ({type(error).__name__})")
        finally:
            del self._asked[demand]
        self._keep(demand, proof)
        return proof

    def _keep(self, demand: ImageDemand, proof: ImageProof) -> None:
        """By digest for as long as the answer allows; what a tag names may change sooner."""
        seconds = KEPT_S[proof.answer] if "@" in demand.reference else min(KEPT_S[proof.answer], TAG_KEPT_S)
        size = len(proof.words) + sum(len(json.dumps(each)) for each in proof.predicates)
        self._kept[demand] = _Kept(proof, self._now_s() + seconds, size)
        self._size += size
        while len(self._kept) > KEPT_MAX or self._size > KEPT_BYTES_MAX:
            self._forget(next(iter(self._kept)))

    def _forget(self, demand: ImageDemand) -> None:
        self._size -= self._kept.pop(demand).size
