"""How the packages of one repository are planned together: which entries count for which package, and what follows.

Between `usecases`, which reads, and `graph`, which decides: hands each package its changes, by commits, by changesets
or by both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from shipline.capabilities.plans import history
from shipline.capabilities.plans.attribution import ROOT, Attribution
from shipline.capabilities.plans.changesets import (
    CONFIG,
    FOLDER,
    PRE_MODE,
    Changeset,
    ChangesetConfig,
    check_known,
    is_changeset,
    read_changeset,
    read_config,
    without_ignored,
)
from shipline.capabilities.plans.conventional import read_change, read_message
from shipline.capabilities.plans.entries import Entry, Told
from shipline.capabilities.plans.globs import matches
from shipline.capabilities.plans.rules import Lineage
from shipline.domain.change import Bump, Change
from shipline.domain.errors import InvalidValue
from shipline.domain.package import Package
from shipline.ports.repository import Commit, Repository

if TYPE_CHECKING:
    from shipline.capabilities.plans.graph import Edge

CORRECTION = "BEGIN_COMMIT_OVERRIDE"
COMMITS, CHANGESETS, BOTH = "commits", "changesets", "both"
CHANGESETS_MAX = 10_000
T = TypeVar("T", Change, Entry)
OwnChanges = Callable[[Commit, Sequence[Change], str], Sequence[Change]]


@dataclass(frozen=True, slots=True)
class Changesets:
    """The changesets of one commit, and how they are to be read; none and False where they are no source."""

    read: tuple[Changeset, ...] = ()
    config: ChangesetConfig = field(default_factory=ChangesetConfig)
    source: str = COMMITS
    notes: tuple[str, ...] = ()

    def of(self, name: str) -> tuple[Changeset, ...]:
        """Those that move a package, or say that it does not move."""
        return tuple(changeset for changeset in self.read if name in changeset.bumps)

    def ignores(self, name: str) -> bool:
        """True for a package that is not to be released."""
        return any(matches(pattern, name) for pattern in self.config.ignored)

    def follows(self, edge: Edge) -> bool:
        """True if a release of the one package may mean a release of the other."""
        by_protocol = not self.config.protocol_only or edge.by_protocol
        return by_protocol and not self.ignores(edge.dependent) and not self.ignores(edge.dependency)


def has_changesets_alone(repository: Repository, head: str, source: str) -> bool:
    """True where commits do not count: by the setting, or without one by the folder of changesets at `head`."""
    return source == CHANGESETS or (not source and bool(repository.list_files((FOLDER,), head)))


def read_changesets(repository: Repository, head: str, names: Sequence[str], source: str) -> Changesets:
    """The changesets at `head`. Raises InvalidValue or ConfigurationError for those that cannot be understood."""
    files = repository.list_files((FOLDER,), head) if source != COMMITS else ()
    if source == COMMITS or not (files or source):
        return Changesets()
    paths = [path for path in files if is_changeset(path)]
    if len(paths) > CHANGESETS_MAX:
        raise InvalidValue(f"{FOLDER} holds more than {CHANGESETS_MAX} changesets")
    contents = repository.read_files((CONFIG, *paths), head)
    config = read_config(contents.pop(CONFIG)) if CONFIG in contents else ChangesetConfig()
    found = tuple(read_changeset(path, content) for path, content in contents.items())
    check_known(found, names)
    notes = (f"{PRE_MODE} is not followed: channels come from tags.",) if PRE_MODE in files else ()
    return Changesets(without_ignored(found, config.ignored), config, source or CHANGESETS, notes)


def worth_reading(commits: Sequence[Commit], shares: Sequence[tuple[Commit, list[str]]]) -> Sequence[Commit]:
    """The commits whose messages count: those of a share, and those that correct others.

    All of them where there are merges, since what a merge brought in decides whether its title counts.
    """
    if any(len(commit.parents) > 1 for commit in commits):
        return commits
    wanted = {commit.id for commit, _ in shares}
    return [commit for commit in commits if commit.id in wanted or CORRECTION in commit.message]


def unreleased_changes(
    shares: Iterable[tuple[Commit, list[str]]],
    read: Mapping[str, tuple[Change, ...]],
    lineages: Sequence[Lineage],
    changesets: Changesets,
) -> dict[str, list[Change]]:
    """For each package's name what has come since its last final release, newest first, changesets before commits.

    `read` are the changes of each commit. Where both count, a changeset speaks for the commit that brought it.
    """
    found = {
        each.package.name: [
            changeset.change(bump)
            for changeset in changesets.of(each.package.name)
            if (bump := changeset.bumps[each.package.name]) is not Bump.NONE
        ]
        for each in lineages
    }
    spoken = {changeset.path: changeset for changeset in changesets.read}
    own = own_changes_among([each.package for each in lineages])
    for commit, names in shares:
        for name in dict.fromkeys(names):  # Two manifests in one folder may have one name.
            if not (changesets.ignores(name) or (spoken and _speaks(spoken, commit, name))):
                found[name] += own(commit, read[commit.id], name)
    return found


def own_changes_among(packages: Sequence[Package]) -> OwnChanges:
    """What tells which of a commit's changes count for the package of a name."""
    if len(packages) < 2:  # Who is alone has them all.
        return lambda _commit, changes, _name: changes
    attribution = Attribution(packages)
    paths = {package.name: package.path for package in packages}
    return lambda commit, changes, name: own_changes(attribution, commit, changes, paths[name])


