"""Verdicts are posted to the forge as statuses: each once, about the commit that is released from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from shipline.capabilities.releases import refusal_of
from shipline.capabilities.releases.statuses import status_of
from shipline.domain.errors import RefusedError
from shipline.domain.gate import Gate
from shipline.domain.release import ReleaseStatus
from shipline.domain.verdict import Answer, Verdict
from shipline.ports.forge import StatusState
from shipline.testing.world import World
from tests.capabilities.events import bodies
from tests.capabilities.releases.release_world import GATES, ReleaseWorld

CONTEXTS = ["shipline/release/proof", "shipline/release/tests pass"]


@pytest.fixture
def made(sqlite_url: str, tmp_path: Path) -> Iterator[ReleaseWorld]:
    """A project that posts its verdicts."""
    world = World(7, tmp_path, url=sqlite_url)
    yield ReleaseWorld(world, tmp_path, shown=True, statuses=True)
    world.close()


def test_each_verdict_is_posted_about_the_commit_that_is_released_from(made: ReleaseWorld) -> None:
    """The release's own commit is pushed only once the gates are open."""
    source = made.history.git("rev-parse", "HEAD")
    assert made.released().status is ReleaseStatus.PUBLISHED
    said = made.forge.statuses(source)
    assert [one.context for one in said] == CONTEXTS
    assert {one.state for one in said} == {StatusState.SUCCESS}
    assert said[1].description.startswith(
        "tests.total > 0 && tests.failed == 0 && tests.errors == 0 holds: tests.total"
    )
    (posted,) = bodies(made.world.store, "VerdictsPosted")
    assert (posted["commit"], posted["stage"], posted["trouble"]) == (source, "release", "")
    assert sorted(posted["posted"]) == CONTEXTS


def test_a_status_leads_to_the_page_of_its_release(made: ReleaseWorld) -> None:
    """Where the settings say where that is."""
    made.page = "https://ship.example.org/quotes/"
    source, release = made.history.git("rev-parse", "HEAD"), made.released()
    expected = {f"https://ship.example.org/quotes/releases/{release.id}"}
    assert {one.url for one in made.forge.statuses(source)} == expected


def test_what_refuses_is_a_failure_until_it_is_mended(made: ReleaseWorld) -> None:
    """With the first reason; UNKNOWN is one, too."""
    made.failing, made.gates = 1, (*GATES, Gate("covered", "coverage.line >= 80.0"))
    source = made.history.git("rev-parse", "HEAD")
    assert made.released().status is ReleaseStatus.REFUSED
    covered, proof, tests = made.forge.statuses(source)
    assert (covered.state, proof.state, tests.state) == (
        StatusState.FAILURE,
        StatusState.SUCCESS,
        StatusState.FAILURE,
    )
    assert covered.description.startswith("UNKNOWN: coverage.line >= 80.0 has no answer: coverage.line is missing")
    assert tests.description.startswith("FAIL: tests.failed == 0 does not hold: tests.failed is 1; it passes at 0")
    made.gates = GATES[1:]
    assert made.released().status is ReleaseStatus.PUBLISHED


def test_nothing_is_posted_where_the_settings_do_not_say_so(made: ReleaseWorld) -> None:
    source = made.history.git("rev-parse", "HEAD")
    made.statuses = False
    made.released()
    assert made.forge.statuses(source) == ()
    assert bodies(made.world.store, "VerdictsPosted") == []


def test_a_forge_that_does_not_answer_is_waited_for(made: ReleaseWorld) -> None:
    """Else an older status could let pass what is refused now. The release stops, and goes on from there."""
    made.forge.faults.down = True
    release = made.released()
    assert release.status is ReleaseStatus.STOPPED
    assert "cannot be reached" in bodies(made.world.store, "ReleaseStopped")[-1]["reason"]
    assert made.registry.uploads == []
    made.forge.faults.down = False
    assert made.released().status is ReleaseStatus.PUBLISHED


def test_a_token_that_may_not_post_keeps_nothing_from_being_released(made: ReleaseWorld) -> None:
    """It is told in the log; what requires the status stays shut."""

    def refuses(*_: object) -> None:
        raise RefusedError("the token may not", why="it lacks a permission")

    made.forge.set_status = refuses  # type: ignore[method-assign, assignment]  # this token may do the rest
    assert made.released().status is ReleaseStatus.PUBLISHED
    (posted,) = bodies(made.world.store, "VerdictsPosted")
    assert (posted["posted"], posted["trouble"]) == ([], "the token may not: it lacks a permission")


def test_an_environment_s_verdicts_are_about_the_released_commit_and_wait_for_no_forge(made: ReleaseWorld) -> None:
    """They are posted where they decide, and not where somebody only asks; never on the way back."""
    release = made.released()
    made.gates = (Gate("signed", "signatures.verified", "production"),)
    ground, commit = made.ground(made.world.store), str(release.commit)
    refusal_of(ground, release.id, stage="production")
    refusal_of(ground, release.id, stage="production", has_served=True, posts=True)
    assert made.forge.statuses(commit) == ()
    made.forge.faults.down = True
    why, save = refusal_of(ground, release.id, stage="production", posts=True)
    assert why == ""
    with made.world.store.begin() as tx:
        save(tx)
    assert bodies(made.world.store, "VerdictsPosted")[-1]["trouble"] == "the fake forge cannot be reached"
    made.forge.faults.down = False
    refusal_of(ground, release.id, stage="production", posts=True)
    assert [one.context for one in made.forge.statuses(commit)] == ["shipline/production/signed"]


def test_a_status_is_one_bounded_line() -> None:
    """Forges take 255 characters of each, and GitHub 140 of a description, to which its provider cuts it."""
    found = status_of(Verdict("a\nb" * 200, Answer.FAIL, ("x\ny" * 200,), 0, {}), "production")
    assert len(found.context) == len(found.description) == 255
    assert found.context.startswith("shipline/production/a ba b")
    assert found.description.startswith("FAIL: x yx y")
    assert "\n" not in found.context + found.description
