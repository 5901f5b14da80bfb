"""From a repository to a plan or a changelog: read once, then decide."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial

from shipline.capabilities.plans import changelog, history, remembered, rules
from shipline.capabilities.plans.bumps import USUAL, BumpRules
from shipline.capabilities.plans.chains import with_chains
from shipline.capabilities.plans.graph import Member, circle_notes, components, edges_of, settle
from shipline.capabilities.plans.monorepo import (
    CHANGESETS,
    Changesets,
    Monorepo,
    attributed,
    read_changesets,
    unreleased_changes,
    worth_reading,
)
from shipline.capabilities.plans.packages import Found
from shipline.capabilities.plans.past import Past, read_past
from shipline.capabilities.plans.pending import Pending, pending_changesets
from shipline.capabilities.plans.reading import changes_of, tags_that_matter
from shipline.capabilities.plans.rules import Lineage
from shipline.capabilities.plans.show import Show
from shipline.capabilities.plans.survey import (
    PackageChoice,
    Survey,
    choose_packages,
    survey_packages,
    survey_repository,
)
from shipline.capabilities.plans.tags import Released, of_other_packages, released, tags_by_package
from shipline.capabilities.plans.versions import STABLE, checked_channel
from shipline.domain.change import Change
from shipline.domain.errors import ShiplineError, UsageError
from shipline.domain.package import Package
from shipline.domain.release_plan import PackagePlan, ReleasePlan
from shipline.ports.repository import Commit, Repository, Tag

ALONE = Monorepo()
BASES_MAX = 2000  # They go on one command line.


def detect_packages(repository: Repository) -> tuple[Package, ...]:
    """The packages that HEAD's files and tags show. Raises ShiplineError for a repository that cannot be planned."""
    head = _checked_head(repository)
    tags = tags_that_matter(repository, head, STABLE)
    return tuple(package for package, _ in survey_repository(repository, head, tags).found)


def known_packages(repository: Repository, packages: Sequence[Package] | None = None) -> tuple[Package, ...]:
    """`packages`, or those that HEAD's files and tags show."""
    return tuple(packages) if packages is not None else detect_packages(repository)


def changeset_status(repository: Repository, packages: Sequence[Package] | None = None, *, since: str = "") -> Pending:
    """The changesets of the work tree, and the packages that have changed since a commit and have none."""
    head = _checked_head(repository)
    lineages, _ = _lineages(repository, packages, head, tags_that_matter(repository, head, STABLE))
    return pending_changesets(repository, lineages, head, since)


def packages_of(
    repository: Repository, choices: Sequence[PackageChoice]
) -> tuple[tuple[tuple[Package, ...], ...], tuple[str, ...]]:
    """The packages that each choice stands for at HEAD, and sentences about what was left aside.

    Raises ShiplineError as `detect_packages`, and ConfigurationError for choices that do not fit what is there.
    """
    return choose_packages(repository, _checked_head(repository), choices)


def latest_releases(
    repository: Repository, packages: Sequence[Package] | None = None
) -> tuple[tuple[Package, Released | None], ...]:
    """Each package with the highest version that a tag below HEAD tells of, None where none does; see `make_plan`."""
    head = _checked_head(repository)
    lineages, _ = _lineages(repository, packages, head, tags_that_matter(repository, head, STABLE))
    return tuple((each.package, each.released[-1] if each.released else None) for each in lineages)


def make_plan(
    repository: Repository,
    packages: Sequence[Package] | None = None,
    *,
    channel: str = STABLE,
    bumps: BumpRules = USUAL,
    monorepo: Monorepo = ALONE,
) -> ReleasePlan:
    """Plan what HEAD would be released as. `packages` None: found in the repository itself.

    Changes the repository in nothing. What is not committed does not count. Raises ShiplineError where there is no
    repository, no commit or only a shallow one, from which versions cannot be derived.
    """
    head = _checked_head(repository)
    checked_channel(channel)
    if packages is not None and len(packages) == 1:
        return _made_plan(repository, head, packages, channel, bumps, monorepo)[0]
    folder = repository.private_folder()
    key = remembered.key_of(repository, head, packages, channel, bumps, monorepo)
    known = remembered.recall(folder, key)
    if known is not None:
        return known
    plan, commits = _made_plan(repository, head, packages, channel, bumps, monorepo)
    if commits >= remembered.COMMITS_MIN:
        remembered.keep(folder, key, plan)
    return plan


