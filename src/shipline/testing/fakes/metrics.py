"""A source of metrics in memory: series of values by name, and queries that are names."""

from __future__ import annotations

from shipline.domain.errors import RefusedError
from shipline.ports.clock import Clock
from shipline.ports.metrics import Language, QueryRefused, checked_expression, one_finite
from shipline.testing.fakes.faults import Fault, suffer


class FakeMetrics:
    """The Metrics port over `series`: for each query, the values of its series. A query that is not there finds
    nothing; one that ends with an open parenthesis is none.

    Set `fault` to inject one; LYING answers every query with 0. `refuses` has it refuse the credentials. `asked` lists
    the queries and their moments, for tests that count.
    """

    api_version = 1

    def __init__(self, clock: Clock, language: Language = Language.PROMQL) -> None:
        self.language = language
        self.series: dict[str, list[float]] = {}
        self.fault: Fault | None = None
        self.refuses = False
        self.asked: list[tuple[str, int]] = []
        self._clock = clock

    def query(self, expression: str, *, at_us: int) -> float:
        checked_expression(expression)
        self.asked.append((expression, at_us))
        suffer(self.fault, self._clock, "the source of metrics")
        if self.refuses:
            raise RefusedError("the source of metrics does not take the token", todo="give it another one")
        if self.fault is Fault.LYING:
            return 0.0
        if expression.endswith("("):
            raise QueryRefused("the source of metrics does not take the query", todo="close the parenthesis")
        return one_finite(self.series.get(expression, []), who="the source of metrics")
