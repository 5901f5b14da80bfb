"""Reachability and attribution."""

from __future__ import annotations

import pytest

from shipline.capabilities.plans.attribution import Attribution
from shipline.capabilities.plans.history import ancestors, release_of_each
from shipline.domain.package import Package

# a - b - c - f    and a side branch b - d - e that c's child f merges
PARENTS = {"f": ("c", "e"), "e": ("d",), "d": ("b",), "c": ("b",), "b": ("a",), "a": ()}


def test_ancestors_stop_at_what_is_known_and_at_the_edge() -> None:
    assert ancestors(["e"], PARENTS) == {"e", "d", "b", "a"}
    assert ancestors(["f"], PARENTS, known={"b", "a"}) == {"f", "c", "e", "d"}
    assert ancestors(["elsewhere"], PARENTS) == set()


def test_a_commit_belongs_to_the_first_release_that_contains_it() -> None:
    assert release_of_each(PARENTS, ["c", "f"]) == {"a": 0, "b": 0, "c": 0, "d": 1, "e": 1, "f": 1}
    assert release_of_each(PARENTS, ["e"]) == {"a": 0, "b": 0, "d": 0, "e": 0}


def test_a_deep_history_needs_no_deep_stack() -> None:
    line = {str(number): (str(number - 1),) for number in range(100_000)}
    assert len(ancestors(["99999"], line)) == len(release_of_each(line, ["99999"])) == 100_000


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
