"""What tags outside of HEAD's history say about the next version: it may be taken, or have been made from a candidate.

Asked for by their names, which are few, so that the number of tags costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from shipline.capabilities.plans.rules import Lineage
from shipline.capabilities.plans.tags import Released
from shipline.capabilities.plans.versions import SNAPSHOT, STABLE, scheme_named
from shipline.domain.change import Bump
from shipline.domain.errors import ShiplineError
from shipline.domain.release_plan import PackagePlan
from shipline.ports.repository import Repository

SKIPPED_MAX = 100


def with_promoted(repository: Repository, lineage: Lineage) -> Lineage:
    """The lineage with the final versions that were released from one of its pre-releases.

    Such a version has a commit of its own on top of the candidate's, beside the branch, which may never contain it.
    Its release counts from the candidate's commit on.
    """
    last, scheme = lineage.last_stable, scheme_named(lineage.package.scheme)
    open_ones = [entry for entry in lineage.released if not entry.version.is_stable]
    found: dict[str, Released] = {}
    for entry in open_ones:
        version = entry.version
        if last is not None and version.key < last.version.key:
            continue
        text = scheme.render(version.release, channel=STABLE, number=0, epoch=version.epoch)
        promoted = found.get(text) or _promoted(repository, lineage, text, open_ones)
        if promoted is not None:
            found[text] = promoted
    if not found:
        return lineage
    everything = (*lineage.released, *found.values())
    return replace(lineage, released=tuple(sorted(everything, key=lambda entry: entry.version.key)))


def _promoted(repository: Repository, lineage: Lineage, text: str, candidates: list[Released]) -> Released | None:
    version = scheme_named(lineage.package.scheme).parse(text)
    tag = repository.find_tag(lineage.package.tag(text))
    if tag is None or version is None:
        return None
    commit = next(iter(repository.log((), tag.commit)), None)
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
        plan = plan_of(replace(lineage, skipped=skipped))
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
