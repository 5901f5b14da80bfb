"""From what each package would be released as by itself to what all of them are released as together. Pure.

The rules: a package follows another one only where its requirement does not take the new version any more, be it a
peer's or not, and then by a patch version; the packages of a fixed group are released together, at one version; those
of a linked group that are released get one version. A bump is never lowered on the way, so that the end is reached.
What is required for development alone moves nobody and says nothing of the order: only the range is written anew, with
the release of what it is about.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

from shipline.capabilities.plans.globs import matches
from shipline.capabilities.plans.graph.edges import Edge, components
from shipline.capabilities.plans.graph.ranges import fits, raised
from shipline.capabilities.plans.packages import Requirement
from shipline.capabilities.plans.tags import Released
from shipline.capabilities.plans.versions import Version, distance, scheme_named
from shipline.domain.change import DEPENDENCIES, Bump, Change
from shipline.domain.errors import ConfigurationError, ShiplineError
from shipline.domain.package import Group, Package
from shipline.domain.release_plan import PackagePlan, RequirementEdit

ROUNDS_MAX = 1000  # Far above what any graph needs: each round moves some package further.


@dataclass(frozen=True, slots=True)
class Member:
    """A package with what it would be released as by itself.

    `plan_with` plans it with further changes on top of its own. `released` are its releases, lowest version first.
    `former` gives the range that stood in the place of a shared one when it was last released, None for not known.
    """

    package: Package
    plan_with: Callable[[Sequence[Change]], PackagePlan]
    released: tuple[Released, ...] = ()
    former: Callable[[Requirement], str | None] = lambda _requirement: None

    def version_at(self, time_us: int) -> str | None:
        """The highest final version that it had at a time; None before the first."""
        there = (each for each in reversed(self.released) if each.version.is_stable and each.tag.time_us <= time_us)
        return next((each.version.text for each in there), None)

    @property
    def released_us(self) -> int | None:
        """When it was last released as a final version; None: never."""
        return next((each.tag.time_us for each in reversed(self.released) if each.version.is_stable), None)


@dataclass(slots=True)
class _State:
    """Where a package stands: its plan, and what others have made necessary for it."""

    member: Member
    plan: PackagePlan
    required: dict[str, Change] = field(default_factory=dict)
    edits: dict[tuple[str, str, str], RequirementEdit] = field(default_factory=dict)
    together: Change | None = None
    pinned: str | None = None
    group: str = ""


def settle(
    members: Sequence[Member], edges: Sequence[Edge], groups: Sequence[Group], *, update_from: Bump | None = None
) -> tuple[PackagePlan, ...]:
    """The plans of all members, dependencies first. Raises ConfigurationError for groups that cannot be.

    `update_from` is the least bump after which those that are released anyway require the new version, although the
    old range takes it; None: never.
    """
    states = {each.package.name: _State(each, each.plan_with(())) for each in members}
    gathered = [(group, _gathered(group, states)) for group in groups]
    published = [edge for edge in edges if not edge.requirement.development]
    order = [name for each in components(list(states), published) for name in each]
    required: dict[str, list[Edge]] = {name: [] for name in order}
    for edge in published:
        required[edge.dependent].append(edge)
    for _ in range(ROUNDS_MAX):
        followed = [_follow(states[name], required[name], states) for name in order]
        aligned = [_align(group, some) for group, some in gathered]
        if not any(followed) and not any(aligned):
            if update_from is not None:
                for name in order:
                    _update(states[name], required[name], states, update_from)
            _develop(edges, states)
            return tuple(_told(states[name]) for name in order)
    raise ShiplineError("the releases of this repository's packages never come to rest", todo="report this")


def _gathered(group: Group, states: Mapping[str, _State]) -> list[_State]:
    """The members of a group; each may be in one group only, and all are of one scheme."""
    found = [state for name, state in states.items() if any(matches(each, name) for each in group.packages)]
    known = ", ".join(states)
    for pattern in group.packages:
        if not any(matches(pattern, name) for name in states):
            raise ConfigurationError(f"group {group.name!r}: there is no package {pattern!r}", todo=f"known: {known}")
    for state in found:
        name = state.member.package.name
        if state.group:
            raise ConfigurationError(f"{name!r} is in two groups, {state.group!r} and {group.name!r}")
        state.group = group.name
        if state.member.package.scheme != found[0].member.package.scheme:
            raise ConfigurationError(
                f"group {group.name!r}: {name} has {state.member.package.scheme} versions, and "
                f"{found[0].member.package.name} has {found[0].member.package.scheme} ones",
                todo="packages with one version need one scheme: set it for each [[package]], or divide the group",
            )
    return found


def _follow(state: _State, edges: Sequence[Edge], states: Mapping[str, _State]) -> bool:
    """Take in what new versions of others make necessary for one package; True if that was anything new."""
    changed = False
    for edge in edges:
        other = states[edge.dependency]
        key = _key(edge)
        edit = _edit(edge, other.plan) if _is_left(edge, state, other) else _moved(edge, state, other)
        if edit is None:
            state.edits.pop(key, None)
            continue
        if state.edits.get(key) != edit:
            state.edits[key] = edit
            state.required[edge.dependency] = _requiring(edit)
            changed = True
    if changed:
        _replan(state)
    return changed


def _update(state: _State, edges: Sequence[Edge], states: Mapping[str, _State], least: Bump) -> None:
    """Let a package that is released anyway require the new versions of others."""
    for edge in edges if state.plan.releasable else ():
        other, wanted = states[edge.dependency].plan, edge.requirement
        follows = other.releasable and other.bump.rank >= least.rank
        if follows and fits(wanted, other.current or "", current=other.current):
            edit = _edit(edge, other, broken=False)
            if edit.after != edit.before:
                state.edits.setdefault(_key(edge), edit)


def _develop(edges: Sequence[Edge], states: Mapping[str, _State]) -> None:
    """Let what requires a released package for development take its new version.

    By the release of that package, since the dependent may never have one. A range that is a published one too is left
    to the dependent: once it is written, nothing would tell any more that the dependent is to follow.
    """
    published = {_key(edge) for edge in edges if not edge.requirement.development}
    for edge in edges:
        other = states[edge.dependency]
        if not edge.requirement.development or not other.plan.releasable or _key(edge) in published:
            continue
        edit = _edit(edge, other.plan)
        if edit.after != edit.before and _leaves(edge, other, other.plan.current):
            other.edits.setdefault(_key(edge), edit)


def _key(edge: Edge) -> tuple[str, str, str]:
    return edge.requirement.path, edge.requirement.name, edge.requirement.range


def _is_left(edge: Edge, state: _State, other: _State) -> bool:
    """True if the other package's version is out of a range that it was in when the package was last released.

    Then and not now: who stayed on an old range on purpose is left alone, and releases that were cut off between the
    one package and the other go on.
    """
    when = state.member.released_us
    return _leaves(edge, other, other.member.version_at(when) if when is not None else None)


def _moved(edge: Edge, state: _State, other: _State) -> RequirementEdit | None:
    """What a package owes to a shared range that has moved along with another package's release: the next version
    requires what the last one did not. None where it owes nothing."""
    when, wanted = state.member.released_us, edge.requirement
    before = other.member.version_at(when) if when is not None and wanted.shared else None
    if before is None or fits(wanted, before, current=before) is not False:
        return None
    former = state.member.former(wanted)
    if former is None or former == wanted.range:
        return None
    if not _leaves(replace(edge, requirement=replace(wanted, range=former)), other, before):
        return None
    edit = _edit(edge, other.plan)
    is_there = fits(wanted, edit.version, current=before) is True
    return replace(edit, before=former, after=wanted.range) if is_there else edit


def _leaves(edge: Edge, other: _State, before: str | None) -> bool:
    """True if the other package's planned version is out of a range that takes the version `before`."""
    following = _read(other.member.package.scheme, other.plan.next or "")
    if following is None or before is None or before == following.text:
        return False
    # A pre-release is judged by the version that it announces: npm's ranges take no pre-release at all, and every
    # dependent would have to be released with each of them.
    final = following.text if following.is_stable else _announced(other, following)
    wanted = edge.requirement
    return fits(wanted, before, current=before) is True and fits(wanted, final, current=before) is False


