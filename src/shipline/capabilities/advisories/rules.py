"""Is a version affected by an advisory? Pure.

By the algorithm of the OSV schema ("Evaluation"): https://ossf.github.io/osv-schema/#evaluation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol, TypeAlias

from shipline.capabilities.advisories.ecosystems import ECOSYSTEMS, package_name
from shipline.domain.advisory import Advisory, AffectedPackage, AffectedRange, RangeType, Turn
from shipline.domain.component import Component
from shipline.ports.advisories import PackageName


class Placed(Protocol):
    """A version, read. Those of one scheme are ordered by their keys."""

    @property
    def key(self) -> Any:
        """What orders it."""
        ...


Order: TypeAlias = "Callable[[str, str], Placed | None]"
"""Reads a version of a scheme; None for what is none, or where nothing orders it."""
START = "0"
LOWEST, EVENT_ORDER = 0, (Turn.INTRODUCED, Turn.FIXED, Turn.LAST_AFFECTED)


class Answer(StrEnum):
    """Whether a version is affected. UNKNOWN is not "no"."""

    AFFECTED = "affected"
    NOT_AFFECTED = "not affected"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Exposure:
    """What an advisory says of a component. `fixed` are the versions that mend it, the lowest first; empty: none is
    known. `why` says what cannot be decided, "" otherwise."""

    advisory: Advisory
    component: Component
    answer: Answer
    fixed: tuple[str, ...] = ()
    why: str = ""


def examine_component(advisory: Advisory, component: Component, ordered: Order) -> Exposure | None:
    """What an advisory says of a component; None where it is withdrawn, or about other packages."""
    name = package_name(component)
    if name is None or advisory.withdrawn:
        return None
    about = [one for one in advisory.affected if PackageName(one.ecosystem, one.name).compared == name.compared]
    if not about:
        return None
    if not component.version:
        return Exposure(advisory, component, Answer.UNKNOWN, _all_fixed(about), "nobody knows the component's version")
    return _worst([_examined(advisory, component, one, ordered) for one in about])


def _worst(exposures: list[Exposure]) -> Exposure:
    order = (Answer.AFFECTED, Answer.UNKNOWN, Answer.NOT_AFFECTED)
    return min(exposures, key=lambda one: order.index(one.answer))


def _examined(advisory: Advisory, component: Component, about: AffectedPackage, ordered: Order) -> Exposure:
    scheme = ECOSYSTEMS[component.type].scheme
    answers = [_in_range(each, component.version, scheme, ordered) for each in about.ranges]
    fixed = tuple(dict.fromkeys(version for answer, found in answers if answer is Answer.AFFECTED for version in found))
    if any(answer is Answer.AFFECTED for answer, _ in answers):
        return Exposure(advisory, component, Answer.AFFECTED, fixed)
    if _is_listed(component.version, about.versions, scheme, ordered):
        return Exposure(advisory, component, Answer.AFFECTED, _fixed_above(about, component.version, scheme, ordered))
    undecided = [each.type for each, (answer, _) in zip(about.ranges, answers, strict=True) if answer is Answer.UNKNOWN]
    if undecided or not (about.ranges or about.versions):
        return Exposure(advisory, component, Answer.UNKNOWN, _all_fixed([about]), _why(undecided, component))
    return Exposure(advisory, component, Answer.NOT_AFFECTED)


def _why(undecided: list[RangeType], component: Component) -> str:
    if RangeType.GIT in undecided:
        return "the advisory names commits, and no versions"
    if not undecided:
        return "the advisory says nothing of versions"
    if not ECOSYSTEMS[component.type].scheme:
        return f"versions of {ECOSYSTEMS[component.type].name} cannot be ordered here"
    return f"{component.version!r}, or a version in the advisory, cannot be ordered"


def _is_listed(version: str, versions: Iterable[str], scheme: str, ordered: Order) -> bool:
    mine = ordered(scheme, version)
    if mine is None:
        return version in versions
    return any(
        each == version or ((one := ordered(scheme, each)) is not None and one.key == mine.key) for each in versions
    )


def _in_range(about: AffectedRange, version: str, scheme: str, ordered: Order) -> tuple[Answer, tuple[str, ...]]:
    """Whether a version is in a range, and the version that mends it there."""
    if about.type is RangeType.GIT:
        return Answer.UNKNOWN, ()
    scheme = "semver" if about.type is RangeType.SEMVER else scheme
    mine = ordered(scheme, version)
    events = [(turn, text, None if text == START else ordered(scheme, text)) for turn, text in about.events]
    if mine is None or any(place is None and text != START for _, text, place in events):
        return Answer.UNKNOWN, ()
    limits = [place for turn, _, place in events if turn is Turn.LIMIT and place is not None]
    if limits and not any(mine.key < limit.key for limit in limits):
        return Answer.NOT_AFFECTED, ()
    turns = sorted((one for one in events if one[0] is not Turn.LIMIT), key=_Ordered)
    affected = False
    for turn, text, place in turns:
        if text == START or place is None:
            affected = affected or turn is Turn.INTRODUCED
        elif turn is Turn.INTRODUCED and mine.key >= place.key:
            affected = True
        elif (turn is Turn.FIXED and mine.key >= place.key) or (turn is Turn.LAST_AFFECTED and mine.key > place.key):
            affected = False
    mends = [text for turn, text, place in turns if turn is Turn.FIXED and place is not None and place.key > mine.key]
    return (Answer.AFFECTED, tuple(mends[:1])) if affected else (Answer.NOT_AFFECTED, ())


class _Ordered:
    """Sorts events by their version, "0" first; where two are at one version it begins there before it ends."""

    def __init__(self, event: tuple[Turn, str, Placed | None]) -> None:
        self.turn, _, self.place = event

    def __lt__(self, other: _Ordered) -> bool:
        if self.place is None or other.place is None:
            return self.place is None and other.place is not None
        if self.place.key == other.place.key:
            return EVENT_ORDER.index(self.turn) < EVENT_ORDER.index(other.turn)
        return bool(self.place.key < other.place.key)


def _fixed_above(about: AffectedPackage, version: str, scheme: str, ordered: Order) -> tuple[str, ...]:
    """For a version that is listed: the lowest version above it that mends it, or all where that cannot be told."""
    mine = ordered(scheme, version)
    fixed = [(text, ordered(scheme, text)) for text in _all_fixed([about])]
    above = [(text, place) for text, place in fixed if mine is not None and place is not None and place.key > mine.key]
    if not above:
        return () if mine is not None else tuple(text for text, _ in fixed)
    return (min(above, key=lambda one: one[1].key)[0],)


def _all_fixed(about: Iterable[AffectedPackage]) -> tuple[str, ...]:
    found = (
        text
        for one in about
        for each in one.ranges
        if each.type is not RangeType.GIT
        for turn, text in each.events
        if turn is Turn.FIXED
    )
    return tuple(dict.fromkeys(found))
