"""What `shipline release` is about: each package with its plan, and from where it is released.

A commit of its own is not made for every release: a snapshot moves no branch, a pre-release that changes no file needs
none, and with `mode = "tag"` nothing is ever committed.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

from shipline.capabilities.plans import SNAPSHOT, STABLE, make_final_plan, make_plan
from shipline.capabilities.releases import Candidate
from shipline.domain.package import unknown_package

if TYPE_CHECKING:
    from shipline.bootstrap.project import Project
    from shipline.domain.package import Package
    from shipline.domain.release_plan import PackagePlan


def candidates_of(project: Project, names: tuple[str, ...], *, channel: str | None = None) -> tuple[Candidate, ...]:
    """All packages, or those named, with their plans. An unknown name: UsageError."""
    packages = project.known_packages()
    known = {package.name: package for package in packages}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise unknown_package(unknown[0], list(known))
    aim = project.channel(channel, project.policy.channels)
    plan = make_plan(
        project.repository,
        packages,
        channel=aim,
        bumps=project.bumps,
        monorepo=project.monorepo,
        day=project.today,
    )
    everyone = cache(lambda: tuple(_candidate(project, known[each.name], each) for each in plan.packages))
    found = [_candidate(project, known[each.name], each) for each in plan.packages if each.name in names]
    is_beside = aim.word == SNAPSHOT or (
        aim.word != STABLE and not any(each.version_files for each in everyone() if each.plan.releasable)
    )
    tag_only = _tags_alone(project) and not is_beside
    beside = plan.commit if is_beside or tag_only else None
    return tuple(replace(each, beside=beside, peers=everyone, tag_only=tag_only) for each in found or everyone())


def final_candidate_of(project: Project, tag: str) -> Candidate:
    """The package whose pre-release has this tag. It is released on the branch, where that commit is still its end and
    may be committed upon; otherwise beside it."""
    packages = project.known_packages()
    final = make_final_plan(project.repository, packages, candidate=tag, bumps=project.bumps)
    found, tag_only = _candidate(project, final.package, final.plan.packages[0]), _tags_alone(project)
    is_end = final.plan.commit == project.repository.head() and project.branch is not None
    beside = None if is_end and not tag_only else final.plan.commit
    return replace(found, beside=beside, promotes=final.candidate, tag_only=tag_only)


def _tags_alone(project: Project) -> bool:
    return project.settings.release.mode == "tag"


def _candidate(project: Project, package: Package, plan: PackagePlan) -> Candidate:
    found = project.version_files(package, project.known_packages()).files
    return Candidate(package, plan, found, project.table_of(package).changelog)
