"""From a repository to a plan: read once, then decide."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial

from shipline.capabilities.plans import history, rules
from shipline.capabilities.plans.asked import Asked
from shipline.capabilities.plans.channels import line_of
from shipline.capabilities.plans.elsewhere import settled, with_higher_ones, with_promoted
from shipline.capabilities.plans.heads import checked_head
from shipline.capabilities.plans.lineages import lineages_at, owns_everything, unreleased_from
from shipline.capabilities.plans.lowered import with_lowered
from shipline.capabilities.plans.monorepo import (
    CHANGESETS,
    Changesets,
    attributed,
    has_changesets_alone,
    read_changesets,
    unreleased_changes,
    worth_reading,
)
from shipline.capabilities.plans.reading import changes_of, tags_among, tags_that_matter
from shipline.capabilities.plans.rules import Lineage
from shipline.capabilities.plans.stated import files_stating, with_stated_versions
from shipline.capabilities.plans.survey import Survey, former_range, survey_repository
from shipline.capabilities.plans.tags import Released, tags_by_package
from shipline.capabilities.plans.versions import SNAPSHOT, STABLE
from shipline.domain.change import Change
from shipline.domain.package import Group, Package
from shipline.domain.release_plan import PackagePlan, ReleasePlan
from shipline.ports.repository import Commit, Repository


def detect_packages(repository: Repository) -> tuple[Package, ...]:
    """The packages that HEAD's files and tags show. Raises ShiplineError for a repository that cannot be planned."""
    head = checked_head(repository)
    tags = tags_that_matter(repository, repository.tag_names(), head, STABLE).here
    return tuple(package for package, _ in survey_repository(repository, head, tags).found)


def known_packages(repository: Repository, packages: Sequence[Package] | None = None) -> tuple[Package, ...]:
    """`packages`, or those that HEAD's files and tags show."""
    return tuple(packages) if packages is not None else detect_packages(repository)


def latest_releases(
    repository: Repository, packages: Sequence[Package] | None = None
) -> tuple[tuple[Package, Released | None], ...]:
    """Each package with the highest version that a tag below HEAD tells of, None where none does; see `make_plan`."""
    head = checked_head(repository)
    tags = tags_that_matter(repository, repository.tag_names(), head, STABLE).here
    lineages, _ = lineages_at(repository, packages, head, tags)
    return tuple((each.package, each.released[-1] if each.released else None) for each in lineages)


def planned(
    repository: Repository, head: str, packages: Sequence[Package] | None, asked: Asked
) -> tuple[ReleasePlan, int]:
    """The plan of `head` as `planning` promises it, and how many commits were read for it."""
    tag_names = repository.tag_names()
    everything = _read_ahead(repository, head, packages, asked.monorepo.source)
    if everything is None:
        tags = tags_that_matter(repository, tag_names, head, asked.aim.word)
    else:
        tags = tags_among(repository, everything)
    lineages, survey = lineages_at(repository, packages, head, tags.here)
    lineages = tuple(_aimed(with_promoted(repository, each), asked) for each in lineages)
    lineages = with_stated_versions(repository, head, lineages, asked.monorepo.version_files)
    names = [lineage.package.name for lineage in lineages]
    changesets = read_changesets(repository, head, names, asked.monorepo.source)
    if changesets.source == CHANGESETS:
        lineages = tuple(rules.stated_as_released(lineage, head) for lineage in lineages)
    commits = _commits(repository, head, lineages, changesets) if everything is None else everything
    shares = list(attributed(commits, lineages))
    read = asked.bumps.applied(changes_of(repository, worth_reading(commits, shares), head, asked.bumps.types))
    changes = unreleased_changes(shares, read, lineages, changesets)
    parents = {commit.id: commit.parents for commit in commits}
    planning = _Planning(repository, head, asked.aim.word, parents, tag_names)
    groups = (*asked.monorepo.groups, *changesets.config.groups, *survey.groups)
    plan_of = [(each, partial(planning.plan, each, changes[each.package.name])) for each in lineages]
    if len(lineages) == 1 and not groups and all(each.name not in names for each in survey.tools):
        # Who is alone follows nobody, and most repositories have one package: they need nothing of the graph.
        plans: tuple[PackagePlan, ...] = (plan_of[0][1](()),)
        notes: tuple[str, ...] = ()
    else:
        plans, notes = _together(repository, plan_of, survey, changesets, groups)
    notes = (*asked.monorepo.notes, *survey.notes, *changesets.notes, *notes)
    told = tuple(_with_changesets(each, changesets, asked.aim.word) for each in plans)
    everyone = [each.package for each in lineages]

    def stating(package: Package) -> list[tuple[str, str]]:
        return files_stating(repository, head, (package,), everyone, asked.monorepo.version_files)[package.name]

    told = with_lowered(with_higher_ones(told, lineages, tags.elsewhere), lineages, stating)
    return ReleasePlan(head, told, notes), len(commits)


