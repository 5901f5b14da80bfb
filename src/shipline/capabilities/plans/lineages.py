"""The packages of a commit, each with what is known of its versions: by its tags, and by what its files state."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from shipline.capabilities.plans.packages import Found
from shipline.capabilities.plans.rules import Lineage
from shipline.capabilities.plans.survey import Survey, survey_packages, survey_repository
from shipline.capabilities.plans.tags import FORMS_BY, has_other_form, of_other_packages, released, tags_by_package
from shipline.capabilities.plans.versions import SNAPSHOT
from shipline.domain.package import Package
from shipline.ports.repository import Repository, Tag

BASES_MAX = 2000  # They go on one command line.


def lineages_at(
    repository: Repository, packages: Sequence[Package] | None, head: str, tags: Sequence[Tag]
) -> tuple[tuple[Lineage, ...], Survey]:
    """The packages at `head`, None: those that its files show, with the releases that `tags` tell of."""
    if packages is None:
        survey = survey_repository(repository, head, tags)
    else:
        survey = survey_packages(repository, head, packages)
    chosen = [package for package, _ in survey.found]
    alone = owns_everything(chosen)
    own = dict.fromkeys((package.name for package in chosen), tags) if alone else tags_by_package(chosen, tags)
    lineages = tuple(_lineage(package, each, own[package.name], alone=alone) for package, each in survey.found)
    if packages is None:
        lineages = tuple(map(_with_form, lineages))
    if packages is None and alone:
        lineages = tuple(_warned(each, tags) for each in lineages)
    return lineages, survey


def _with_form(lineage: Lineage) -> Lineage:
    """Where the highest version has another form than the next tag will have, say by what that is chosen."""
    last, package = lineage.released[-1] if lineage.released else None, lineage.package
    if package.path != "." or last is None or not has_other_form(package, last):
        return lineage
    note = (
        f"The tag {last.tag.name} has another form than most of the {FORMS_BY} latest: the next tag is written"
        f" as {package.tag('…')}, unless tag_format in shipline.toml says otherwise."
    )
    return replace(lineage, notes=(*lineage.notes, note))


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
    return Lineage(package, releases, found.version, found.version_path)


def owns_everything(packages: Iterable[Package]) -> bool:
    """True where every package is the whole repository, so that nobody needs to ask which paths a commit changed."""
    return all(package.path == "." for package in packages)


def unreleased_from(repository: Repository, lineages: Sequence[Lineage]) -> tuple[str, ...]:
    """Where the reading can stop: at what the last final releases of all packages contain."""
    bases = {each.last_stable.tag.commit if each.last_stable else None for each in lineages}
    known = tuple(sorted(base for base in bases if base is not None))
    if len(known) < len(bases) or len(known) > BASES_MAX:
        return ()
    common = known[0] if len(known) == 1 else repository.merge_base(known)
    return () if common is None else (common,)
