"""A whole history as the sections of a changelog, in one pass: only what is shown becomes an entry, and stays."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import repeat
from sys import intern  # Types, scopes and authors are few: kept once each, they are a quarter of what a history takes.

from shipline.capabilities.plans import changelog, history, rules
from shipline.capabilities.plans.attribution import Attribution
from shipline.capabilities.plans.conventional import HEADER, SEE_REQUEST, co_authors_in, numbers_in
from shipline.capabilities.plans.entries import Entry
from shipline.capabilities.plans.messages import by_whole_id, corrections_in, inner, is_merge_title, read_messages
from shipline.capabilities.plans.monorepo import own_changes, owners_of
from shipline.capabilities.plans.reading import overrides_at, said_by_others
from shipline.capabilities.plans.reverts import mainline_in, names_others, with_own_numbers
from shipline.capabilities.plans.rules import PICKED, Lineage
from shipline.domain.package import Package
from shipline.ports.repository import Commit, LogEntry, Repository

UNNOTICED_MAX = 1000
TELLING_STARTS = ("Merge ", "Squashed ", "Revert ", "Reapply ")


@dataclass(slots=True)
class Past:
    """A history's shape, what is notable in it by package path, newest first, and where each author began."""

    graph: history.Graph
    entries: dict[str, list[Entry]]
    beginnings: dict[str, int] = field(default_factory=dict)

    def contained(self, lineage: Lineage) -> Lineage:
        """The lineage with the releases alone that this history contains."""
        return replace(lineage, released=tuple(each for each in lineage.released if each.tag.commit in self._places))

    @property
    def _places(self) -> dict[str, int]:
        return self.graph.places

    def sections(self, lineage: Lineage) -> list[changelog.Section]:
        """The sections of one package, the latest first: the releases that this history contains, and what came since.

        Pre-releases are part of the final release after them; those that have none yet stand by themselves.
        """
        released = [entry for entry in lineage.released if entry.tag.commit in self._places]
        stable = next((entry for entry in reversed(released) if entry.version.is_stable), None)
        releases = [
            entry
            for entry in released
            if entry.version.is_stable or stable is None or entry.version.key > stable.version.key
        ]
        owner = self.graph.release_of_each([self._places[entry.tag.commit] for entry in releases])
        grouped: list[list[Entry]] = [[] for _ in range(len(releases) + 1)]
        for entry in self.entries[lineage.package.path]:
            grouped[owner[entry.place]].append(entry)
        newcomers: dict[int, set[str]] = {}
        for author, place in self.beginnings.items():
            newcomers.setdefault(owner[place], set()).add(author)
        tags = [None, *(entry.tag.name for entry in releases), "HEAD"]
        titles = [(entry.version.text, entry.tag.time_us) for entry in releases]
        sections = [
            changelog.Section(
                title,
                rules.tidied(grouped[index]).changes,
                time_us,
                (tags[index], tags[index + 1]),
                frozenset(newcomers.get(index, ())),
            )
            for index, (title, time_us) in enumerate([*titles, (changelog.UNRELEASED, None)])
        ]
        return [section for section in reversed(sections) if section.changes or section.title != changelog.UNRELEASED]


def read_past(
    repository: Repository,
    head: str,
    packages: Sequence[Package],
    style: changelog.Style = changelog.PLAIN,
    *,
    tagged: Iterable[str],
) -> Past:
    """Read the whole history of `head` once; notable is what `style` has a section for, releases are `tagged` commits.

    Corrections that stand in commits are found before what they correct, since a log comes newest first.
    """
    attribution = None if all(package.path == "." for package in packages) else Attribution(packages)
    past = Past(history.Graph(tagged), {package.path: [] for package in packages})
    corrections = list(overrides_at(repository, head))
    merges: list[int] = []
    reverted: dict[str, str] = {}  # The messages that revert a commit, by its id: they come before it.
    undone: dict[str, tuple[int, int]] = {}
    add, beginnings, types = past.graph.add, past.beginnings, style.types
    unnoticed: set[str] = set()
    for commit, whole in _commits(repository, head, changed_paths=attribution is not None):
        oid, parents, author, message = commit
        place = add(oid, parents)
        beginnings[author] = place
        if "uthored-" in message:
            beginnings.update(dict.fromkeys(co_authors_in(message), place))
        header = _noticed(message, style, unnoticed)
        if not (plain := _is_all(header, message, types)):
            corrections += corrections_in(message)
        if reverted and " " in parents and oid in reverted:
            undone[oid] = (place, mainline_in(reverted[oid], parents.split()))
        corrected = by_whole_id(corrections, (oid,)).get(oid) if corrections else None
        if plain and corrected is None:
            entries: tuple[Entry, ...] = () if header is None else (_by_header(commit, place, header),)
        else:
            merge = corrected is None and " " in parents
            entries = _notable(commit, place, message if corrected is None else corrected, style, merge=merge)
            if entries and merge and is_merge_title(message):
                merges.append(place)
            reverted |= {name: message for entry in entries for name in entry.reverts}
        if entries:
            _share_out(past, attribution, whole, entries)
    _find_awaited(repository, head, past.graph)
    _drop(past, said_by_others(past.graph, 0, merges, _movers(past)) if merges else ())
    _say_undone(past, undone)
    if any(entry.reverts and names_others(entry) for entries in past.entries.values() for entry in entries):
        _say_own_numbers(past, repository.remote_address("origin"))
    return past


