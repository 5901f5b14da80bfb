"""From a repository to a plan or a changelog: read once, then decide."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property, partial

from shipline.capabilities.plans import changelog, history, remembered, rules
from shipline.capabilities.plans.bumps import USUAL, BumpRules
from shipline.capabilities.plans.chains import with_chains
from shipline.capabilities.plans.channels import Channel, line_of
from shipline.capabilities.plans.elsewhere import settled, with_promoted
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
from shipline.capabilities.plans.versions import SNAPSHOT, STABLE, checked_channel
from shipline.domain.change import Bump, Change
from shipline.domain.errors import InvalidValue, ShiplineError, UsageError
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


def make_plan(  # noqa: PLR0913 - each is named where it is given
    repository: Repository,
    packages: Sequence[Package] | None = None,
    *,
    channel: Channel | str = STABLE,
    bumps: BumpRules = USUAL,
    monorepo: Monorepo = ALONE,
    day: date | None = None,
) -> ReleasePlan:
    """Plan what HEAD would be released as. `packages` None: found in the repository itself.

    `day` is that of the release, which calendar versions need. Changes the repository in nothing. What is not
    committed does not count. Raises ShiplineError where there is no repository, no commit or only a shallow one, from
    which versions cannot be derived; RefusedError where a version would leave the channel's line.
    """
    head = _checked_head(repository)
    aim = channel if isinstance(channel, Channel) else Channel(checked_channel(channel))
    asked = Asked(aim, day, bumps, monorepo)
    if aim.word == SNAPSHOT or (packages is not None and len(packages) == 1):
        return _made_plan(repository, head, packages, asked)[0]
    folder = repository.private_folder()
    key = remembered.key_of(repository, head, packages, asked)
    known = remembered.recall(folder, key)
    if known is not None:
        return known
    plan, commits = _made_plan(repository, head, packages, asked)
    if commits >= remembered.COMMITS_MIN:
        remembered.keep(folder, key, plan)
    return plan


@dataclass(frozen=True, slots=True)
class Asked:
    """What a plan is to be like, whatever the repository holds."""

    aim: Channel
    day: date | None
    bumps: BumpRules
    monorepo: Monorepo


def _made_plan(
    repository: Repository, head: str, packages: Sequence[Package] | None, asked: Asked
) -> tuple[ReleasePlan, int]:
    """The plan, and how many commits were read for it."""
    lineages, survey = _lineages(repository, packages, head, tags_that_matter(repository, head, asked.aim.word))
    lineages = tuple(_aimed(with_promoted(repository, each), asked) for each in lineages)
    names = [lineage.package.name for lineage in lineages]
    changesets = read_changesets(repository, head, names, asked.monorepo.source)
    if changesets.source == CHANGESETS:
        lineages = tuple(rules.stated_as_released(lineage, head) for lineage in lineages)
    commits = _commits(repository, head, lineages, changesets)
    shares = list(attributed(commits, lineages))
    read = asked.bumps.applied(changes_of(repository, worth_reading(commits, shares), head))
    changes = unreleased_changes(shares, read, lineages, changesets)
    planning = _Planning(repository, head, asked.aim.word, {commit.id: commit.parents for commit in commits})
    members = [
        Member(each.package, partial(planning.plan, each, changes[each.package.name]), each.released)
        for each in lineages
    ]
    edges = [edge for edge in edges_of(survey.found) if changesets.follows(edge)]
    groups = (*asked.monorepo.groups, *changesets.config.groups, *survey.groups)
    plans = settle(members, edges, groups, update_from=changesets.config.update_from)
    notes = (*asked.monorepo.notes, *survey.notes, *changesets.notes, *circle_notes(components(names, edges)))
    told = tuple(_with_changesets(each, changesets, asked.aim.word) for each in plans)
    return with_chains(ReleasePlan(head, told, notes)), len(commits)


class _Planning:
    """Plans the packages of one commit on one channel. `parents` are those of the commits that were read."""

    def __init__(self, repository: Repository, head: str, channel: str, parents: history.Parents) -> None:
        self._repository = repository
        self._head = head
        self._channel = channel
        self._parents = parents

    @cached_property
    def _tags(self) -> frozenset[str]:
        return frozenset(self._repository.tag_names())

    @cached_property
    def _time_us(self) -> int:
        return next(iter(self._repository.log((), self._head, limit=1))).time_us

    def plan(self, lineage: Lineage, changes: list[Change], more: Sequence[Change]) -> PackagePlan:
        """The plan of a package by its `changes` since the last final release, and `more` that others need of it."""
        new = [*more, *changes]
        return settled(self._repository, lineage, partial(self._once, new), known=lambda tag: tag in self._tags)

    def _once(self, new: list[Change], lineage: Lineage) -> PackagePlan:
        if self._channel == SNAPSHOT:
            return rules.plan_snapshot(lineage, new, commit=self._head, time_us=self._time_us)
        stable, last = lineage.last_stable, lineage.last_of(self._channel)
        if last is stable or last is None:
            return rules.plan_package(lineage, new, channel=self._channel)
        seen = history.ancestors([last.tag.commit], self._parents)
        fresh = frozenset(change.commit for change in new if change.commit not in seen)
        return rules.plan_package(lineage, new, channel=self._channel, fresh=fresh)


@dataclass(frozen=True, slots=True)
class FinalPlan:
    """The plan of a package's final version, made from the commit of its pre-release `candidate` (a version)."""

    package: Package
    candidate: str
    plan: ReleasePlan


