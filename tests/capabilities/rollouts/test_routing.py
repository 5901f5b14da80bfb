"""Who gets which share: whatever the instances and the weight, it adds up."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipline.capabilities.rollouts.routing import canary_routes, instance_id, stable_routes
from shipline.ports.target import Instance, Role, checked_instance_id

names = st.from_regex(r"[A-Za-z@/._-]{1,80}", fullmatch=True)
versions = st.from_regex(r"[0-9]{1,4}(\.[0-9]{1,4}){0,3}([-+._]?[a-z0-9]{1,12}){0,3}", fullmatch=True)


def instances(count: int) -> tuple[Instance, ...]:
    return tuple(Instance(f"i-{number}", "1.0.0", f"127.0.0.1:{9000 + number}", 0) for number in range(count))


@given(st.integers(1, 30))
def test_stable_instances_share_everything_evenly(count: int) -> None:
    routes = stable_routes(instances(count))
    assert sum(route.share for route in routes) == pytest.approx(1)
    assert {route.role for route in routes} == {Role.STABLE}
    assert max(route.share for route in routes) == min(route.share for route in routes)


@given(st.integers(1, 28), st.floats(0, 0.5))
def test_a_canary_gets_its_weight_its_baseline_as_much_and_the_stable_ones_the_rest(count: int, weight: float) -> None:
    *stable, canary, baseline = instances(count + 2)
    routes = canary_routes(tuple(stable), canary, baseline, weight=weight)
    shares = {role: [route.share for route in routes if route.role is role] for role in Role}
    assert shares[Role.CANARY] == shares[Role.BASELINE] == [weight]
    assert sum(sum(part) for part in shares.values()) == pytest.approx(1)
    assert all(0 <= route.share <= 1 for route in routes)


@given(st.floats().filter(lambda weight: not 0 <= weight <= 0.5))
def test_a_weight_for_which_there_is_no_room_is_refused(weight: float) -> None:
    *stable, canary, baseline = instances(3)
    with pytest.raises(ValueError, match=r"0 to 0\.5"):
        canary_routes(tuple(stable), canary, baseline, weight=weight)


@given(names, versions, st.integers(1, 9999), st.sampled_from(Role), st.integers(1, 32))
def test_names_of_instances_are_always_legal(name: str, version: str, attempt: int, role: Role, number: int) -> None:
    assert checked_instance_id(instance_id(name, version, attempt, role, number))


@given(names, versions, versions)
def test_two_versions_never_share_a_name(name: str, one: str, other: str) -> None:
    """However long the package is called: else a canary would be taken for the stable instance."""
    same = instance_id(name, one, 1, Role.CANARY, 1) == instance_id(name, other, 1, Role.CANARY, 1)
    assert same is (one == other)


def test_a_name_can_be_read_by_people() -> None:
    assert instance_id("quotes", "1.2.0", 1, Role.CANARY, 1) == "quotes-1-2-0-a1-canary-1"