def _noticed(message: str, style: changelog.Style, unnoticed: set[str]) -> re.Match[str] | None:
    """The header of a message, if a changelog shows what has such a one.

    What stands before the colon of others is kept in `unnoticed`: most of a history is of few types, and not for users.
    """
    start = message.partition(": ")[0]
    if start in unnoticed:
        return None
    header = HEADER.match(message)
    if header is None or header[3] is not None or header[1].lower() in style.sections:
        return header
    if header.start(4) == len(start) + 2 and len(unnoticed) < UNNOTICED_MAX:
        unnoticed.add(start)
    return None


def _commits(repository: Repository, head: str, *, changed_paths: bool) -> Iterator[tuple[LogEntry, Commit | None]]:
    """The commits, with their paths where these are asked for."""
    if changed_paths:
        commits = repository.log((), head, changed_paths=True)
        return ((LogEntry(one.id, " ".join(one.parents), one.author, one.message), one) for one in commits)
    return zip(repository.log_entries(head), repeat(None))


def _find_awaited(repository: Repository, head: str, graph: history.Graph) -> None:
    """Where a clock was wrong, commits came before their children: only their ids tell where, and few are kept."""
    awaited = graph.awaited
    if awaited:
        for place, entry in enumerate(repository.log_entries(head)):
            if entry.id in awaited:
                graph.came(entry.id, place)


def _share_out(past: Past, attribution: Attribution | None, commit: Commit | None, entries: Sequence[Entry]) -> None:
    """Hand the entries of a commit to the packages that it is about."""
    if attribution is None or commit is None:
        for path in past.entries:
            past.entries[path] += entries
    else:
        for path in owners_of(attribution, commit):
            past.entries[path] += own_changes(attribution, commit, entries, path)


def _is_all(header: re.Match[str] | None, message: str, types: tuple[str, ...]) -> bool:
    """True where a changelog needs no more of a message than its header, or that it has none."""
    if header is None and (message.startswith(TELLING_STARTS) or message[:1].isspace()):
        return False
    line = message.find("\n")
    if not 0 <= line < len(message) - 1:
        return True
    # One by one is faster than by one pattern.
    return not (
        "BREAKING" in message
        or "BEGIN_" in message
        or "everts" in message
        or "Upgrade-Note" in message
        or "cherry picked" in message
        or "\r" in message
        or (message.find(":", line) > 0 and inner(types).search(message) is not None)
    )


def _by_header(commit: LogEntry, place: int, header: re.Match[str]) -> Entry:
    """The entry of such a message."""
    oid, _, author, message = commit
    kind, scope, exclamation, description = header.groups()
    return Entry(
        place,
        oid,
        intern(kind.lower()),
        description.rstrip(),
        intern(author),
        intern(scope.strip()) or None if scope else None,
        exclamation is not None,
        (),
        numbers_in(message) if "#" in message or SEE_REQUEST in message else (),
        co_authors=co_authors_in(message),
    )


def _notable(
    commit: LogEntry,
    place: int,
    message: str,
    style: changelog.Style,
    *,
    merge: bool,
) -> tuple[Entry, ...]:
    """The entries that a changelog shows. Bodies are let go, since it does not show them."""
    return tuple(
        Entry(
            place,
            commit.id,
            one.type,
            one.description,
            commit.author,
            one.scope,
            one.breaking,
            one.breaking_notes,
            one.references,
            one.reverts,
            one.body if PICKED in one.body else "",
            one.upgrade_notes,
            co_authors=co_authors_in(commit.message),
        )
        for one in read_messages(message, merge=merge, types=style.types)
        if changelog.is_notable(one, style)
    )


def _movers(past: Past) -> set[int]:
    return {entry.place for entries in past.entries.values() for entry in entries}


def _say_undone(past: Past, undone: Mapping[str, tuple[int, int]]) -> None:
    """Say of each revert of a merge what it takes back. `undone`: the merge's place, and which parent stays."""
    if not undone:
        return
    told = {entry.place: entry.commit for entries in past.entries.values() for entry in entries}
    taken: dict[str, tuple[str, ...]] = {}
    for merge, (place, mainline) in undone.items():
        inside = history.brought_by(past.graph, place, past.graph[place][mainline], int)
        taken[merge] = tuple(told[each] for each in inside if each in told)
    for path, entries in past.entries.items():
        past.entries[path] = [
            entry._replace(undone=tuple(each for name in entry.reverts for each in taken.get(name, ())))
            if entry.reverts
            else entry
            for entry in entries
        ]


def _say_own_numbers(past: Past, address: str | None) -> None:
    for path, entries in past.entries.items():
        past.entries[path] = [each._replace(reverts=with_own_numbers(each.reverts, address)) for each in entries]


def _drop(past: Past, places: Collection[int]) -> None:
    gone = set(places)
    if gone:
        for path, entries in past.entries.items():
            past.entries[path] = [entry for entry in entries if entry.place not in gone]