def _announced(state: _State, version: Version) -> str:
    scheme = scheme_named(state.member.package.scheme)
    return scheme.render(version.release, channel="stable", number=0, epoch=version.epoch)


def _edit(edge: Edge, plan: PackagePlan, *, broken: bool = True) -> RequirementEdit:
    wanted, version = edge.requirement, str(plan.next)
    return RequirementEdit(
        path=wanted.path,
        name=wanted.name,
        package=plan.name,
        version=version,
        before=wanted.range,
        after=raised(wanted, version),
        peer=wanted.peer,
        broken=broken,
        development=wanted.development,
    )


def _requiring(edit: RequirementEdit) -> Change:
    """The change that a release makes of itself, which stands in its changelog."""
    word = f"{edit.package}@{edit.version}"
    said = f"require {edit.package} {edit.version}"
    return Change(word, DEPENDENCIES, said, author="", time_us=0, bump=Bump.PATCH)


def _align(group: Group, states: Sequence[_State]) -> bool:
    """Give the packages of a group one version; True if one of them moved by that."""
    moving = [state for state in states if state.plan.releasable]
    if not moving:
        return False
    # By what each asks for itself: the step to the group's version may be a larger one, and must not add to it.
    alone = [state.member.plan_with(tuple(state.required.values())) for state in moving]
    bump = max((plan.bump for plan in alone), key=lambda bump: bump.rank)
    together = Change(f"group {group.name}", "", "", author="", time_us=0, bump=bump)
    planned = [state.member.plan_with((together, *state.required.values())) for state in states]
    versions = [version for plan, state in zip(planned, states, strict=True) if (version := _version(plan, state))]
    top = max((*versions, *(_pinned(state) for state in moving if state.pinned)), key=lambda version: version.key)
    late = [state for state in (states if group.fixed else moving) if state.plan.next != top.text]
    for state in late:
        state.together, state.pinned = together, top.text
        _replan(state)
    return bool(late)


