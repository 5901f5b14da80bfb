"""From a repository to the text of its changelog: of what comes next, of one release, or of the whole history."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date

from shipline.capabilities.plans import changelog
from shipline.capabilities.plans.asked import ALONE, Monorepo
from shipline.capabilities.plans.bumps import USUAL, BumpRules
from shipline.capabilities.plans.elsewhere import with_promoted
from shipline.capabilities.plans.heads import checked_head
from shipline.capabilities.plans.lineages import lineages_at
from shipline.capabilities.plans.past import Past, read_past
from shipline.capabilities.plans.planning import make_plan
from shipline.capabilities.plans.rules import Lineage
from shipline.capabilities.plans.show import Show
from shipline.domain.errors import UsageError
from shipline.domain.package import Package
from shipline.ports.repository import Repository


def changelog_pieces(  # noqa: PLR0913 - each is named where it is given
    repository: Repository,
    packages: Sequence[Package] | None = None,
    *,
    whole: bool = False,
    show: Show | None = None,
    bumps: BumpRules = USUAL,
    monorepo: Monorepo = ALONE,
    day: date | None = None,
) -> Iterator[str]:
    """The changelog as Markdown, in pieces: of the next release, of the one that `show` asks for, or the `whole`
    history's.

    Several packages follow each other. `show` makes the text of a package's sections, and has the style. A version
    that was never released here: UsageError.
    """
    shown = show or Show()
    shown = replace(shown, style=replace(shown.style, types=bumps.types))
    version = shown.version
    if not whole and version is None and not shown.style.contributors:
        plans = make_plan(repository, packages, bumps=bumps, monorepo=monorepo, day=day).packages
        names = frozenset(shown.chosen([plan.name for plan in plans]))
        plans = tuple(plan for plan in plans if plan.name in names)
        return _joined([(plan.name, [shown.text(plan.name, [changelog.section_of(plan)])]) for plan in plans])
    if whole:
        return _joined(_whole(repository, packages, shown))
    past, lineages = _past(repository, packages, shown)
    # A version may be named by its tag as well.
    wanted = changelog.UNRELEASED if version is None else version
    found = ((each.package.name, past.sections(each)) for each in lineages)
    chosen = [(name, [one for one in some if wanted in (one.title, one.tags[1])]) for name, some in found]
    if version is not None and not any(sections for _, sections in chosen):
        raise UsageError(f"{version[:80]!r} was not released in this history", todo="`git tag --merged` lists what was")
    empty = [changelog.Section(changelog.UNRELEASED, ())]
    return _joined([(name, [shown.text(name, some or empty)]) for name, some in chosen if some or version is None])


def _past(repository: Repository, packages: Sequence[Package] | None, show: Show) -> tuple[Past, tuple[Lineage, ...]]:
    """The whole history of HEAD, and the packages to show with the releases that it contains."""
    head = checked_head(repository)
    # Which tags HEAD contains, the one pass over its history tells.
    lineages, _ = lineages_at(repository, packages, head, repository.tags())
    names = frozenset(show.chosen([each.package.name for each in lineages]))
    tagged = {entry.tag.commit for lineage in lineages for entry in lineage.released}
    past = read_past(repository, head, [lineage.package for lineage in lineages], show.style, tagged=tagged)
    # Two manifests of one name in one folder with the same releases, such as a pyproject.toml and a package.json, are
    # one package to readers.
    chosen = {
        (each.package.name, each.package.path, tuple((one.version.text, one.tag.name) for one in each.released)): each
        for each in lineages
        if each.package.name in names
    }
    return past, tuple(with_promoted(repository, past.contained(each)) for each in chosen.values())


def _whole(repository: Repository, packages: Sequence[Package] | None, show: Show) -> list[tuple[str, list[str]]]:
    """The whole changelog of each package."""
    past, lineages = _past(repository, packages, show)
    return [(each.package.name, show.whole(each.package.name, past.sections(each))) for each in lineages]


def _joined(parts: Sequence[tuple[str, Sequence[str]]]) -> Iterator[str]:
    """All of it; where there are several packages, each part says whose it is."""
    for index, (name, pieces) in enumerate(parts):
        if len(parts) > 1:
            yield f"\n<!-- {name} -->\n\n" if index else f"<!-- {name} -->\n\n"
        yield from pieces
