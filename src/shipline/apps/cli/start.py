"""The program `shipline`. It says how seldom garbage is looked for before the rest of it is imported."""

from __future__ import annotations

import gc

GARBAGE_MIN = 100_000
"""So many new objects are made before Python looks for those that only hold each other."""


def main() -> None:
    """Run a command, and end the process; see `main.main`."""
    # What a command imports and reads lives until it ends, so looking for garbage often finds none: a tenth of a plan.
    gc.set_threshold(GARBAGE_MIN)
    from shipline.apps.cli.main import main as run

    run()
