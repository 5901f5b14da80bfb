"""Reports taken into the record, on both databases: once, with what they say beside the release before."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from shipline.capabilities.releases import RELEASES, comparisons_of, evidence_of
from shipline.capabilities.releases.ahead import file_ahead, filed_ahead, id_ahead
from shipline.capabilities.releases.stored.keeping import Kept, keep_report
from shipline.capabilities.releases.stored.reading import read_to_keep
from shipline.domain.release import Release, ReleaseStatus
from shipline.store.database import Store
from shipline.store.event_writer import EventWriter
from shipline.testing.fakes.clock import FakeClock, SeededIds

FIRST = Release("rel_1", "quotes", "1.0.0", "v1.0.0", ReleaseStatus.PUBLISHED, 1, 1, commit="a" * 40)
SECOND = replace(FIRST, id="rel_2", version="1.1.0", tag="v1.1.0", created_us=2, previous_version="1.0.0")


def keep(store: Store, folder: Path, release: Release, tests: int) -> Kept:
    path = folder / "junit.xml"
    cases = "".join(f'<testcase classname="m" name="t{number}"/>' for number in range(tests))
    path.write_text(f'<testsuite name="s" tests="{tests}" failures="0" errors="0" skipped="0">{cases}</testsuite>')
    clock = FakeClock()
    with store.begin() as tx:
        RELEASES.save(tx, release)
        return keep_report(tx, EventWriter(SeededIds(tests, clock), clock), release, read_to_keep(path))


def test_a_report_is_compared_with_that_of_the_release_before(store: Store, tmp_path: Path) -> None:
    assert keep(store, tmp_path, FIRST, 5).comparison is None
    kept = keep(store, tmp_path, SECOND, 3)
    assert kept.comparison is not None
    assert kept.comparison.facts == {"tests": {"vanished": 2, "new_failures": 0}}
    assert keep(store, tmp_path, SECOND, 3).is_known
    with store.begin() as tx:
        assert [one.base_version for one in comparisons_of(tx, "rel_2")] == ["1.0.0"]
        assert len(evidence_of(tx, "rel_2")) == 1


def test_a_version_and_a_commit_have_one_id_before_their_release(store: Store) -> None:
    clock = FakeClock()
    ids = SeededIds(1, clock)
    with store.begin() as tx:
        made = [file_ahead(tx, ids, package="quotes", version="1.0.0", commit=each * 40) for each in "aba"]
    with store.begin() as tx:
        assert made[0] == made[2] != made[1]
        assert id_ahead(tx, "quotes", "1.0.0", ("b" * 40, "c" * 40)) == made[1].id
        assert id_ahead(tx, "quotes", "1.0.0", ()) is None
        assert {one.id for one in filed_ahead(tx, "1.0.0")} == {made[0].id, made[1].id}
