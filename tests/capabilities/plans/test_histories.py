"""Two real histories: what is planned from them, and how many of their tags the plan explains.

A tag is explained when the plan made from the tags and commits before it gives exactly its version.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path

import pytest

from shipline.capabilities.plans import make_plan
from shipline.capabilities.plans.attribution import Attribution
from shipline.capabilities.plans.history import Parents, ancestors
from shipline.capabilities.plans.reading import read_commits
from shipline.capabilities.plans.rules import Lineage, highest_bump, plan_package
from shipline.capabilities.plans.tags import Released, released
from shipline.domain.change import Bump, Change
from shipline.domain.package import Package
from shipline.ports.repository import Commit, Repository
from shipline.testing.histories import import_history, imported_history, shape_alone
from tests.capabilities.plans.texts import changelog_of
from tests.made_once import made_once

DATA = Path(__file__).parents[2] / "data" / "histories"
LARGER = Path(__file__).parents[4] / "shared" / "fixtures" / "histories" / "components.fi.gz"
PAGE = Path(__file__).parents[3] / "docs" / "explanation" / "planning.md"
SETS_MAX = 16
PACKAGES = (
    "conventional-changelog",
    "conventional-changelog-angular",
    "conventional-changelog-conventionalcommits",
    "conventional-changelog-preset-loader",
    "conventional-changelog-writer",
    "conventional-commits-filter",
    "conventional-commits-parser",
    "conventional-recommended-bump",
    "git-client",
    "standard-changelog",
    "template",
)


@pytest.fixture(scope="module")
def monorepo(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    folder = tmp_path_factory.mktemp("histories") / "monorepo"
    return imported_history(DATA / "conventional-changelog.fi.gz", folder, branch="master")


@pytest.fixture(scope="module")
def components(request: pytest.FixtureRequest) -> Repository:
    if not LARGER.exists():
        pytest.skip("the larger history, shared/fixtures/histories/components.fi.gz beside the clone, is not here")
    make = partial(import_history, LARGER, branch="main")
    return shape_alone(made_once(request, LARGER, make))


def packages() -> list[Package]:
    return [Package(name, f"packages/{name}", "npm", "semver", "{package}-v{version}") for name in PACKAGES]


def check_golden(name: str, text: str) -> None:
    """Compare with the file of this name, which SHIPLINE_UPDATE_GOLDEN=1 rewrites."""
    path = DATA / name
    if os.environ.get("SHIPLINE_UPDATE_GOLDEN") == "1":
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


@dataclass(frozen=True)
class Replay:
    """The whole of a history, and the packages' parts of it."""

    commits: dict[str, Commit]
    parents: Parents
    inside: Callable[[str], set[str]]
    """A commit and all before it; what a release counts from was asked for by the releases before it."""

    @staticmethod
    def of(repository: Repository, *, changed_paths: bool) -> Replay:
        commits = {commit.id: commit for commit in repository.log((), changed_paths=changed_paths)}
        parents = {name: commit.parents for name, commit in commits.items()}
        return Replay(commits, parents, lru_cache(maxsize=SETS_MAX)(lambda commit: ancestors([commit], parents)))

    def outcomes(self, package: Package, releases: tuple[Released, ...], changes: list[Change]) -> Iterator[str]:
        """For each release in order: `explained`, or why not."""
        for entry in releases:
            if entry.tag.commit in self.parents:
                yield self._outcome(package, entry, releases, changes)

    def _outcome(self, package: Package, entry: Released, releases: tuple[Released, ...], changes: list[Change]) -> str:
        inside = self.inside(entry.tag.commit)
        before = tuple(each for each in releases if each.tag.commit in inside and each is not entry)
        lineage = Lineage(package, tuple(each for each in before if each.tag.commit != entry.tag.commit))
        channel = entry.version.channel or "stable"
        stable, last = lineage.last_stable, lineage.last_of(channel)
        old = self.inside(stable.tag.commit) if stable else set()
        new = [change for change in changes if change.commit in inside and change.commit not in old]
        seen = self.inside(last.tag.commit) if last else set()
        plan = plan_package(
            lineage, new, channel=channel, fresh={each.commit for each in new if each.commit not in seen}
        )
        return "explained" if plan.next == entry.version.text else _why_not(entry, before, plan.changes)


