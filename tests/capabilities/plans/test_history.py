"""Reachability and attribution."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from shipline.capabilities.plans.attribution import Attribution
from shipline.capabilities.plans.history import Graph, Parents, ancestors, brought_by
from shipline.domain.package import Package

# a - b - c - f    and a side branch b - d - e that c's child f merges
PARENTS = {"f": ("c", "e"), "e": ("d",), "d": ("b",), "c": ("b",), "b": ("a",), "a": ()}


def test_ancestors_stop_at_what_is_known_and_at_the_edge() -> None:
    assert ancestors(["e"], PARENTS) == {"e", "d", "b", "a"}
    assert ancestors(["f"], PARENTS, known={"b", "a"}) == {"f", "c", "e", "d"}
    assert ancestors(["elsewhere"], PARENTS) == set()


def graph_of(parents: Parents, log: Iterable[str]) -> Graph:
    """The graph of a history whose log shows the commits in this order; all of them are marked."""
    order = list(log)
    graph = Graph(parents)
    for commit in order:
        graph.add(commit, " ".join(parents[commit]))
    for place, commit in enumerate(order):
        if commit in graph.awaited:
            graph.came(commit, place)
    return graph


@pytest.mark.parametrize("log", ["fecdba", "fcedba", "abcdef", "bfdace"])
def test_a_graph_is_the_same_in_whatever_order_the_log_comes(log: str) -> None:
    graph = graph_of(PARENTS, log)
    for commit, parents in PARENTS.items():
        assert graph[graph.places[commit]] == tuple(graph.places[parent] for parent in parents)


def test_a_graph_keeps_the_ids_of_marked_commits_alone() -> None:
    graph = Graph(["e", "elsewhere"])
    for commit in "fecdba":
        graph.add(commit, " ".join(PARENTS[commit]))
    assert graph.places == {"e": 1}
    assert graph.awaited == frozenset()


@pytest.mark.parametrize("log", ["fecdba", "abcdef"])
def test_a_commit_belongs_to_the_first_release_that_contains_it(log: str) -> None:
    graph = graph_of(PARENTS, log)

    def owners(*releases: str) -> dict[str, int]:
        found = graph.release_of_each([graph.places[release] for release in releases])
        return {commit: found[graph.places[commit]] for commit in PARENTS}

    assert owners("c", "f") == {"a": 0, "b": 0, "c": 0, "d": 1, "e": 1, "f": 1}
    assert owners("e") == {"a": 0, "b": 0, "c": 1, "d": 0, "e": 0, "f": 1}
    assert owners() == dict.fromkeys(PARENTS, 0)


@pytest.mark.parametrize("log", ["hgfedcba", "hgcfebda", "hfgedcba"])
@pytest.mark.parametrize(
    ("merge", "mainline", "expected"), [("g", "c", "gfe"), ("g", "f", "gc"), ("h", "g", "h"), ("f", "e", "f")]
)
def test_a_merge_brought_in_what_its_other_parent_does_not_contain(
    log: str, merge: str, mainline: str, expected: str
) -> None:
    """a-b-c-g-h, and b-e-f beside it, where f has merged a once more. In whatever order."""
    parents = {
        "a": (),
        "b": ("a",),
        "c": ("b",),
        "d": ("a",),
        "e": ("b",),
        "f": ("e", "a"),
        "g": ("c", "f"),
        "h": ("g",),
    }
    assert set(brought_by(parents, merge, mainline, log.index)) == set(expected)


def test_a_deep_history_needs_no_deep_stack() -> None:
    line = {str(number): (str(number - 1),) for number in range(100_000)}
    graph = graph_of(line | {"0": ()}, reversed(line))
    assert len(ancestors(["99999"], line)) == 100_000
    assert set(graph.release_of_each([0])) == {0}


@pytest.mark.parametrize(
    ("paths", "owners"),
    [
        (("packages/a/src/x", "packages/a/y"), {"packages/a"}),
        (("packages/a/inner/x",), {"packages/a/inner"}),
        (("packages/ab/x", "README.md"), set()),
        (("packages/a/x", "packages/b/x"), {"packages/a", "packages/b"}),
        ((), set()),
    ],
)
def test_a_path_belongs_to_the_deepest_package_above_it(paths: tuple[str, ...], owners: set[str]) -> None:
    folders = ["packages/a", "packages/b", "packages/a/inner"]
    assert Attribution(Package(name, name) for name in folders).owners(paths) == owners


def test_the_root_package_owns_what_no_other_does() -> None:
    attribution = Attribution([Package("root"), Package("a", "packages/a")])
    assert attribution.owners(["packages/a/x"]) == {"packages/a"}
    assert attribution.owners(["packages/b/x", "x"]) == {"."}
