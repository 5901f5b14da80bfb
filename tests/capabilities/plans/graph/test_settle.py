"""Releases that follow releases: what must hold of every graph, and the cases that people meet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipline.capabilities.plans import rules
from shipline.capabilities.plans.graph import Edge, Member, components, settle
from shipline.capabilities.plans.graph.ranges import fits, raised
from shipline.capabilities.plans.packages import Requirement
from shipline.capabilities.plans.rules import Lineage
from shipline.capabilities.plans.tags import Released
from shipline.capabilities.plans.versions import scheme_named
from shipline.domain.change import Bump, Change
from shipline.domain.errors import ConfigurationError
from shipline.domain.package import Group, Package
from shipline.domain.release_plan import PackagePlan
from shipline.ports.repository import Tag

KINDS = {Bump.MAJOR: "feat", Bump.MINOR: "feat", Bump.PATCH: "fix", Bump.NONE: "docs"}
RANGES = ("^1.0.0", "~1.0.0", "1.0.0", ">=1.0.0", "workspace:^", "workspace:*", "workspace:~1.0.0", "*", "1.x || 2.x")


@dataclass
class Repository:
    """Packages at 1.0.0 with a change each, and what they require of each other."""

    bumps: dict[str, Bump] = field(default_factory=dict)
    edges: list[Edge] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)
    schemes: dict[str, str] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)

    def package(self, name: str, bump: Bump = Bump.NONE, *, scheme: str = "semver", version: str = "1.0.0") -> None:
        self.bumps[name], self.schemes[name], self.versions[name] = bump, scheme, version

    def require(  # noqa: PLR0913 - each is named where it is given
        self,
        dependent: str,
        dependency: str,
        wanted: str,
        *,
        dialect: str = "npm",
        peer: bool = False,
        development: bool = False,
    ) -> None:
        path = f"{dependent}/package.json"
        requirement = Requirement(dependency, wanted, dialect, path, peer, development)  # type: ignore[arg-type]
        self.edges.append(Edge(dependent, dependency, requirement))

    def member(self, name: str) -> Member:
        version = scheme_named(self.schemes[name]).parse(self.versions[name])
        assert version is not None
        package = Package(name, name, scheme=self.schemes[name], tag_format="{package}@{version}")
        lineage = Lineage(package, (Released(version, Tag(package.tag(version.text), "c" * 40, 0)),))
        bump = self.bumps[name]
        own = () if bump is Bump.NONE else (change_of(name, bump),)
        return Member(package, partial(planned, lineage, own), lineage.released)

    def settled(self, order: Sequence[str] | None = None) -> dict[str, PackagePlan]:
        plans = settle([self.member(name) for name in order or self.bumps], self.edges, self.groups)
        return {plan.name: plan for plan in plans}


def change_of(name: str, bump: Bump) -> Change:
    return Change(f"{name:0>40}", KINDS[bump], "something", "Ann", 0, breaking=bump is Bump.MAJOR)


def planned(lineage: Lineage, own: Sequence[Change], more: Sequence[Change]) -> PackagePlan:
    return rules.plan_package(lineage, [*more, *own], channel="stable")


@st.composite
def repositories(draw: st.DrawFn) -> Repository:
    made = Repository()
    names = [f"p{number}" for number in range(draw(st.integers(1, 7)))]
    for name in names:
        made.package(name, draw(st.sampled_from(list(Bump))))
    pairs = st.tuples(st.sampled_from(names), st.sampled_from(names), st.sampled_from(RANGES))
    for dependent, dependency, wanted in draw(st.lists(pairs, max_size=12)):
        if dependent != dependency:
            made.require(dependent, dependency, wanted)
    grouped = draw(st.lists(st.sampled_from(names), unique=True, max_size=4))
    if grouped:
        made.groups.append(Group("g", tuple(grouped), fixed=draw(st.booleans())))
    return made


def key(text: str | None) -> tuple[int, ...]:
    return tuple(int(part) for part in str(text).split("."))


@given(repositories())
def test_no_range_is_left_behind_and_nobody_moves_without_a_reason(repository: Repository) -> None:
    """The end is a fixpoint: whoever requires a released version takes it, as it is or by an edit."""
    plans = repository.settled()
    for edge in repository.edges:
        other, plan = plans[edge.dependency], plans[edge.dependent]
        edited = {edit.before: edit.after for edit in plan.requirements if edit.package == edge.dependency}
        if other.releasable and fits(edge.requirement, str(other.next), current="1.0.0") is False:
            assert plan.releasable
            now = replace(edge.requirement, range=edited[edge.requirement.range])
            assert fits(now, str(other.next), current=other.next) is True
    grouped = {name for group in repository.groups for name in group.packages if group.fixed}
    for name, plan in plans.items():
        if plan.releasable and repository.bumps[name] is Bump.NONE and name not in grouped:
            assert any(edit.broken for edit in plan.requirements)


@given(repositories())
def test_no_bump_is_lowered_and_followers_move_by_a_patch(repository: Repository) -> None:
    alone = {name: repository.member(name).plan_with(()) for name in repository.bumps}
    grouped = {name for group in repository.groups for name in group.packages}
    for name, plan in repository.settled().items():
        assert key(plan.next) >= key(alone[name].next)
        if not alone[name].releasable and plan.releasable and name not in grouped:
            assert (plan.bump, plan.next) == (Bump.PATCH, "1.0.1")
        if alone[name].releasable and name not in grouped:
            assert plan.next == alone[name].next


@given(repositories())
def test_dependencies_come_first(repository: Repository) -> None:
    order = list(repository.settled())
    circles = {name: found for found in components(list(repository.bumps), repository.edges) for name in found}
    for edge in repository.edges:
        if circles[edge.dependent] != circles[edge.dependency]:
            assert order.index(edge.dependency) < order.index(edge.dependent)


@given(repositories(), st.randoms())
def test_the_order_in_which_packages_are_found_decides_nothing(repository: Repository, random: object) -> None:
    names = list(repository.bumps)
    random.shuffle(names)  # type: ignore[attr-defined]
    again = repository.settled(names)
    assert {name: (plan.next, plan.bump) for name, plan in repository.settled().items()} == {
        name: (plan.next, plan.bump) for name, plan in again.items()
    }


@given(repositories())
def test_groups_have_one_version(repository: Repository) -> None:
    plans = repository.settled()
    for group in repository.groups:
        some = [plans[name] for name in group.packages]
        moving = [plan for plan in some if plan.releasable]
        assert len({plan.next for plan in moving}) <= 1
        if group.fixed:
            assert len(moving) in {0, len(some)}


def test_only_what_is_left_is_followed() -> None:
    repository = Repository()
    repository.package("core", Bump.MINOR)
    for name, wanted in [("caret", "^1.0.0"), ("tilde", "~1.0.0"), ("address", "git+https://example.com/core.git")]:
        repository.package(name)
        repository.require(name, "core", wanted)
    plans = repository.settled()
    assert {name: plan.next for name, plan in plans.items() if plan.releasable} == {"core": "1.1.0", "tilde": "1.0.1"}
    (edit,) = plans["tilde"].requirements
    assert (edit.path, edit.before, edit.after) == ("tilde/package.json", "~1.0.0", "~1.1.0")
    assert [change.description for change in plans["tilde"].changes] == ["require core 1.1.0"]


def test_a_peer_that_is_left_means_a_patch_and_no_more() -> None:
    repository = Repository()
    repository.package("core", Bump.MAJOR)
    repository.package("plugin")
    repository.require("plugin", "core", "^1.0.0", peer=True)
    plan = repository.settled()["plugin"]
    assert (plan.next, plan.requirements[0].after, plan.requirements[0].peer) == ("1.0.1", "^2.0.0", True)


# What is required for development, what is required of users beside it ("" for nothing), and the bump of the required
# package. Then what becomes of the former in that one's release, and whether the dependent moves.
DEVELOPMENT = [
    ("^1.0.0", "", Bump.MAJOR, "^2.0.0", False),
    ("^1.0.0", "", Bump.MINOR, None, False),
    ("^0.9.0", "", Bump.MAJOR, None, False),
    ("workspace:*", "", Bump.MAJOR, None, False),
    ("~1.0.0", ">=1.0.0", Bump.MINOR, "~1.1.0", False),
    ("~1.0.0", "^1.0.0", Bump.MAJOR, "~2.0.0", True),
    ("^1.0.0", "^1.0.0", Bump.MAJOR, None, True),
]


@pytest.mark.parametrize(("wanted", "published", "bump", "after", "moves"), DEVELOPMENT)
def test_what_is_required_for_development_moves_nobody(
    wanted: str, published: str, bump: Bump, after: str | None, *, moves: bool
) -> None:
    """The range goes with the release of what it is about; one that is published too goes with the dependent's own."""
    repository = Repository()
    repository.package("core", bump)
    repository.package("app")
    repository.require("app", "core", wanted, development=True)
    if published:
        repository.require("app", "core", published)
    plans = repository.settled()
    assert plans["app"].releasable is moves
    edits = plans["core"].requirements
    assert [(edit.path, edit.after, edit.development) for edit in edits] == [
        ("app/package.json", each, True) for each in (after,) if each is not None
    ]


