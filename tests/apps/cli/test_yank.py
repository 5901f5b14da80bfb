"""What `shipline yank` says and ends with; what it does is the room's."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from shipline.apps.cli import yank
from shipline.bootstrap import Application
from shipline.capabilities.releases import RELEASES
from shipline.domain.errors import NothingToDo, RefusedError, UsageError
from shipline.domain.release import Publication, Release, ReleaseStatus, Yank
from shipline.testing.histories import History


@pytest.fixture
def application(tmp_path: Path) -> Iterator[Application]:
    history = History(tmp_path)
    history.commit("feat: begin", {"shipline.toml": "schema = 1\n"})
    made = Application(history.folder)
    yield made
    made.store.close()


def record(application: Application, status: ReleaseStatus, **changes: object) -> None:
    release = Release("rel_1", "quotes", "1.0.0", "v1.0.0", status, 1, 1, **changes)  # type: ignore[arg-type]  # fields by name
    with application.store.begin() as tx:
        RELEASES.save(tx, release)


def called(application: Application, *arguments: str) -> Result:
    return CliRunner().invoke(yank.command, arguments, obj=application, catch_exceptions=False, standalone_mode=False)


def test_what_went_nowhere_is_yanked_at_once_and_never_twice(application: Application) -> None:
    record(application, ReleaseStatus.PUBLISHED)
    done = called(application, "1.0.0", "--reason", "broken", "--json")
    assert done.return_value == 0
    document = json.loads(done.stdout)
    assert (document["schema"], document["status"]) == ("shipline.yank/1", "yanked")
    assert [yank["place"] for yank in document["yanks"]] == ["git tags"]
    with pytest.raises(NothingToDo, match="yanked already: broken"):
        called(application, "1.0.0", "--reason", "again")


def test_it_is_found_by_its_tag_and_what_is_near_is_said_where_it_is_not(application: Application) -> None:
    record(application, ReleaseStatus.YANKED, yank_reason="broken")
    with pytest.raises(NothingToDo, match="yanked already"):
        called(application, "v1.0.0", "--reason", "again")
    application.repository.create_tag("v1.1.0", "HEAD", "v1.1.0", time_us=1)
    with pytest.raises(UsageError, match=r"no release '1\.1\.1'") as caught:
        called(application, "v1.1.1", "--reason", "broken")
    assert "the nearest first: 1.1.0;" in caught.value.todo
    with pytest.raises(UsageError, match="no package 'web'"):
        called(application, "9.0.0", "--package", "web", "--reason", "broken")


def test_what_is_left_to_a_person_is_said_and_is_no_success(application: Application) -> None:
    """The registry of the record is not in the settings any more."""
    record(application, ReleaseStatus.PUBLISHED, publications=(Publication("attic", ("a",), "stable", 1.0, 1),))
    done = called(application, "1.0.0", "--reason", "broken")
    assert done.return_value == 1
    rows = [line.split(maxsplit=3) for line in done.stdout.splitlines()]
    assert rows[0][0] == "attic"
    assert rows[0][3].startswith("by hand:       attic is not in shipline.toml any more")
    assert done.stdout.splitlines()[2].startswith("all ")
    assert "then: shipline yank 1.0.0 --package quotes --verify" in done.stdout
    seen = called(application, "1.0.0", "--verify")
    assert seen.return_value == 1
    assert "attic: UNKNOWN" in seen.stderr


def test_what_was_seen_everywhere_needs_no_look(application: Application) -> None:
    seen = Yank("index", ("done",), (), (), 0.1, verified_us=1)
    record(application, ReleaseStatus.YANKED, yank_reason="broken", yanks=(seen,))
    with pytest.raises(NothingToDo, match="was seen to be taken back"):
        called(application, "1.0.0", "--verify")


def test_a_version_that_never_came_out_is_refused(application: Application) -> None:
    record(application, ReleaseStatus.STOPPED)
    with pytest.raises(RefusedError, match="never published"):
        called(application, "1.0.0", "--reason", "broken")
    with pytest.raises(RefusedError, match="not yanked"):
        called(application, "1.0.0", "--verify")


@pytest.mark.parametrize(
    "arguments",
    [("1.0.0",), ("1.0.0", "--reason", "x", "--verify"), ("2.0.0", "--verify"), ("1.0.0", "--revert", "--verify")],
)
def test_what_cannot_be_meant_is_a_usage_error(application: Application, arguments: tuple[str, ...]) -> None:
    record(application, ReleaseStatus.PUBLISHED)
    with pytest.raises(UsageError):
        called(application, *arguments)


def test_a_revert_needs_somewhere_to_be_proposed(application: Application) -> None:
    """And is refused before anything is taken back."""
    record(application, ReleaseStatus.PUBLISHED)
    with pytest.raises(RefusedError, match="nowhere to open a pull request"):
        called(application, "1.0.0", "--reason", "broken", "--revert")
    with application.store.begin() as tx:
        assert [release.status for release in RELEASES.where(tx)] == [ReleaseStatus.PUBLISHED]


def test_a_release_that_the_store_does_not_know_is_found_by_its_tag(application: Application) -> None:
    """As on a runner in CI, which begins with an empty store."""
    application.repository.create_tag("v1.0.0", "HEAD", "One", time_us=1_700_000_000_000_000)
    done = called(application, "1.0.0", "--reason", "broken")
    assert done.return_value == 0
    assert "the tag v1.0.0 stays" in done.stdout
    with application.store.begin() as tx:
        (release,) = RELEASES.where(tx)
    assert (release.status, release.tag, release.yank_reason) == (ReleaseStatus.YANKED, "v1.0.0", "broken")