def _version(plan: PackagePlan, state: _State) -> Version | None:
    return _read(state.member.package.scheme, plan.next or "")


@lru_cache(maxsize=65_536)
def _read(scheme: str, version: str) -> Version | None:
    """Remembered, since each round asks again."""
    return scheme_named(scheme).parse(version)


def _pinned(state: _State) -> Version:
    version = _read(state.member.package.scheme, state.pinned or "")
    if version is None:
        raise AssertionError(f"{state.pinned} came from a plan")
    return version


def _replan(state: _State) -> None:
    """Plan a package anew, with what others have made necessary, at its group's version where it has one."""
    more = (*state.required.values(), *([state.together] if state.together else ()))
    state.plan = state.member.plan_with(more)
    if state.pinned is None:
        return
    package = state.member.package
    before = _read(package.scheme, state.plan.current or "")
    release = before.release if before is not None else (0, 0, 0)
    bump = distance(release, _pinned(state).release)
    state.plan = replace(
        state.plan,
        next=state.pinned,
        tag=package.tag(state.pinned),
        bump=state.plan.bump if bump is Bump.NONE else bump,
    )


def _told(state: _State) -> PackagePlan:
    """The plan with what was made necessary, and without the change that only held the group together."""
    plan, edits = state.plan, tuple(state.edits.values())
    reasons = plan.reasons
    if state.pinned is not None:
        reasons = (*reasons, f"Of the group {state.group}, what is released together becomes {state.pinned}.")
    changes = tuple(change for change in plan.changes if change is not state.together)
    return replace(plan, reasons=reasons, changes=changes, requirements=edits)
