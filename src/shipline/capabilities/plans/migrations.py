"""What commits say of the data that they migrate, in `Migration` footers: whether the way back is open.

    Migration: reversible adds the column `colour`
    Migration: irreversible drops the table `drafts`

A footer that begins with neither word is taken for irreversible: nobody has said that it can be undone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from shipline.capabilities.plans.attribution import Attribution
from shipline.capabilities.plans.conventional import footers, read_message
from shipline.domain.package import Package
from shipline.ports.repository import Commit, Repository

FOOTER = "migration"
REVERSIBLE, IRREVERSIBLE = "reversible", "irreversible"
WORDS_MAX = 300


@dataclass(frozen=True, slots=True)
class Migration:
    """A change of the data that comes with a commit. `words` say what it does, "" where the footer does not."""

    commit: str
    reversible: bool
    words: str


def migrations_in(message: str, commit: str) -> tuple[Migration, ...]:
    """The migrations that a commit message declares, in its order."""
    rest = message.partition("\n")[2]
    if "igration" not in rest and "IGRATION" not in rest:
        return ()
    return tuple(_migration(value, commit) for token, value, _ in footers(rest) if token.lower() == FOOTER)


def _migration(value: str, commit: str) -> Migration:
    words = " ".join(value.split())
    first, _, others = words.partition(" ")
    kind = first.rstrip(":,;.").lower()
    said = others if kind in (REVERSIBLE, IRREVERSIBLE) else words
    return Migration(commit, kind == REVERSIBLE, said[:WORDS_MAX])


def migrations_between(
    repository: Repository, packages: Sequence[Package], package: str, *, older: str, newer: str
) -> tuple[Migration, ...]:
    """The migrations of a package in the commits that `newer` holds and `older` does not, the newest first.

    Whoever goes back from `newer` to `older` goes back past these. A commit belongs to a package as for a plan: by the
    paths that it changed, or by its scope.
    """
    several = len(packages) > 1
    found: list[Migration] = []
    for commit in repository.log((older,), newer, changed_paths=several):
        declared = migrations_in(commit.message, commit.id)
        if declared and (not several or _is_about(commit, packages, package)):
            found += declared
    return tuple(found)


def _is_about(commit: Commit, packages: Sequence[Package], package: str) -> bool:
    path = next((one.path for one in packages if one.name == package), None)
    attribution = Attribution(packages)
    return path in attribution.owners(commit.paths) | attribution.named(read_message(commit.message).scope)
