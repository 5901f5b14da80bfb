"""The target `cloud-run` against a model of its API."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from shipline.domain.errors import ConfigurationError, ConflictError, RefusedError, ShiplineError, UnavailableError
from shipline.ports.target import Group, GroupSpec, Role, Target
from shipline.providers.target.cloud_run import CloudRunTarget
from shipline.testing.conformance.target import BETTER, BROKEN, GOOD, PACKAGE, TargetConformance, found
from shipline.testing.fakes.cloud_run import SERVICE, TOKEN
from tests.cloud_run import CloudRunPlace, cloud_run
from tests.clusters import digests_of

ONE = GroupSpec("one", Role.STABLE, PACKAGE, GOOD, 2, digests_of(GOOD))
BY_HAND = f"{SERVICE}-00001-abc"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[CloudRunPlace]:
    """A service that somebody has deployed by hand."""
    monkeypatch.setenv("GOOGLE_OAUTH_ACCESS_TOKEN", TOKEN)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    with cloud_run(tmp_path) as place:
        yield place


@pytest.fixture
def target(place: CloudRunPlace) -> CloudRunTarget:
    """A target where GOOD is prepared."""
    target = place.target()
    target.prepare(PACKAGE, GOOD, digests_of(GOOD))
    return target


class TestCloudRunTarget(TargetConformance):
    @pytest.fixture
    def open_target(self, place: CloudRunPlace) -> Callable[[], Target]:
        return place.target

    @pytest.fixture
    def digests_of(self) -> Callable[[str], tuple[str, ...]]:
        return digests_of

    @pytest.fixture
    def kill_copy(self) -> Callable[[Target, str], None]:
        return lambda _target, _group_id: None

    def test_a_copy_that_died_is_missed_and_run_again(
        self,
        target: Target,
        until_whole: Callable[[Target, str], Group],
        kill_copy: Callable[[Target, str], None],
        one: GroupSpec,
    ) -> None:
        """Here nobody can miss it: Cloud Run tells of no copies, and starts them by itself."""
        target.run(one, revision=1)
        whole = until_whole(target, "one")
        kill_copy(target, "one")
        assert target.run(one, revision=2) == whole


def revision_of(place: CloudRunPlace, group_id: str = "one") -> dict[str, Any]:
    """The Cloud Run revision of a group."""
    found = (each for each in place.world.revisions.values() if _group(each) == group_id)
    return next(found)


def _group(revision: dict[str, Any]) -> str:
    return str(revision.get("annotations", {}).get("shipline.dev/group"))


def test_what_is_asked_for_runs_the_released_bytes_and_gets_no_traffic(
    place: CloudRunPlace, target: CloudRunTarget
) -> None:
    """What served stays pinned in the same request, or the newest revision would get it all."""
    target.run(ONE, revision=1)
    assert revision_of(place)["containers"][0]["image"] == f"{place.host}/team/quotes@{digests_of(GOOD)[0]}"
    (served,) = place.world.shown()["trafficStatuses"]
    assert (served["revision"], served["percent"]) == (BY_HAND, 100)


def test_a_version_is_told_its_group(place: CloudRunPlace, target: CloudRunTarget) -> None:
    """For its counters, which have to tell a canary from its baseline; its own variables stay."""
    place.write_template(
        containers=[
            {
                "image": f"{place.host}/team/quotes",
                "env": [{"name": "COLOUR", "value": "blue"}, {"name": "SHIPLINE_GROUP", "value": "mine"}],
            }
        ]
    )
    target.run(ONE, revision=1)
    assert revision_of(place)["containers"][0]["env"] == [
        {"name": "COLOUR", "value": "blue"},
        {"name": "SHIPLINE_GROUP", "value": ONE.id},
    ]


def test_preparing_changes_nothing_that_runs(place: CloudRunPlace, target: CloudRunTarget) -> None:
    """The template is tried by the API, and not kept."""
    target.prepare(PACKAGE, BETTER, digests_of(BETTER))
    assert set(place.world.revisions) == {BY_HAND}


def test_running_a_prepared_version_asks_no_registry(place: CloudRunPlace, target: CloudRunTarget) -> None:
    """The way back must not hang on one."""
    image = place.host
    place.write_template(containers=[{"image": "127.0.0.1:9/team/quotes"}])
    target.run(ONE, revision=1)
    assert image in revision_of(place)["containers"][0]["image"]


def test_a_slow_start_is_no_trouble_until_it_has_had_its_time(place: CloudRunPlace, target: CloudRunTarget) -> None:
    """Then it is hopeless, and says what Cloud Run says."""
    place.world.slow_s[digests_of(GOOD)[0]] = 90
    group = target.run(ONE, revision=1)
    assert (group.ready, group.trouble, group.hopeless) == (0, "", False)
    place.clock.sleep(60)
    assert found(target, "one").hopeless
    assert "not ready" in found(target, "one").trouble
    place.clock.sleep(30)
    assert found(target, "one").is_whole


def test_a_stopped_group_s_revision_goes_when_cloud_run_lets_it_go(
    place: CloudRunPlace, target: CloudRunTarget
) -> None:
    """The newest one of a service is kept. It has no traffic."""
    target.run(ONE, revision=1)
    target.stop("one", revision=2)
    assert len(place.world.revisions) == 2
    place.clock.sleep(1)
    target.run(ONE, revision=3)
    assert len(place.world.revisions) == 3
    target.stop("nobody", revision=4)
    assert len(place.world.revisions) == 2
    assert found(target, "one").is_whole


def test_a_group_that_has_traffic_is_not_stopped(place: CloudRunPlace, target: CloudRunTarget) -> None:
    """Whoever gave it."""
    target.run(ONE, revision=1)
    name = next(name for name in place.world.revisions if name != BY_HAND)
    pinned = {"type": "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION", "revision": name, "percent": 100}
    place.world.save({"traffic": [pinned]})
    with pytest.raises(RefusedError, match="still has traffic"):
        target.stop("one", revision=2)
    assert found(target, "one").is_whole


@pytest.mark.parametrize("late", ["run", "stop"])
def test_a_paused_engine_that_goes_on_late_changes_nothing(
    place: CloudRunPlace, target: CloudRunTarget, late: str
) -> None:
    """Even right before its one request: that carries the etag of what was read."""
    target.run(ONE, revision=1)
    seen: list[str] = []

    def interrupt(method: str, _path: str) -> None:
        if method == "PATCH" and not seen:
            seen.append(method)
            place.target().run(replace(ONE, size=5), revision=9)

    place.server.before = interrupt
    calls: dict[str, Callable[[], object]] = {
        "run": lambda: target.run(replace(ONE, size=3), revision=8),
        "stop": lambda: target.stop("one", revision=8),
    }
    with pytest.raises(RefusedError, match="older than 9"):
        calls[late]()
    assert found(target, "one").size == 5


def test_a_change_by_somebody_else_in_between_is_no_hindrance(place: CloudRunPlace, target: CloudRunTarget) -> None:
    """The request is made anew from what is there."""
    seen: list[str] = []

    def interrupt(method: str, _path: str) -> None:
        if method == "PATCH" and not seen:
            seen.append(method)
            place.world.save({"labels": {"team": "a"}})

    place.server.before = interrupt
    assert target.run(ONE, revision=1).is_whole
    assert place.world.service["labels"] == {"team": "a"}


def test_somebody_who_never_stops_changing_it_is_told_of(place: CloudRunPlace, target: CloudRunTarget) -> None:
    """After a few attempts."""
    place.server.before = lambda method, _path: place.world.save({"labels": {}}) if method == "PATCH" else None
    with pytest.raises(UnavailableError, match="others go on changing"):
        target.run(ONE, revision=1)


def test_lost_answers_are_made_good_by_saying_it_again(place: CloudRunPlace, target: CloudRunTarget) -> None:
    """Nothing is begun twice."""
    place.server.lost_answers = 1
    with pytest.raises(UnavailableError):
        target.run(ONE, revision=1)
    target.run(ONE, revision=1)
    assert len(place.world.revisions) == 2
    place.server.lost_answers = 1
    with pytest.raises(UnavailableError):
        target.stop("one", revision=2)
    target.stop("one", revision=2)
    assert target.groups() == ()


def test_a_service_is_one_environment_s(place: CloudRunPlace, target: CloudRunTarget) -> None:
    """Another one is refused."""
    target.run(ONE, revision=1)
    other = place.target("production")
    for call in (other.groups, lambda: other.stop("one", revision=2)):
        with pytest.raises(ConflictError, match="belongs to the environment staging"):
            call()


@pytest.mark.parametrize("text", ["", "[]", '{"environment": "staging", "more": 1}', "[" * 5000])
def test_notes_that_were_changed_by_hand_are_an_error(place: CloudRunPlace, target: CloudRunTarget, text: str) -> None:
    """Not an empty record."""
    place.world.save({"annotations": {"shipline.dev/target": text}})
    with pytest.raises(ShiplineError, match="not what Shipline wrote"):
        target.groups()


@pytest.mark.parametrize("token", ["", "other", "a b"])
def test_a_token_that_is_none_is_refused(target: CloudRunTarget, monkeypatch: pytest.MonkeyPatch, token: str) -> None:
    """In words, and without showing it."""
    monkeypatch.setenv("GOOGLE_OAUTH_ACCESS_TOKEN", token)
    with pytest.raises((ConfigurationError, RefusedError), match=r"token|does not let"):
        target.groups()


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"containers": []}, "not clear which container"),
        ({"containers": "web"}, "no containers"),
        ({"containers": [{"image": "quotes"}]}, "not named with its registry"),
        ({"revision": "quotes-mine"}, "'revision'"),
        ({"serviceAcount": "a"}, "'serviceAcount'"),
        ({"annotations": []}, "annotations"),
        ({"containers": [{"image": "a.example/quotes", "env": {"A": "b"}}]}, "env"),
        ({"containers": [{"image": "a.example/quotes", "env": ["A=b"]}]}, "env"),
    ],
)
def test_a_template_that_is_wrong_is_refused_before_anything_is_asked(
    place: CloudRunPlace, changes: dict[str, Any], why: str
) -> None:
    """In words that name the place."""
    place.write_template(**changes)
    with pytest.raises(ConfigurationError) as caught:
        place.target().prepare(PACKAGE, GOOD, digests_of(GOOD))
    assert why in caught.value.diagnosis()
    assert place.server.requests == []


def test_what_cloud_run_does_not_take_is_said_when_it_is_prepared(place: CloudRunPlace) -> None:
    """Before a rollout begins."""
    place.write_template(annotations={"run.googleapis.com/x": "y"})
    with pytest.raises(ShiplineError, match="INVALID_ARGUMENT") as caught:
        place.target().prepare(PACKAGE, GOOD, digests_of(GOOD))
    assert "reserved namespace" in caught.value.diagnosis()


@pytest.mark.parametrize("path", ["../revision.json", "missing.json", "."])
def test_a_template_is_a_file_of_the_repository(place: CloudRunPlace, path: str) -> None:
    """And of nowhere else."""
    settings = replace(place.target()._settings, template=path)
    with pytest.raises(ConfigurationError):
        CloudRunTarget(settings, place.context("staging")).prepare(PACKAGE, GOOD, digests_of(GOOD))


@pytest.mark.parametrize(
    "changes",
    [{"project": "A"}, {"location": "x/y"}, {"service": "a" * 50}, {"url": "http://run.example"}, {"template": ""}],
)
def test_settings_that_can_only_be_a_mistake_are_refused(place: CloudRunPlace, changes: dict[str, str]) -> None:
    """Before anything is done."""
    with pytest.raises(ConfigurationError):
        replace(place.target()._settings, **changes)  # type: ignore[arg-type] # texts


def test_a_service_that_is_missing_is_named(place: CloudRunPlace, target: CloudRunTarget) -> None:
    settings = replace(target._settings, service="other")
    with pytest.raises(ConfigurationError, match="no Cloud Run service other"):
        CloudRunTarget(settings, place.context("staging")).run(replace(ONE, version=BROKEN), revision=1)