def own_changes(attribution: Attribution, commit: Commit, changes: Sequence[T], path: str) -> Sequence[T]:
    """Those of a commit's changes that count for the package in `path`.

    What the title says is that of every package that the commit is about. In the body of a squashed request, a scope
    that names one of these packages says whose a change is, and so for the title, where the body speaks of the package.
    """
    in_body = [change for change in changes if _is_in_body(change, commit.message)]
    if len(changes) < 2 and not in_body:
        return changes
    owners = owners_of(attribution, commit)
    named = ((change, attribution.named(change.scope) & owners) for change in changes)
    own = [change for change, names in named if not names or path in names]
    return own or [change for change in changes if change not in in_body]


def _is_in_body(change: Told, message: str) -> bool:
    """True for a change that a line of the body tells of; corrections stand in the place of a title."""
    subject, broken, rest = message.partition("\n")
    return (
        bool(broken)
        and change.description in rest
        and CORRECTION not in rest
        and read_message(subject).description != change.description
    )


def attributed(commits: Sequence[Commit], lineages: Sequence[Lineage]) -> Iterable[tuple[Commit, list[str]]]:
    """The commits with the names of the packages that they are about and that have not released them yet."""
    bases = [each.last_stable.tag.commit if each.last_stable else "" for each in lineages]
    contained = history.contained_in({commit.id: commit.parents for commit in commits}, bases)
    names: dict[str, list[tuple[int, str]]] = {}
    for index, each in enumerate(lineages):
        names.setdefault(each.package.path, []).append((1 << index, each.package.name))
    everything = all(each.package.path == "." for each in lineages)
    attribution = None if everything else Attribution([each.package for each in lineages])
    whole = (1 << len(lineages)) - 1
    for commit in commits:
        mask = contained.get(commit.id, 0)
        if mask == whole:
            continue
        owners = ROOT if attribution is None else owners_of(attribution, commit)
        pending = [name for owner in owners for bit, name in names[owner] if not mask & bit]
        if pending:
            yield commit, pending


def owners_of(attribution: Attribution, commit: Commit) -> frozenset[str]:
    """The packages that a commit is about: by its paths, else by the scope of its message.

    The scope decides where no path does: the commit changes no package's folder, or files at the top alone.
    """
    owners = attribution.owners(commit.paths)
    if not owners or (owners == ROOT and all("/" not in path for path in commit.paths)):
        return attribution.named(read_change(commit).scope) or owners
    return owners


def _speaks(spoken: Mapping[str, Changeset], commit: Commit, name: str) -> bool:
    """True if the commit brought a changeset that says how far the package moves."""
    return any(path in spoken and name in spoken[path].bumps for path in commit.paths)
