"""Load in memory: requests that somebody answers by a function, in no time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from shipline.ports.load import LoadPlan, LoadReport

STEPS_PER_S = 4


@dataclass(slots=True)
class FakeLoad:
    """The Load port. `answer` gives the status of a request, by its number and path; `plans` are those that were sent.

    Its time is that of the plan: every quarter of a second of it `is_over` is asked. `passes` is told how many seconds
    have passed, so that a test's clock can follow.
    """

    answer: Callable[[int, str], int] = lambda _number, _path: 200
    passes: Callable[[float], None] = lambda _seconds: None
    plans: list[LoadPlan] = field(default_factory=list)
    api_version: int = 1

    def send(self, plan: LoadPlan, *, is_over: Callable[[LoadReport], bool]) -> LoadReport:
        self.plans.append(plan)
        statuses, report = Counter[int](), LoadReport()
        rng = Random(1)  # noqa: S311 - a test must be repeatable
        for step in range(int(plan.seconds * STEPS_PER_S)):
            due = int((step + 1) * plan.rate_per_s / STEPS_PER_S)
            for number in range(statuses.total(), due):
                statuses[self.answer(number, rng.choice(plan.paths))] += 1
            self.passes(1 / STEPS_PER_S)
            report = _report(statuses)
            if is_over(report):
                break
        return report


def _report(statuses: Counter[int]) -> LoadReport:
    failed = sum(count for status, count in statuses.items() if status == 0 or status >= 500)
    return LoadReport(statuses.total(), failed, 0, {str(status): count for status, count in sorted(statuses.items())})
