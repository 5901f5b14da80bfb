"""Behaviour that every Traffic that cannot split owes its callers. Subclass it and supply `open_traffic`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from shipline.domain.errors import InvalidValue, RefusedError, UnavailableError
from shipline.ports.target import Role
from shipline.ports.traffic import Traffic
from shipline.testing.conformance.traffic import FOURTH, NEW, OLD, THIRD, TrafficConformance, shares, split


class SwitchConformance(TrafficConformance):
    """The suite of all traffic, with all or nothing where that one splits. Groups `old` and `new` are there."""

    def test_it_does_not_split(self, traffic: Traffic) -> None:
        """Or it would be held to the other suite."""
        assert not traffic.splits

    def test_routes_read_back_as_they_were_applied(self, traffic: Traffic) -> None:
        traffic.apply(split(1.0), revision=1)
        assert set(traffic.routes()) == set(split(1.0))

    @pytest.mark.parametrize("steps", [1, 128, 255])
    def test_shares_are_exact_in_steps_of_a_256th(self, traffic: Traffic, steps: int) -> None:
        """They are all or nothing, and anything else is refused."""
        traffic.apply((OLD,), revision=1)
        with pytest.raises(InvalidValue):
            traffic.apply(split(steps / 256), revision=2)
        assert traffic.routes() == (OLD,)

    def test_applying_twice_is_applying_once(self, traffic: Traffic) -> None:
        traffic.apply(split(1.0), revision=1)
        traffic.apply(split(1.0), revision=1)
        assert set(traffic.routes()) == set(split(1.0))

    def test_switching_there_and_back(self, traffic: Traffic) -> None:
        """As often as it is asked for."""
        for revision, canary in enumerate((0.0, 1.0, 0.0, 1.0), start=1):
            traffic.apply(split(canary), revision=revision)
            assert shares(traffic) == {"old": 1 - canary, "new": canary}

    def test_who_is_left_out_gets_nothing_and_stays_known(self, traffic: Traffic) -> None:
        traffic.apply(split(1.0), revision=1)
        traffic.apply((OLD,), revision=2)
        assert shares(traffic) == {"old": 1.0, "new": 0.0}
        traffic.forget("new", revision=3)
        traffic.forget("new", revision=3)
        assert shares(traffic) == {"old": 1.0}

    def test_who_has_a_share_is_not_forgotten(self, traffic: Traffic) -> None:
        traffic.apply(split(1.0), revision=1)
        with pytest.raises(RefusedError):
            traffic.forget("new", revision=2)
        assert shares(traffic) == {"old": 0.0, "new": 1.0}

    def test_a_role_may_change(self, traffic: Traffic) -> None:
        traffic.apply(split(0.0), revision=1)
        promoted = replace(NEW, role=Role.STABLE, share=1.0)
        traffic.apply((promoted,), revision=2)
        assert {route for route in traffic.routes() if route.share} == {promoted}
        traffic.apply(split(0.0), revision=3)
        assert set(traffic.routes()) == set(split(0.0))

    def test_a_group_keeps_its_share_however_many_copies_it_has(self, traffic: Traffic) -> None:
        for revision, endpoints in enumerate(((*OLD.endpoints, THIRD, FOURTH), (FOURTH,)), start=1):
            routes = replace(OLD, endpoints=endpoints), NEW
            traffic.apply(routes, revision=revision)
            assert set(traffic.routes()) == set(routes)

    def test_a_group_with_copies_is_forgotten_whole(self, traffic: Traffic) -> None:
        large = replace(NEW, share=1.0, endpoints=(*NEW.endpoints, THIRD))
        traffic.apply((large,), revision=1)
        traffic.apply((OLD,), revision=2)
        assert set(traffic.routes()) == {OLD, replace(large, share=0.0)}
        assert traffic.open_requests("new") == 0
        traffic.forget("new", revision=3)
        assert traffic.routes() == (OLD,)

    def test_a_preview_is_beside_the_shares_or_refused(self, traffic: Traffic) -> None:
        old, new = split(0.0)
        previewed = replace(new, preview=True)
        if not traffic.previews:
            with pytest.raises(InvalidValue):
                traffic.apply((old, previewed), revision=1)
            return
        traffic.apply((old, previewed), revision=1)
        assert set(traffic.routes()) == {old, previewed}
        with pytest.raises(RefusedError):
            traffic.forget("new", revision=2)
        traffic.apply(split(0.0), revision=3)
        assert set(traffic.routes()) == set(split(0.0))
        traffic.apply((old, previewed), revision=4)
        traffic.apply((OLD,), revision=5)
        assert set(traffic.routes()) == {OLD, new}
        traffic.forget("new", revision=6)
        assert traffic.routes() == (OLD,)

    def test_a_late_call_is_refused(self, traffic: Traffic, open_traffic: Callable[[], Traffic]) -> None:
        traffic.apply((OLD,), revision=7)
        zombie = open_traffic()
        with pytest.raises(RefusedError):
            zombie.apply(split(1.0), revision=6)
        with pytest.raises(RefusedError):
            zombie.forget("old", revision=6)
        assert traffic.routes() == (OLD,)

    def test_the_proxy_outlives_the_engine(self, traffic: Traffic, open_traffic: Callable[[], Traffic]) -> None:
        traffic.apply(split(1.0), revision=1)
        again = open_traffic()
        assert set(again.routes()) == set(split(1.0))
        again.open(revision=1)
        assert set(again.routes()) == set(split(1.0))
        again.apply(split(0.0), revision=2)
        assert set(traffic.routes()) == set(split(0.0))

    def test_a_proxy_that_was_stopped_begins_with_the_routes_that_it_had(self, traffic: Traffic) -> None:
        traffic.apply(split(1.0), revision=1)
        traffic.close(revision=2)
        traffic.close(revision=2)
        with pytest.raises(UnavailableError):
            traffic.routes()
        traffic.open(revision=3)
        assert set(traffic.routes()) == set(split(1.0))
