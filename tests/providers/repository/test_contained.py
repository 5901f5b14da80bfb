"""Which tags a history contains, where the clocks of its commits were wrong."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shipline.providers.repository import contained as module
from shipline.testing.histories import History
from tests.wrong_clocks import Made, import_commits, line

RIGHT, SLOW = 1_000_000, 10
TURNS = 12  # git's own walk bears with a few.


@pytest.fixture
def history(tmp_path: Path) -> History:
    return History(tmp_path / "project")


def clocks(*blocks: int) -> list[int]:
    """The seconds of TURNS commits for each block, each a little later than the one before."""
    return [start + 100 * turn for start in blocks for turn in range(TURNS)]


def named(history: History, *names: str) -> set[str]:
    return {tag.name for tag in history.repository.merged_tags(names=names)}


def test_tags_before_many_commits_of_a_slow_clock_are_contained(history: History) -> None:
    """The list that git itself makes has lost them."""
    import_commits(history, line("c", clocks(RIGHT, SLOW, RIGHT)), tags=("c2", "c9"))
    assert history.repository.surely_merged_tags("HEAD", ("c2", "c9")) == ()
    assert named(history, "c9") == {"c9"}
    assert named(history, "c2", "c9", "missing") == {"c2", "c9"}
    assert [tag.name for tag in history.repository.merged_tags()] == ["c9", "c2"]


def test_versions_of_another_branch_do_not_cost_the_whole_history(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A maintenance branch: many higher versions are elsewhere, and each of them contains the parting."""
    below = line("c", clocks(RIGHT))
    other = line("n", clocks(RIGHT + 5000, RIGHT + 10_000), after="c11")
    own = line("o", clocks(RIGHT + 5000), after="c11")
    tags = [each.name for each in other]
    import_commits(history, [*below, *other, *own], tags=tags)

    def never(*_: object) -> frozenset[str]:
        raise AssertionError("the whole history was read")

    monkeypatch.setattr(module, "history_of", never)
    assert named(history, *tags) == set()


def test_histories_without_a_common_commit_contain_nothing_of_each_other(history: History) -> None:
    import_commits(history, [*line("o", clocks(RIGHT)), *line("c", clocks(RIGHT))], tags=("o3", "c3"))
    assert named(history, "o3") == set()


def test_commits_of_the_release_before_are_not_shown_as_new(history: History) -> None:
    """The release is behind commits of a slow clock, and a branch from before them came in later."""
    below, slow = line("c", clocks(RIGHT)), line("s", clocks(SLOW), after="c11")
    side = line("n", [2 * RIGHT], after="c11")
    ids = import_commits(history, [*below, *slow, *side, Made("m", 3 * RIGHT, ("s11", "n0"))], tags=())
    assert "c0" in history.git("log", "--format=%s", f"{ids['s11']}..main").splitlines()
    for changed_paths in (False, True):
        shown = history.repository.log((ids["s11"],), changed_paths=changed_paths)
        assert [each.message.strip() for each in shown] == ["m", "n0"]


def test_very_many_merged_branches_are_looked_at_at_once(history: History) -> None:
    below = line("c", clocks(RIGHT))
    sides = [Made(f"n{number}", 2 * RIGHT, (f"c{number % 11}",)) for number in range(module.ENDS_MAX + 1)]
    merges = [
        Made(f"m{place}", 3 * RIGHT + place, (f"m{place - 1}" if place else "c11", one.name))
        for place, one in enumerate(sides)
    ]
    ids = import_commits(history, [*below, *sides, *merges], tags=())
    shown = [each.message.strip() for each in history.repository.log((ids["c11"],))]
    assert sorted(shown) == sorted(each.name for each in (*sides, *merges))


@st.composite
def graphs(draw: st.DrawFn) -> tuple[list[Made], list[str]]:
    """Commits in blocks of one clock each, mostly one upon the other, and the tags that stay."""
    blocks = draw(st.lists(st.sampled_from([0, SLOW, RIGHT]), min_size=2, max_size=5))
    made: list[Made] = []
    for place, second in enumerate(clocks(*blocks)):
        back = draw(st.lists(st.integers(1, 9), max_size=1)) if place % 5 == 4 else []
        above = dict.fromkeys(max(place - step, 0) for step in (*draw(st.sampled_from([(1,), (1,), (7,)])), *back))
        made.append(Made(f"c{place}", second, tuple(f"c{each}" for each in above) if place else ()))
    tags = draw(st.lists(st.sampled_from([each.name for each in made]), min_size=1, max_size=6, unique=True))
    return made, tags


@settings(max_examples=25, deadline=None)
@given(graphs())
def test_by_parents_alone(graph: tuple[list[Made], list[str]]) -> None:
    commits, tags = graph
    inside: dict[str, set[str]] = {}
    for each in commits:
        inside[each.name] = {each.name}.union(*(inside[parent] for parent in each.parents))
    with tempfile.TemporaryDirectory() as folder:
        history = History(Path(folder))
        ids = import_commits(history, commits, tags=tags)
        for name in inside[commits[-1].name] & {*tags}:
            shown = {each.message.strip() for each in history.repository.log((ids[name],))}
            assert shown == inside[commits[-1].name] - inside[name]
        expected = inside[commits[-1].name] & set(tags)
        assert {tag.name for tag in history.repository.merged_tags()} == expected
        assert named(history, *tags) == expected
        for name in tags:
            assert named(history, name) == expected & {name}
