"""What is quiet, in a large repository: `python -m bench.forge stale`.

Promises:

5. 10,000 quiet issues are warned, and closed two weeks later, by hourly runs as a server makes them. The forge lets
   nobody ask more than 5,000 times an hour, nor make more than 80 things a minute and 500 an hour; many a run is killed
   at a random one of its requests, before it or after its effect. In the end each issue bears the
   label and one warning, or is closed: 0 lost, 0 doubled. By the forge's own count no hour had more requests than it
   allows, the reserve of others was never touched, and nothing was turned away. Those that somebody answers meanwhile
   are open at the end, without the label.

The forge is the model of the tests, in memory, which counts requests as GitHub does, and the clock jumps; rules and
runs are the real ones.
"""

from __future__ import annotations

import random
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from shipline.capabilities.automation import Housekeeping, StaleRules, StaleSweep, keep_all
from shipline.capabilities.automation.housekeeping.acts import RESERVE
from shipline.capabilities.automation.housekeeping.stale import STALE_MARKER
from shipline.domain.errors import UnavailableError
from shipline.ports.forge import Budget, bears
from shipline.ports.forge.answers import ItemState, Thread
from shipline.ports.forge.tracker import ALL_ISSUES, Issue, IssueQuery
from shipline.testing.fakes.clock import FakeClock
from shipline.testing.fakes.forge.memory import FakeForge
from shipline.testing.fakes.forge.model import ForgeModel
from shipline.testing.fakes.forge.quota import Quota
from shipline.testing.fakes.forge.refs import MemoryRefs
from shipline.testing.fakes.forge.tracker import Note
from shipline.testing.kills import Killed

ISSUES, QUICK_ISSUES = 10_000, 1000
DAY_S, HOUR_S = 86_400, 3600
REQUEST_S = 0.1
"""What a request takes of the forge's time."""
PAGE = 100
KILLED_AT = 6000
"""A run is killed at one of so many of its requests, if it makes as many."""
MADE_AN_HOUR_MAX, HOUR_US = 500, 3_600_000_000
ANSWERED = 50
RULES = StaleRules(60, 14, "stale", (), 200)


@dataclass
class Counted:
    """What the forge has counted. `refused` were turned away, `lowest` is the least that was left of an hour."""

    requests: int = 0
    refused: int = 0
    lowest: int = 5000
    most_made: int = 0
    made_us: deque[int] = field(default_factory=deque)


class IndexedModel(ForgeModel):
    """One that finds the comments of a thread without looking through all."""

    def __init__(self, refs: MemoryRefs, *, clock: FakeClock) -> None:
        super().__init__(refs, clock=clock)
        self.by_thread: dict[Thread, dict[int, Note]] = {}

    def add_note(self, thread: Thread, body: str, *, author: str = "", system: bool = False) -> Note:
        """By its thread, too."""
        note = super().add_note(thread, body, author=author, system=system)
        self.by_thread.setdefault(thread, {})[note.key] = note
        return note

    def delete_note(self, key: int) -> None:
        """There, too."""
        del self.by_thread[self.notes[key].thread][key]
        super().delete_note(key)

    def notes_of(self, thread: Thread) -> list[Note]:
        """The oldest first."""
        return list(self.by_thread.get(thread, {}).values())


