"""Reports from outside: counted for the release that they are about, whole or not at all, and compared."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from shipline.capabilities.releases import (
    GivenReport,
    Receipt,
    Subject,
    comparisons_of,
    evidence_of,
    receipt_document,
    receive_reports,
)
from shipline.capabilities.releases.judging import verdicts_of_stage
from shipline.domain.errors import RefusedError, ShiplineError, UnknownName, UsageError
from shipline.domain.gate import Gate
from shipline.domain.release import ReleaseStatus
from shipline.domain.verdict import Answer
from shipline.testing.world import World
from tests.capabilities.events import bodies, check_positions, kinds
from tests.capabilities.releases.release_world import GATES, PERSON, ReleaseWorld

NO_HIGH = Gate("no high findings", "findings.high == 0")


@pytest.fixture
def project(tmp_path: Path, sqlite_url: str) -> Iterator[ReleaseWorld]:
    """A package with one feature, never released."""
    world = World(3, tmp_path, url=sqlite_url)
    made = ReleaseWorld(world, tmp_path)
    yield made
    check_positions(world.store)
    world.close()


def sarif(folder: Path, levels: Sequence[str], name: str = "scan.sarif") -> GivenReport:
    """A report with one finding of each of these levels; the first is the same finding in all reports."""
    results = [
        {"ruleId": f"R{number}", "level": level, "message": {"text": "m"}} for number, level in enumerate(levels)
    ]
    path = folder / name
    path.write_text(json.dumps({"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "t"}}, "results": results}]}))
    return GivenReport(path, name)


def junit(folder: Path, tests: int, name: str = "more.xml") -> GivenReport:
    path = folder / name
    cases = "".join(f'<testcase classname="m" name="t{number}"/>' for number in range(tests))
    path.write_text(f'<testsuite name="more" tests="{tests}" failures="0" errors="0" skipped="0">{cases}</testsuite>')
    return GivenReport(path, name)


def give(project: ReleaseWorld, *reports: GivenReport, version: str = "0.1.0", commit: str | None = None) -> Receipt:
    subject = Subject(version, commit=commit)
    return receive_reports(project.ground(project.world.store), project.engine, subject, reports, PERSON)


def facts_of_findings(project: ReleaseWorld, receipt: Receipt) -> dict[str, object]:
    release = project.now(receipt.about)  # type: ignore[arg-type]  # all have begun by now
    gate = Gate("all", "findings.high + findings.low + findings.total >= 0")
    ground = replace(project.ground(project.world.store), gates=(gate,))
    (verdict,) = verdicts_of_stage(ground, release, "release", 0)
    return dict(verdict.facts)


def test_a_name_that_is_no_text_is_told_and_a_pipe_is_waited_for_by_nobody(
    project: ReleaseWorld, tmp_path: Path
) -> None:
    """Names of files are bytes on Linux, a database takes text; to open a pipe is to wait for a writer."""
    project.released()
    named = tmp_path / os.fsdecode(b"scan\xff.sarif")
    named.write_bytes(sarif(tmp_path, ["error"]).path.read_bytes())
    os.mkfifo(tmp_path / "pipe")
    given = [GivenReport(path, str(path)) for path in (named, tmp_path / "pipe")]
    kept, refused = give(project, *given).files
    assert kept.kept is not None
    assert kept.kept.piece.name == "scan?.sarif"
    assert "no plain file" in str(refused.refused)


def test_what_came_for_its_commit_counts_for_the_release_and_is_in_its_history(
    project: ReleaseWorld, tmp_path: Path
) -> None:
    """Before the release has begun, and under the id that it has then."""
    project.gates = (*GATES, NO_HIGH)
    head = project.history.git("rev-parse", "HEAD")
    receipt = give(project, sarif(tmp_path, ["note"]), commit=head)
    assert receipt_document(receipt)["released"] is False
    release = project.released()
    assert (release.id, release.status) == (receipt.about.id, ReleaseStatus.PUBLISHED)
    assert kinds(project.world.store, f"release:{release.id}")[:2] == ["EvidenceRecorded", "ReleaseStarted"]


def test_what_came_for_another_commit_does_not_count(project: ReleaseWorld, tmp_path: Path) -> None:
    """The missing evidence keeps the gate shut."""
    project.gates = (*GATES, NO_HIGH)
    receipt = give(project, sarif(tmp_path, ["note"]), commit="a" * 40)
    release = project.released()
    assert release.id != receipt.about.id
    assert release.status is ReleaseStatus.REFUSED


def test_a_file_is_kept_whole_or_not_at_all_and_once(project: ReleaseWorld, tmp_path: Path) -> None:
    """The others are kept, and the receipt says which."""
    release = project.released()
    cut = tmp_path / "cut.sarif"
    cut.write_text(sarif(tmp_path, ["note"] * 3).path.read_text()[:-20])
    receipt = give(project, GivenReport(cut, "cut.sarif"), sarif(tmp_path, ["error", "note"]))
    assert [file.status for file in receipt.files] == ["refused", "stored"]
    document = receipt_document(receipt)
    assert "is not JSON" in document["files"][0]["what"]
    assert document["files"][1]["summary"]["total"] == document["files"][1]["findings_new"] == 2
    again = give(project, sarif(tmp_path, ["error", "note"]))
    assert [file.status for file in again.files] == ["known"]
    told = [body for body in bodies(project.world.store, "EvidenceRecorded") if body.get("name") == "scan.sarif"]
    assert len(told) == 1
    with project.world.store.begin() as tx:
        (piece,) = [one for one in evidence_of(tx, release.id) if one.kind.value == "findings"]
    assert (piece.rows, piece.name) == (2, "scan.sarif")


def test_two_reports_with_the_same_finding_count_it_once(project: ReleaseWorld, tmp_path: Path) -> None:
    project.released()
    give(project, sarif(tmp_path, ["error"]))
    receipt = give(project, sarif(tmp_path, ["error", "note"], "more.sarif"))
    assert facts_of_findings(project, receipt) == {"findings.high": 1, "findings.low": 1, "findings.total": 2}


def test_tests_that_vanished_since_the_release_before_are_counted(project: ReleaseWorld, tmp_path: Path) -> None:
    """Over all of a release's reports: that one of them is given under another name makes nothing vanish."""
    project.released()
    give(project, junit(tmp_path, 5))
    project.commit("feat: say more")
    second = project.released()
    with project.world.store.begin() as tx:
        (compared,) = comparisons_of(tx, second.id)
    assert (compared.base_version, compared.facts) == ("0.1.0", {"tests": {"vanished": 5, "new_failures": 0}})
    receipt = give(project, junit(tmp_path, 4, "other.xml"), version="0.2.0")
    assert receipt_document(receipt)["files"][0]["compared"]["facts"]["tests"]["vanished"] == 1
    with project.world.store.begin() as tx:
        (compared,) = comparisons_of(tx, second.id)
    assert compared.facts["tests"]["vanished"] == 1


