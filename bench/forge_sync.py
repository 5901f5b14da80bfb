"""Two forges that are kept alike: `python -m bench.forge sync`.

Promises:

4. People have worked on both sides and all is alike; then nothing is looked at for 72 hours, while 1,000 random edits
   are made on both sides: issues, texts, states, labels, milestones, comments, releases with files, branches, tags and
   pull requests, deleted and merged ones and edited copies too. After at most two passes both sides show the same, and
   a third one finds nothing to do: 0 echoes. The same holds for 72 hours in which 1,500 issues, comments and releases
   were made on one side, which is more than a forge takes in an hour. No forge had more than 80 creations in any minute
   nor 500 in any hour, by its own count, and each refuses what is beyond: none was.

The forges are the models of the tests, in memory, with git as a model of refs and histories, and the clock jumps;
rules, passes and the store are the real ones.
"""

from __future__ import annotations

import tempfile
import time
from bisect import bisect_left
from collections.abc import Callable
from pathlib import Path

from shipline.capabilities.automation import Side
from shipline.ports.clock import Clock
from shipline.testing.fakes.forge.quota import Quota
from tests.capabilities.automation.sync.places import Two

SEEDS, QUICK_SEEDS = 10, 2
BEFORE, EDITS, MADE = 300, 1000, 1500
A_LOT = 1_000_000  # Requests that only read are not what is measured.
OUTAGE_S = 72 * 3600
MINUTE_US, HOUR_US = 60_000_000, 3_600_000_000
A_MINUTE_MAX, AN_HOUR_MAX = 80, 500


def sync(quick: bool) -> bool:  # noqa: FBT001 - as the other cases
    """Prints the figures of each seed; True if all promises are kept."""
    seeds = range(1, 1 + (QUICK_SEEDS if quick else SEEDS))
    kept = [one(seed, f"{EDITS} edits", edited) for seed in seeds]
    return all([*kept, one(0, f"{MADE} things made on one side", flooded)])


def edited(two: Two) -> None:
    """People on both sides do this and that."""
    two.edit(EDITS)


def flooded(two: Two) -> None:
    """People on one side write and release."""
    people = two.people[Side.HERE]
    for _ in range(MADE):
        people.done += 1
        people.random.choices([people.open_issue, people.comment, people.publish], [8, 6, 1])[0]()


def one(seed: int, what: str, work: Callable[[Two], None]) -> bool:
    """One history."""
    with tempfile.TemporaryDirectory() as folder:
        two = Two(seed, Path(folder))
        two.edit(BEFORE)
        two.run()
        two.run()
        work(two)
        two.world.clock.sleep(OUTAGE_S)
        counts = {side: Counted(two.world.clock, limit=A_LOT) for side in Side}
        for side, counted in counts.items():
            two.forges[side].quota = counted
        began_us, began_s = two.world.clock.now_us(), time.monotonic()
        passes = [two.run() for _ in range(2)]
        virtual_min = (two.world.clock.now_us() - began_us) / MINUTE_US
        alike = two.shown(Side.HERE) == two.shown(Side.THERE)
        before = two.counts()
        echoes = len(two.run().effects) + sum(two.counts().values()) - sum(before.values())
        minute = max(most(counted.made_us, MINUTE_US) for counted in counts.values())
        hour = max(most(counted.made_us, HOUR_US) for counted in counts.values())
        refused = sum(counted.turned_away for counted in counts.values())
        effects = [len(each.effects) for each in passes]
        two.close()
    kept = alike and echoes == 0 and refused == 0 and minute <= A_MINUTE_MAX and hour <= AN_HOUR_MAX
    print(
        f"sync, seed {seed}: {what}, effects of both passes {effects}, {'alike' if alike else 'NOT ALIKE'},"
        f" {echoes} echoes; at most {minute} creations a minute, {hour} an hour, {refused} refused;"
        f" caught up in {virtual_min:.0f} min"
        f" of the forges' time, {time.monotonic() - began_s:.1f} s of ours: {'kept' if kept else 'BROKEN'}"
    )
    return kept


class Counted(Quota):
    """A forge's limits, with all that was made within them, in order of time."""

    def __init__(self, clock: Clock, *, limit: int) -> None:
        super().__init__(clock, limit=limit)
        self.made_us: list[int] = []

    def take(self, method: str) -> int:
        """As always."""
        wait_s = super().take(method)
        if not wait_s and method == "POST":
            self.made_us.append(self.clock.now_us())
        return wait_s


def most(made: list[int], width_us: int) -> int:
    """The most within any such width."""
    return max((bisect_left(made, start + width_us) - at for at, start in enumerate(made)), default=0)
