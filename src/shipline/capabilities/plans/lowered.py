"""Versions that a file states and no tag tells of, above the one that comes next: a release would lower them. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from shipline.capabilities.plans.rules import Lineage, stated_version
from shipline.capabilities.plans.versions import SNAPSHOT, Version, scheme_named
from shipline.domain.release_plan import PackagePlan


def is_lowered(stated: Version, following: Version) -> bool:
    """True if `following` in the place of `stated` goes down in its numbers; a candidate of the same ones does not."""
    return (following.epoch, following.release) < (stated.epoch, stated.release)


def with_lowered(plans: tuple[PackagePlan, ...], lineages: Sequence[Lineage]) -> tuple[PackagePlan, ...]:
    """The plans, which say where the package's manifest states a higher version than the one that comes next."""
    own = {each.package.name: each for each in lineages if each.stated is not None}
    return tuple(_said(plan, own.get(plan.name)) for plan in plans)


def _said(plan: PackagePlan, lineage: Lineage | None) -> PackagePlan:
    if lineage is None or lineage.stated == plan.current or not plan.releasable or plan.channel == SNAPSHOT:
        return plan  # Most files state what was released last, and cost nothing here.
    stated, following = stated_version(lineage), scheme_named(lineage.package.scheme).parse(plan.next or "")
    if stated is None or following is None or not is_lowered(stated, following):
        return plan
    words = f"{lineage.stated_in} says {stated.text}, which no tag tells of: {plan.next} would lower it."
    if stated.is_stable:
        tag = lineage.package.tag(stated.text)
        words += (
            f" If {stated.text} is released, tag its commit as {tag}; if not, mend the file (shipline version sync)."
        )
    return replace(plan, reasons=(*plan.reasons, words))
