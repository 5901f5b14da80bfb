"""Kyverno's own policy library, each policy on the resources of its tests: how many answers agree.

    make bench-policies LIBRARY=path/to/kyverno/policies

Fetches nothing: without a copy of `kyverno/policies` it runs the selection that is kept with the tests.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from pathlib import Path

from shipline.domain.errors import ShiplineError
from tests.kyverno_tests import Expectation, expectations

KEPT = Path(__file__).resolve().parent.parent / "tests" / "data" / "kyverno-policies"


def main(arguments: list[str]) -> int:
    """Run; returns 1 where an answer differs from Kyverno's towards letting something through."""
    root = Path(arguments[0]) if arguments else KEPT
    started = time.perf_counter()
    found: list[Expectation] = []
    for test in sorted(root.rglob("kyverno-test.yaml")):
        try:
            found += expectations(test, root)
        except (ShiplineError, FileNotFoundError) as error:
            print(f"unreadable  {test.relative_to(root)}: {error}")
    seconds = time.perf_counter() - started
    for each in found:
        if each.kind in ("differ", "none"):
            print(f"{each.kind:<8}{each.test} {each.rule} {each.resource}: wanted {each.wanted}, got {each.got}")
            print(f"        {each.words[:160]}")
    for words, count in Counter(each.words[:90] for each in found if each.kind == "refused").most_common():
        print(f"refused {count:>4}  {words}")
    counts = Counter(each.kind for each in found)
    asked = counts["agree"] + counts["differ"]
    print(f"\n{counts['agree']} of {asked} answers agree ({counts['agree'] / max(asked, 1):.2%}), in {seconds:.1f} s")
    print(", ".join(f"{count} {kind}" for kind, count in counts.most_common()))
    return int(any(each.kind == "differ" and each.wanted == "fail" and "pass" in each.got for each in found))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
