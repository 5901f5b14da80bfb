"""What planning costs, beside the peers and the floor, in one run: `make bench-plans`. A file in `cases/` is a case.

Promises: whatever a row says was measured in this run, on this machine, on the same history; the programs take turns,
so that a machine that gets slower is slower for all, and what is to be quoted is the ratio. Does not judge the
programs' output: that the plans are right is what the tests are for.
"""

from bench.plans.frame import main

__all__ = ["main"]
