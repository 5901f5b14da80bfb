"""kill -9 to the very process, at every point where a tick can die: the outcome is that of a run nobody disturbed."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.children import Child, Nursery, family, run_to_the_end

CHILD = Path(__file__).with_name("child.py")
# The last step refuses: the run goes forward through every step, then back through every undo.
GIVEN = json.dumps({"trouble": "polish"})
SAMPLES = 4


class Stage:
    """One database and one wall after the other, each for a run of its own; the same tests serve both databases."""

    def __init__(self, start: Callable[..., Child], url: str, folder: Path) -> None:
        self.start = start
        self.url = url
        self.folder = folder
        self.plays = 0

    def play(self, fatal: int | None) -> tuple[dict[str, Any], int]:
        """A whole run whose first process dies at point `fatal`; what became of it, and how often it was killed."""
        self.plays += 1
        wall = self.folder / f"wall-{self.plays}"
        common = ("--url", self.url, "--wall", str(wall))
        starter = self.start("start", *common, "--given", GIVEN)
        assert starter.wait() == 0, starter.errors.read_text()
        run = starter.said()[0]["run"]

        def next_process(deaths: int) -> Child:
            fatally = ("--fatal", str(fatal)) if deaths == 0 and fatal is not None else ()
            return self.start("run", *common, "--run", run, *fatally)

        last, deaths = run_to_the_end(next_process)
        return last.said()[-1] | {"wall": [json.loads(line)["key"] for line in wall.read_text().splitlines()]}, deaths


# What a kill must not change: the run's end and its results, the effects, the events and the steps' outcomes, in order.
KEPT = ("status", "results", "wall", "events", "done")


def walk(stage: Stage, choose: Callable[[int], list[int]]) -> int:
    """Die at the chosen points, one run each; returns how many were walked."""
    expected, deaths = stage.play(None)
    assert deaths == 0
    assert expected["status"] == "undone"
    assert expected["wall"] == ["sand", "coat", "un-polish", "un-coat", "un-sand", "sweep"]
    chosen = choose(len(expected["passed"]))
    for fatal in chosen:
        result, deaths = stage.play(fatal)
        where = f"killed at {expected['passed'][fatal - 1]} ({fatal})"
        assert deaths == 1, where
        assert {key: result[key] for key in KEPT} == {key: expected[key] for key in KEPT}, where
    return len(chosen)


def spread(points: int) -> list[int]:
    """Some points over the whole run, the first and the last among them."""
    return sorted({1 + round(place * (points - 1) / (SAMPLES - 1)) for place in range(SAMPLES)})


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    with contextlib.closing(Nursery(CHILD)) as made:
        yield made


def test_a_sample_of_real_kills_changes_nothing(store_url: str, tmp_path: Path, nursery: Nursery) -> None:
    with family(nursery, tmp_path) as start:
        assert walk(Stage(start, store_url, tmp_path), spread) == SAMPLES


@pytest.mark.kill
@pytest.mark.timeout(1200)
def test_real_kills_at_every_point_change_nothing(
    store_url: str, tmp_path: Path, nursery: Nursery, capsys: pytest.CaptureFixture[str]
) -> None:
    with family(nursery, tmp_path) as start:
        walked = walk(Stage(start, store_url, tmp_path), lambda points: list(range(1, points + 1)))
    with capsys.disabled():
        print(f"\n{store_url.partition(':')[0]}: killed for real at {walked} of {walked} points, same outcome")  # noqa: T201 - the count is what this walk is for
