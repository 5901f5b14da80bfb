"""Why a package is released, through all packages that it follows: commit -> package -> range -> dependent. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from shipline.capabilities.plans.rules import bump_of, quoted
from shipline.domain.change import DEPENDENCIES, Bump
from shipline.domain.release_plan import PackagePlan, ReleasePlan, RequirementEdit

REASONS_MAX = 10


@dataclass(frozen=True, slots=True)
class Because:
    """One sentence of a chain; `depth` 0 is about the package itself, 1 about what it follows, and so on."""

    depth: int
    sentence: str


def explain(plan: ReleasePlan, name: str) -> tuple[Because, ...]:
    """What is said of one package, such as the form of its tag, and then the whole chain that moves it, if one does.

    Each package on the chain is told of once.
    """
    plans = {package.name: package for package in plan.packages}
    chain = tuple(_steps(plans, name, 0, {name}))
    told = tuple(each.sentence for each in chain)
    own = (reason for reason in plans[name].reasons if not any(each.endswith(reason) for each in told))
    return (*(Because(0, reason) for reason in own), *chain)


def with_chains(packages: Sequence[PackagePlan]) -> tuple[PackagePlan, ...]:
    """The plans with the beginning of each chain in the reasons of the packages that follow others."""
    plans = {package.name: package for package in packages}
    return tuple(_with_chain(plans, package) for package in packages)


def sentence(edit: RequirementEdit) -> str:
    """What a requirement says of the new version, and what becomes of it."""
    becomes = "" if edit.after == edit.before else f"; it becomes {edit.after}"
    if edit.development:
        return f"{edit.version} is out of {edit.before}, which {edit.path} requires for development{becomes}."
    if not edit.broken:
        return f"{edit.path} requires {edit.name} {edit.after} from now on."
    whose = "requires of its users" if edit.peer else "requires"
    return f"{edit.package} {edit.version} is out of {edit.before}, which {edit.path} {whose}{becomes}."


def _with_chain(plans: Mapping[str, PackagePlan], plan: PackagePlan) -> PackagePlan:
    if not plan.requirements:
        return plan
    deeper = (each.sentence for each in _steps(plans, plan.name, 0, {plan.name}) if each.depth > 0)
    told = tuple(sentence(edit) for edit in plan.requirements)
    return replace(plan, reasons=(*plan.reasons, *told, *islice(deeper, REASONS_MAX)))


def _steps(plans: Mapping[str, PackagePlan], name: str, depth: int, seen: set[str]) -> Iterator[Because]:
    plan = plans[name]
    if not plan.releasable:
        return
    own = [change for change in plan.changes if change.type != DEPENDENCIES and bump_of(change) is not Bump.NONE]
    if own:
        first = max(own, key=lambda change: bump_of(change).rank)
        more = f" and {len(own) - 1} more" if len(own) > 1 else ""
        # Which version the first one is, changes do not say.
        why = "because of" if plan.current is not None else "for the first time, with"
        yield Because(depth, f"{name} becomes {plan.next} {why} {quoted(first)}{more}.")
    broken = [edit for edit in plan.requirements if edit.broken and not edit.development]
    for edit in broken:
        yield Because(depth, f"{name} becomes {plan.next}: {sentence(edit)}")
        if edit.package not in seen:
            seen.add(edit.package)
            yield from _steps(plans, edit.package, depth + 1, seen)
    if not own and not broken:
        yield Because(depth, f"{name} becomes {plan.next}: {plan.reasons[-1]}")
