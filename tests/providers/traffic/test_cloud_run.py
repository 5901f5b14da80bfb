"""The traffic `cloud-run` against a model of its API."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from shipline.domain.errors import ConflictError, RefusedError, ShiplineError, UnavailableError
from shipline.ports.traffic import Traffic
from shipline.providers.traffic.cloud_run import whole_percents
from shipline.testing.conformance.traffic import OLD, TrafficConformance, shares, split
from shipline.testing.fakes.cloud_run import TOKEN
from tests.cloud_run import CloudRunPlace, cloud_run


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[CloudRunPlace]:
    """A service where two groups run."""
    monkeypatch.setenv("GOOGLE_OAUTH_ACCESS_TOKEN", TOKEN)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    with cloud_run(tmp_path) as place:
        place.run("old", "new")
        yield place


@pytest.fixture
def traffic(place: CloudRunPlace) -> Traffic:
    """An open splitter without routes."""
    traffic = place.traffic()
    traffic.open(revision=0)
    return traffic


class TestCloudRunTraffic(TrafficConformance):
    @pytest.fixture
    def open_traffic(self, place: CloudRunPlace) -> Callable[[], Traffic]:
        return place.traffic

    @pytest.mark.parametrize("steps", [1, 3, 64, 127, 128, 200, 255, 256])
    def test_shares_are_exact_in_steps_of_a_256th(self, traffic: Traffic, steps: int) -> None:
        """Here in steps of a percent: the nearest, and 1 % at least for who gets any."""
        traffic.apply(split(steps / 256), revision=1)
        assert shares(traffic)["new"] == max(1, min(round(steps / 2.56), 99 if steps < 256 else 100)) / 100


@pytest.mark.parametrize(
    ("shares", "percents"),
    [
        ([1.0], [100]),
        ([0.999, 0.001], [99, 1]),
        ([1 / 3, 1 / 3, 1 / 3], [34, 33, 33]),
        ([0.996, 0.002, 0.002], [98, 1, 1]),
        ([0.286, 0.714], [29, 71]),
        ([0.07, 0.93], [7, 93]),
        ([0.0625] * 16, [7, 7, 7, 7, *[6] * 12]),
    ],
)
def test_percents_are_whole_and_sum_to_a_hundred(shares: list[float], percents: list[int]) -> None:
    """Nobody who has a share gets nothing."""
    assert sum(whole_percents(shares)) == 100
    assert whole_percents(shares) == percents


def test_the_service_that_was_there_hands_its_traffic_over(place: CloudRunPlace, traffic: Traffic) -> None:
    """A service always leads somewhere: to what was deployed by hand, until the first routes."""
    assert traffic.routes() == ()
    traffic.apply((OLD,), revision=1)
    assert [each["percent"] for each in place.world.shown()["trafficStatuses"]] == [100]
    assert shares(traffic) == {"old": 1.0}


def test_a_service_whose_traffic_follows_the_newest_revision_is_read_too(place: CloudRunPlace) -> None:
    """As it is before the first rollout."""
    place.world.save({"traffic": [{"type": "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST", "percent": 100}]})
    assert place.traffic().routes() == ()


def test_tags_of_other_revisions_stay(place: CloudRunPlace, traffic: Traffic) -> None:
    """People look at them by addresses of their own."""
    by_hand = {"type": "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION", "revision": "quotes-00001-abc", "percent": 100}
    place.world.save({"traffic": [by_hand | {"tag": "before"}]})
    traffic.apply(split(0.5), revision=1)
    assert {each.get("tag"): each["percent"] for each in place.world.service["traffic"]} == {None: 50, "before": 0}


def test_applied_is_what_the_status_says(place: CloudRunPlace, traffic: Traffic) -> None:
    """A change that takes too long is said to hold not yet; saying it again waits on."""
    place.world.lag_s = 5
    traffic.apply(split(0.5), revision=1)
    assert shares(traffic)["new"] == 0.5
    place.world.lag_s = 60
    with pytest.raises(UnavailableError, match="as it shall"):
        traffic.apply(split(0.25), revision=2)
    traffic.apply(split(0.25), revision=2)
    assert shares(traffic)["new"] == 0.25


def test_a_group_is_drained_when_its_time_is_over(place: CloudRunPlace) -> None:
    """How many requests are open nobody tells."""
    traffic = place.traffic(drain_s=300)
    traffic.apply(split(0.5), revision=1)
    assert traffic.open_requests("new") == 1
    traffic.apply((OLD,), revision=2)
    place.clock.sleep(299)
    assert traffic.open_requests("new") == 1
    with pytest.raises(RefusedError, match="may have open requests"):
        traffic.forget("new", revision=3)
    place.clock.sleep(1)
    assert traffic.open_requests("new") == 0
    traffic.forget("new", revision=4)


def test_percents_that_somebody_else_has_set_are_told_and_set_right(place: CloudRunPlace, traffic: Traffic) -> None:
    """What is in effect is read from the status."""
    traffic.apply(split(0.5), revision=1)
    first, second = place.world.service["traffic"]
    place.world.save({"traffic": [first | {"percent": 90}, second | {"percent": 10}]})
    assert shares(traffic) == {"old": 0.9, "new": 0.1}
    traffic.apply(split(0.5), revision=1)
    assert shares(traffic) == {"old": 0.5, "new": 0.5}


def test_a_closed_service_is_disabled_and_gets_back_what_it_had(place: CloudRunPlace, traffic: Traffic) -> None:
    traffic.apply((OLD,), revision=1)
    traffic.close(revision=2)
    assert place.world.service["scaling"] == {"scalingMode": "MANUAL", "manualInstanceCount": 0}
    traffic.open(revision=3)
    assert place.world.service["scaling"] == {"minInstanceCount": 1}


def test_a_paused_engine_that_goes_on_late_changes_nothing(place: CloudRunPlace, traffic: Traffic) -> None:
    """Even right before its one request."""
    traffic.apply((OLD,), revision=1)
    seen: list[str] = []

    def interrupt(method: str, _path: str) -> None:
        if method == "PATCH" and not seen:
            seen.append(method)
            place.traffic().apply(split(0.25), revision=9)

    place.server.before = interrupt
    with pytest.raises(RefusedError, match="older than 9"):
        traffic.apply(split(0.75), revision=8)
    assert shares(traffic)["new"] == 0.25


def test_a_group_without_a_revision_gets_no_traffic(traffic: Traffic) -> None:
    with pytest.raises(ShiplineError, match="has no revision"):
        traffic.apply((replace(OLD, group_id="nobody"),), revision=1)


def test_a_service_is_one_environment_s(place: CloudRunPlace, traffic: Traffic) -> None:
    traffic.apply((OLD,), revision=1)
    with pytest.raises(ConflictError, match="belongs to the environment staging"):
        place.traffic("production").routes()


def test_users_are_served_at_the_service_s_own_address(place: CloudRunPlace) -> None:
    assert place.traffic().address() == "quotes-abc-ew.a.run.app:443"
    assert place.traffic(address="quotes.example:443").address() == "quotes.example:443"
