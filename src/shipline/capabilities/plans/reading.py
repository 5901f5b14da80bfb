"""What a plan reads of a repository: the tags that can matter to it, and the changes in its commits.

Reads through the Repository port, and no more than is needed: long histories and many tags are told apart by names and
ids before git is asked to open anything.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

from shipline.capabilities.plans import history
from shipline.capabilities.plans.conventional import change_of
from shipline.capabilities.plans.history import Node
from shipline.capabilities.plans.messages import (
    OVERRIDES_PATH,
    by_whole_id,
    corrections_in,
    is_merge_title,
    read_messages,
    read_overrides,
)
from shipline.capabilities.plans.reverts import names_others, with_own_numbers, with_undone
from shipline.capabilities.plans.rules import highest_bump, lookalikes
from shipline.capabilities.plans.shortlist import batches, has_mixed_forms, has_only_bare_versions, is_final, numbers_of
from shipline.capabilities.plans.tags import FORMS_BY
from shipline.capabilities.plans.versions import STABLE
from shipline.domain.change import Bump, Change
from shipline.ports.repository import Commit, Repository, Tag

PATCHES_MAX = 200  # Commits whose patches are compared; more look alike only where messages say nothing.


class TagsFound(NamedTuple):
    """The tags in a history that a plan needs, newest first, and the names of those elsewhere that may be higher."""

    here: tuple[Tag, ...]
    elsewhere: tuple[str, ...]


def tags_that_matter(repository: Repository, names: Sequence[str], head: str, channel: str) -> TagsFound:
    """The tags in `head` that a plan for `channel` needs; where names do not tell, all of them.

    `names` are those of all tags.
    """
    if not names:
        return TagsFound((), ())
    if channel != STABLE or not has_only_bare_versions(names):
        return _told_apart(repository.merged_tags(head), names)
    wanted = FORMS_BY if has_mixed_forms(names) else 1
    found: tuple[Tag, ...] = ()
    asked: list[str] = []
    for batch in batches(names):
        found += repository.surely_merged_tags(head, batch)
        asked += batch
        if len(found) >= wanted and any(is_final(tag.name) for tag in found):
            break
    # What is above the last release is elsewhere, unless a clock was wrong.
    left = {*asked} - {tag.name for tag in found}
    found += repository.merged_tags(head, names=tuple(left)) if left else ()
    finals = [numbers_of(tag.name) for tag in found if is_final(tag.name)]
    # One version in two forms: which one the project goes on with, all tags together tell.
    return _told_apart(repository.merged_tags(head) if finals and finals.count(max(finals)) > 1 else found, asked)


def tags_among(repository: Repository, commits: Iterable[Commit]) -> TagsFound:
    """The tags of these commits. Of a whole history that was read, git need not look for them again."""
    known = {commit.id for commit in commits}
    tags = repository.tags()
    return _told_apart(tuple(tag for tag in tags if tag.commit in known), [tag.name for tag in tags])


def _told_apart(here: tuple[Tag, ...], names: Sequence[str]) -> TagsFound:
    if len(here) >= len(names):
        return TagsFound(here, ())
    known = {tag.name for tag in here}
    return TagsFound(here, tuple(name for name in names if name not in known))


def changes_of(
    repository: Repository, commits: Sequence[Commit], head: str, types: tuple[str, ...] = ()
) -> dict[str, tuple[Change, ...]]:
    """The changes of each commit, by its id; those that look alike with their patch-ids. `commits`: newest first.

    `types` are those that the project has set up.
    """
    changes = read_commits(commits, overrides_at(repository, head) if commits else (), types)
    if any(change.reverts and names_others(change) for each in changes.values() for change in each):
        address = repository.remote_address("origin")
        changes = {
            commit: tuple(replace(change, reverts=with_own_numbers(change.reverts, address)) for change in each)
            for commit, each in changes.items()
        }
    alike = lookalikes([change for each in changes.values() for change in each])
    patches = repository.patch_ids(alike) if 0 < len(alike) <= PATCHES_MAX else {}
    marked = {
        commit: tuple(replace(change, patch=patch) for change in changes[commit]) for commit, patch in patches.items()
    }
    return changes | marked


def overrides_at(repository: Repository, head: str) -> tuple[tuple[str, str], ...]:
    """The corrections that the file `commit-overrides.md` at `head` has, none where there is no such file."""
    content = repository.read_files((OVERRIDES_PATH,), head).get(OVERRIDES_PATH)
    return read_overrides(content) if content is not None else ()


def read_commits(
    commits: Sequence[Commit], overrides: Iterable[tuple[str, str]], types: tuple[str, ...] = ()
) -> dict[str, tuple[Change, ...]]:
    """The changes of each commit. Corrections by the file come before those by commits, later ones before earlier.

    A merge of which git or a forge wrote the message is read by the title of the merged request, and only where what
    it brought in has no conventional message of its own: else one thing would be said twice. A revert of a merge says
    what it takes back with it.
    """
    said = [*overrides, *(each for commit in commits for each in corrections_in(commit.message))]
    corrections = by_whole_id(said, (commit.id for commit in commits)) if said else {}
    changes: dict[str, tuple[Change, ...]] = {}
    merges: list[str] = []
    merged = False
    for commit in commits:
        merged |= (merge := len(commit.parents) > 1)
        text = corrections.get(commit.id)
        messages = read_messages(commit.message if text is None else text, merge=merge and text is None, types=types)
        read = tuple(change_of(commit, message) for message in messages)
        if merge and not any(change.type for change in read):
            read = ()  # git's own words for a merge.
        elif merge and text is None and is_merge_title(commit.message):
            merges.append(commit.id)
        changes[commit.id] = read
    if merged:
        changes = dict(with_undone(commits, changes))
    if not merges:
        return changes
    parents = {commit.id: commit.parents for commit in commits}
    movers = {commit for commit, each in changes.items() if highest_bump(each) is not Bump.NONE}
    return changes | dict.fromkeys(said_by_others(parents, commits[0].id, merges, movers), ())


def said_by_others(
    parents: history.Shape[Node], head: Node, merges: Sequence[Node], movers: Collection[Node]
) -> tuple[Node, ...]:
    """Those of `merges`, newest first, whose title need not count: one of the `movers` came in with them."""
    brought = history.brought_in(parents, head, merges[::-1])
    return tuple(merge for merge, inside in brought.items() if any(commit in movers for commit in inside))
