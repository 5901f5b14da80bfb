"""Which packages a commit is about."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipline.capabilities.plans.attribution import Attribution
from shipline.capabilities.plans.history import ancestors, contained_in
from shipline.capabilities.plans.monorepo import owners_of
from shipline.domain.package import Package
from shipline.ports.repository import Commit

PACKAGES = [Package("@s/core", "packages/core"), Package("app", "apps/app"), Package("inner", "apps/app/inner")]


def commit(message: str, *paths: str) -> Commit:
    return Commit("c" * 40, (), "Ann", "ann@example.com", 0, message, paths)


@pytest.mark.parametrize(
    ("message", "paths", "owners"),
    [
        ("fix: x", ("packages/core/a",), {"packages/core"}),
        ("fix(app): x", ("packages/core/a",), {"packages/core"}),
        ("fix(core): x", (), {"packages/core"}),
        ("fix(@s/core): x", ("README.md",), {"packages/core"}),
        ("fix(core, app)!: x", ("docs/a",), {"packages/core", "apps/app"}),
        ("fix(other): x", ("README.md",), set()),
        ("fix: x", ("apps/app/inner/a/b",), {"apps/app/inner"}),
        ("not conventional", (), set()),
    ],
)
def test_paths_decide_and_else_the_scope(message: str, paths: tuple[str, ...], owners: set[str]) -> None:
    assert owners_of(Attribution(PACKAGES), commit(message, *paths)) == owners


def test_files_at_the_top_are_its_own_package_unless_the_scope_names_another() -> None:
    attribution = Attribution([Package("root"), *PACKAGES])
    assert owners_of(attribution, commit("fix: x", "a.txt")) == {"."}
    assert owners_of(attribution, commit("fix(app): x", "a.txt")) == {"apps/app"}
    assert owners_of(attribution, commit("fix(app): x", "src/a.txt")) == {"."}


def test_a_name_of_two_packages_names_none() -> None:
    attribution = Attribution([Package("@a/core", "a/core"), Package("@b/core", "b/core")])
    assert attribution.named("core") == set()
    assert attribution.named("@a/core") == {"a/core"}


def test_paths_are_added_and_taken_away() -> None:
    core = Package("core", "packages/core", include=("shared/**",), exclude=("**/test/**", "packages/core/*.md"))
    attribution = Attribution([core, Package("app", "packages/app")])
    assert attribution.owners(["shared/a/b", "packages/app/x"]) == {"packages/core", "packages/app"}
    assert attribution.owners(["packages/core/test/a", "packages/core/a.md", "other/a"]) == set()
    assert attribution.owners(["packages/core/a"]) == {"packages/core"}


@st.composite
def histories(draw: st.DrawFn) -> dict[str, tuple[str, ...]]:
    """Any graph, in any order: clocks may be wrong."""
    count = draw(st.integers(1, 12))
    parents = {
        str(number): tuple({str(draw(st.integers(0, number - 1))) for _ in range(draw(st.integers(0, 2)))})
        if number
        else ()
        for number in range(count)
    }
    order = draw(st.permutations(sorted(parents)))
    return {each: parents[each] for each in order}


@given(histories(), st.data())
def test_one_pass_finds_what_each_release_contains(parents: dict[str, tuple[str, ...]], data: st.DataObject) -> None:
    releases = data.draw(st.lists(st.sampled_from(sorted(parents)), max_size=4))
    masks = contained_in(parents, releases)
    for index, release in enumerate(releases):
        contained = {commit for commit, mask in masks.items() if mask & 1 << index and commit in parents}
        assert contained == ancestors([release], parents)
