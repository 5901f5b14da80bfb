"""Benchmarks compared, with their noise taken into account: which are worse by more than is tolerated.

What is tolerated is a share of the base's value: 5% where the noise of both is known, 10% where it is not; two runs of
the same program on two days differ by as much. What is worse by more than that must also be so by more than chance:

- `ranks`: ten measurements or more on both sides. Mann and Whitney's test, which no outlier can turn.
- `means`: means and deviations of a known number of measurements. Welch's test.
- `intervals`: values with a half-width (`± 3`). Worse is one whose interval lies beyond the base's and the tolerance.
- `tolerance`: values alone. Worse is one that lies beyond the tolerance.

Among many benchmarks some look worse by chance. The tests' P-values are therefore held to 1% for all benchmarks of a
report together (Holm's method): of a hundred reports in which nothing became worse, about one says that something did.

An item is `{"name", "unit", "better", "before", "after", "change_percent", "way", "p", "verdict"}`; `verdict` is
`worse`, `better`, `same`, `vanished`, `appeared` or `incomparable` (another unit, or another way to be better).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from shipline.capabilities.evidence.comparison.difference import Difference
from shipline.capabilities.evidence.reports import Item, Report
from shipline.capabilities.evidence.reports.benchmarks import Better
from shipline.statistics.samples import Moments, holm, mean_p, rank_sum_p

ALPHA = 0.01
TOLERANCE_PERCENT = 5.0
TOLERANCE_UNKNOWN_PERCENT = 10.0
RANKED_MIN = 10
_VERDICTS = {
    "worse": "regressions",
    "better": "improvements",
    "vanished": "vanished",
    "appeared": "appeared",
    "incomparable": "incomparable",
}


@dataclass(frozen=True, slots=True)
class _Pair:
    """A benchmark that both reports have. `sign` turns values so that more is worse."""

    before: Item
    after: Item
    way: str
    sign: float
    margin: float

    def p_worse(self) -> float:
        """How likely what was seen is if the head is not worse by more than is tolerated; 0 or 1 without a test."""
        return self._p(self.after, self.before, self.sign)

    def p_better(self) -> float:
        """The same for the base, and so for whether the head is better."""
        return self._p(self.before, self.after, self.sign)

    def _p(self, first: Item, second: Item, sign: float) -> float:
        if self.way == "ranks":
            one, other = ([sign * value for value in item["samples"]] for item in (first, second))
            return rank_sum_p(one, other, margin=self.margin)
        if self.way == "means":
            return mean_p(_moments(first, sign), _moments(second, sign), margin=self.margin)
        widths = sum(item["deviation"] or 0.0 for item in (first, second)) if self.way == "intervals" else 0.0
        return 0.0 if sign * (first["value"] - second["value"]) > self.margin + widths else 1.0


def _moments(item: Item, sign: float) -> Moments:
    return Moments(sign * item["value"], item["deviation"], item["count"])


def compare_benchmarks(base: Report, head: Report, tolerance_percent: float | None = None) -> Difference:
    """The difference, with `benchmark.regressions` and `benchmark.vanished` for gates."""
    before, after = ({item["name"]: item for item in report.items} for report in (base, head))
    both = [name for name in after if name in before]
    pairs = {
        name: _pair(before[name], after[name], tolerance_percent)
        for name in both
        if all(before[name][field] == after[name][field] for field in ("unit", "better"))
    }
    items = [
        *_judged(list(pairs.values())),
        *(_alone("incomparable", before[name], after[name]) for name in both if name not in pairs),
        *(_alone("vanished", item, None) for name, item in before.items() if name not in after),
        *(_alone("appeared", None, item) for name, item in after.items() if name not in before),
    ]
    verdicts = [item["verdict"] for item in items]
    summary: dict[str, Any] = {figure: verdicts.count(verdict) for verdict, figure in _VERDICTS.items()}
    summary["compared"] = len(pairs)
    # What cannot be compared any more may hide what became worse, as what is gone does.
    vanished = summary["vanished"] + summary["incomparable"]
    facts = {"benchmark": {"regressions": summary["regressions"], "vanished": vanished}}
    return Difference(summary, tuple(items), facts)


def _pair(before: Item, after: Item, tolerance_percent: float | None) -> _Pair:
    way = _way(before, after)
    usual = TOLERANCE_UNKNOWN_PERCENT if way == "tolerance" else TOLERANCE_PERCENT
    share = (usual if tolerance_percent is None else tolerance_percent) / 100
    sign = -1.0 if after["better"] == Better.BIGGER else 1.0
    return _Pair(before, after, way, sign, share * abs(before["value"]))


def _way(*sides: Item) -> str:
    if all(side["samples"] is not None and len(side["samples"]) >= RANKED_MIN for side in sides):
        return "ranks"
    if all(side["deviation"] is not None and side["count"] is not None and side["count"] > 1 for side in sides):
        return "means"
    if all(side["deviation"] is not None and side["count"] is None for side in sides):
        return "intervals"
    return "tolerance"


def _judged(pairs: Sequence[_Pair]) -> list[Item]:
    worse, better = [pair.p_worse() for pair in pairs], [pair.p_better() for pair in pairs]
    fallen = zip(holm(worse, alpha=ALPHA), holm(better, alpha=ALPHA), strict=True)
    verdicts = ["worse" if is_worse else "better" if is_better else "same" for is_worse, is_better in fallen]
    return [
        _item(pair.before, pair.after, verdict, way=pair.way, p=p if pair.way in ("ranks", "means") else None)
        for pair, verdict, p in zip(pairs, verdicts, worse, strict=True)
    ]


def _alone(verdict: str, before: Item | None, after: Item | None) -> Item:
    return _item(before, after, verdict, way=None, p=None)


def _item(before: Item | None, after: Item | None, verdict: str, *, way: str | None, p: float | None) -> Item:
    either = after or before or {}
    return {
        "name": either["name"],
        "unit": either["unit"],
        "better": either["better"],
        "before": before["value"] if before else None,
        "after": after["value"] if after else None,
        "change_percent": None if way is None else _change_percent(before, after),
        "way": way,
        "p": p,
        "verdict": verdict,
    }


def _change_percent(before: Item | None, after: Item | None) -> float | None:
    if before is None or after is None or before["value"] == 0:
        return None
    return float(100.0 * (after["value"] - before["value"]) / abs(before["value"]))
