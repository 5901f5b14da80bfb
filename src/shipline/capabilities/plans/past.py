"""A whole history as the sections of a changelog, in one pass: only what is shown becomes an object, and stays."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from shipline.capabilities.plans import changelog, history, rules
from shipline.capabilities.plans.attribution import Attribution
from shipline.capabilities.plans.conventional import HEADER, change_of
from shipline.capabilities.plans.messages import INNER, by_whole_id, corrections_in, is_merge_title, read_messages
from shipline.capabilities.plans.monorepo import owners_of
from shipline.capabilities.plans.reading import overrides_at, said_by_others
from shipline.capabilities.plans.rules import PICKED, Lineage
from shipline.domain.change import Change
from shipline.domain.package import Package
from shipline.ports.repository import Commit, LogEntry, Repository

# What a message may have that its header does not tell of; looked for one by one, which is faster than by one pattern.
TELLING = ("BREAKING", "BEGIN_", "everts", "Upgrade-Note", "cherry picked")
TELLING_STARTS = ("Merge ", "Squashed ", "Revert ", "Reapply ")


@dataclass(slots=True)
class Past:
    """A history's shape, the notable changes in it by package path, newest first, and each author's first commit."""

    parents: dict[str, tuple[str, ...]] = field(default_factory=dict)
    changes: dict[str, list[Change]] = field(default_factory=dict)
    first_commits: dict[str, str] = field(default_factory=dict)

    def contained(self, lineage: Lineage) -> Lineage:
        """The lineage with the releases alone that this history contains."""
        return replace(lineage, released=tuple(each for each in lineage.released if each.tag.commit in self.parents))

    def sections(self, lineage: Lineage) -> list[changelog.Section]:
        """The sections of one package, the latest first: the releases that this history contains, and what came since.

        Pre-releases are part of the final release after them; those that have none yet stand by themselves.
        """
        released = [entry for entry in lineage.released if entry.tag.commit in self.parents]
        stable = next((entry for entry in reversed(released) if entry.version.is_stable), None)
        releases = [
            entry
            for entry in released
            if entry.version.is_stable or stable is None or entry.version.key > stable.version.key
        ]
        owner = history.release_of_each(self.parents, [entry.tag.commit for entry in releases])
        grouped: dict[int, list[Change]] = {}
        for change in self.changes[lineage.package.path]:
            grouped.setdefault(owner.get(change.commit, len(releases)), []).append(change)
        newcomers: dict[int, set[str]] = {}
        for author, commit in self.first_commits.items():
            newcomers.setdefault(owner.get(commit, len(releases)), set()).add(author)
        tags = [None, *(entry.tag.name for entry in releases), "HEAD"]
        titles = [(entry.version.text, entry.tag.time_us) for entry in releases]
        sections = [
            changelog.Section(
                title,
                rules.tidied(grouped.get(index, [])).changes,
                time_us,
                (tags[index], tags[index + 1]),
                frozenset(newcomers.get(index, ())),
            )
            for index, (title, time_us) in enumerate([*titles, (changelog.UNRELEASED, None)])
        ]
        return [section for section in reversed(sections) if section.changes or section.title != changelog.UNRELEASED]


def read_past(
    repository: Repository, head: str, packages: Sequence[Package], style: changelog.Style = changelog.PLAIN
) -> Past:
    """Read the whole history of `head` once; notable is what `style` has a section for.

    Corrections that stand in commits are found before what they correct, since a log comes newest first.
    """
    attribution = None if all(package.path == "." for package in packages) else Attribution(packages)
    past = Past(changes={package.path: [] for package in packages})
    corrections = list(overrides_at(repository, head))
    merges: list[str] = []
    for commit in _commits(repository, head, past, changed_paths=attribution is not None):
        message = commit.message
        if "BEGIN_COMMIT_OVERRIDE" in message:
            corrections += corrections_in(message)
        corrected = by_whole_id(corrections, (commit.id,)).get(commit.id) if corrections else None
        if corrected is None and _says_all_in_its_header(message):
            changes = _by_header(commit, style)
        else:
            merge = corrected is None and len(past.parents[commit.id]) > 1
            changes = _notable(commit, message if corrected is None else corrected, style, merge=merge)
            if changes and merge and is_merge_title(message):
                merges.append(commit.id)
        if changes:
            for owner in past.changes if attribution is None else _owners(attribution, commit):
                past.changes[owner] += changes
    _drop(past, said_by_others(past.parents, head, merges, _movers(past)) if merges else ())
    return past


def _commits(
    repository: Repository, head: str, past: Past, *, changed_paths: bool
) -> Iterator[Commit] | Iterator[LogEntry]:
    """The commits, each noted in the history's shape before it comes."""
    if changed_paths:
        for commit in repository.log((), head, changed_paths=True):
            past.parents[commit.id] = commit.parents
            past.first_commits[commit.author] = commit.id
            yield commit
    else:
        for entry in repository.log_entries(head):
            past.parents[entry.id] = tuple(entry.parents.split())
            past.first_commits[entry.author] = entry.id
            yield entry


def _owners(attribution: Attribution, commit: Commit | LogEntry) -> frozenset[str]:
    return owners_of(attribution, commit) if isinstance(commit, Commit) else frozenset()


def _says_all_in_its_header(message: str) -> bool:
    """True where a changelog needs no more of a message than its first line."""
    if message.startswith(TELLING_STARTS) or message[:1].isspace():
        return False
    if message.find("\n") >= len(message) - 1:
        return True
    return not any(word in message for word in TELLING) and "\r" not in message and INNER.search(message) is None


def _by_header(commit: Commit | LogEntry, style: changelog.Style) -> tuple[Change, ...]:
    """The change of such a message, if a changelog shows it. References in trailers are not read."""
    header = HEADER.match(commit.message)
    if header is None:
        return ()
    kind, scope, exclamation, description = header.groups()
    kind = kind.lower()
    if exclamation is None and kind not in style.sections:
        return ()
    return (
        Change(
            commit.id,
            kind,
            description.rstrip(),
            commit.author,
            commit.time_us,
            (scope or "").strip() or None,
            exclamation is not None,
            author_mail=commit.author_mail,
        ),
    )


def _notable(commit: Commit | LogEntry, message: str, style: changelog.Style, *, merge: bool) -> tuple[Change, ...]:
    """The changes that a changelog shows. Bodies are let go, since it does not show them."""
    changes = (change_of(commit, one, with_body=PICKED in one.body) for one in read_messages(message, merge=merge))
    return tuple(change for change in changes if changelog.is_notable(change, style))


def _movers(past: Past) -> set[str]:
    return {change.commit for changes in past.changes.values() for change in changes}


def _drop(past: Past, commits: Iterable[str]) -> None:
    gone = set(commits)
    if gone:
        for path, changes in past.changes.items():
            past.changes[path] = [change for change in changes if change.commit not in gone]
