"""From a pre-release to the plan of the final version that it announces, made from the pre-release's own commit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from shipline.capabilities.plans import rules
from shipline.capabilities.plans.bumps import USUAL, BumpRules
from shipline.capabilities.plans.elsewhere import with_promoted
from shipline.capabilities.plans.heads import checked_head
from shipline.capabilities.plans.lineages import lineages_at, owns_everything, unreleased_from
from shipline.capabilities.plans.monorepo import attributed, own_changes_among
from shipline.capabilities.plans.reading import changes_of
from shipline.capabilities.plans.rules import Lineage
from shipline.capabilities.plans.tags import Released
from shipline.domain.change import Bump, Change
from shipline.domain.errors import InvalidValue, UsageError
from shipline.domain.package import Package
from shipline.domain.release_plan import ReleasePlan
from shipline.ports.repository import Repository


@dataclass(frozen=True, slots=True)
class FinalPlan:
    """The plan of a package's final version, made from the commit of its pre-release `candidate` (a version)."""

    package: Package
    candidate: str
    plan: ReleasePlan


def make_final_plan(
    repository: Repository, packages: Sequence[Package] | None, *, candidate: str, bumps: BumpRules = USUAL
) -> FinalPlan:
    """Plan the final version that the pre-release with the tag `candidate` announces, from its commit.

    Where that final version is tagged already the plan has nothing to release. Raises UsageError where there is no such
    tag, InvalidValue where it is no pre-release of a package here.
    """
    checked_head(repository)
    tag = repository.find_tag(candidate)
    if tag is None:
        raise UsageError(f"there is no tag {candidate[:80]!r} here", todo="fetch it: git fetch --tags")
    found, _ = lineages_at(repository, packages, tag.commit, repository.merged_tags(tag.commit))
    lineages = tuple(with_promoted(repository, each) for each in found)
    lineage, entry = _candidate(lineages, candidate)
    known = replace(lineage, released=tuple(each for each in lineage.released if each.version.key <= entry.version.key))
    plan = rules.plan_final(known, _changes_until(repository, tag.commit, lineages, known, bumps), entry)
    made = repository.find_tag(plan.tag) if plan.tag is not None else None
    if made is not None:
        done = f"{plan.next} was released already (tag {made.name}, commit {made.commit[:7]})."
        plan = replace(plan, current=plan.next, bump=Bump.NONE, reasons=(done,))
    return FinalPlan(lineage.package, entry.version.text, ReleasePlan(commit=tag.commit, packages=(plan,)))


def _changes_until(
    repository: Repository, commit: str, lineages: Sequence[Lineage], known: Lineage, bumps: BumpRules
) -> list[Change]:
    """The changes of one package from its last final release to `commit`, newest first."""
    everyone = [known if each.package == known.package else each for each in lineages]
    everything = owns_everything([each.package for each in everyone])
    commits = list(repository.log(unreleased_from(repository, [known]), commit, changed_paths=not everything))
    read = changes_of(repository, commits, commit, bumps.types)
    shares = attributed(commits, everyone)
    own, name = own_changes_among([each.package for each in everyone]), known.package.name
    return [change for one, names in shares if name in names for change in own(one, read[one.id], name)]


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