def _made_plan(  # noqa: PLR0913, PLR0917 - all that a plan comes from
    repository: Repository,
    head: str,
    packages: Sequence[Package] | None,
    channel: str,
    bumps: BumpRules,
    monorepo: Monorepo,
) -> tuple[ReleasePlan, int]:
    """The plan, and how many commits were read for it."""
    lineages, survey = _lineages(repository, packages, head, tags_that_matter(repository, head, channel))
    lineages = tuple(replace(lineage, bumps=bumps) for lineage in lineages)
    names = [lineage.package.name for lineage in lineages]
    changesets = read_changesets(repository, head, names, monorepo.source)
    if changesets.source == CHANGESETS:
        lineages = tuple(rules.stated_as_released(lineage, head) for lineage in lineages)
    commits = _commits(repository, head, lineages, changesets)
    parents = {commit.id: commit.parents for commit in commits}
    shares = list(attributed(commits, lineages))
    read = bumps.applied(changes_of(repository, worth_reading(commits, shares), head))
    changes = unreleased_changes(shares, read, lineages, changesets)
    members = [
        Member(each.package, partial(_plan, each, changes[each.package.name], parents, channel), each.released)
        for each in lineages
    ]
    edges = [edge for edge in edges_of(survey.found) if changesets.follows(edge)]
    groups = (*monorepo.groups, *changesets.config.groups, *survey.groups)
    plans = settle(members, edges, groups, update_from=changesets.config.update_from)
    notes = (*monorepo.notes, *survey.notes, *changesets.notes, *circle_notes(components(names, edges)))
    told = tuple(_with_changesets(each, changesets, channel) for each in plans)
    return with_chains(ReleasePlan(head, told, notes)), len(commits)


def changelog_of(  # noqa: PLR0913 - what a command says, each by its name
    repository: Repository,
    packages: Sequence[Package] | None = None,
    *,
    whole: bool = False,
    show: Show | None = None,
    bumps: BumpRules = USUAL,
    monorepo: Monorepo = ALONE,
) -> str:
    """The changelog as Markdown: of the next release, of the one that `show` asks for, or the `whole` history's.

    Several packages follow each other. `show` makes the text of a package's sections, and has the style. A version
    that was never released here: UsageError.
    """
    shown = show or Show()
    version = shown.version
    if not whole and version is None and not shown.style.contributors:
        plans = make_plan(repository, packages, bumps=bumps, monorepo=monorepo).packages
        return _joined([(plan.name, shown.text(plan.name, [changelog.section_of(plan)])) for plan in plans])
    head = _checked_head(repository)
    # Which tags HEAD contains, the one pass over its history tells.
    lineages, _ = _lineages(repository, packages, head, repository.tags())
    past = read_past(repository, head, [lineage.package for lineage in lineages], shown.style)
    if whole:
        return _joined(_whole(past, lineages, replace(shown, whole=True)))
    title = version or changelog.UNRELEASED
    chosen = [(each.package.name, [one for one in past.sections(each) if one.title == title]) for each in lineages]
    if version is not None and not any(sections for _, sections in chosen):
        raise UsageError(f"{version[:80]!r} was not released in this history", todo="`git tag --merged` lists what was")
    empty = [changelog.Section(changelog.UNRELEASED, ())]
    return _joined([(name, shown.text(name, some or empty)) for name, some in chosen if some or version is None])


def _checked_head(repository: Repository) -> str:
    repository.root()
    head = repository.head()
    if head is None:
        raise ShiplineError("this repository has no commits yet", todo="commit something, then run this again")
    if repository.is_shallow():
        raise ShiplineError(
            "this is a shallow clone",
            why="its history is cut, and versions come from the tags and commits that are cut off",
            todo="run `git fetch --unshallow --tags`; in CI, let the checkout fetch the whole history (fetch-depth: 0)",
        )
    return head


