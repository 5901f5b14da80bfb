"""`python -m bench.plans [--quick] [CASE ...]`."""

from __future__ import annotations

import sys

from bench.plans.frame import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
