"""What has begun and is not out is read beside an open store, and what is no store says nothing."""

from __future__ import annotations

from pathlib import Path

from shipline.domain.release import Release, ReleaseStatus
from shipline.store.database import Store
from shipline.store.rows import Rows
from shipline.store.unfinished import WAITING, unfinished_releases


def test_the_newest_release_of_each_package_decides(sqlite_url: str) -> None:
    store = Store(sqlite_url).open()
    rows = (
        ("a", "1.0.0", ReleaseStatus.STOPPED),
        ("a", "1.1.0", ReleaseStatus.PUBLISHED),
        ("b", "1.0.0", ReleaseStatus.PUBLISHED),
        ("b", "1.1.0", ReleaseStatus.REFUSED),
        ("c", "1.0.0", ReleaseStatus.YANKED),
    )
    with store.begin() as tx:
        for number, (package, version, status) in enumerate(rows):
            found = Release(f"rel_{number}", package, version, f"v{version}", status, 1, number)
            Rows("release", Release).save(tx, found)
    assert store.path is not None
    assert unfinished_releases(store.path) == {"b": ("1.1.0", "refused")}
    store.close()


def test_the_states_are_those_of_a_release_that_is_not_out() -> None:
    ended = {ReleaseStatus.PUBLISHED, ReleaseStatus.YANKED}
    assert {*WAITING} == {status.value for status in ReleaseStatus if status not in ended}


def test_what_is_no_store_says_nothing(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no database")
    assert unfinished_releases(tmp_path / "text") == unfinished_releases(tmp_path / "gone") == {}
