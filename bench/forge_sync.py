"""Two forges that are kept alike: `python -m bench.forge sync`.

Promises:

4. People have worked on both sides and all is alike; then nothing is looked at for 72 hours, while 1,000 random edits
   are made on both sides: issues, texts, states, labels, milestones and comments, deleted ones and edited copies too.
   After at most two passes both sides show the same, and a third one finds nothing to do: 0 echoes. No forge had more
   than 80 creations in any minute nor 500 in any hour, by its own count.

The forges are the models of the tests, in memory, and the clock jumps; rules, passes and the store are the real ones.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from shipline.capabilities.automation import Side
from tests.capabilities.automation.sync.places import Two

SEEDS, QUICK_SEEDS = 10, 2
BEFORE, EDITS = 300, 1000
OUTAGE_S = 72 * 3600
MINUTE_US, HOUR_US = 60_000_000, 3_600_000_000
A_MINUTE_MAX, AN_HOUR_MAX = 80, 500


def sync(quick: bool) -> bool:  # noqa: FBT001 - as the other cases
    """Prints the figures of each seed; True if all promises are kept."""
    kept = [one(seed) for seed in range(1, 1 + (QUICK_SEEDS if quick else SEEDS))]
    return all(kept)


def one(seed: int) -> bool:
    """One history."""
    with tempfile.TemporaryDirectory() as folder:
        two = Two(seed, Path(folder))
        two.edit(BEFORE)
        two.run()
        two.run()
        two.edit(EDITS)
        two.world.clock.sleep(OUTAGE_S)
        made = {side: watched(two, side) for side in Side}
        began_us, began_s = two.world.clock.now_us(), time.monotonic()
        passes = [two.run() for _ in range(2)]
        virtual_min = (two.world.clock.now_us() - began_us) / MINUTE_US
        alike = two.shown(Side.HERE) == two.shown(Side.THERE)
        before = two.counts()
        echoes = len(two.run().effects) + sum(two.counts().values()) - sum(before.values())
        minute = max(most(made[side], MINUTE_US) for side in Side)
        hour = max(most(made[side], HOUR_US) for side in Side)
        effects = [len(each.effects) for each in passes]
        two.close()
    kept = alike and echoes == 0 and minute <= A_MINUTE_MAX and hour <= AN_HOUR_MAX
    print(
        f"sync, seed {seed}: {EDITS} edits, effects of both passes {effects}, {'alike' if alike else 'NOT ALIKE'},"
        f" {echoes} echoes; at most {minute} creations a minute, {hour} an hour; caught up in {virtual_min:.0f} min"
        f" of the forges' time, {time.monotonic() - began_s:.1f} s of ours: {'kept' if kept else 'BROKEN'}"
    )
    return kept


def watched(two: Two, side: Side) -> list[int]:
    """When things were made on a side from now on."""
    made: list[int] = []
    two.forges[side].model.listeners.append(
        lambda happening: made.append(two.world.clock.now_us()) if happening.action in ("opened", "created") else None
    )
    return made


def most(made: list[int], width_us: int) -> int:
    """The most within any such width."""
    return max((sum(start <= each < start + width_us for each in made) for start in made), default=0)
