"""The fake source of metrics passes the suite that real ones pass."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from shipline.domain.errors import RefusedError
from shipline.testing.conformance.metrics import NUMBER, Case, MetricsConformance
from shipline.testing.fakes.clock import START_US, FakeClock
from shipline.testing.fakes.faults import SLOW_S, Fault
from shipline.testing.fakes.metrics import FakeMetrics


class TestFakeMetrics(MetricsConformance):
    @pytest.fixture
    def metrics(self) -> FakeMetrics:
        made = FakeMetrics(FakeClock())
        made.series = {"number": [NUMBER], "rate": [math.nan], "each": [1.0, 2.0]}
        return made

    @pytest.fixture
    def expressions(self) -> dict[Case, str]:
        return {
            Case.NUMBER: "number",
            Case.NOTHING: "nothing",
            Case.NOT_A_NUMBER: "rate",
            Case.SEVERAL: "each",
            Case.NONSENSE: "sum(",
        }

    @pytest.fixture
    def at_us(self) -> int:
        return START_US

    @pytest.fixture
    def stop(self, metrics: FakeMetrics) -> Callable[[], None]:
        return lambda: setattr(metrics, "fault", Fault.UNAVAILABLE)


@pytest.mark.parametrize("value", [math.inf, -math.inf])
def test_infinity_is_no_number(value: float) -> None:
    metrics = FakeMetrics(FakeClock())
    metrics.series["rate"] = [value]
    with pytest.raises(Exception, match="inf"):
        metrics.query("rate", at_us=0)


def test_its_faults_are_those_of_real_sources() -> None:
    """Slow ones take their time, lying ones say that all is well, and some do not know us."""
    clock = FakeClock()
    metrics = FakeMetrics(clock)
    metrics.series["errors"] = [5.0]
    metrics.fault = Fault.SLOW
    assert metrics.query("errors", at_us=0) == 5.0
    assert clock.now_us() - START_US == int(SLOW_S * 1_000_000)
    metrics.fault = Fault.LYING
    assert metrics.query("errors", at_us=1) == 0.0
    metrics.refuses = True
    with pytest.raises(RefusedError):
        metrics.query("errors", at_us=2)
    assert metrics.asked == [("errors", 0), ("errors", 1), ("errors", 2)]
