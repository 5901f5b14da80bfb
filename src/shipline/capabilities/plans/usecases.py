"""From a repository to a plan or a changelog: read once, then decide."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from shipline.capabilities.plans import changelog, history, rules
from shipline.capabilities.plans.bumps import USUAL, BumpRules
from shipline.capabilities.plans.packages import MANIFESTS, Found, find_packages, with_stated_version
from shipline.capabilities.plans.past import Past, read_past
from shipline.capabilities.plans.reading import changes_of, tags_that_matter
from shipline.capabilities.plans.rules import Lineage
from shipline.capabilities.plans.show import Show
from shipline.capabilities.plans.tags import Released, of_other_packages, released, with_detected_format
from shipline.capabilities.plans.versions import STABLE, checked_channel
from shipline.domain.change import Change
from shipline.domain.errors import ShiplineError, UsageError
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
    channel: str = STABLE,
    bumps: BumpRules = USUAL,
) -> ReleasePlan:
    """Plan what HEAD would be released as. `packages` None: found in the repository itself.

    Changes the repository in nothing. What is not committed does not count. Raises ShiplineError where there is no
    repository, no commit or only a shallow one, from which versions cannot be derived.
    """
    head = _checked_head(repository)
    checked_channel(channel)
    lineages = _lineages(repository, packages, head, tags_that_matter(repository, head, channel))
    lineages = tuple(replace(lineage, bumps=bumps) for lineage in lineages)
    everything = _owns_everything([lineage.package for lineage in lineages])
    commits = list(repository.log(_since(lineages), head, changed_paths=not everything))
    parents = {commit.id: commit.parents for commit in commits}
    changes = _changes_by_path(commits, lineages, bumps.applied(changes_of(repository, commits, head)))
    plans = (_plan(lineage, changes[lineage.package.path], parents, channel) for lineage in lineages)
    return ReleasePlan(commit=head, packages=tuple(plans))


def changelog_of(
    repository: Repository,
    packages: Sequence[Package] | None = None,
    *,
    whole: bool = False,
    show: Show | None = None,
    bumps: BumpRules = USUAL,
) -> str:
    """The changelog as Markdown: of the next release, of the one that `show` asks for, or the `whole` history's.

    Several packages follow each other. `show` makes the text of a package's sections, and has the style. A version
    that was never released here: UsageError.
    """
    shown = show or Show()
    version = shown.version
    if not whole and version is None and not shown.style.contributors:
        plans = make_plan(repository, packages, bumps=bumps).packages
        return _joined([(plan.name, shown.text(plan.name, [changelog.section_of(plan)])) for plan in plans])
    head = _checked_head(repository)
    # Which tags HEAD contains, the one pass over its history tells.
    lineages = _lineages(repository, packages, head, repository.tags())
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
    releases = released(package, tags, alone=alone)
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
    before = history.ancestors([stable.tag.commit], parents) if stable else set()
    new = [change for change in changes if change.commit not in before]
    if last is stable or last is None:
        return rules.plan_package(lineage, new, channel=channel)
    seen = history.ancestors([last.tag.commit], parents, known=before)
    fresh = frozenset(change.commit for change in new if change.commit not in seen)
    return rules.plan_package(lineage, new, channel=channel, fresh=fresh)


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