def test_development_makes_no_circle_and_no_order() -> None:
    """A library is tested with what is made of it, and is released before it."""
    repository = Repository()
    for name in ("app", "core"):
        repository.package(name, Bump.MAJOR)
    repository.require("app", "core", "^1.0.0")
    repository.require("core", "app", "^1.0.0", development=True)
    plans = repository.settled()
    assert list(plans) == ["core", "app"]
    assert [edit.path for edit in plans["app"].requirements] == ["app/package.json", "core/package.json"]


def test_a_chain_is_followed_to_its_end() -> None:
    repository = Repository()
    repository.package("p0", Bump.MAJOR)
    for number in range(1, 300):
        repository.package(f"p{number}")
        repository.require(f"p{number}", f"p{number - 1}", "1.0.0")
    assert [plan.next for plan in repository.settled().values()] == ["2.0.0", *["1.0.1"] * 299]


def test_what_was_left_before_is_not_followed() -> None:
    """Somebody chose to stay on the old versions of it, which the registry has."""
    repository = Repository()
    repository.package("core", Bump.MAJOR, version="3.0.0")
    repository.package("old")
    repository.require("old", "core", "^1.0.0")
    assert not repository.settled()["old"].releasable


def test_a_release_that_was_cut_off_is_followed_later() -> None:
    """The other package is at 2.0.0 already, since a day: the range was right when the dependent was last released."""
    repository = Repository()
    repository.package("core", version="2.0.0")
    repository.package("app")
    repository.require("app", "core", "^1.0.0")
    core, app = repository.member("core"), repository.member("app")
    first = scheme_named("semver").parse("1.0.0")
    assert first is not None
    later = replace(core.released[0], tag=Tag("core@2.0.0", "d" * 40, 86_400_000_000))
    core = replace(core, released=(Released(first, Tag("core@1.0.0", "c" * 40, 0)), later))
    plans = settle([core, app], repository.edges, ())
    assert [(plan.next, plan.releasable) for plan in plans] == [("2.0.0", False), ("1.0.1", True)]


