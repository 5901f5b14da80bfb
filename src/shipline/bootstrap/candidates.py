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
    from shipline.bootstrap.application import Application
    from shipline.domain.package import Package
    from shipline.domain.release_plan import PackagePlan


def candidates_of(
    application: Application, names: tuple[str, ...], *, channel: str | None = None
) -> tuple[Candidate, ...]:
    """All packages, or those named, with their plans. An unknown name: UsageError."""
    packages = application.known_packages()
    known = {package.name: package for package in packages}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise unknown_package(unknown[0], list(known))
    aim = application.channel(channel, application.policy.channels)
    plan = make_plan(
        application.repository,
        packages,
        channel=aim,
        bumps=application.bumps,
        monorepo=application.monorepo,
        day=application.today,
    )
    everyone = cache(lambda: tuple(_candidate(application, known[each.name], each) for each in plan.packages))
    found = [_candidate(application, known[each.name], each) for each in plan.packages if each.name in names]
    is_beside = aim.word == SNAPSHOT or (
        aim.word != STABLE and not any(each.version_files for each in everyone() if each.plan.releasable)
    )
    tag_only = _tags_alone(application) and not is_beside
    beside = plan.commit if is_beside or tag_only else None
    return tuple(replace(each, beside=beside, peers=everyone, tag_only=tag_only) for each in found or everyone())


def final_candidate_of(application: Application, tag: str) -> Candidate:
    """The package whose pre-release has this tag. It is released on the branch, where that commit is still its end and
    may be committed upon; otherwise beside it."""
    packages = application.known_packages()
    final = make_final_plan(application.repository, packages, candidate=tag, bumps=application.bumps)
    found, tag_only = _candidate(application, final.package, final.plan.packages[0]), _tags_alone(application)
    is_end = final.plan.commit == application.repository.head() and application.branch is not None
    beside = None if is_end and not tag_only else final.plan.commit
    return replace(found, beside=beside, promotes=final.candidate, tag_only=tag_only)


def _tags_alone(application: Application) -> bool:
    return application.settings.release.mode == "tag"


def _candidate(application: Application, package: Package, plan: PackagePlan) -> Candidate:
    found = application.version_files(package, application.known_packages()).files
    return Candidate(package, plan, found, application.table_of(package).changelog)
