"""kill -9 to the very process, during a release and during rollouts: the outcome is that of one nobody disturbed."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.children import Child, Nursery, family, run_to_the_end

CHILD = Path(__file__).with_name("child.py")
FIRST = ["RolloutStarted", "DeploymentBegan", "DeploymentFinished", "RolloutPromoted"]
EXPECTED: dict[str, dict[str, Any]] = {
    "release": {
        "status": "published",
        "attempt": 1,
        "tag is the commit": True,
        "commits": ["chore(release): quotes 0.1.0", "feat: say something", "chore: begin"],
        "dirty": "",
        "uploads": ["quotes-0.1.0-py3-none-any.whl", "quotes-0.1.0.tar.gz"],
        "mirrored": ["quotes-0.1.0-py3-none-any.whl", "quotes-0.1.0.tar.gz"],
        "served is built": True,
        "evidence": ["provenance", "tests"],
        "events": [
            *("ReleaseStarted", "ReleaseTagged", "ArtifactsBuilt", "EvidenceRecorded", "EvidenceRecorded"),
            *("GateDecided", "GateDecided", "ReleaseSigned", "ArtifactsPublished", "ArtifactsPublished"),
            *("ReleasePublished", "EvidenceBundled"),
        ],
        "breaches": [],
    },
    "yanked": {
        "status": "yanked",
        "yanks": ["git mark", "index", "mirror", "git tags"],
        "yanked": [True] * 4,
        "events": ["ReleaseYanked", *["PlaceYanked"] * 4],
        "breaches": [],
    },
    "promoted": {
        "status": "promoted",
        "serving": {"1.1.0": 1.0},
        "alive": ["1.1.0"],
        "routes": ["1.1.0"],
        "deployments": [["1.0.0", False, False, False], ["1.1.0", False, True, False]],
        "events": [
            *FIRST,
            *("RolloutStarted", "DeploymentBegan", "DeploymentEnded", "DeploymentFinished", "RolloutPromoted"),
        ],
        "incidents": [],
        "events of incidents": [],
        "breaches": [],
    },
    "rolled-back": {
        "status": "rolled_back",
        "serving": {"1.0.0": 1.0},
        "alive": ["1.0.0"],
        "routes": ["1.0.0"],
        "deployments": [["1.0.0", False, True, False], ["1.1.0", True, False, True]],
        "events": [*FIRST, "RolloutStarted", "DeploymentBegan", "RollbackBegan", "RolloutRolledBack"],
        "incidents": ["resolved"],
        "events of incidents": ["IncidentOpened", "IncidentResolved"],
        "breaches": [],
    },
}


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    with contextlib.closing(Nursery(CHILD)) as made:
        yield made


def live(nursery: Nursery, story: str, url: str, folder: Path, fatal: tuple[int, ...]) -> int:
    """One life: its processes die at these points of theirs in turn, the last ends it; returns how many died."""
    folder.mkdir()
    with family(nursery, folder) as start:

        def next_process(deaths: int) -> Child:
            fatally = ("--fatal", str(fatal[deaths])) if deaths < len(fatal) else ()
            return start(story, "--url", url, "--folder", str(folder), *fatally)

        last, deaths = run_to_the_end(next_process)
        assert last.said()[-1]["outcome"] == EXPECTED[story], f"{story}, killed at points {fatal[:deaths]}"
    shutil.rmtree(folder)
    return deaths


@pytest.mark.parametrize(
    ("story", "fatal"),
    [("release", (20, 16, 30)), ("yanked", (3, 7, 2)), ("promoted", (25, 40, 9)), ("rolled-back", (40, 12, 10))],
)
def test_three_kills_in_one_life_change_nothing(
    nursery: Nursery, sqlite_url: str, tmp_path: Path, story: str, fatal: tuple[int, ...]
) -> None:
    """Nine points on SQLite."""
    assert live(nursery, story, sqlite_url, tmp_path / "life", fatal) == len(fatal)


@pytest.mark.parametrize(("story", "fatal"), [("release", (37, 20)), ("rolled-back", (45, 17))])
def test_on_postgresql_kills_change_nothing_either(
    nursery: Nursery, postgresql_url: str, tmp_path: Path, story: str, fatal: tuple[int, ...]
) -> None:
    """Four points; a new process takes over what the dead one held once its heartbeat has stood still."""
    assert live(nursery, story, postgresql_url, tmp_path / "life", fatal) == len(fatal)


@pytest.fixture(params=["sqlite", "postgresql"])
def fresh_urls(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A new database for each life."""
    return _sqlite_urls(request, tmp_path) if request.param == "sqlite" else _postgresql_urls(request)


def _sqlite_urls(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    template: Path = request.getfixturevalue("sqlite_template")
    while True:
        (tmp_path / "store.db").unlink(missing_ok=True)
        for leftover in tmp_path.glob("store.db*"):
            leftover.unlink()
        (tmp_path / "store.db").write_bytes(template.read_bytes())
        yield f"sqlite:///{tmp_path / 'store.db'}"


def _postgresql_urls(request: pytest.FixtureRequest) -> Iterator[str]:
    server, template = request.getfixturevalue("postgresql"), request.getfixturevalue("postgresql_template")
    while True:
        name = server.create_database(template)
        yield server.url(name)
        server.drop_database(name)


@pytest.mark.kill
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("story", list(EXPECTED))
def test_a_kill_at_every_point_changes_nothing(
    nursery: Nursery, fresh_urls: Iterator[str], tmp_path: Path, story: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """One life a point, until a life has no such point any more."""
    walked = 0
    for url in fresh_urls:
        if live(nursery, story, url, tmp_path / f"life-{walked + 1}", (walked + 1,)) == 0:
            break
        walked += 1
    assert walked > (20 if story == "yanked" else 50), "so few points: the walk has not begun where it should"
    with capsys.disabled():
        print(f"\n{story}: killed for real at {walked} of {walked} points, same outcome")  # noqa: T201 - the count is what this walk is for
