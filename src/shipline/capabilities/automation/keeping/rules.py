"""What has to change on the forge for it to be as it is said. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

# What nobody misses where a forge does not have it.
UNASKED = frozenset({"", "0", "no"})


class Kind(StrEnum):
    """What is kept, in the order in which it is carried out."""

    LABEL = "label"
    MILESTONE = "milestone"
    WEBHOOK = "webhook"
    BRANCH = "branch"
    TAG = "tag"
    MERGE = "merge"
    VARIABLE = "variable"
    SECRET = "secret"  # noqa: S105 - a word for a kind
    SECURITY = "security"
    ENVIRONMENT = "environment"
    ENVIRONMENT_RULE = "environment rule"


class Action(StrEnum):
    """What becomes of a thing."""

    ADD = "add"
    CHANGE = "change"
    REMOVE = "remove"


@dataclass(frozen=True, slots=True)
class Thing:
    """Something of the repository, known by kind and name. `fields` are its settings as text, never a secret's value.

    A wanted thing that leaves a field out leaves it as it is.
    """

    kind: Kind
    name: str
    fields: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class FieldChange:
    """A field that becomes another; `before` is None for a thing that is not there."""

    name: str
    before: str | None
    after: str


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not as it is said; `wanted` is None for one that goes."""

    kind: Kind
    name: str
    action: Action
    fields: tuple[FieldChange, ...] = ()
    wanted: Thing | None = None

    @property
    def words(self) -> str:
        """It in one line, without values."""
        fields = ", ".join(each.name for each in self.fields) if self.action is Action.CHANGE else ""
        return f"{self.action} {self.kind} {self.name!r}" + (f": {fields}" if fields else "")


@dataclass(frozen=True, slots=True)
class Unread:
    """A kind that could not be read, and why; what is said of it stays undone."""

    kind: Kind
    why: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What has to be done. `removals` are apart; `strangers` are there, not said, and stay. `left_out` are settings
    that this kind of forge does not have."""

    changes: tuple[Difference, ...] = ()
    removals: tuple[Difference, ...] = ()
    strangers: tuple[tuple[Kind, str], ...] = ()
    left_out: tuple[str, ...] = ()
    unread: tuple[Unread, ...] = ()

    @property
    def differences(self) -> tuple[Difference, ...]:
        """All, the removals last."""
        return self.changes + self.removals

    @property
    def is_empty(self) -> bool:
        """True if all is as it is said, as far as it is known."""
        return not self.differences


def kinds_to_read(wanted: Iterable[Thing], pruned: Iterable[Kind]) -> tuple[Kind, ...]:
    """The kinds of which something is said: nothing else is even looked at."""
    said = {thing.kind for thing in wanted} | set(pruned)
    return tuple(kind for kind in Kind if kind in said)


def without(wanted: Iterable[Thing], lacking: frozenset[str]) -> tuple[tuple[Thing, ...], tuple[str, ...]]:
    """What a forge can keep, and in words what it does not have. `lacking`: `kind`, `kind.field` or
    `kind.field.word`, the last for a field that lists words."""
    kept, left_out = [], []
    for thing in wanted:
        if thing.kind.value in lacking:
            left_out.append(f"{thing.kind} {thing.name!r}")
            continue
        fields = {}
        for name, value in thing.fields.items():
            place = f"{thing.kind}.{name}"
            gone = [word for word in value.split(", ") if f"{place}.{word}" in lacking]
            if place in lacking:
                left_out += [f"{name} of {thing.kind} {thing.name!r}"] if value not in UNASKED else []
                continue
            fields[name] = ", ".join(word for word in value.split(", ") if word not in gone)
            left_out += [f"{word!r} in {name} of {thing.kind} {thing.name!r}" for word in gone]
        kept.append(Thing(thing.kind, thing.name, fields))
    return tuple(kept), tuple(left_out)


def compare(
    wanted: Iterable[Thing], found: Mapping[Kind, tuple[Thing, ...]], pruned: frozenset[Kind]
) -> tuple[tuple[Difference, ...], tuple[Difference, ...], tuple[tuple[Kind, str], ...]]:
    """Changes, removals and strangers, of the kinds that were found: each in the order of kinds and of what is said."""
    said = list(wanted)
    changes: list[Difference] = []
    removals: list[Difference] = []
    strangers: list[tuple[Kind, str]] = []
    for kind in (kind for kind in Kind if kind in found):
        there = {thing.name: thing for thing in found[kind]}
        ours = [thing for thing in said if thing.kind is kind]
        changes += [each for thing in ours if (each := _difference(thing, there.get(thing.name))) is not None]
        others = sorted(set(there) - {thing.name for thing in ours})
        if kind in pruned:
            removals += [Difference(kind, name, Action.REMOVE) for name in others]
        else:
            strangers += [(kind, name) for name in others]
    return tuple(changes), tuple(removals), tuple(strangers)


def _difference(wanted: Thing, found: Thing | None) -> Difference | None:
    if found is None:
        fields = tuple(FieldChange(name, None, value) for name, value in wanted.fields.items())
        return Difference(wanted.kind, wanted.name, Action.ADD, fields, wanted)
    fields = tuple(
        FieldChange(name, found.fields.get(name, ""), value)
        for name, value in wanted.fields.items()
        if found.fields.get(name, "") != value
    )
    return Difference(wanted.kind, wanted.name, Action.CHANGE, fields, wanted) if fields else None


def with_secrets(plan: Plan, wanted: Iterable[Thing], secret: Mapping[Kind, frozenset[str]]) -> Plan:
    """The plan, and beside it the things that have a secret, which is set anew: no forge tells whether it is right."""
    known = {(each.kind, each.name) for each in plan.changes}
    unread = {each.kind for each in plan.unread}
    anew = tuple(
        Difference(thing.kind, thing.name, Action.CHANGE, (FieldChange("secret", None, "set anew"),), thing)
        for thing in wanted
        if thing.name in secret.get(thing.kind, frozenset())
        and thing.kind not in unread
        and (thing.kind, thing.name) not in known
    )
    return replace(plan, changes=plan.changes + anew)
