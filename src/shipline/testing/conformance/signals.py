"""Behaviour that every Signals owes its callers. Subclass it and supply the fixtures."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import pytest

from shipline.domain.errors import InvalidValue
from shipline.ports.signals import API_VERSION, EDGES_S, CountedGroup, Counts, Signals
from shipline.ports.target import Role

VERSIONS = {Role.STABLE: "1.0.0", Role.BASELINE: "1.0.0", Role.CANARY: "1.1.0"}
GROUPS = tuple(
    CountedGroup(role, "quotes", VERSIONS[role], role.value) for role in (Role.CANARY, Role.BASELINE, Role.STABLE)
)


class Serve(Protocol):
    """Have the group of a role serve so many requests, so many of which fail; returns once they are counted."""

    def __call__(self, role: Role, *, requests: int, errors: int) -> None:
        """Serve them."""
        ...


def totals(counts: Counts) -> tuple[int, int]:
    """Requests and errors."""
    return counts.requests, counts.errors


class SignalsConformance:
    """The groups of GROUPS; no traffic but what `serve` makes. `tells_latency` is False for a source that counts none:
    its histograms are empty."""

    tells_latency = True

    @pytest.fixture
    def open_signals(self) -> Callable[[], Signals]:
        """Make a Signals over the same world each time."""
        raise NotImplementedError("supply a signals factory")

    @pytest.fixture
    def serve(self) -> Serve:
        """What makes traffic."""
        raise NotImplementedError("supply traffic")

    @pytest.fixture
    def signals(self, open_signals: Callable[[], Signals]) -> Signals:
        """A source of counts."""
        return open_signals()

    def test_it_says_what_it_is_written_for(self, signals: Signals) -> None:
        """And how late it may be."""
        assert signals.api_version == API_VERSION
        assert 0.0 <= signals.delay_s < 3600.0

    def test_groups_that_serve_are_no_trouble(self, signals: Signals, serve: Serve) -> None:
        """They can be counted."""
        serve(Role.STABLE, requests=3, errors=1)
        assert signals.trouble(GROUPS[2:]) == ""

    def test_no_traffic_is_zero_counts(self, signals: Signals) -> None:
        """Not an error, and every role is there."""
        reading = signals.read(signals.cursor(), GROUPS)
        assert {role: totals(counts) for role, counts in reading.roles.items()} == dict.fromkeys(Role, (0, 0))
        assert reading.versions == {}

    def test_requests_count_for_the_role_and_the_version_that_served_them(self, signals: Signals, serve: Serve) -> None:
        """Failures too; each request stands in one bucket."""
        start = signals.cursor()
        serve(Role.STABLE, requests=30, errors=2)
        serve(Role.BASELINE, requests=11, errors=0)
        serve(Role.CANARY, requests=20, errors=5)
        reading = signals.read(start, GROUPS)
        assert totals(reading.roles[Role.STABLE]) == (30, 2)
        assert totals(reading.roles[Role.BASELINE]) == (11, 0)
        assert totals(reading.roles[Role.CANARY]) == (20, 5)
        assert {name: totals(counts) for name, counts in reading.versions.items()} == {
            "1.0.0": (41, 2),
            "1.1.0": (20, 5),
        }
        for role, counts in reading.roles.items():
            if reading.window is not None:
                least, most = reading.window.least[role], reading.window.most[role]
                assert least.requests <= counts.requests <= most.requests
                assert least.errors <= counts.errors <= most.errors
            assert len(counts.histogram) == len(EDGES_S) + 1
            assert sum(counts.histogram) == (counts.requests if self.tells_latency else 0)
            assert min(counts.errors, 1) <= counts.error_clients <= counts.errors

    def test_a_cursor_may_be_read_again_and_readings_do_not_overlap(
        self, signals: Signals, serve: Serve, open_signals: Callable[[], Signals]
    ) -> None:
        """Reading on from a reading's cursor gives only what came later, also to a new provider object."""
        start = signals.cursor()
        serve(Role.CANARY, requests=7, errors=1)
        first = signals.read(start, GROUPS)
        serve(Role.CANARY, requests=4, errors=0)
        again = open_signals()
        assert totals(again.read(first.cursor, GROUPS).roles[Role.CANARY]) == (4, 0)
        assert totals(again.read(start, GROUPS).roles[Role.CANARY]) == (11, 1)
        assert totals(again.read(again.cursor(), GROUPS).roles[Role.CANARY]) == (0, 0)

    @pytest.mark.parametrize("cursor", ["", "x", "-1", "1:2:3", "9" * 100, "../1:0"])
    def test_what_is_no_cursor_is_refused(self, signals: Signals, cursor: str) -> None:
        """A cursor comes from storage; it is checked all the same."""
        with pytest.raises(InvalidValue):
            signals.read(cursor, GROUPS)
