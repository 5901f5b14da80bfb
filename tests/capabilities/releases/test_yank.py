"""Taking a version back: each place once, and what is left to a person stays open until it is done."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from shipline.capabilities.releases import (
    RELEASES,
    YankOrder,
    order_yank,
    order_yank_after_rollback,
    verify_yank,
    yank_subject,
)
from shipline.capabilities.releases.rules import Start
from shipline.domain.errors import NothingToDo, RefusedError
from shipline.domain.event import Event
from shipline.domain.release import Release, ReleaseStatus
from shipline.domain.verdict import Answer
from shipline.engine.journal import runs_of
from shipline.engine.rules import RunStatus
from shipline.ports.registry import Finding, YankAnswer
from shipline.testing.world import World
from tests.capabilities.events import bodies, check_positions, kinds
from tests.capabilities.releases.release_world import PERSON, CarefulRegistry, ReleaseWorld


@pytest.fixture
def project(tmp_path: Path, sqlite_url: str) -> Iterator[ReleaseWorld]:
    """A package that goes to two registries."""
    world = World(6, tmp_path, url=sqlite_url)
    made = ReleaseWorld(world, tmp_path)
    yield made
    check_positions(world.store)
    world.close()
    assert made.breaches == []


def ordered(project: ReleaseWorld, release: Release, *, revert: bool = False) -> Release:
    """`shipline yank`, up to where the engine takes over."""
    with project.world.store.begin() as tx:
        return order_yank(tx, project.engine(), release, YankOrder("it loses quotes", PERSON, revert))


def status_of_run(project: ReleaseWorld, release: Release) -> RunStatus:
    with project.world.store.begin() as tx:
        return runs_of(tx, yank_subject(release))[-1].state.status


class AskingRegistry(CarefulRegistry):
    """Has no call for a yank: a person marks the files."""

    def yank(self, package: str, version: str, *, reason: str, back_to: str | None = None) -> YankAnswer:
        if self.verify_yank(package, version).answer is Answer.PASS:
            return YankAnswer(("it is marked",))
        return YankAnswer((), (f"mark {version} by hand",))

    def mark(self, version: str) -> None:
        super().yank("quotes", version, reason="by hand")


def test_a_version_is_taken_back_from_every_registry(project: ReleaseWorld) -> None:
    release = project.released()
    assert ordered(project, release).status is ReleaseStatus.YANKED
    project.settle()
    now = project.now(release)
    assert (now.yank_reason, [yank.place for yank in now.yanks]) == (
        "it loses quotes",
        ["git mark", "index", "mirror", "git tags"],
    )
    assert now.yanks[3].not_done == ("the tag v0.1.0 stays: others may have it",)
    assert all(file.yanked for file in project.registry.find("quotes", "0.1.0"))
    assert kinds(project.world.store, f"release:{release.id}")[-5:] == ["ReleaseYanked", *["PlaceYanked"] * 4]
    with pytest.raises(NothingToDo, match="yanked already: it loses quotes"):
        ordered(project, now)


def test_the_channel_goes_back_to_what_was_good_before(project: ReleaseWorld) -> None:
    project.released()
    project.commit("fix: lose fewer")
    bad = project.released()
    ordered(project, bad)
    project.settle()
    assert project.registry.pointers == {("quotes", "stable"): "0.1.0"}


def test_a_registry_that_is_down_is_asked_again_and_keeps_nobody_waiting(project: ReleaseWorld) -> None:
    release = project.released()
    project.registry.faults.down = True
    ordered(project, release)
    project.settle()
    assert [yank.place for yank in project.now(release).yanks] == ["git mark", "mirror", "git tags"]
    assert status_of_run(project, release) is RunStatus.STOPPED
    project.registry.faults.down = False
    ordered(project, release)
    project.settle()
    assert [yank.place for yank in project.now(release).yanks] == ["git mark", "mirror", "git tags", "index"]
    assert status_of_run(project, release) is RunStatus.DONE
    assert len(bodies(project.world.store, "PlaceYanked")) == 4


def test_credentials_that_are_refused_stop_it_at_the_end_and_not_again_and_again(project: ReleaseWorld) -> None:
    release = project.released()
    project.registry.faults.refuses = True
    before_us = project.world.clock.now_us()
    ordered(project, release)
    project.settle()
    assert project.world.clock.now_us() - before_us < 1_000_000
    with project.world.store.begin() as tx:
        (run,) = runs_of(tx, yank_subject(release))
    assert run.state.status is RunStatus.STOPPED
    assert "index: the fake registry refused the credentials" in run.state.reason


def test_what_a_person_has_to_do_is_open_until_the_registry_shows_it(project: ReleaseWorld) -> None:
    asking = AskingRegistry(project.world.clock, project.breaches)
    project.registry = asking
    release = project.released()
    ordered(project, release)
    project.settle()
    now = project.now(release)
    assert [yank.is_open for yank in now.yanks] == [False, True, False, False]
    with pytest.raises(NothingToDo) as caught:
        ordered(project, now)
    assert "--verify" in caught.value.todo
    ground = project.ground(project.world.store)
    now, found = verify_yank(ground, now)
    assert found["index"] == Finding(Answer.FAIL, "not every file is marked as yanked")
    assert now.yanks[1].is_open
    asking.mark("0.1.0")
    for _ in range(2):
        now, found = verify_yank(ground, now)
    assert not now.yanks[1].is_open
    verified = [body["place"] for body in bodies(project.world.store, "YankVerified")]
    assert verified == ["git mark", "mirror", "git tags", "index"]


def test_a_registry_that_was_taken_out_of_the_settings_is_left_to_a_person(project: ReleaseWorld) -> None:
    release = project.released()
    with project.world.store.begin() as tx:
        renamed = replace(release.publications[0], registry="attic")
        release = replace(release, publications=(renamed, release.publications[1]))
        RELEASES.save(tx, release)
    ordered(project, release)
    project.settle()
    now = project.now(release)
    assert now.yanks[1].by_hand == ("attic is not in shipline.toml any more: take 0.1.0 back there",)
    _, found = verify_yank(project.ground(project.world.store), now)
    assert found["attic"].answer is Answer.UNKNOWN


def test_a_release_that_stopped_half_way_is_taken_back_where_it_is_public(project: ReleaseWorld) -> None:
    """And it does not go on afterwards."""
    project.mirror.faults.fails_after_files = 0
    stopped = project.released()
    assert stopped.status is ReleaseStatus.STOPPED
    ordered(project, stopped)
    project.settle()
    assert [yank.place for yank in project.now(stopped).yanks] == ["git mark", "index", "git tags"]
    assert project.order()[0].start is Start.NOTHING


def test_what_one_registry_took_in_part_is_taken_back(project: ReleaseWorld) -> None:
    """It went down between two files, so that no publication is written down."""
    project.registry.faults.fails_after_files = 1
    stopped = project.released()
    assert (stopped.status, stopped.publications) == (ReleaseStatus.STOPPED, ())
    ordered(project, stopped)
    project.settle()
    assert [yank.place for yank in project.now(stopped).yanks] == ["git mark", "index", "git tags"]
    assert [file.yanked for file in project.registry.find("quotes", "0.1.0")] == [True]
    assert project.order()[0].start is Start.NOTHING


def test_what_somebody_else_has_published_as_this_version_is_left_alone(project: ReleaseWorld, tmp_path: Path) -> None:
    """The release is stuck on it; to yank it is the way to the next version."""
    foreign = tmp_path / "quotes-0.1.0.tar.gz"
    foreign.write_bytes(b"somebody else's")
    project.mirror.faults.fails_after_files = 0
    stopped = project.released()
    project.mirror.faults.fails_after_files = None
    project.mirror.publish("quotes", "0.1.0", (foreign,))
    ordered(project, stopped)
    project.settle()
    now = project.now(stopped)
    assert [file.yanked for file in project.mirror.find("quotes", "0.1.0")] == [False]
    assert [yank.not_done for yank in now.yanks if yank.place == "mirror"] == [
        ("the files of 0.1.0 that it serves are not those of this release: they stay",)
    ]
    project.commit("fix: under a number of its own")
    assert project.released().version == "0.1.1"


def test_a_version_that_was_removed_from_the_registry_is_not_published_again(project: ReleaseWorld) -> None:
    """Some registries forget what they removed; the store does not."""
    ordered(project, project.released())
    project.settle()
    project.registry._files.clear()
    assert project.order()[0].start is Start.NOTHING
    project.commit("fix: good again")
    assert project.released().version == "0.1.1"


def test_what_was_never_published_cannot_be_yanked(project: ReleaseWorld) -> None:
    project.failing = 1
    release = project.released()
    with pytest.raises(RefusedError, match="never published"):
        ordered(project, release)
    with pytest.raises(RefusedError, match="not yanked"):
        verify_yank(project.ground(project.world.store), release)


@pytest.mark.parametrize(("found_worse", "status"), [(True, ReleaseStatus.YANKED), (False, ReleaseStatus.PUBLISHED)])
def test_the_yank_of_what_the_analysis_found_worse_is_ordered(
    project: ReleaseWorld, *, found_worse: bool, status: ReleaseStatus
) -> None:
    """A registry that is down for a moment is asked again."""
    release = project.released()
    body = {"release_id": release.id, "found_worse": found_worse, "reason": "5% of requests fail"}
    event = Event("evt_x", "rollout:rol_x", "RolloutRolledBack", project.world.clock.now_us(), PERSON, body)
    with project.world.store.begin() as tx:
        order_yank_after_rollback(tx, project.engine(), event)
    engine = project.engine()
    project.registry.faults.down = True
    engine.sweep()
    project.registry.faults.down = False
    project.world.run_until_quiet(engine)
    now = project.now(release)
    assert now.status is status
    assert len(now.yanks) == (4 if found_worse else 0)
