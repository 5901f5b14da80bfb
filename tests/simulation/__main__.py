"""Tell many worlds: `make simulate SEEDS=FIRST-LAST`, or a single one with all that happens in it."""

from __future__ import annotations

import logging
import sys
import tempfile
from collections import Counter
from pathlib import Path

from tests.simulation.scenario import drawn
from tests.simulation.world import Beginnings


def say(*lines: str) -> None:
    """To whoever waits for it."""
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()


def main(argument: str) -> int:
    """0 if no law was broken."""
    first, _, last = argument.partition("-")
    logging.disable(logging.CRITICAL)  # Errors are what these worlds are made of.
    counts: Counter[str] = Counter()
    broken = []
    with tempfile.TemporaryDirectory() as folder:
        beginnings = Beginnings(Path(folder))
        for seed in range(int(first), int(last or first) + 1):
            world = beginnings.world(drawn(seed)).tell()
            world.place.world.close()
            counts += world.counts
            counts["worlds"] += 1
            if not last:
                say(*world.history, str(world.scenario))
            if world.laws.breaches:
                broken.append(seed)
                say(f"seed {seed}: {world.laws.breaches[0]}\n  to see it: make simulate SEEDS={seed}")
    say(", ".join(f"{count:,} {name}" for name, count in sorted(counts.items())))
    return min(1, len(broken))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