def test_schemes_may_differ_in_one_graph() -> None:
    repository = Repository()
    repository.package("library", Bump.MAJOR, scheme="pep440", version="1!1.0.0")
    repository.package("service", scheme="pep440", version="2.0")
    repository.require("service", "library", "~=1!1.0", dialect="pep440")
    repository.package("chart")
    repository.require("chart", "service", "~2.0.0", dialect="helm")
    plans = repository.settled()
    assert [plan.next for plan in plans.values()] == ["1!2.0.0", "2.0.1", "1.0.0"]
    assert plans["service"].requirements[0].after == "~=1!2.0.0"


@pytest.mark.parametrize(
    ("before", "version", "after"),
    [
        (">=1,<2", "2.0.0", ">=2.0.0,<3"),
        (">= 1.2, < 2.0", "2.0.0", ">=2.0.0, <3.0"),
        ("<2.0.0,>1", "3.1.4", ">=3.1.4,<4.0.0"),
        (">=0.1,<0.2", "0.2.0", ">=0.2.0,<0.3"),
        (">=0.1,<0.2", "1.0.0", ">=1.0.0,<1.1"),
        (">=0.9,<1", "1.0.0", ">=1.0.0,<2"),
        (">=1.2,<1.5", "1.5.0", ">=1.5.0,<1.6"),
        (">=1,<3", "1.5.0", ">=1.5.0,<3"),
        (">=1,!=1.3,<2", "2.0.0", ">=2.0.0,<3"),
        (">=1,<=1.9", "2.1.0", ">=2.1.0,<3"),
        (">=0.1,<=0.9", "0.10.0", ">=0.10.0,<0.11"),
        ("<2", "2.0.0", ">=2.0.0,<3"),
        ("~=1.2,<1.9", "1.9.0", "~=1.9.0,<1.10"),
        ("==1.*", "2.0.0", "==2.*"),
        ("==1.2.*", "2.0.0", "==2.0.*"),
        (">=1!1,<1!2", "1!2.0.0", ">=1!2.0.0,<1!3"),
        (">=1,<2", "2.0.0rc1", ">=2.0.0rc1,<3"),
        ("~=1.2", "2.0.0", "~=2.0.0"),
        (">=1,!=1.5", "2.0.0", ">=2.0.0"),
        ("===1.0,<2", "2.0.0", ">=2.0.0"),
    ],
)
def test_a_python_range_keeps_its_upper_bound(before: str, version: str, after: str) -> None:
    requirement = Requirement("core", before, "pep440", "pyproject.toml")
    assert raised(requirement, version) == after
    assert fits(replace(requirement, range=after), version.replace("rc1", ""), current=version) is True


