"""What files state beside the tags: versions that a release would lower, or set to another one than people may expect.

A plan knows the manifest alone, since reading more would cost each of them; the other files are looked at where the
manifest's version would be lowered, and where somebody asks for all reasons.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from shipline.capabilities.plans.rules import Lineage, stated_version
from shipline.capabilities.plans.stated import files_stating
from shipline.capabilities.plans.versions import SNAPSHOT, Version, scheme_named
from shipline.domain.package import Package
from shipline.domain.release_plan import PackagePlan, ReleasePlan
from shipline.ports.repository import Repository

if TYPE_CHECKING:
    from shipline.domain.version_file import VersionFile

FILES_SHOWN_MAX = 10
Stating = Callable[[Package], Sequence[tuple[str, str]]]
"""Path and version of each file of a package that states one."""


def is_lowered(stated: Version, following: Version) -> bool:
    """True if `following` in the place of `stated` goes down in its numbers; a candidate of the same ones does not."""
    return (following.epoch, following.release) < (stated.epoch, stated.release)


def with_lowered(
    plans: tuple[PackagePlan, ...], lineages: Sequence[Lineage], stating: Stating
) -> tuple[PackagePlan, ...]:
    """The plans, which say where the package's manifest states a higher version than the one that comes next, and
    which files say so as well."""
    own = {each.package.name: each for each in lineages if each.stated is not None}
    return tuple(_said(plan, own.get(plan.name), stating) for plan in plans)


def _said(plan: PackagePlan, lineage: Lineage | None, stating: Stating) -> PackagePlan:
    if lineage is None or lineage.stated == plan.current or not plan.releasable or plan.channel == SNAPSHOT:
        return plan  # Most files state what was released last, and cost nothing here.
    stated, following = stated_version(lineage), _read(lineage.package, plan.next)
    if stated is None or following is None or not is_lowered(stated, following):
        return plan
    read = ((path, _read(lineage.package, text)) for path, text in stating(lineage.package))
    found = [path for path, version in read if version is not None and version.key == stated.key]
    paths = found if lineage.stated_in in found else [lineage.stated_in, *found]
    words = _lowered(lineage.package, plan, stated, paths)
    return replace(plan, reasons=(*plan.reasons, words))


def with_files(
    repository: Repository,
    plan: ReleasePlan,
    packages: Sequence[Package],
    chosen: Mapping[str, Sequence[VersionFile]],
) -> ReleasePlan:
    """The plan, which says of each file that states another version than the last released one what becomes of it.

    `chosen` are the version files that the settings name, by package.
    """
    names = {each.name for each in plan.packages if each.releasable and each.current and each.channel != SNAPSHOT}
    wanted = [package for package in packages if package.name in names]
    if not wanted:
        return plan
    said = files_stating(repository, plan.commit, wanted, packages, chosen)
    known = {package.name: package for package in wanted}
    told = (_with_others(each, known.get(each.name), said.get(each.name, [])) for each in plan.packages)
    return replace(plan, packages=tuple(told))


def _with_others(plan: PackagePlan, package: Package | None, said: Sequence[tuple[str, str]]) -> PackagePlan:
    if package is None:
        return plan
    current, following = _read(package, plan.current), _read(package, plan.next)
    usual = [each.key for each in (current, following) if each is not None]
    found: dict[object, tuple[Version, list[str]]] = {}
    for path, text in said:
        stated = _read(package, text)
        if stated is not None and stated.key not in usual:
            found.setdefault(stated.key, (stated, []))[1].append(path)
    reasons = [_other(package, plan, stated, following, paths) for stated, paths in found.values()]
    return replace(plan, reasons=tuple(dict.fromkeys((*plan.reasons, *reasons))))


def _other(
    package: Package, plan: PackagePlan, stated: Version, following: Version | None, paths: Sequence[str]
) -> str:
    if following is not None and is_lowered(stated, following):
        return _lowered(package, plan, stated, paths)
    last = f"the last release is {plan.current}"
    return f"{_say(paths)} {stated.text}, and {last}: {plan.next} takes its place there."


def _lowered(package: Package, plan: PackagePlan, stated: Version, paths: Sequence[str]) -> str:
    words = f"{_say(paths)} {stated.text}, which no tag tells of: {plan.next} would lower it."
    if not stated.is_stable:
        return words
    file = "file" if len(paths) == 1 else "files"
    return (
        f"{words} If {stated.text} is released, tag its commit as {package.tag(stated.text)}; if not, mend the {file}"
        " (shipline version sync)."
    )


def _say(paths: Sequence[str]) -> str:
    shown = [
        *paths[:FILES_SHOWN_MAX],
        *([f"{len(paths) - FILES_SHOWN_MAX} more"] if len(paths) > FILES_SHOWN_MAX else ()),
    ]
    return f"{shown[0]} says" if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]} say"


def _read(package: Package, text: str | None) -> Version | None:
    return scheme_named(package.scheme).parse(text or "")
