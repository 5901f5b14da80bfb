"""Who gets which share: whatever the groups and the weight, it adds up."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipline.capabilities.rollouts.routing import (
    as_routed,
    canary_routes,
    followed,
    group_id,
    kept_routes,
    stable_routes,
)
from shipline.ports.target import Endpoint, Group, Role, checked_group_id
from shipline.ports.traffic import Route

names = st.from_regex(r"[A-Za-z@/._-]{1,80}", fullmatch=True)
versions = st.from_regex(r"[0-9]{1,4}(\.[0-9]{1,4}){0,3}([-+._]?[a-z0-9]{1,12}){0,3}", fullmatch=True)


def a_group(number: int, size: int = 1) -> Group:
    endpoints = tuple(Endpoint(str(copy), f"127.0.0.1:{9000 + 100 * number + copy}") for copy in range(1, size + 1))
    return Group(f"g-{number}", Role.STABLE, "quotes", "1.0.0", size, size, endpoints, 0, ())


def groups(*sizes: int) -> tuple[Group, ...]:
    return tuple(a_group(number, size) for number, size in enumerate(sizes))


@given(st.lists(st.integers(1, 30), min_size=1, max_size=4))
def test_copies_of_stable_groups_share_everything_evenly(sizes: list[int]) -> None:
    routes = stable_routes(groups(*sizes))
    assert sum(route.share for route in routes) == pytest.approx(1)
    assert {route.role for route in routes} == {Role.STABLE}
    assert [route.share / len(route.endpoints) for route in routes] == pytest.approx([1 / sum(sizes)] * len(sizes))


@given(st.integers(1, 28), st.floats(0, 0.5))
def test_a_canary_gets_its_weight_its_baseline_as_much_and_the_stable_ones_the_rest(count: int, weight: float) -> None:
    *stable, canary, baseline = groups(*[1] * (count + 2))
    routes = canary_routes(tuple(stable), canary, baseline, weight=weight)
    shares = {role: [route.share for route in routes if route.role is role] for role in Role}
    assert shares[Role.CANARY] == shares[Role.BASELINE] == [weight]
    assert sum(sum(part) for part in shares.values()) == pytest.approx(1)
    assert all(0 <= route.share <= 1 for route in routes)


@given(st.floats(0.5, 1))
def test_a_canary_of_more_than_half_leaves_the_rest_to_its_baseline(weight: float) -> None:
    *stable, canary, baseline = groups(3, 1, 1)
    routes = canary_routes(tuple(stable), canary, baseline, weight=weight)
    assert [route.share for route in routes] == pytest.approx([0.0, weight, 1 - weight])
    assert routes[0].share == 0.0, "the least share above 0 would be a server's least weight"


@given(st.floats().filter(lambda weight: not 0 <= weight <= 1))
def test_a_weight_for_which_there_is_no_room_is_refused(weight: float) -> None:
    *stable, canary, baseline = groups(1, 1, 1)
    with pytest.raises(ValueError, match="0 to 1"):
        canary_routes(tuple(stable), canary, baseline, weight=weight)


@given(names, versions, st.integers(1, 9999), st.sampled_from(Role))
def test_names_of_groups_are_always_legal(name: str, version: str, attempt: int, role: Role) -> None:
    assert checked_group_id(group_id(name, version, attempt, role))


@given(names, versions, versions)
def test_two_versions_never_share_a_name(name: str, one: str, other: str) -> None:
    """However long the package is called: else a canary would be taken for the stable version."""
    same = group_id(name, one, 1, Role.CANARY) == group_id(name, other, 1, Role.CANARY)
    assert same is (one == other)


def test_a_name_can_be_read_by_people() -> None:
    assert group_id("quotes", "1.2.0", 1, Role.CANARY) == "quotes-1-2-0-a1-canary"


def routed(group: Group, *endpoints: Endpoint) -> Route:
    return Route(group.id, Role.STABLE, group.version, 0.5, endpoints)


def test_routes_follow_copies_that_die_and_come_back() -> None:
    """To whoever lives, until all are ready again; no share changes."""
    whole = a_group(1, 3)
    one, two, three = whole.endpoints
    moved = Endpoint("3", "127.0.0.1:7777")
    hurt = replace(whole, ready=2, endpoints=(one, two))
    starting = replace(whole, ready=2, endpoints=(one, two, moved))
    mended = replace(whole, endpoints=(one, two, moved))
    for before, group, after in (
        ((one, two, three), whole, (one, two, three)),
        ((one, two, three), hurt, (one, two)),
        ((one, two), starting, (one, two)),
        ((one, two), mended, (one, two, moved)),
    ):
        assert followed((routed(whole, *before),), {whole.id: group}) == (routed(whole, *after),)


def test_where_nothing_else_lives_requests_go_to_what_is_being_started() -> None:
    """They would be lost otherwise; and where nothing runs at all, the route stays."""
    whole = a_group(1, 1)
    dead, moved = replace(whole, ready=0, endpoints=()), Endpoint("1", "127.0.0.1:7777")
    route = routed(whole, *whole.endpoints)
    assert followed((route,), {whole.id: dead}) == (route,)
    assert followed((route,), {whole.id: replace(dead, endpoints=(moved,))}) == (routed(whole, moved),)
    assert followed((route,), {}) == (route,)


def test_the_stable_version_is_kept_though_a_canary_and_its_baseline_have_all_the_traffic() -> None:
    """It must be there for the way back; an old version that drains after a promotion need not."""
    old, new, clone = (routed(a_group(number), *a_group(number).endpoints) for number in (1, 2, 3))
    idle = replace(old, share=0.0)
    canary, baseline = replace(new, role=Role.CANARY), replace(clone, role=Role.BASELINE)
    assert set(kept_routes((idle, canary, baseline))) == {idle, canary, baseline}
    assert kept_routes((idle, replace(new, share=1.0))) == (replace(new, share=1.0),)


def test_a_copy_that_moved_is_known_by_its_route() -> None:
    whole = a_group(1, 1)
    moved = Endpoint("1", "127.0.0.1:7777")
    assert as_routed(whole, (routed(whole, moved),)).endpoints == (moved,)
    assert as_routed(whole, ()) == as_routed(whole, (routed(whole),)) == whole