def _together(
    repository: Repository,
    plan_of: Sequence[tuple[Lineage, Callable[[Sequence[Change]], PackagePlan]]],
    survey: Survey,
    changesets: Changesets,
    groups: Sequence[Group],
) -> tuple[tuple[PackagePlan, ...], tuple[str, ...]]:
    """The plans of packages that may follow each other, with the reasons for it, and notes on circles among them."""
    from shipline.capabilities.plans import chains, graph  # noqa: PLC0415 - see where this is called

    members = [
        graph.Member(each.package, plan_with, each.released, partial(former_range, repository, each))
        for each, plan_with in plan_of
    ]
    edges = [edge for edge in graph.edges_of(survey.found, survey.tools) if changesets.follows(edge)]
    plans = graph.settle(members, edges, groups, update_from=changesets.config.update_from)
    names = [each.package.name for each, _ in plan_of]
    published = [edge for edge in edges if not edge.requirement.development]
    return chains.with_chains(plans), graph.circle_notes(graph.components(names, published))


@dataclass
class _Planning:
    """Plans the packages of one commit on one channel.

    `parents` are those of the commits that were read, `tag_names` all that there are.
    """

    repository: Repository
    head: str
    channel: str
    parents: history.Parents
    tag_names: Sequence[str]

    @cached_property
    def _tags(self) -> frozenset[str]:
        return frozenset(self.tag_names)

    @cached_property
    def _time_us(self) -> int:
        return next(iter(self.repository.log((), self.head, limit=1))).time_us

    def plan(self, lineage: Lineage, changes: list[Change], more: Sequence[Change]) -> PackagePlan:
        """The plan of a package by its `changes` since the last final release, and `more` that others need of it."""
        new = [*more, *changes]
        return settled(self.repository, lineage, partial(self._once, new), known=lambda tag: tag in self._tags)

    def _once(self, new: list[Change], lineage: Lineage) -> PackagePlan:
        if self.channel == SNAPSHOT:
            return rules.plan_snapshot(lineage, new, commit=self.head, time_us=self._time_us)
        stable, last = lineage.last_stable, lineage.last_of(self.channel)
        if last is stable or last is None:
            return rules.plan_package(lineage, new, channel=self.channel)
        seen = history.ancestors([last.tag.commit], self.parents)
        fresh = frozenset(change.commit for change in new if change.commit not in seen)
        return rules.plan_package(lineage, new, channel=self.channel, fresh=fresh)


def _aimed(lineage: Lineage, asked: Asked) -> Lineage:
    last = lineage.last_stable
    line = line_of(asked.aim, None if last is None else last.version.release)
    return replace(lineage, line=line, day=asked.day, bumps=asked.bumps)


def _read_ahead(
    repository: Repository, head: str, packages: Sequence[Package] | None, source: str
) -> Sequence[Commit] | None:
    """The whole history, where it has to be read whatever the tags are: it tells then which of them it contains.

    So it is where a package has no tag at all, for all commits are new to it. None where that is not known so early.
    """
    if packages is None or owns_everything(packages) or has_changesets_alone(repository, head, source):
        return None
    if all(tags_by_package(packages, repository.tags()).values()):
        return None
    return list(repository.log((), head, changed_paths=True))


def _commits(
    repository: Repository, head: str, lineages: Sequence[Lineage], changesets: Changesets
) -> Sequence[Commit]:
    """The commits that are to be looked at, none where changesets alone count."""
    if changesets.source == CHANGESETS:
        return ()
    everything = owns_everything([lineage.package for lineage in lineages]) and not changesets.read
    return list(repository.log(unreleased_from(repository, lineages), head, changed_paths=not everything))


def _with_changesets(plan: PackagePlan, changesets: Changesets, channel: str) -> PackagePlan:
    """The plan with the changesets that its release uses up; on a channel none, since the final one needs them."""
    if channel != STABLE or not plan.releasable:
        return plan
    return replace(plan, changesets=tuple(changeset.path for changeset in changesets.of(plan.name)))
