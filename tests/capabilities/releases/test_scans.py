"""Scanners that look at a release: their reports are evidence, journalled and bundled as those of tests are."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from shipline.capabilities.evidence import ScanOrder, read_bundle
from shipline.capabilities.releases.queries import evidence_of
from shipline.domain.evidence import EvidenceKind
from shipline.domain.gate import Gate
from shipline.domain.release import ReleaseStatus
from shipline.engine.journal import journal_of, runs_of
from shipline.testing.fakes.command import Ending
from shipline.testing.world import World
from tests.capabilities.releases.release_world import GATES, ReleaseWorld

FINDING = {"code": "DL3008", "level": "warning", "line": 1, "column": 1, "file": "Dockerfile", "message": "pin it"}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[ReleaseWorld]:
    made = ReleaseWorld(World(1, tmp_path), tmp_path, scan=ScanOrder(("hadolint", "zizmor")))
    made.history.commit("feat: a container", {"Dockerfile": "FROM debian\n"})
    made.commands.programs |= {"hadolint": lambda _call: Ending(1, json.dumps([FINDING]))}
    yield made
    made.world.close()


def test_a_scanner_that_found_something_is_evidence(world: ReleaseWorld) -> None:
    """It ends with 1, as a test command may not; the gates judge. One with nothing to look at leaves no evidence."""
    release = world.released()
    assert release.status is ReleaseStatus.PUBLISHED
    with world.world.store.begin() as tx:
        (found,) = [piece for piece in evidence_of(tx, release.id) if piece.kind is EvidenceKind.FINDINGS]
        entries = [one for run in runs_of(tx, f"release:{release.id}") for one in journal_of(tx, run.id)]
    assert (found.tool, found.summary["total"], found.summary["medium"]) == ("hadolint", 1, 1)
    assert [one.outcome for one in entries if one.step == "scan"] == ["done"]
    (path,) = (world.folder / "releases").rglob("bundle.tar")
    reports = read_bundle(path.read_bytes()).in_folder("reports")
    bundled = json.loads(reports["scan+hadolint.json"])
    assert (bundled["schema"], [item["rule"] for item in bundled["items"]]) == ("shipline.evidence/1", ["DL3008"])
    assert world.commands.calls[-1].arguments == ("--format", "json", "Dockerfile")


def test_gates_judge_what_was_found(world: ReleaseWorld) -> None:
    world.gates = (*GATES, Gate("no findings", "findings.total == 0"))
    assert world.released().status is ReleaseStatus.REFUSED


def test_a_scanner_that_breaks_stops_the_release_until_it_is_mended(world: ReleaseWorld) -> None:
    """So does one that is not there: a release is not published because nobody looked."""
    working = world.commands.programs.pop("hadolint")
    release = world.released()
    assert release.status is ReleaseStatus.STOPPED
    world.commands.programs["hadolint"] = lambda _call: Ending(1, "Segmentation fault")
    world.order()
    world.settle()
    assert world.now(release).status is ReleaseStatus.STOPPED
    world.commands.programs["hadolint"] = working
    world.order()
    world.settle()
    assert world.now(release).status is ReleaseStatus.PUBLISHED