def _why_not(entry: Released, before: tuple[Released, ...], changes: tuple[Change, ...]) -> str:
    """The people of a project decide what no message says; and of which kind their decision was."""
    if not any(each.version.is_stable for each in before):
        return "the first release, whose number people choose"
    if not entry.version.is_stable:
        return "a pre-release after a final version on another branch, or one whose aim people chose"
    if any(each.version.key > entry.version.key for each in before):
        return "below a version that was released before it"
    if not changes:
        return "no change in its folder: released with its dependencies or by hand"
    if highest_bump(changes) is Bump.NONE:
        return "no feature, fix or breaking change since: released by hand, or for a dependency"
    return "the messages ask for another step than people took"


def check_page(outcomes: Counter[str]) -> None:
    """The page for people has these numbers, and the share."""
    rows = [f"| {count} | {outcome} |" for outcome, count in outcomes.most_common()]
    text = PAGE.read_text("utf-8")
    assert "| tags | outcome |\n|---|---|\n" + "\n".join(rows) + "\n\n" in text
    assert f"Explained: {outcomes['explained'] / outcomes.total():.0%}." in text
    assert f"{outcomes.total()} tags" in text


def test_the_monorepos_packages_are_planned_from_one_pass(monorepo: Repository) -> None:
    plan = make_plan(monorepo, packages())
    lines = [f"{each.name} {each.current} -> {each.next} ({each.bump.value}) {each.tag}" for each in plan.packages]
    check_golden("conventional-changelog.plan.txt", "\n".join(lines) + "\n")


def test_a_monorepo_that_nobody_configured_is_said_to_be_one(monorepo: Repository) -> None:
    (plan,) = make_plan(monorepo).packages
    assert any("tags name other packages" in reason for reason in plan.reasons)


def test_the_monorepos_changelogs(monorepo: Repository) -> None:
    chosen = [each for each in packages() if each.name in {"git-client", "template", "conventional-commits-parser"}]
    check_golden("conventional-changelog.changelog.md", changelog_of(monorepo, chosen, whole=True))


def test_the_monorepos_tags_replayed(monorepo: Repository) -> None:
    replay = Replay.of(monorepo, changed_paths=True)
    attribution = Attribution(packages())
    tags = monorepo.merged_tags()
    outcomes: Counter[str] = Counter()
    changes: dict[str, list[Change]] = {package.path: [] for package in packages()}
    read = read_commits(list(replay.commits.values()), ())
    for commit in replay.commits.values():
        for path in attribution.owners(commit.paths):
            changes[path] += read[commit.id]
    for package in packages():
        outcomes.update(replay.outcomes(package, released(package, tags, alone=False), changes[package.path]))
    check_page(outcomes)


def test_the_larger_history_is_planned(components: Repository) -> None:
    """Final versions of the last years are tagged on maintenance branches, so that main has old ones only."""
    (stable,) = make_plan(components).packages
    assert (stable.current, stable.next, stable.tag) == ("10.1.0", "22.2.0", "v22.2.0")
    (following,) = make_plan(components, channel="next").packages
    assert (following.current, following.next) == ("22.2.0-next.2", "22.2.0-next.3")
    assert len(following.changes) == 10


def test_the_larger_historys_changelog(components: Repository) -> None:
    text = changelog_of(components, whole=True)
    titles = re.findall(r"^## \[(.*?)\]", text, re.MULTILINE)
    assert titles[:3] == ["Unreleased", "22.2.0-next.2", "22.2.0-next.1"]
    assert len(titles) == len(set(titles)) == 194


def test_the_larger_historys_tags_replayed(components: Repository) -> None:
    package = Package("components")
    replay = Replay.of(components, changed_paths=False)
    changes = [change for each in read_commits(list(replay.commits.values()), ()).values() for change in each]
    outcomes = Counter(replay.outcomes(package, released(package, components.merged_tags(), alone=True), changes))
    check_page(outcomes)
