"""Behaviour that every Load owes its callers. Subclass it; supply `load` and an `address` that answers."""

from __future__ import annotations

import pytest

from shipline.domain.errors import InvalidValue
from shipline.ports.load import API_VERSION, Load, LoadPlan


class LoadConformance:
    """The suite. At `address` /ok is answered with 200, and /fail with 500."""

    @pytest.fixture
    def load(self) -> Load:
        raise NotImplementedError("supply a load")

    @pytest.fixture
    def address(self) -> str:
        raise NotImplementedError("supply an address")

    def test_as_much_is_sent_as_was_asked_for(self, load: Load, address: str) -> None:
        """By its schedule, and each path about as often; failures are counted."""
        assert load.api_version == API_VERSION
        report = load.send(LoadPlan(address, ("/ok", "/fail"), rate_per_s=40, seconds=1.5), is_over=lambda _: False)
        assert 50 <= report.sent + report.skipped <= 60
        assert report.skipped == 0
        assert set(report.by_status) == {"200", "500"}
        assert report.failed == report.by_status["500"]
        assert abs(report.by_status["200"] - report.by_status["500"]) <= 40

    def test_it_ends_when_it_is_said_to(self, load: Load, address: str) -> None:
        """Long before its time is over."""
        report = load.send(
            LoadPlan(address, ("/ok",), rate_per_s=40, seconds=60), is_over=lambda so_far: so_far.sent >= 10
        )
        assert 10 <= report.sent <= 40

    @pytest.mark.parametrize(
        "wrong",
        [
            {"rate_per_s": 0.0},
            {"rate_per_s": 1001.0},
            {"seconds": 3601.0},
            {"concurrency_max": 0},
            {"method": "DELETE"},
            {"paths": ()},
            {"paths": ("/ HTTP/1.1\r\nX: y",)},
        ],
    )
    def test_what_has_no_bounds_is_refused(self, address: str, wrong: dict[str, object]) -> None:
        """Before anything is sent."""
        with pytest.raises(InvalidValue):
            LoadPlan(address, **wrong)  # type: ignore[arg-type]  # wrong values are the point