def test_a_refused_release_goes_on_when_what_was_missing_comes(project: ReleaseWorld, tmp_path: Path) -> None:
    project.gates = (*GATES, NO_HIGH)
    release = project.released()
    assert release.status is ReleaseStatus.REFUSED
    still_closed = give(project, sarif(tmp_path, ["error"]))
    assert still_closed.reevaluated is not None
    assert not still_closed.reevaluated.goes_on
    (stage,) = still_closed.reevaluated.stages
    assert stage.changed == ("no high findings",)
    receipt = give(project, sarif(tmp_path, ["note"], "mended.sarif"))
    assert receipt.reevaluated is not None
    assert receipt.reevaluated.goes_on
    project.settle()
    assert project.now(release).status is ReleaseStatus.PUBLISHED


def test_a_published_release_is_judged_anew_and_stays_published(project: ReleaseWorld, tmp_path: Path) -> None:
    project.gates = (*GATES, Gate("known findings", "findings.high == 0", when="findings.total > 0"))
    receipt = give(project, sarif(tmp_path, ["note"]), commit=project.history.git("rev-parse", "HEAD"))
    release = project.released()
    assert release.status is ReleaseStatus.PUBLISHED
    receipt = give(project, sarif(tmp_path, ["error"], "later.sarif"))
    assert receipt.reevaluated is not None
    answers = {each.gate: each.answer for each in receipt.reevaluated.stages[0].verdicts}
    assert answers["known findings"] is Answer.FAIL
    assert project.now(release).status is ReleaseStatus.PUBLISHED


@pytest.mark.parametrize(
    ("subject", "error", "words"),
    [
        (Subject("1.0 0", commit="a" * 40), UnknownName, "no release"),
        (Subject("nonsense", commit="a" * 40), UnknownName, "can be released as"),
        (Subject("v9.0.0", commit="a" * 40), UnknownName, "v9.0.0"),
        (Subject("9.0.0"), UsageError, "which commit"),
        (Subject("9.0.0", commit="HEAD"), UsageError, "which commit"),
        (Subject("9.0.0", "other", "a" * 40), ShiplineError, "other"),
    ],
)
def test_what_it_is_about_must_be_known(
    project: ReleaseWorld, subject: Subject, error: type[ShiplineError], words: str
) -> None:
    with pytest.raises(error, match=words):
        receive_reports(project.ground(project.world.store), project.engine, subject, (), PERSON)


def test_nothing_is_about_a_release_that_has_no_commit_yet(project: ReleaseWorld, tmp_path: Path) -> None:
    """It may come to nothing and begin anew on other commits."""
    project.order()
    with pytest.raises(RefusedError, match="has no commit yet"):
        give(project, sarif(tmp_path, ["note"]))
