"""Behaviour that every Traffic owes its callers. Subclass it and supply `open_traffic`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import cast

import pytest

from shipline.clients.route_sets import mismatches
from shipline.domain.errors import InvalidValue, RefusedError, UnavailableError
from shipline.ports.target import Endpoint, Role
from shipline.ports.traffic import ERRORS, LATENCY, Faulty, InjectedFault, Route, Traffic

OLD = Route("old", Role.STABLE, "1.0.0", 1.0, (Endpoint("1", "127.0.0.1:9001"),))
NEW = Route("new", Role.CANARY, "1.1.0+build!1_x", 0.0, (Endpoint("1", "127.0.0.1:9002"),))
THIRD, FOURTH = Endpoint("2", "127.0.0.1:9003"), Endpoint("3", "127.0.0.1:9004")

LAST = 10**14
"""A fencing number above all that engines give, for whoever ends a test."""

# Faults of a time that is far away, and moments before and after it: 2200-01-01, UTC.
ENDS_US = 7_258_118_400 * 1_000_000
FAULT = {
    ERRORS: InjectedFault("new", Role.CANARY, ENDS_US, errors=0.05),
    LATENCY: InjectedFault("new", Role.CANARY, ENDS_US, latency_ms=200),
}


def split(canary: float) -> tuple[Route, ...]:
    """Both groups, the canary with this share."""
    return replace(OLD, share=1 - canary), replace(NEW, share=canary)


def shares(traffic: Traffic) -> dict[str, float]:
    """What the proxy does, by group."""
    return {route.group_id: route.share for route in traffic.routes()}


class TrafficConformance:
    """Nothing needs to listen on the routes' addresses. For one that splits; a switch overrides what it cannot do."""

    @pytest.fixture
    def open_traffic(self) -> Callable[[], Traffic]:
        """Make a Traffic over the same world each time, not yet opened; the proxy ends with the test."""
        raise NotImplementedError("supply a traffic factory")

    @pytest.fixture
    def traffic(self, open_traffic: Callable[[], Traffic]) -> Traffic:
        """An open splitter without routes."""
        traffic = open_traffic()
        traffic.open(revision=0)
        return traffic

    def test_it_says_whether_it_splits(self, traffic: Traffic) -> None:
        """A switch refuses what it cannot do, and nothing changes."""
        traffic.apply((OLD,), revision=1)
        if traffic.splits:
            traffic.apply(split(0.5), revision=2)
            assert set(traffic.routes()) == set(split(0.5))
        else:
            with pytest.raises(InvalidValue):
                traffic.apply(split(0.5), revision=2)
            assert traffic.routes() == (OLD,)

    def test_there_are_no_routes_at_first(self, traffic: Traffic) -> None:
        """A new proxy knows nobody."""
        assert traffic.routes() == ()
        assert traffic.open_requests("nobody") == 0

    def test_routes_read_back_as_they_were_applied(self, traffic: Traffic) -> None:
        """Role, version and endpoints survive, also versions with unusual characters."""
        routes = split(0.25)
        traffic.apply(routes, revision=1)
        assert set(traffic.routes()) == set(routes)

    @pytest.mark.parametrize("steps", [1, 3, 64, 127, 128, 200, 255, 256])
    def test_shares_are_exact_in_steps_of_a_256th(self, traffic: Traffic, steps: int) -> None:
        """Two groups of one copy meet such shares exactly."""
        traffic.apply(split(steps / 256), revision=1)
        assert shares(traffic)["new"] == pytest.approx(steps / 256, abs=1e-9)

    def test_applying_twice_is_applying_once(self, traffic: Traffic) -> None:
        """The same routes at the same revision change nothing."""
        traffic.apply(split(0.5), revision=1)
        traffic.apply(split(0.5), revision=1)
        assert set(traffic.routes()) == set(split(0.5))

    def test_who_is_left_out_gets_nothing_and_stays_known(self, traffic: Traffic) -> None:
        """Until it is forgotten."""
        traffic.apply(split(0.5), revision=1)
        traffic.apply((OLD,), revision=2)
        assert shares(traffic) == {"old": 1.0, "new": 0.0}
        traffic.forget("new", revision=3)
        traffic.forget("new", revision=3)
        assert shares(traffic) == {"old": 1.0}

    def test_who_has_a_share_is_not_forgotten(self, traffic: Traffic) -> None:
        """Refused, and nothing changes."""
        traffic.apply(split(0.5), revision=1)
        with pytest.raises(RefusedError):
            traffic.forget("new", revision=2)
        assert shares(traffic) == {"old": 0.5, "new": 0.5}

    def test_a_role_may_change(self, traffic: Traffic) -> None:
        """A promoted canary is one group with its new role, and may change back."""
        traffic.apply(split(0.5), revision=1)
        promoted = replace(NEW, role=Role.STABLE, share=1.0)
        traffic.apply((promoted,), revision=2)
        assert {route for route in traffic.routes() if route.share} == {promoted}
        assert len(traffic.routes()) == 2
        traffic.apply(split(0.25), revision=3)
        assert set(traffic.routes()) == set(split(0.25))

    def test_an_address_may_change(self, traffic: Traffic) -> None:
        """A copy that was started again elsewhere gets its traffic there."""
        traffic.apply((OLD,), revision=1)
        moved = replace(OLD, endpoints=(Endpoint("1", "127.0.0.1:9009"),))
        traffic.apply((moved,), revision=2)
        assert traffic.routes() == (moved,)

    def test_a_group_keeps_its_share_however_many_copies_it_has(self, traffic: Traffic) -> None:
        """The copies share it, so a group that grows or loses a copy takes no more and no less."""
        for revision, endpoints in enumerate(
            (OLD.endpoints, (*OLD.endpoints, THIRD, FOURTH), (THIRD, FOURTH), (FOURTH,)), start=1
        ):
            old, new = split(0.25)
            routes = replace(old, endpoints=endpoints), new
            traffic.apply(routes, revision=revision)
            assert set(traffic.routes()) == set(routes)

    def test_a_group_with_copies_is_forgotten_whole(self, traffic: Traffic) -> None:
        """Left out, it keeps all of them until then."""
        old, new = split(0.5)
        large = replace(new, endpoints=(*new.endpoints, THIRD))
        traffic.apply((old, large), revision=1)
        traffic.apply((OLD,), revision=2)
        assert set(traffic.routes()) == {OLD, replace(large, share=0.0)}
        assert traffic.open_requests("new") == 0
        traffic.forget("new", revision=3)
        assert traffic.routes() == (OLD,)

    def test_a_preview_is_beside_the_shares_or_refused(self, traffic: Traffic) -> None:
        """Who is previewed keeps its share, serves, and is not forgotten; left out, or without it, it is none."""
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
        traffic.apply(split(0.25), revision=3)
        assert set(traffic.routes()) == set(split(0.25))
        traffic.apply((old, previewed), revision=4)
        traffic.apply((OLD,), revision=5)
        assert set(traffic.routes()) == {OLD, new}
        traffic.forget("new", revision=6)
        assert traffic.routes() == (OLD,)

    def test_a_mirror_is_beside_the_shares_or_refused(self, traffic: Traffic) -> None:
        """As a preview is."""
        old, new = split(0.0)
        mirrored = replace(new, mirror=True)
        if not traffic.mirrors:
            with pytest.raises(InvalidValue):
                traffic.apply((old, mirrored), revision=1)
            return
        traffic.apply((old, mirrored), revision=1)
        assert set(traffic.routes()) == {old, mirrored}
        with pytest.raises(RefusedError):
            traffic.forget("new", revision=2)
        traffic.apply((OLD,), revision=3)
        assert set(traffic.routes()) == {OLD, new}

    def test_it_says_which_faults_it_injects(self, traffic: Traffic) -> None:
        """Only known ones, and none by who cannot; what was injected is replaced whole, and changes no route."""
        if not getattr(traffic, "faults", ()):
            return
        assert set(traffic.faults) <= set(FAULT)
        faulty = cast("Faulty", traffic)
        traffic.apply((OLD,), revision=1)
        for kind in traffic.faults:
            for _ in range(2):
                faulty.inject((FAULT[kind],))
            assert faulty.injected(ENDS_US - 1) == (FAULT[kind],)
            assert faulty.injected(ENDS_US) == ()
        for kind in FAULT.keys() - set(traffic.faults):
            with pytest.raises(InvalidValue):
                faulty.inject((FAULT[kind],))
        with pytest.raises(InvalidValue):
            faulty.inject((FAULT[traffic.faults[0]], FAULT[traffic.faults[0]]))
        faulty.inject(())
        assert faulty.injected(0) == ()
        assert traffic.routes() == (OLD,)

    def test_a_proxy_that_is_started_anew_has_no_fault(self, traffic: Traffic) -> None:
        """Nor does one that was closed: nobody can be asked there."""
        if not getattr(traffic, "faults", ()):
            return
        faulty = cast("Faulty", traffic)
        traffic.apply((OLD,), revision=1)
        faulty.inject((FAULT[traffic.faults[0]],))
        traffic.close(revision=2)
        with pytest.raises(UnavailableError):
            faulty.inject(())
        traffic.open(revision=3)
        assert faulty.injected(0) == ()

    def test_a_late_call_is_refused(self, traffic: Traffic, open_traffic: Callable[[], Traffic]) -> None:
        """An older revision takes no effect, whichever provider object saw the newer one."""
        traffic.apply((OLD,), revision=7)
        zombie = open_traffic()
        with pytest.raises(RefusedError):
            zombie.apply(split(0.5), revision=6)
        with pytest.raises(RefusedError):
            zombie.forget("old", revision=6)
        assert traffic.routes() == (OLD,)

    def test_what_was_applied_is_recognised(self, traffic: Traffic) -> None:
        """Whoever applies routes reads them back, and goes on only where they hold, rounded as far as may be."""
        for revision, share in enumerate((0.003, 0.02, 0.34, 0.995) if traffic.splits else (1.0, 0.0), start=1):
            wanted = {route.group_id: route for route in split(share)}
            traffic.apply(tuple(wanted.values()), revision=revision)
            assert mismatches(wanted, {route.group_id: route for route in traffic.routes()}) == ()

    def test_a_claim_shuts_out_whoever_came_before(self, traffic: Traffic, open_traffic: Callable[[], Traffic]) -> None:
        """And changes nothing, whether or not the proxy runs."""
        traffic.apply((OLD,), revision=1)
        zombie = open_traffic()
        for _ in range(2):
            traffic.claim(revision=5)
        late_calls: tuple[Callable[[], object], ...] = (
            lambda: zombie.claim(revision=4),
            lambda: zombie.open(revision=4),
            lambda: zombie.close(revision=4),
            lambda: zombie.apply((OLD,), revision=4),
        )
        for late in late_calls:
            with pytest.raises(RefusedError):
                late()
        assert traffic.routes() == (OLD,)
        traffic.close(revision=5)
        traffic.claim(revision=7)
        with pytest.raises(RefusedError):
            zombie.open(revision=6)
        with pytest.raises(UnavailableError):
            traffic.routes()
        traffic.open(revision=7)
        assert traffic.routes() == (OLD,)

    def test_who_comes_late_neither_opens_nor_closes(
        self, traffic: Traffic, open_traffic: Callable[[], Traffic]
    ) -> None:
        """Nobody is served by what has been taken down since, and what was opened since goes on serving."""
        traffic.apply((OLD,), revision=3)
        zombie = open_traffic()
        with pytest.raises(RefusedError):
            zombie.close(revision=2)
        assert traffic.routes() == (OLD,)
        traffic.close(revision=4)
        with pytest.raises(RefusedError):
            zombie.open(revision=3)
        with pytest.raises(UnavailableError):
            traffic.routes()
        traffic.open(revision=6)
        with pytest.raises(RefusedError):
            zombie.close(revision=5)
        assert traffic.routes() == (OLD,)

    def test_the_proxy_outlives_the_engine(self, traffic: Traffic, open_traffic: Callable[[], Traffic]) -> None:
        """A new provider over the same state finds the proxy as it is; opening twice is opening once."""
        traffic.apply(split(0.5), revision=1)
        again = open_traffic()
        assert set(again.routes()) == set(split(0.5))
        again.open(revision=1)
        assert set(again.routes()) == set(split(0.5))
        again.apply(split(0.25), revision=2)
        assert set(traffic.routes()) == set(split(0.25))

    def test_a_proxy_that_was_stopped_begins_with_the_routes_that_it_had(self, traffic: Traffic) -> None:
        """Closing keeps what is saved; in between the proxy is unavailable, not empty."""
        traffic.apply(split(0.25), revision=1)
        traffic.close(revision=2)
        traffic.close(revision=2)
        with pytest.raises(UnavailableError):
            traffic.routes()
        traffic.open(revision=3)
        assert set(traffic.routes()) == set(split(0.25))

    @pytest.mark.parametrize(
        "routes",
        [
            (),
            (replace(OLD, share=0.5),),
            (OLD, replace(OLD, share=0.0)),
            (replace(OLD, share=1.5), replace(NEW, share=-0.5)),
            (replace(OLD, group_id="a b; shutdown"),),
            (replace(OLD, endpoints=(*OLD.endpoints, *OLD.endpoints)),),
            (replace(OLD, endpoints=(Endpoint("a b; shutdown", "127.0.0.1:9001"),)),),
        ],
    )
    def test_what_is_no_route_set_is_refused(self, traffic: Traffic, routes: tuple[Route, ...]) -> None:
        """And changes nothing."""
        traffic.apply((OLD,), revision=1)
        with pytest.raises(InvalidValue):
            traffic.apply(routes, revision=2)
        assert traffic.routes() == (OLD,)
