"""Behaviour that every Metrics owes its callers. Subclass it and supply the fixtures."""

from __future__ import annotations

import math
from collections.abc import Callable
from enum import Enum, auto

import pytest

from shipline.domain.errors import ShiplineError, UnavailableError
from shipline.ports.metrics import (
    API_VERSION,
    EXPRESSION_LENGTH_MAX,
    Language,
    ManySeries,
    Metrics,
    NoData,
    NotFinite,
    QueryRefused,
)

NUMBER = 0.25


class Case(Enum):
    """What a query must find; `NUMBER` is the number to be found."""

    NUMBER = auto()
    NOTHING = auto()
    NOT_A_NUMBER = auto()
    SEVERAL = auto()
    NONSENSE = auto()


class MetricsConformance:
    """One source. A provider whose source cannot answer in one of the ways leaves that Case out of `expressions`."""

    @pytest.fixture
    def metrics(self) -> Metrics:
        raise NotImplementedError("supply a source of metrics")

    @pytest.fixture
    def expressions(self) -> dict[Case, str]:
        """A query for each case."""
        raise NotImplementedError("supply queries")

    @pytest.fixture
    def at_us(self) -> int:
        """A moment at which the queries find what they must."""
        raise NotImplementedError("supply a moment")

    @pytest.fixture
    def stop(self) -> Callable[[], None]:
        """What makes the source unreachable."""
        raise NotImplementedError("supply a way to stop the source")

    def test_speaks_version_one_of_the_port(self, metrics: Metrics) -> None:
        assert metrics.api_version == API_VERSION
        assert isinstance(metrics.language, Language)

    def test_a_query_gives_one_number_and_the_same_again(
        self, metrics: Metrics, expressions: dict[Case, str], at_us: int
    ) -> None:
        """Asking changes nothing."""
        found = [metrics.query(expressions[Case.NUMBER], at_us=at_us) for _ in range(2)]
        assert found == pytest.approx([NUMBER, NUMBER])
        assert all(math.isfinite(each) for each in found)

    @pytest.mark.parametrize(
        ("case", "error"),
        [
            (Case.NOTHING, NoData),
            (Case.NOT_A_NUMBER, NotFinite),
            (Case.SEVERAL, ManySeries),
            (Case.NONSENSE, QueryRefused),
        ],
        ids=lambda value: getattr(value, "name", None),
    )
    def test_what_is_no_number_is_told_apart(
        self, metrics: Metrics, expressions: dict[Case, str], at_us: int, case: Case, error: type[ShiplineError]
    ) -> None:
        """Never a zero, never the first of several; and the words say what to do."""
        if case not in expressions:
            return
        with pytest.raises(error) as caught:
            metrics.query(expressions[case], at_us=at_us)
        assert type(caught.value) is error
        assert not caught.value.retryable
        assert caught.value.todo

    @pytest.mark.parametrize("expression", ["", "x" * (EXPRESSION_LENGTH_MAX + 1)])
    def test_what_is_no_query_is_not_sent(self, metrics: Metrics, expression: str, at_us: int) -> None:
        with pytest.raises(QueryRefused):
            metrics.query(expression, at_us=at_us)

    def test_a_source_that_is_not_there_is_no_number_either(
        self, metrics: Metrics, expressions: dict[Case, str], at_us: int, stop: Callable[[], None]
    ) -> None:
        """Nobody knows: the same call may succeed later."""
        stop()
        with pytest.raises(UnavailableError) as caught:
            metrics.query(expressions[Case.NUMBER], at_us=at_us)
        assert caught.value.retryable