def make_final_plan(repository: Repository, packages: Sequence[Package] | None, *, candidate: str) -> FinalPlan:
    """Plan the final version that the pre-release with the tag `candidate` announces, from its commit.

    Where that final version is tagged already the plan has nothing to release. Raises UsageError where there is no such
    tag, InvalidValue where it is no pre-release of a package here.
    """
    _checked_head(repository)
    tag = repository.find_tag(candidate)
    if tag is None:
        raise UsageError(f"there is no tag {candidate[:80]!r} here", todo="fetch it: git fetch --tags")
    found, _ = _lineages(repository, packages, tag.commit, repository.merged_tags(tag.commit))
    lineages = tuple(with_promoted(repository, each) for each in found)
    lineage, entry = _candidate(lineages, candidate)
    known = replace(lineage, released=tuple(each for each in lineage.released if each.version.key <= entry.version.key))
    plan = rules.plan_final(known, _changes_until(repository, tag.commit, lineages, known), entry)
    made = repository.find_tag(plan.tag) if plan.tag is not None else None
    if made is not None:
        done = f"{plan.next} was released already (tag {made.name}, commit {made.commit[:7]})."
        plan = replace(plan, current=plan.next, bump=Bump.NONE, reasons=(done,))
    return FinalPlan(lineage.package, entry.version.text, ReleasePlan(commit=tag.commit, packages=(plan,)))


def _changes_until(repository: Repository, commit: str, lineages: Sequence[Lineage], known: Lineage) -> list[Change]:
    """The changes of one package from its last final release to `commit`, newest first."""
    everyone = [known if each.package == known.package else each for each in lineages]
    everything = _owns_everything([each.package for each in everyone])
    commits = list(repository.log(_since(repository, [known]), commit, changed_paths=not everything))
    read = changes_of(repository, commits, commit)
    shares = attributed(commits, everyone)
    return [change for one, names in shares if known.package.name in names for change in read[one.id]]


def _candidate(lineages: Sequence[Lineage], tag: str) -> tuple[Lineage, Released]:
    for lineage in lineages:
        entry = next((each for each in lineage.released if each.tag.name == tag), None)
        if entry is not None and not entry.version.is_stable:
            return lineage, entry
        if entry is not None:
            raise InvalidValue(f"{tag} is a final release already", todo="name the tag of a pre-release")
    packages = ", ".join(lineage.package.name for lineage in lineages)
    raise InvalidValue(
        f"the tag {tag[:80]!r} is no pre-release of a package here",
        why=f"the packages are {packages}",
        todo="name the tag of a release candidate, such as v1.2.0-rc.2; snapshots have no final version",
    )


def _aimed(lineage: Lineage, asked: Asked) -> Lineage:
    last = lineage.last_stable
    line = line_of(asked.aim, None if last is None else last.version.release)
    return replace(lineage, line=line, day=asked.day, bumps=asked.bumps)


def changelog_of(  # noqa: PLR0913 - each is named where it is given
    repository: Repository,
    packages: Sequence[Package] | None = None,
    *,
    whole: bool = False,
    show: Show | None = None,
    bumps: BumpRules = USUAL,
    monorepo: Monorepo = ALONE,
    day: date | None = None,
) -> str:
    """The changelog as Markdown: of the next release, of the one that `show` asks for, or the `whole` history's.

    Several packages follow each other. `show` makes the text of a package's sections, and has the style. A version
    that was never released here: UsageError.
    """
    shown = show or Show()
    version = shown.version
    if not whole and version is None and not shown.style.contributors:
        plans = make_plan(repository, packages, bumps=bumps, monorepo=monorepo, day=day).packages
        return _joined([(plan.name, shown.text(plan.name, [changelog.section_of(plan)])) for plan in plans])
    head = _checked_head(repository)
    # Which tags HEAD contains, the one pass over its history tells.
    lineages, _ = _lineages(repository, packages, head, repository.tags())
    past = read_past(repository, head, [lineage.package for lineage in lineages], shown.style)
    lineages = tuple(with_promoted(repository, past.contained(each)) for each in lineages)
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
    # Snapshots are of one commit alone: they begin nothing and end nothing.
    releases = tuple(each for each in released(package, tags, alone=alone) if each.version.channel != SNAPSHOT)
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
