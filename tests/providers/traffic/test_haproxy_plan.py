"""Shares to weights, and the commands that lead from one set of servers to the next."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shipline.clients.haproxy import Server
from shipline.clients.haproxy_files import BACKEND
from shipline.domain.errors import InvalidValue
from shipline.ports.target import Endpoint, Role
from shipline.ports.traffic import Route
from shipline.providers.traffic.haproxy_plan import (
    WeightedServer,
    checked_address,
    commands,
    merged,
    mismatches,
    weighted,
    weights,
)

STABLE = WeightedServer("a", "1", Role.STABLE, "1", "127.0.0.1:1", 255)
CANARY = WeightedServer("b", "1", Role.CANARY, "2", "127.0.0.1:2", 1)


def server(route: WeightedServer, weight: int, *, address: str | None = None, maintenance: bool = False) -> Server:
    """The route's server in the proxy."""
    return Server(route.server_name(), address or route.address, weight, 0, maintenance, route.backend)


@pytest.mark.parametrize(
    ("shares", "expected"),
    [
        ((1.0,), (1,)),
        ((0.5, 0.5), (1, 1)),
        ((0.99, 0.01), (198, 2)),
        ((1 / 257, 256 / 257), (1, 256)),
        ((0.999999, 0.000001), (256, 1)),
        ((0.0, 1.0), (0, 1)),
        ((0.25, 0.25, 0.5), (1, 1, 2)),
    ],
)
def test_weights_are_the_smallest_that_come_nearest(shares: tuple[float, ...], expected: tuple[int, ...]) -> None:
    """A share above 0 never becomes 0, and 0 stays 0."""
    found = weights(shares, (1,) * len(shares))
    assert [weight * sum(expected) for weight in found] == [weight * sum(found) for weight in expected]


@settings(deadline=None)
@given(st.lists(st.integers(0, 1000), min_size=1, max_size=6).filter(any))
def test_weights_are_near_for_any_shares(parts: list[int]) -> None:
    """Within 1/256 of each share that is not below the smallest weight."""
    total = sum(parts)
    found = weights(tuple(part / total for part in parts), (1,) * len(parts))
    assert all(0 <= weight <= 256 and (weight > 0) == (part > 0) for weight, part in zip(found, parts, strict=True))
    if all(part == 0 or part * 256 >= max(parts) for part in parts):
        assert all(
            abs(weight / sum(found) - part / total) <= 1 / 256 for weight, part in zip(found, parts, strict=True)
        )


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 256), st.integers(1, 20)), min_size=1, max_size=4).filter(
        lambda groups: any(part for part, _ in groups)
    )
)
def test_a_groups_share_is_spread_over_its_copies(groups: list[tuple[int, int]]) -> None:
    """However many there are: as near as one copy alone would come to its part of it."""
    total = sum(part for part, _ in groups)
    shares, copies = tuple(part / total for part, _ in groups), tuple(count for _, count in groups)
    found = weights(shares, copies)
    of_all = sum(weight * count for weight, count in zip(found, copies, strict=True))
    parts = [share / count for share, count in zip(shares, copies, strict=True)]
    can_be_met = all(part == 0 or part * 256 >= max(parts) for part in parts)
    for weight, count, share in zip(found, copies, shares, strict=True):
        assert (weight > 0) == (share > 0)
        assert not can_be_met or abs(weight * count / of_all - share) <= count / 256


def test_many_copies_are_weighted_in_no_time() -> None:
    """A canary beside a hundred copies gets the share that it shall have."""
    found = weights((0.98, 0.01, 0.01), (100, 1, 1))
    assert found[1] / (100 * found[0] + 2 * found[1]) == pytest.approx(0.01, rel=0.01)


def test_a_group_with_a_share_needs_an_address() -> None:
    """HAProxy finds nobody by itself; a group without a share may be named."""
    end = (Endpoint("1", "127.0.0.1:1"),)
    routes = (Route("a", Role.STABLE, "1", 1.0, end), Route("b", Role.CANARY, "2", 0.0, ()))
    assert [server.group_id for server in weighted(routes)] == ["a"]
    with pytest.raises(InvalidValue, match="no endpoint"):
        weighted((replace(routes[0], share=0.5), replace(routes[1], share=0.5)))


def test_new_servers_come_first_and_raises_before_cuts() -> None:
    """At no moment is there nobody to serve."""
    there = [
        server(STABLE, 0),
        server(CANARY, 256),
        Server("stable:0:z:1", "127.0.0.1:9", 5, 0, maintenance=False, backend=BACKEND),
    ]
    young = WeightedServer("c", "1", Role.BASELINE, "1", "127.0.0.1:3", 3)
    assert commands((STABLE, CANARY, young), there) == (
        "add server instances/baseline:1:c:1 127.0.0.1:3 weight 3 pool-max-conn 0",
        "enable server instances/baseline:1:c:1",
        "set server instances/stable:1:a:1 weight 255",
        "set server instances/canary:2:b:1 weight 1",
        "set server instances/stable:0:z:1 weight 0",
    )


def test_what_differs_is_put_right() -> None:
    """Address and maintenance; what is right already gets no command."""
    there = [server(STABLE, 255, address="127.0.0.1:7"), server(CANARY, 1, maintenance=True)]
    assert commands((STABLE, CANARY), there) == (
        "set server instances/stable:1:a:1 addr 127.0.0.1 port 1",
        "enable server instances/canary:2:b:1",
    )
    assert len(mismatches((STABLE, CANARY), there)) == 2
    right = [server(STABLE, 255), server(CANARY, 1)]
    assert commands((STABLE, CANARY), right) == ()
    assert mismatches((STABLE, CANARY), right) == ()


def test_a_proxy_that_does_not_hold_the_routes_is_found_out() -> None:
    """A server that is missing, has another weight, or should have none."""
    assert (
        len(mismatches((STABLE, CANARY), [server(STABLE, 254), Server("x:1:y:1", "127.0.0.1:9", 1, 0, False, BACKEND)]))
        == 3
    )


def test_who_is_left_out_keeps_its_place_without_weight() -> None:
    """Until it is forgotten. A copy that its group has no more drains and goes."""
    assert [server.weight for server in merged((STABLE, CANARY), (STABLE,))] == [255, 0]
    second = replace(STABLE, endpoint_id="2")
    assert merged((STABLE, second), (second,)) == (second,)


def test_addresses_are_literal() -> None:
    """In the form that HAProxy shows; names and rubbish never reach its configuration."""
    assert checked_address("127.0.0.1:80") == "127.0.0.1:80"
    assert checked_address("[0:0::1]:80") == checked_address("::1:80") == "[::1]:80"
    for text in ("localhost:80", "127.0.0.1", "127.0.0.1:", "127.0.0.1:0", "127.0.0.1:8_0", "127.0.0.1:80 check\n"):
        with pytest.raises(InvalidValue):
            checked_address(text)
