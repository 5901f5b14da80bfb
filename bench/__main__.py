"""Run the benches named on the command line, or all of them."""

from __future__ import annotations

import sys
from collections.abc import Callable

from bench import analysis, demo, many_rollouts, plans, policies, switching, version_files

BENCHES: dict[str, Callable[[], object]] = {
    "plans": lambda: plans.main([]),
    "analysis": lambda: analysis.main(["--quick"]),
    "version-files": version_files.main,
    "policies": lambda: policies.main([]),
    "demo": demo.main,
    "switching": switching.main,
    "many-rollouts": lambda: many_rollouts.main([]),
}


def main(names: list[str]) -> int:
    """Run; returns 2 for a name that no bench has."""
    unknown = [name for name in names if name not in BENCHES]
    if unknown:
        print(f"there is no bench {unknown[0]!r}; known ones: {', '.join(BENCHES)}")
        return 2
    for name in names or BENCHES:
        print(f"\n=== {name}", flush=True)
        BENCHES[name]()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
