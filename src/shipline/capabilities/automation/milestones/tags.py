"""The tags of the milestone flow: development tags, release candidates and final ones. Pure.

A number is taken only by who has seen all numbers below it, and who creates a tag does so only where it is not there.
So there are no gaps, and nobody tags a commit twice, however many processes do this at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from shipline.capabilities.plans import STABLE, Version, scheme_named
from shipline.domain.errors import InvalidValue
from shipline.domain.package import Package

DEV, CANDIDATE = "dev", "rc"
# Checks that have not ended hold newer commits back so long, so that numbers follow the branch; and so long checks are
# waited for where there are none yet. Microseconds.
PENDING_US, SILENT_US = 6 * 3_600_000_000, 600_000_000


class Checks(StrEnum):
    """What the checks of a commit say together."""

    GREEN = "green"
    RED = "red"
    PENDING = "pending"
    SILENT = "silent"  # There are none.


@dataclass(frozen=True, slots=True)
class Checked:
    """A commit of the development branch. `time_us` is what it claims."""

    commit: str
    time_us: int
    checks: Checks


@dataclass(frozen=True, slots=True)
class Numbered:
    """A tag with a number, on a commit."""

    number: int
    name: str
    commit: str


@dataclass(frozen=True, slots=True)
class Tags:
    """The tags of one package on the remote. `finals` are commits by version; the others are by final version, by
    number."""

    package: Package
    finals: Mapping[str, str] = field(default_factory=dict)
    development: Mapping[str, tuple[Numbered, ...]] = field(default_factory=dict)
    candidates: Mapping[str, tuple[Numbered, ...]] = field(default_factory=dict)

    def named(self, version: str, channel: str, number: int) -> str:
        """The name of a tag."""
        scheme = scheme_named(self.package.scheme)
        parsed = scheme.parse(version)
        if parsed is None:
            raise InvalidValue(f"{version[:80]!r} is no version of {self.package.name}")
        return self.package.tag(scheme.render(parsed.release, channel=channel, number=number, epoch=parsed.epoch))

    def newest_final(self) -> Version | None:
        """The highest version that is released."""
        scheme = scheme_named(self.package.scheme)
        found = [parsed for text in self.finals if (parsed := scheme.parse(text)) is not None]
        return max(found, key=lambda one: one.key, default=None)

    def are_whole(self) -> bool:
        """False where a number is missing: a list that was read while tags were made may lack some."""
        rows = (*self.development.values(), *self.candidates.values())
        return all(row[-1].number - row[0].number + 1 == len(row) for row in rows if row)


def read_tags(package: Package, tags: Mapping[str, str]) -> Tags:
    """What tags (name to commit) say of a package; others are left out."""
    scheme = scheme_named(package.scheme)
    before, _, after = package.tag("\0").partition("\0")
    finals: dict[str, str] = {}
    rows: dict[str, dict[str, list[Numbered]]] = {DEV: {}, CANDIDATE: {}}
    for name, commit in tags.items():
        if not (name.startswith(before) and name.endswith(after)):
            continue
        version = scheme.parse(name[len(before) : len(name) - len(after)])
        if version is None:
            continue
        final = scheme.render(version.release, channel=STABLE, number=0, epoch=version.epoch)
        if version.is_stable:
            finals[final] = commit
        elif version.channel in rows:
            rows[version.channel].setdefault(final, []).append(Numbered(version.number, name, commit))
    ordered = {
        channel: {final: tuple(sorted(some, key=lambda one: one.number)) for final, some in found.items()}
        for channel, found in rows.items()
    }
    return Tags(package, finals, ordered[DEV], ordered[CANDIDATE])


def first_green(newest_first: Sequence[Checked]) -> str | None:
    """The commit that a milestone begins on: the newest green one."""
    return next((one.commit for one in newest_first if one.checks is Checks.GREEN), None)


def due_commits(oldest_first: Sequence[Checked], now_us: int) -> tuple[tuple[str, ...], bool]:
    """The green commits to be tagged now, in this order, and whether there is something to be waited for."""
    greens: list[str] = []
    for place, one in enumerate(oldest_first):
        age_us = now_us - one.time_us  # A commit may claim the future: it is not waited for.
        if one.checks is Checks.GREEN:
            greens.append(one.commit)
        elif (one.checks is Checks.PENDING and 0 <= age_us < PENDING_US) or (
            one.checks is Checks.SILENT and 0 <= age_us < SILENT_US and _are_silent(oldest_first[place:])
        ):
            return tuple(greens), True
    return tuple(greens), False


def _are_silent(commits: Sequence[Checked]) -> bool:
    """Of several commits in one push only the last is checked: others are waited for only where none is."""
    return all(one.checks is Checks.SILENT for one in commits)


def next_tags(tags: Tags, version: str, channel: str, commits: Sequence[str]) -> tuple[Numbered, ...]:
    """The tags that these commits get, numbered on from what is there; the first development tag is 0, the first
    candidate 1."""
    rows = tags.development if channel == DEV else tags.candidates
    row = rows.get(version, ())
    first = row[-1].number + 1 if row else int(channel == CANDIDATE)
    return tuple(
        Numbered(number, tags.named(version, channel, number), commit)
        for number, commit in enumerate(commits, start=first)
    )
