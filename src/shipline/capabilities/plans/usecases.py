"""From a repository to a plan or a changelog: read once, then decide."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from shipline.capabilities.plans import changelog, history, rules
from shipline.capabilities.plans.bumps import USUAL, BumpRules
from shipline.capabilities.plans.channels import Channel, line_of
from shipline.capabilities.plans.elsewhere import settled, with_promoted
from shipline.capabilities.plans.packages import MANIFESTS, Found, find_packages, with_stated_version
from shipline.capabilities.plans.past import Past, read_past
from shipline.capabilities.plans.reading import changes_of, tags_that_matter
from shipline.capabilities.plans.rules import Lineage
from shipline.capabilities.plans.show import Show
from shipline.capabilities.plans.tags import Released, of_other_packages, released, with_detected_format
from shipline.capabilities.plans.versions import SNAPSHOT, STABLE, checked_channel
from shipline.domain.change import Bump, Change
from shipline.domain.errors import InvalidValue, ShiplineError, UsageError
from shipline.domain.package import Package
from shipline.domain.release_plan import PackagePlan, ReleasePlan
from shipline.ports.repository import Commit, Repository, Tag


def detect_packages(repository: Repository) -> tuple[Package, ...]:
    """The packages that HEAD's files and tags show. Raises ShiplineError for a repository that cannot be planned."""
    head = _checked_head(repository)
    return tuple(
        lineage.package for lineage in _lineages(repository, None, head, tags_that_matter(repository, head, STABLE))
    )


def ecosystem_at(repository: Repository, path: str) -> str:
    """The ecosystem of the folder `path` at HEAD by its manifest: python, npm, or plain for any other."""
    found = _found(repository, _checked_head(repository), "package", path)
    return found[0].package.ecosystem


def latest_releases(
    repository: Repository, packages: Sequence[Package] | None = None
) -> tuple[tuple[Package, Released | None], ...]:
    """Each package with the highest version that a tag below HEAD tells of, None where none does; see `make_plan`."""
    head = _checked_head(repository)
    lineages = _lineages(repository, packages, head, repository.merged_tags(head))
    return tuple((each.package, each.released[-1] if each.released else None) for each in lineages)


def make_plan(
    repository: Repository,
    packages: Sequence[Package] | None = None,
    *,
    channel: Channel | str = STABLE,
    bumps: BumpRules = USUAL,
    day: date | None = None,
) -> ReleasePlan:
    """Plan what HEAD would be released as. `packages` None: found in the repository itself.

    `day` is that of the release, which calendar versions need. Changes the repository in nothing. What is not
    committed does not count. Raises ShiplineError where there is no repository, no commit or only a shallow one, from
    which versions cannot be derived; RefusedError where a version would leave the channel's line.
    """
    head = _checked_head(repository)
    aim = channel if isinstance(channel, Channel) else Channel(checked_channel(channel))
    found = _lineages(repository, packages, head, tags_that_matter(repository, head, aim.word))
    lineages = tuple(_aimed(with_promoted(repository, replace(each, bumps=bumps)), aim, day) for each in found)
    everything = _owns_everything([lineage.package for lineage in lineages])
    commits = list(repository.log(_since(lineages), head, changed_paths=not everything))
    parents = {commit.id: commit.parents for commit in commits}
    changes = _changes_by_path(commits, lineages, bumps.applied(changes_of(repository, commits, head)))
    time_us = next(iter(repository.log((), head))).time_us if aim.word == SNAPSHOT else 0

    def plan_of(lineage: Lineage) -> PackagePlan:
        if aim.word == SNAPSHOT:
            new = _since_last_final(lineage, changes[lineage.package.path], parents)
            return rules.plan_snapshot(lineage, new, commit=head, time_us=time_us)
        return _plan(lineage, changes[lineage.package.path], parents, aim.word)

    return ReleasePlan(commit=head, packages=tuple(settled(repository, each, plan_of) for each in lineages))


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
    found = _lineages(repository, packages, tag.commit, repository.merged_tags(tag.commit))
    lineages = tuple(with_promoted(repository, each) for each in found)
    lineage, entry = _candidate(lineages, candidate)
    known = replace(lineage, released=tuple(each for each in lineage.released if each.version.key <= entry.version.key))
    everything = _owns_everything([each.package for each in lineages])
    commits = list(repository.log(_since([known]), tag.commit, changed_paths=not everything))
    changes = _changes_by_path(commits, lineages, changes_of(repository, commits, tag.commit))[lineage.package.path]
    new = _since_last_final(known, changes, {commit.id: commit.parents for commit in commits})
    plan = rules.plan_final(known, new, entry)
    made = repository.find_tag(plan.tag) if plan.tag is not None else None
    if made is not None:
        done = f"{plan.next} was released already (tag {made.name}, commit {made.commit[:7]})."
        plan = replace(plan, current=plan.next, bump=Bump.NONE, reasons=(done,))
    return FinalPlan(lineage.package, entry.version.text, ReleasePlan(commit=tag.commit, packages=(plan,)))


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


