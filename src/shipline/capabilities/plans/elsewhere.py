"""What tags outside of HEAD's history say about the next version: it may be taken, or have been made from a candidate.

Asked for by their names, which are few, so that the number of tags costs nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from shipline.capabilities.plans.rules import Lineage
from shipline.capabilities.plans.tags import Released, released, tags_by_package
from shipline.capabilities.plans.versions import SNAPSHOT, STABLE, scheme_named
from shipline.domain.change import Bump
from shipline.domain.errors import ShiplineError
from shipline.domain.release_plan import PackagePlan
from shipline.ports.repository import Repository, Tag

SKIPPED_MAX = 100
MAJOR = re.compile(r"(\d{1,18})\.\d", re.ASCII)
EPOCHS_ABOVE = 10**18


def with_promoted(repository: Repository, lineage: Lineage) -> Lineage:
    """The lineage with the final versions that were released from one of its pre-releases.

    Such a version has a commit of its own on top of the candidate's, beside the branch, which may never contain it.
    Its release counts from the candidate's commit on.
    """
    last, scheme = lineage.last_stable, scheme_named(lineage.package.scheme)
    open_ones = [entry for entry in lineage.released if not entry.version.is_stable]
    asked: dict[str, Released | None] = {}  # Many pre-releases lead to one final version.
    for entry in open_ones:
        version = entry.version
        if last is not None and version.key < last.version.key:
            continue
        text = scheme.render(version.release, channel=STABLE, number=0, epoch=version.epoch)
        if text not in asked:
            asked[text] = _promoted(repository, lineage, text, open_ones)
    found = [each for each in asked.values() if each is not None]
    if not found:
        return lineage
    everything = (*lineage.released, *found)
    return replace(lineage, released=tuple(sorted(everything, key=lambda entry: entry.version.key)))


def with_higher_ones(
    plans: tuple[PackagePlan, ...], lineages: Sequence[Lineage], names: Sequence[str]
) -> tuple[PackagePlan, ...]:
    """The plans, which say where a final release of the package is higher and lies outside of HEAD's history.

    Then the history was rewritten, or this branch lags behind. `names` are the tags outside of it. A branch that keeps
    to a line of versions is meant to be lower.
    """
    waiting = [each for each in lineages if not each.line]
    if not names or not waiting:
        return plans
    packages = [each.package for each in waiting]
    majors = {plan.name: _major(plan.next or "0.0") for plan in plans}
    lowest = min(majors[package.name] for package in packages)
    tags = [Tag(name, "", 0) for name in names if _major(name) >= lowest]  # Reading one costs more than a glance at it.
    alone = all(package.path == "." for package in packages) and len(waiting) == len(lineages)
    own = dict.fromkeys((each.name for each in packages), tags) if alone else tags_by_package(packages, tags)
    highest = {each.package.name: _highest(each, own[each.package.name], alone=alone) for each in waiting}
    return tuple(_with_higher(plan, highest.get(plan.name), lineages) for plan in plans)


def _major(name: str) -> int:
    """The highest first number that a tag may hold; one with an epoch may be higher than any."""
    found = max((int(number) for number in MAJOR.findall(name)), default=0)
    return found if "!" not in name else EPOCHS_ABOVE


def _highest(lineage: Lineage, tags: Sequence[Tag], *, alone: bool) -> Released | None:
    known = {entry.tag.name for entry in lineage.released}
    finals = (entry for entry in reversed(released(lineage.package, tags, alone=alone)) if entry.version.is_stable)
    return next((entry for entry in finals if entry.tag.name not in known), None)


def _with_higher(plan: PackagePlan, highest: Released | None, lineages: Sequence[Lineage]) -> PackagePlan:
    if highest is None or plan.channel == SNAPSHOT:
        return plan
    scheme = next(scheme_named(each.package.scheme) for each in lineages if each.package.name == plan.name)
    following = scheme.parse(plan.next) if plan.next is not None else None
    if following is not None and following.key >= highest.version.key:
        return plan
    words = (
        f"The tag {highest.tag.name} is higher, on a commit that this history does not contain: the history was"
        f" rewritten, or this branch lags behind. Bring it in (git merge {highest.tag.name}), or keep this branch to a"
        " line of versions by [[channel]] range."
    )
    return replace(plan, reasons=(*plan.reasons, words))


def _promoted(repository: Repository, lineage: Lineage, text: str, candidates: list[Released]) -> Released | None:
    version = scheme_named(lineage.package.scheme).parse(text)
    tag = repository.find_tag(lineage.package.tag(text))
    if tag is None or version is None:
        return None
    commit = next(iter(repository.log((), tag.commit, limit=1)), None)
    first = commit.parents[0] if commit is not None and commit.parents else None
    below = next((each for each in candidates if each.tag.commit == first), None)
    return None if below is None else Released(version, tag._replace(commit=below.tag.commit))


def settled(
    repository: Repository,
    lineage: Lineage,
    plan_of: Callable[[Lineage], PackagePlan],
    *,
    known: Callable[[str], bool],
) -> PackagePlan:
    """The plan, once it is known which tags there are; `known` says of a name whether there is such a tag.

    A pre-release takes the next number that is free. A snapshot that there is needs no release. A final version that
    is tagged on a commit that HEAD does not contain is said: a release of it would be refused.
    """
    for skipped in range(SKIPPED_MAX):
        plan = plan_of(replace(lineage, skipped=skipped) if skipped else lineage)
        if not plan.releasable or plan.tag is None or not known(plan.tag):
            return plan
        tag = repository.find_tag(plan.tag)
        if tag is None:
            return plan
        if plan.channel == SNAPSHOT:
            words = f"{plan.next} is there already (tag {tag.name})."
            return replace(plan, current=plan.next, bump=Bump.NONE, reasons=(words,))
        version = scheme_named(lineage.package.scheme).parse(plan.next or "")
        if version is None or version.is_stable:
            why = (
                f"The tag {tag.name} is there already, on commit {tag.commit[:7]}, which this history does not contain:"
            )
            todo = f"bring it in (git merge {tag.name}), or delete the tag if it was never pushed."
            return replace(plan, reasons=(*plan.reasons, f"{why} {todo}"))
    raise ShiplineError(
        f"{SKIPPED_MAX} pre-releases after {plan.current} were tagged on other branches",
        todo="bring those branches in, so that their tags count",
    )