class LimitedForge(FakeForge):
    """A forge with GitHub's limits, whose caller dies at the request `fatal` from now, 0 for never."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__()
        self.model = IndexedModel(MemoryRefs(), clock=clock)
        self.clock = clock
        self.hourly = Quota(clock)
        self.counted = Counted()
        self.fatal = 0

    def budget(self) -> Budget:
        """As the last answer has said it."""
        return Budget(self.hourly.remaining, self.hourly.ends_us)

    def issues(self, query: IssueQuery = ALL_ISSUES) -> Iterator[Issue]:
        """A request a page."""
        for place, issue in enumerate(super().issues(query)):
            if place and place % PAGE == 0:
                self._ask("GET")
            yield issue

    def _reach(self) -> None:
        super()._reach()
        self._ask("GET")

    def _write(self) -> None:
        self._ask("POST")

    def _answer(self) -> None:
        self._pass()

    def _ask(self, method: str) -> None:
        self._pass()
        self.clock.sleep(REQUEST_S)
        counted = self.counted
        now_us = self.clock.now_us()
        while counted.made_us and counted.made_us[0] <= now_us - HOUR_US:
            counted.made_us.popleft()
        if self.hourly.take(method) or (method == "POST" and len(counted.made_us) >= MADE_AN_HOUR_MAX):
            counted.refused += 1
            raise UnavailableError("the forge turns this away")
        counted.requests += 1
        counted.lowest = min(counted.lowest, self.hourly.remaining)
        counted.made_us.extend([now_us] if method == "POST" else [])
        counted.most_made = max(counted.most_made, len(counted.made_us))

    def _pass(self) -> None:
        if self.fatal == 1:
            self.fatal = 0
            raise Killed("in the middle")
        self.fatal = max(0, self.fatal - 1)


def stale(quick: bool) -> bool:  # noqa: FBT001 - as the other cases
    """Prints the figures; True if all promises are kept."""
    count, began_s = QUICK_ISSUES if quick else ISSUES, time.monotonic()
    forge, chance = LimitedForge(FakeClock()), random.Random(5)
    for _ in range(count):
        forge.model.open_issue()
    forge.clock.sleep(61 * DAY_S)
    warned = _until(forge, chance, lambda: all(item.labels for item in forge.model.items.values()))
    answered = chance.sample(sorted(forge.model.items), ANSWERED)
    for number in answered:
        forge.model.add_note(Thread.issue(number), "I do care", author="ada")
    ended = _until(forge, chance, lambda: _open(forge) == ANSWERED and not _labelled(forge, answered))
    runs, kills = warned[0] + ended[0], warned[1] + ended[1]
    warnings = [_warnings(forge, number) for number in forge.model.items if number not in answered]
    lost, doubled = warnings.count(0), sum(each - 1 for each in warnings if each > 1)
    counted = forge.counted
    within = counted.refused == 0 and counted.lowest >= RESERVE and counted.most_made <= MADE_AN_HOUR_MAX
    kept = lost == doubled == 0 and within and _open(forge) == ANSWERED and kills > 0
    print(
        f"stale: {count} issues warned in {warned[2]} h, all but the {ANSWERED} answered ones closed; {runs} runs,"
        f" {kills} of them killed; {lost} lost, {doubled} doubled; {counted.requests} requests, never fewer than"
        f" {counted.lowest} of 5000 left in an hour, at most {counted.most_made} made in an hour,"
        f" {counted.refused} turned away; {time.monotonic() - began_s:.1f} s of ours: {'kept' if kept else 'BROKEN'}"
    )
    return kept


def _until(forge: LimitedForge, chance: random.Random, is_done: Callable[[], bool]) -> tuple[int, int, int]:
    """Hourly runs until it is; how many there were, how many of them were killed, and the hours that it took."""
    keeping = Housekeeping({}, {"stale": StaleSweep(RULES, forge.clock.now_us)}, clock=forge.clock)
    runs, kills, began_us = 0, 0, forge.clock.now_us()
    while not is_done():
        forge.fatal, next_us = chance.randint(1, KILLED_AT), forge.clock.now_us() + HOUR_US
        runs += 1
        try:
            for _ in keep_all(forge, keeping):
                pass
        except Killed:
            kills += 1
        except UnavailableError:
            pass  # The next run goes on.
        forge.clock.sleep(max(0, next_us - forge.clock.now_us()) / 1_000_000)
    return runs, kills, (forge.clock.now_us() - began_us) // HOUR_US


def _open(forge: LimitedForge) -> int:
    return sum(item.state is ItemState.OPEN for item in forge.model.items.values())


def _labelled(forge: LimitedForge, numbers: list[int]) -> bool:
    return any(forge.model.items[number].labels for number in numbers)


def _warnings(forge: LimitedForge, number: int) -> int:
    return sum(bears(each.body, STALE_MARKER) for each in forge.model.notes_of(Thread.issue(number)))