def test_a_circle_comes_to_rest() -> None:
    repository = Repository()
    for name in ("a", "b", "c"):
        repository.package(name, Bump.MAJOR if name == "a" else Bump.NONE)
    for dependent, dependency in [("b", "a"), ("c", "b"), ("a", "c")]:
        repository.require(dependent, dependency, "1.0.0")
    plans = repository.settled()
    assert {name: plan.next for name, plan in plans.items()} == {"a": "2.0.0", "b": "1.0.1", "c": "1.0.1"}
    assert [edit.after for edit in plans["a"].requirements] == ["1.0.1"]


def test_a_linked_group_shares_the_version_of_those_that_move() -> None:
    repository = Repository()
    repository.package("a", Bump.MINOR, version="1.4.0")
    repository.package("b", Bump.PATCH, version="2.0.0")
    repository.package("c", version="1.0.0")
    repository.groups.append(Group("all", ("?",)))
    plans = repository.settled()
    assert [plans[name].next for name in "abc"] == ["2.1.0", "2.1.0", "1.0.0"]
    assert (plans["a"].tag, plans["a"].bump) == ("a@2.1.0", Bump.MAJOR)


def test_a_fixed_group_moves_as_one() -> None:
    repository = Repository()
    repository.package("a", Bump.MINOR)
    repository.package("b")
    repository.groups.append(Group("all", ("a", "b"), fixed=True))
    plans = repository.settled()
    assert [plan.next for plan in plans.values()] == ["1.1.0", "1.1.0"]
    assert plans["b"].changes == ()
    assert "group all" in plans["b"].reasons[-1]


@pytest.mark.parametrize(
    ("groups", "told"),
    [
        ([Group("g", ("a", "none"))], "no package 'none'"),
        ([Group("g", ("a",)), Group("h", ("*",))], "two groups, 'g' and 'h'"),
        ([Group("g", ("*",))], "pep440"),
    ],
)
def test_groups_that_cannot_be_are_refused(groups: list[Group], told: str) -> None:
    repository = Repository(groups=groups)
    repository.package("a", Bump.MINOR)
    repository.package("b", scheme="pep440")
    with pytest.raises(ConfigurationError, match=told):
        repository.settled()