def _aimed(lineage: Lineage, aim: Channel, day: date | None) -> Lineage:
    last = lineage.last_stable
    return replace(lineage, line=line_of(aim, None if last is None else last.version.release), day=day)


def changelog_of(  # noqa: PLR0913 - each is named where it is given
    repository: Repository,
    packages: Sequence[Package] | None = None,
    *,
    whole: bool = False,
    show: Show | None = None,
    bumps: BumpRules = USUAL,
    day: date | None = None,
) -> str:
    """The changelog as Markdown: of the next release, of the one that `show` asks for, or the `whole` history's.

    Several packages follow each other. `show` makes the text of a package's sections, and has the style. A version
    that was never released here: UsageError.
    """
    shown = show or Show()
    version = shown.version
    if not whole and version is None and not shown.style.contributors:
        plans = make_plan(repository, packages, bumps=bumps, day=day).packages
        return _joined([(plan.name, shown.text(plan.name, [changelog.section_of(plan)])) for plan in plans])
    head = _checked_head(repository)
    # Which tags HEAD contains, the one pass over its history tells.
    lineages = _lineages(repository, packages, head, repository.tags())
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
) -> tuple[Lineage, ...]:
    folder = repository.root().name
    found: list[tuple[Package, Found | None]]
    if packages is None:
        detected = _found(repository, head, folder, ".")
        found = [(with_detected_format(each.package, tags), each) for each in detected]
    else:
        found = [(package, _file_of(repository, head, package)) for package in packages]
    alone = _owns_everything([package for package, _ in found])
    lineages = tuple(_lineage(package, each, tags, alone=alone) for package, each in found)
    return tuple(_warned(each, tags) for each in lineages) if packages is None else lineages


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


def _found(repository: Repository, head: str, folder: str, path: str) -> tuple[Found, ...]:
    """The packages in one folder, with the versions that their files state."""
    names = {name if path == "." else f"{path}/{name}": name for name in MANIFESTS}
    files = repository.read_files(tuple(names), head)
    found = find_packages(folder, {names[full]: content for full, content in files.items()}, path=path)
    sources = tuple(source for each in found for source in each.version_paths)
    contents = repository.read_files(sources, head) if sources else {}
    return tuple(with_stated_version(each, contents) for each in found)


def _file_of(repository: Repository, head: str, package: Package) -> Found | None:
    found = _found(repository, head, package.name, package.path)
    return next((each for each in found if each.package.ecosystem == package.ecosystem), None)


def _owns_everything(packages: Iterable[Package]) -> bool:
    """True where every package is the whole repository, so that nobody needs to ask which paths a commit changed."""
    return all(package.path == "." for package in packages)


def _since(lineages: Sequence[Lineage]) -> tuple[str, ...]:
    """Where the reading can stop: at the last final release, if it is the same commit for all."""
    bases = {lineage.last_stable.tag.commit if lineage.last_stable else None for lineage in lineages}
    only = next(iter(bases)) if len(bases) == 1 else None
    return () if only is None else (only,)


def _changes_by_path(
    commits: Sequence[Commit], lineages: Sequence[Lineage], read: Mapping[str, tuple[Change, ...]]
) -> dict[str, list[Change]]:
    """The changes of each package's path, newest first."""
    packages = [lineage.package for lineage in lineages]
    changes: dict[str, list[Change]] = {package.path: [] for package in packages}
    attribution = None if _owns_everything(packages) else history.Attribution(packages)
    for commit in commits:
        for owner in changes if attribution is None else attribution.owners(commit.paths):
            changes[owner] += read[commit.id]
    return changes


def _plan(lineage: Lineage, changes: list[Change], parents: history.Parents, channel: str) -> PackagePlan:
    stable, last = lineage.last_stable, lineage.last_of(channel)
    new = _since_last_final(lineage, changes, parents)
    if last is stable or last is None:
        return rules.plan_package(lineage, new, channel=channel)
    before = history.ancestors([stable.tag.commit], parents) if stable else set()
    seen = history.ancestors([last.tag.commit], parents, known=before)
    fresh = frozenset(change.commit for change in new if change.commit not in seen)
    return rules.plan_package(lineage, new, channel=channel, fresh=fresh)


def _since_last_final(lineage: Lineage, changes: list[Change], parents: history.Parents) -> list[Change]:
    stable = lineage.last_stable
    before = history.ancestors([stable.tag.commit], parents) if stable else set()
    return [change for change in changes if change.commit not in before]


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
