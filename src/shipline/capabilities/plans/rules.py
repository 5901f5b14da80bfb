"""Deciding what a package would be released as: pure, from its tags and its changes.

The rules: a breaking change moves the major version, a feature the minor, a fix, a performance gain or a revert the
patch version; nothing else moves it (Conventional Commits 1.0.0, item "relation to SemVer"; performance and reverts
as in the Angular convention). `BumpRules.effective` has what holds before 1.0.0. The last release is the highest
version among the tags that HEAD contains, so that maintenance branches count on their own.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import islice
from typing import Generic, TypeVar

from shipline.capabilities.plans.bumps import USUAL, BumpRules
from shipline.capabilities.plans.channels import check_line
from shipline.capabilities.plans.entries import Entry, Told
from shipline.capabilities.plans.messages import without_numbers
from shipline.capabilities.plans.tags import Released
from shipline.capabilities.plans.versions import SNAPSHOT, STABLE, Numbers, Version, distance, scheme_named
from shipline.domain.change import DEPENDENCIES, Bump, Change
from shipline.domain.package import Package
from shipline.domain.release_plan import PackagePlan
from shipline.ports.repository import Tag

BUMPS = {"feat": Bump.MINOR, "fix": Bump.PATCH, "perf": Bump.PATCH, "revert": Bump.PATCH}
OBJECT_ID_LENGTH = 40  # SHA-1; SHA-256 ids are longer. A whole id is known or not, a shorter one is a beginning.
EXAMPLES_MAX = 3
QUOTE_LENGTH_MAX = 100
T = TypeVar("T", Change, Entry)
PICKED = "(cherry picked from commit "  # Written by `git cherry-pick -x`.


@dataclass(frozen=True, slots=True)
class Lineage:
    """A package and what is known of its versions.

    `released` holds the releases that HEAD contains, lowest first. `stated` is the version that the file `stated_in`
    states, None where no file does. `notes` are sentences that the plan repeats. `line` is the line of versions that
    the branch keeps to, "" for none; `day` is that of the release, which calendar versions need; `skipped` counts the
    next pre-releases that were made elsewhere already.
    """

    package: Package
    released: tuple[Released, ...] = ()
    stated: str | None = None
    stated_in: str = ""
    notes: tuple[str, ...] = ()
    bumps: BumpRules = USUAL
    line: str = ""
    day: date | None = None
    skipped: int = 0

    @property
    def last_stable(self) -> Released | None:
        """The highest final version."""
        return next((entry for entry in reversed(self.released) if entry.version.is_stable), None)

    def last_of(self, channel: str) -> Released | None:
        """The highest version that users of `channel` have: its own pre-releases and the final versions."""
        scheme = scheme_named(self.package.scheme)
        return next(
            (
                entry
                for entry in reversed(self.released)
                if entry.version.is_stable or (channel != STABLE and scheme.same_channel(channel, entry.version))
            ),
            None,
        )


@dataclass(frozen=True, slots=True)
class Tidied(Generic[T]):
    """Changes without those that cancel each other and without doubles. `reasons` say what was left out."""

    changes: tuple[T, ...]
    reasons: tuple[str, ...]


def bump_of(change: Change) -> Bump:
    """How far one change moves a version from 1.0.0 on."""
    if change.bump is not None:
        return change.bump
    if change.ruled is not None:
        return change.ruled
    return Bump.MAJOR if change.breaking else BUMPS.get(change.type, Bump.NONE)


def highest_bump(changes: Iterable[Change]) -> Bump:
    """How far all of them together move it."""
    highest = Bump.NONE
    for change in changes:
        bump = bump_of(change)
        if bump is Bump.MAJOR:
            return bump
        if bump is not highest and bump.rank > highest.rank:
            highest = bump
    return highest


def tidied(changes: Sequence[T]) -> Tidied[T]:
    """Cancel reverted pairs and drop doubles; `changes` are newest first, and stay so."""
    cancelled, reasons = _cancelled(changes)
    kept = [change for change in changes if change.commit not in cancelled]
    single = _without_doubles(kept)
    if len(single) < len(kept):
        reasons.append(_counted(len(kept) - len(single), "change") + " that came in twice counted once.")
    return Tidied(tuple(single), tuple(reasons))


def stated_as_released(lineage: Lineage, commit: str) -> Lineage:
    """The lineage of a package that counts from the version that its files state, where no tag says another one.

    So changesets do: a package without a changeset is not released, also where nothing of it is tagged.
    """
    stated = stated_version(lineage)
    if stated is None or lineage.released:
        return lineage
    return replace(lineage, released=(Released(stated, Tag("", commit, 0)),))


def plan_package(
    lineage: Lineage, changes: Sequence[Change], *, channel: str, fresh: Collection[str] | None = None
) -> PackagePlan:
    """Plan one package. `changes` are those since the last final version, newest first.

    RefusedError where the next version would leave the line. `fresh` are the commits that the last pre-release of
    `channel` does not contain; None means all.
    """
    whole = tidied(changes)
    shown = whole if fresh is None else tidied([change for change in changes if change.commit in fresh])
    target = _target(lineage, whole.changes)
    idle = _idle(lineage, shown, channel)
    if target is None or not _moves(lineage, shown, channel):
        return idle
    base = lineage.last_stable
    following = _next_text(lineage, target, channel)
    check_line(
        lineage.package.name, lineage.line, target, text=following, why=" ".join(_why(lineage, whole.changes, target))
    )
    return replace(
        idle,
        next=following,
        bump=distance(base.version.release if base else None, target),
        tag=lineage.package.tag(following),
        reasons=(
            *_opening(lineage, channel),
            *_why(lineage, whole.changes, target),
            *shown.reasons,
            *_unread(shown.changes),
            *_backwards(lineage, following),
        ),
    )


def plan_snapshot(lineage: Lineage, changes: Sequence[Change], *, commit: str, time_us: int) -> PackagePlan:
    """Plan the snapshot of one commit, which needs no change: `bump` says how far its changes would move a version."""
    shown = tidied(changes)
    following = scheme_named(lineage.package.scheme).snapshot(commit, time_us)
    return replace(
        _idle(lineage, shown, SNAPSHOT),
        next=following,
        bump=max(highest_bump(shown.changes), Bump.PATCH, key=lambda bump: bump.rank),
        tag=lineage.package.tag(following),
        reasons=(*_opening(lineage, STABLE), f"{following} is the snapshot of commit {commit[:7]}.", *shown.reasons),
    )


def plan_final(lineage: Lineage, changes: Sequence[Change], candidate: Released) -> PackagePlan:
    """Plan the final version that the pre-release `candidate` announces, from its commit; `changes` are those since
    the last final version. There may be none that would ask for it: the candidate does."""
    whole = tidied(changes)
    version, base = candidate.version, lineage.last_stable
    following = scheme_named(lineage.package.scheme).render(
        version.release, channel=STABLE, number=0, epoch=version.epoch
    )
    words = f"{following} is made from {version.text} (tag {candidate.tag.name}), on commit {candidate.tag.commit[:7]}."
    return replace(
        _idle(lineage, whole, STABLE),
        next=following,
        bump=distance(base.version.release if base else None, version.release),
        tag=lineage.package.tag(following),
        reasons=(*_opening(lineage, STABLE), words, *whole.reasons, *_unread(whole.changes)),
    )


def _title(change: Told) -> str:
    """The header of a change without the requests at its end, whether it breaks something or not."""
    return without_numbers(_header(change, ""))[0]


def _header(change: Told, mark: str) -> str:
    scope = f"({change.scope})" if change.scope else ""
    return f"{change.type}{scope}{mark}: {change.description}" if change.type else change.description


def quoted(change: Told) -> str:
    """A change in a sentence: its header as written, shortened, and its commit."""
    header = _header(change, "!" if change.breaking else "")
    if not header.isprintable():
        header = "".join(each if each.isprintable() else " " for each in header)
    if len(header) > QUOTE_LENGTH_MAX:
        header = header[: QUOTE_LENGTH_MAX - 1] + "…"
    return f"“{header}” ({change.short})"


def _idle(lineage: Lineage, shown: Tidied[Change], channel: str) -> PackagePlan:
    """The plan that releases nothing."""
    current = lineage.last_of(channel)
    version = current.version.text if current else None
    return PackagePlan(
        name=lineage.package.name,
        path=lineage.package.path,
        current=version,
        next=version,
        bump=Bump.NONE,
        tag=(current.tag.name or None) if current else None,
        channel=lineage.line if channel == STABLE and lineage.line else channel,
        reasons=(*_opening(lineage, channel), *shown.reasons, _nothing(shown.changes)),
        changes=shown.changes,
    )


def stated_version(lineage: Lineage) -> Version | None:
    """The version in the version file; 0.0.0 is a placeholder and states nothing."""
    stated = scheme_named(lineage.package.scheme).parse(lineage.stated) if lineage.stated is not None else None
    return stated if stated is not None and any(stated.release) else None


def _moves(lineage: Lineage, shown: Tidied[Change], channel: str) -> bool:
    """A first version that a file states is a decision already; every other release needs a change for it."""
    return (lineage.last_of(channel) is None and stated_version(lineage) is not None) or highest_bump(
        shown.changes
    ) is not Bump.NONE


def _moved(lineage: Lineage, release: Numbers, changes: Sequence[Change]) -> Numbers:
    """The release moved by all changes. What says its bump outright is taken at its word, also before 1.0.0."""
    scheme = scheme_named(lineage.package.scheme)
    said = highest_bump(change for change in changes if change.bump is not None)
    read = highest_bump(change for change in changes if change.bump is None)
    steps = (said, lineage.bumps.effective(read, release[0]))
    return max(scheme.moved(release, step, lineage.day) for step in steps)


def _target(lineage: Lineage, changes: Sequence[Change]) -> Numbers | None:
    """The final version that the changes lead to, None where they lead to none.

    A pre-release announces its final version: that stays the aim, also where the changes would ask for less.
    """
    base, stated, scheme = lineage.last_stable, stated_version(lineage), scheme_named(lineage.package.scheme)
    announced = [entry.version.release for entry in lineage.released if not entry.version.is_stable]
    if base is None:
        return max([stated.release if stated else scheme.first(lineage.day), *announced])
    release = base.version.release
    above = [each for each in announced if each > release]
    if highest_bump(changes) is Bump.NONE and not above:
        return None
    return max([_moved(lineage, release, changes), *above])


def _next_text(lineage: Lineage, target: Numbers, channel: str) -> str:
    scheme, base = scheme_named(lineage.package.scheme), lineage.last_stable
    stated = _stated_first(lineage, channel)
    if stated is not None and stated.release == target and (channel == STABLE or lineage.skipped == 0):
        return stated.text
    epoch = base.version.epoch if base else 0
    number = 0 if channel == STABLE else _next_number(lineage, target, channel)
    return scheme.render(target, channel=channel, number=number, epoch=epoch)


def _stated_first(lineage: Lineage, channel: str) -> Version | None:
    """The version in the version file, where it is the first one for users of `channel` just as it is written."""
    stated, scheme = stated_version(lineage), scheme_named(lineage.package.scheme)
    if stated is None or lineage.last_of(channel) is not None:
        return None
    fits = stated.is_stable if channel == STABLE else scheme.same_channel(channel, stated)
    return stated if fits else None


def _backwards(lineage: Lineage, following: str) -> tuple[str, ...]:
    """A sentence where the next version is below one that is released, as a beta after a candidate of one version.

    Channels stand side by side, so it is said and not refused.
    """
    version = scheme_named(lineage.package.scheme).parse(following)
    last = lineage.released[-1] if lineage.released else None
    if version is None or last is None or version.key > last.version.key:
        return ()
    below = f"{last.version.text} (tag {last.tag.name})"
    return (f"{following} goes backwards: it is below {below}, so nobody who has that one will get it.",)


def _next_number(lineage: Lineage, target: Numbers, channel: str) -> int:
    """One more than the last pre-release of `target`; the first is 1, or 0 where the project counts from 0."""
    scheme = scheme_named(lineage.package.scheme)
    own = [entry.version for entry in lineage.released if scheme.same_channel(channel, entry.version)]
    taken = [version.number for version in own if version.release == target]
    if taken:
        return max(taken) + 1 + lineage.skipped
    zeros = (scheme.render(each.release, channel=channel, number=0, epoch=each.epoch) for each in own)
    from_zero = any(zero == each.text for zero, each in zip(zeros, own, strict=True))
    stated = _stated_first(lineage, channel)
    if stated is not None and stated.release == target:
        return stated.number + lineage.skipped
    return (0 if from_zero else 1) + lineage.skipped


def _cancelled(changes: Sequence[Told]) -> tuple[set[str], list[str]]:
    """Commits that take each other back, newest first: a revert that was itself reverted takes nothing back."""
    gone: set[str] = set()
    reasons: list[str] = []
    if not any(change.reverts for change in changes):
        return gone, reasons
    position = {change.commit: index for index, change in enumerate(changes)}
    for index, change in enumerate(changes):
        if change.commit in gone or not change.reverts:
            continue
        found = [_reverted(name, changes, position, index) for name in change.reverts]
        taken = [each for each in found if each is not None and each.commit not in gone]
        merged = [
            changes[position[name]]
            for name in change.undone
            if position.get(name, -1) > index and name not in gone and changes[position[name]] not in taken
        ]
        if merged or len(taken) == len(change.reverts):
            gone |= {change.commit, *(each.commit for each in (*taken, *merged))}
            told = [each for each in merged if each.type]
            reasons += [f"{quoted(each)} was taken back by {change.commit[:7]}; neither counts." for each in taken]
            reasons += _with_their_merge(told, change)
    return gone, reasons


def _with_their_merge(told: Sequence[Told], revert: Told) -> list[str]:
    if not told:
        return []
    more = f" and {len(told) - 1} more" if len(told) > 1 else ""
    return [f"{quoted(told[0])}{more} was taken back with its merge by {revert.commit[:7]}; none of it counts."]


def _reverted(name: str, changes: Sequence[Told], position: dict[str, int], index: int) -> Told | None:
    """The older change that `name`, an object id, its beginning, `#12` or `owner/name#12`, stands for.

    Whether the last is of this repository, a title tells: that of the revert has the header of what it takes back.
    """
    if name in position:
        return changes[position[name]] if position[name] > index else None
    if len(name) >= OBJECT_ID_LENGTH:
        return None
    older = islice(changes, index + 1, None)
    if name.startswith("#"):
        return next((each for each in older if each.description.endswith(f"({name})")), None)
    if "/" in name:
        number, title = name[name.index("#") :], without_numbers(changes[index].description)[0].replace("!:", ":", 1)
        return next(
            (each for each in older if each.description.endswith(f"({number})") and _title(each) == title), None
        )
    return next((each for each in older if each.commit.startswith(name)), None)


def _without_doubles(changes: Sequence[T]) -> list[T]:
    """Without conventional changes that an older one is: cherry-picked, or merged and squashed. Newest first.

    An older one is the same if it is what this one was cherry-picked from, if its patch is the same, or if it says the
    same: with a pull request in common, or with none that differs where nothing is known of the patches.
    """
    marked = [change for change in changes if change.patch or (change.body and PICKED in change.body)]
    if not marked and len({change.description.partition("(")[0].rstrip() for change in changes}) == len(changes):
        return list(changes)  # No two begin alike, so no two say the same.
    known = {change.commit for change in changes}
    said: dict[object, list[tuple[frozenset[str], str]]] = {}
    patches: dict[str, str] = {}
    single: list[T] = []
    for change in reversed(changes):
        words, numbers = _words(change)
        older = said.setdefault(words, [])
        same = any(_is_same(numbers, change.patch, *each) for each in older)
        picked = PICKED in change.body and any(each in known for each in _picked_from(change))
        patched = change.patch and patches.setdefault(change.patch, change.commit) != change.commit
        older.append((numbers, change.patch))
        if not change.type or not (same or picked or patched):
            single.append(change)
    return single[::-1]


def _is_same(numbers: frozenset[str], patch: str, others: frozenset[str], other_patch: str) -> bool:
    if numbers and others:
        return not numbers.isdisjoint(others)
    return not patch or not other_patch or patch == other_patch


def lookalikes(changes: Sequence[Change]) -> tuple[str, ...]:
    """The commits that may be one change in two commits, so that their patches are worth a comparison.

    They name one pull request and say other words, or say one thing and name no pull request in common. What moves no
    version and names none is not worth it.
    """
    by_number: dict[str, dict[str, set[object]]] = {}
    by_words: dict[object, dict[str, frozenset[str]]] = {}
    for change in changes:
        if not change.type:
            continue
        words, numbers = _words(change)
        for number in numbers:
            by_number.setdefault(number, {}).setdefault(change.commit, set()).add(words)
        if numbers or bump_of(change) is not Bump.NONE:
            by_words.setdefault(words, {})[change.commit] = numbers
    alike = [tuple(group) for group in by_number.values() if len(set(map(frozenset, group.values()))) > 1]
    alike += [
        tuple(group) for group in by_words.values() if len(group) > 1 and not frozenset.intersection(*group.values())
    ]
    return tuple(dict.fromkeys(commit for group in alike for commit in group))


def _words(change: Told) -> tuple[object, frozenset[str]]:
    """What a change says without the pull requests at its end, and these."""
    description, numbers = without_numbers(change.description)
    return (change.type, change.scope, description, change.breaking, change.breaking_notes), frozenset(numbers)


def _picked_from(change: Told) -> list[str]:
    return [line.rpartition(" ")[2].rstrip(")") for line in change.body.splitlines() if PICKED in line]


def _opening(lineage: Lineage, channel: str) -> tuple[str, ...]:
    notes, current = lineage.notes, lineage.last_of(channel)
    if current is not None:
        kind = "final release" if current.version.is_stable else f"release on the channel {channel}"
        where = f" (tag {current.tag.name})" if current.tag.name else ", as its files say"
        return (*notes, f"The last {kind} is {current.version.text}{where}.")
    if (stated := stated_version(lineage)) is not None:
        final = ".".join(map(str, stated.release))
        aim = (
            f"so the first final version is {final}"
            if channel == STABLE
            else f"so the first on {channel} is of {final}"
        )
        first = "which is the first" if _stated_first(lineage, channel) else aim
        return (*notes, f"Nothing was released yet; {lineage.stated_in} says {stated.text}, {first}.")
    return (*notes, "Nothing was released yet, and no file says a version.")


def _why(lineage: Lineage, changes: Sequence[Change], target: Numbers) -> tuple[str, ...]:
    base = lineage.last_stable
    if base is None:
        return ()
    bump = highest_bump(changes)
    release = base.version.release
    deciding = [change for change in changes if bump is not Bump.NONE and bump_of(change) is bump and change.type]
    deciding = [change for change in deciding if change.type != DEPENDENCIES]
    sentences = [_deciding(bump, deciding)] if deciding else []
    effective = lineage.bumps.effective(bump, release[0])
    whole = scheme_named(lineage.package.scheme).moved(release, bump, lineage.day)
    moved = _moved(lineage, release, changes)
    if effective is not bump and moved != whole:
        what = "breaking change" if bump is Bump.MAJOR else "feature"
        sentences.append(f"While the major version is 0, a {what} moves the {effective.value} version.")
    if target != moved:
        sentences.append(f"Pre-releases have announced {'.'.join(map(str, target))}, so that is what comes next.")
    return tuple(sentences)


def _deciding(bump: Bump, deciding: Sequence[Change]) -> str:
    names = {Bump.MAJOR: "breaking change", Bump.MINOR: "feature", Bump.PATCH: "fix"}
    if any(change.ruled is not None for change in deciding):
        names[bump] = f"change that moves the {bump.value} version"
    examples = ", ".join(quoted(change) for change in deciding[:EXAMPLES_MAX])
    more = f" and {len(deciding) - EXAMPLES_MAX} more" if len(deciding) > EXAMPLES_MAX else ""
    return f"{_counted(len(deciding), names[bump])}: {examples}{more}."


def _unread(changes: Sequence[Change]) -> tuple[str, ...]:
    unread = sum(1 for change in changes if not change.type and change.bump is None)
    return (_counted(unread, "commit") + " without a conventional message moved nothing.",) if unread else ()


def _nothing(changes: Sequence[Change]) -> str:
    if not changes:
        return "No change has come since."
    return f"Of {_counted(len(changes), 'change')} since, none is a feature, a fix or a breaking change."


def _counted(number: int, noun: str) -> str:
    plural = {"fix": "fixes"}.get(noun, f"{noun}s")
    if noun.startswith("change that moves "):
        plural = noun.replace("change that moves", "changes that move")
    return f"{number} {noun if number == 1 else plural}"