def _lineages(
    repository: Repository, packages: Sequence[Package] | None, head: str, tags: Sequence[Tag]
) -> tuple[tuple[Lineage, ...], Survey]:
    if packages is None:
        survey = survey_repository(repository, head, tags)
    else:
        survey = survey_packages(repository, head, packages)
    chosen = [package for package, _ in survey.found]
    alone = _owns_everything(chosen)
    own = dict.fromkeys((package.name for package in chosen), tags) if alone else tags_by_package(chosen, tags)
    lineages = tuple(_lineage(package, each, own[package.name], alone=alone) for package, each in survey.found)
    if packages is None and alone:
        lineages = tuple(_warned(each, tags) for each in lineages)
    return lineages, survey


def _warned(lineage: Lineage, tags: Sequence[Tag]) -> Lineage:
    """Where most tags name other packages, a plan for the whole is hardly what is wanted: say so."""
    others = of_other_packages(lineage.package, tags)
    if len(others) <= len(lineage.released):
        return lineage
    note = f"{len(others)} tags name other packages, the latest being {others[0].name}: configure them to plan them."
    return replace(lineage, notes=(*lineage.notes, note))


def _lineage(package: Package, found: Found | None, tags: Iterable[Tag], *, alone: bool) -> Lineage:
    releases = released(package, tags, alone=alone)
    if found is None:
        return Lineage(package, releases)
    return Lineage(package, releases, found.version, found.version_path, found.notes)


def _owns_everything(packages: Iterable[Package]) -> bool:
    """True where every package is the whole repository, so that nobody needs to ask which paths a commit changed."""
    return all(package.path == "." for package in packages)


def _since(repository: Repository, lineages: Sequence[Lineage]) -> tuple[str, ...]:
    """Where the reading can stop: at what the last final releases of all packages contain."""
    bases = {each.last_stable.tag.commit if each.last_stable else None for each in lineages}
    known = tuple(sorted(base for base in bases if base is not None))
    if len(known) < len(bases) or len(known) > BASES_MAX:
        return ()
    common = known[0] if len(known) == 1 else repository.merge_base(known)
    return () if common is None else (common,)


def _commits(
    repository: Repository, head: str, lineages: Sequence[Lineage], changesets: Changesets
) -> Sequence[Commit]:
    """The commits that are to be looked at, none where changesets alone count."""
    if changesets.source == CHANGESETS:
        return ()
    everything = _owns_everything([lineage.package for lineage in lineages]) and not changesets.read
    return list(repository.log(_since(repository, lineages), head, changed_paths=not everything))


def _plan(
    lineage: Lineage, changes: list[Change], parents: history.Parents, channel: str, more: Sequence[Change]
) -> PackagePlan:
    """The plan of a package by its own `changes` since the last final release, and `more` that others need of it."""
    stable, last = lineage.last_stable, lineage.last_of(channel)
    new = [*more, *changes]
    if last is stable or last is None:
        return rules.plan_package(lineage, new, channel=channel)
    seen = history.ancestors([last.tag.commit], parents)
    fresh = frozenset(change.commit for change in new if change.commit not in seen)
    return rules.plan_package(lineage, new, channel=channel, fresh=fresh)


def _with_changesets(plan: PackagePlan, changesets: Changesets, channel: str) -> PackagePlan:
    """The plan with the changesets that its release uses up; on a channel none, since the final one needs them."""
    if channel != STABLE or not plan.releasable:
        return plan
    return replace(plan, changesets=tuple(changeset.path for changeset in changesets.of(plan.name)))


def _whole(past: Past, lineages: Sequence[Lineage], show: Show) -> list[tuple[str, str]]:
    """The whole changelog of each package; packages in one folder with the same releases share the work."""
    texts: dict[object, str] = {}
    parts: list[tuple[str, str]] = []
    for lineage in lineages:
        name = lineage.package.name
        key = (name, lineage.package.path, tuple((entry.version.text, entry.tag.name) for entry in lineage.released))
        if key not in texts:
            texts[key] = show.text(name, past.sections(lineage))
        parts.append((name, texts[key]))
    return parts


def _joined(parts: Sequence[tuple[str, str]]) -> str:
    """One text; where there are several packages, each part says whose it is."""
    if len(parts) == 1:
        return parts[0][1]
    return "\n".join(f"<!-- {name} -->\n\n{text}" for name, text in parts)
