"""What is counted of the answers, in the text format that Prometheus scrapes (version 0.0.4)."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass, field

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
BOUNDS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
_PREFIX = "shipline_admission_"


@dataclass(slots=True)
class Counts:
    """Reviews by what came of them, how long they took, and what was proven and remembered about images."""

    reviews: Counter[str] = field(default_factory=Counter)
    """By `allowed`, `denied`, `failed_open` (let in though not checked), `failed_closed` (refused because of that)."""
    refused: Counter[str] = field(default_factory=Counter)
    """Requests that were no reviews, by their HTTP status."""
    proofs: Counter[str] = field(default_factory=Counter)
    """By `remembered`, `asked`, `late` (no answer before the deadline), `crowded` (too many are asked already)."""
    namespaces: Counter[str] = field(default_factory=Counter)
    """The same, for namespaces that were looked up."""
    reloads: Counter[str] = field(default_factory=Counter)
    """Changes of the policies' files, by `done` and `failed`."""
    policies: int = 0
    buckets: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS_S) + 1))
    total_s: float = 0.0

    def took(self, seconds: float) -> None:
        """A review was answered after so long."""
        self.buckets[bisect_left(BOUNDS_S, seconds)] += 1
        self.total_s += seconds

    def text(self) -> str:
        """All of it."""
        lines = [
            *_counted("reviews_total", "Answers by what they were.", "answer", self.reviews),
            *_counted("bad_requests_total", "Requests that were no reviews.", "status", self.refused),
            *_counted(
                "image_proofs_total", "Questions about images by where the answer came from.", "from", self.proofs
            ),
            *_counted("namespaces_total", "Namespaces by where they came from.", "from", self.namespaces),
            *_counted("reloads_total", "Changes of the policies by what came of them.", "outcome", self.reloads),
            *_head("policies", "Policies that are asked.", "gauge"),
            f"{_PREFIX}policies {self.policies}",
            *self._seconds(),
        ]
        return "\n".join(lines) + "\n"

    def _seconds(self) -> list[str]:
        name = f"{_PREFIX}review_seconds"
        lines = _head("review_seconds", "Time to the answer.", "histogram")
        total = 0
        for bound, count in zip((*map(str, BOUNDS_S), "+Inf"), self.buckets, strict=True):
            total += count
            lines.append(f'{name}_bucket{{le="{bound}"}} {total}')
        return [*lines, f"{name}_sum {self.total_s:.6f}", f"{name}_count {total}"]


def _head(name: str, words: str, kind: str) -> list[str]:
    return [f"# HELP {_PREFIX}{name} {words}", f"# TYPE {_PREFIX}{name} {kind}"]


def _counted(name: str, words: str, label: str, counts: Counter[str]) -> list[str]:
    rows = [f'{_PREFIX}{name}{{{label}="{value}"}} {count}' for value, count in sorted(counts.items())]
    return [*_head(name, words, "counter"), *rows]
