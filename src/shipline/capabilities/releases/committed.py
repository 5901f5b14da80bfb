"""Versions that a release commit holds and that have no tag yet: those that wait for the release of another package.

One commit is that of a whole plan, and its packages are tagged one after the other, each once it is its turn. Whatever
ends the work in between, git says what is left: the commit has a key for each package, and holds what it should.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from shipline.capabilities.plans import bump_of, is_changeset, scheme_named, without_package, written_section
from shipline.capabilities.releases.candidates import Candidate
from shipline.capabilities.releases.footing import KEY_TRAILER, Footing, is_release_commit
from shipline.capabilities.releases.ground import ReleaseGround
from shipline.capabilities.releases.rules import Brought
from shipline.capabilities.version_files import read_version, spelling_of, write_requirement
from shipline.domain.change import Bump
from shipline.domain.errors import ShiplineError
from shipline.ports.repository import Commit

SEARCH_MAX = 500
CHANGESETS = ".changeset"


@dataclass(frozen=True, slots=True)
class Committed:
    """A version with its commit. `is_overtaken`: newer changes, which it does not hold, make this version or a higher
    one."""

    brought: Brought
    is_overtaken: bool


def find_committed(ground: ReleaseGround, candidate: Candidate) -> Committed | None:
    """The newest version of a package that a release commit holds, and that has no tag; None where there is none.

    On the branch it is looked for in the last 500 commits; beside it, where the other packages' tags are.
    """
    if not _may_be_committed(ground, candidate):
        return None
    for commit in _places(ground, candidate):
        shares = candidate.shares_in(commit.message)
        version = next((share.version for share in shares if share.package == candidate.package.name), None)
        if version is None or not is_release_commit(ground.repository, commit.id, Footing(shares, candidate.beside)):
            continue
        if not _is_next(ground, candidate, version):
            return None
        changelog = candidate.share(version).changelog
        text = ground.repository.read_files((changelog,), commit.id).get(changelog, b"").decode("utf-8", "replace")
        brought = Brought(version, commit.id, commit.time_us, written_section(text, version))
        return Committed(brought, _is_overtaken(ground, candidate, brought))
    return None


def _may_be_committed(ground: ReleaseGround, candidate: Candidate) -> bool:
    """False where it is sure without asking git: nothing is planned, and the files say what is released already."""
    plan = candidate.plan
    if plan.releasable:
        return True
    if plan.current is None or candidate.promotes is not None:
        return False
    if plan.tag is None:
        return True  # It counts from what its files state, and is not tagged.
    root = ground.repository.root()
    try:
        return any(
            read_version(file, (root / file.path).read_bytes()) != spelling_of(file, plan.current)
            for file in candidate.version_files
        )
    except (OSError, ShiplineError):
        return False


def _places(ground: ReleaseGround, candidate: Candidate) -> Iterator[Commit]:
    """The commits that could be it, the newest first."""
    repository, own = ground.repository, f"{KEY_TRAILER}: release:{candidate.package.name}:"
    if candidate.promotes is not None:
        return
    if candidate.beside is not None:
        for peer in candidate.peers():
            tag = repository.find_tag(peer.package.tag(str(peer.plan.next)))
            if tag is not None:
                yield from (one for one in repository.log((), tag.commit, limit=1) if own in one.message)
        return
    for commit in repository.log(since(ground, candidate), limit=SEARCH_MAX):
        if own in commit.message:
            yield commit


def since(ground: ReleaseGround, candidate: Candidate) -> tuple[str, ...]:
    """The last released commit; nothing before the first release."""
    current = candidate.plan.current
    known = ground.repository.find_tag(candidate.package.tag(current)) if current is not None else None
    return (known.commit,) if known is not None else ()


def _is_next(ground: ReleaseGround, candidate: Candidate, version: str) -> bool:
    """True for a version of this channel, after the current one, that has no tag."""
    plan, scheme = candidate.plan, scheme_named(candidate.package.scheme)
    parsed, current = scheme.parse(version), scheme.parse(plan.current or "")
    if parsed is None or candidate.channel(version) != plan.channel:
        return False
    if ground.repository.find_tag(candidate.package.tag(version)) is not None:
        return False
    untagged = plan.current == version and plan.tag is None
    return current is None or parsed.key > current.key or untagged or candidate.beside is not None


def _is_overtaken(ground: ReleaseGround, candidate: Candidate, brought: Brought) -> bool:
    plan, scheme = candidate.plan, scheme_named(candidate.package.scheme)
    following, mine = scheme.parse(plan.next or ""), scheme.parse(brought.version)
    if not plan.releasable or candidate.beside is not None or following is None or mine is None:
        return False
    # A lower one would be planned where the commit has used up the changesets that asked for more.
    return following.key >= mine.key and _has_newer(ground, candidate, brought)


def _has_newer(ground: ReleaseGround, candidate: Candidate, brought: Brought) -> bool:
    """True if the plan is about something that the commit does not hold."""
    plan, repository = candidate.plan, ground.repository
    worth = {change.commit for change in plan.changes if change.is_commit and bump_of(change) is not Bump.NONE}
    if worth - {commit.id for commit in repository.log(since(ground, candidate), brought.commit)}:
        return True
    contents = repository.read_files((*plan.changesets, *(edit.path for edit in plan.requirements)))
    left = (name for name in plan.changesets if name in contents)
    if any(without_package(name, contents[name], plan.name) != contents[name] for name in left):
        return True
    return any(
        write_requirement(edit.path, contents[edit.path], edit.name, edit.after, before=edit.before)
        != contents[edit.path]
        for edit in plan.requirements
        if not edit.development  # Which may be left as it is, and makes no version.
        if edit.after != edit.before and edit.path in contents
    )


def uses_changesets(ground: ReleaseGround, package: str, commit: Commit) -> bool:
    """True if a commit, against its first parent, takes the package out of a changeset."""
    repository = ground.repository
    if not commit.parents:
        return False
    parent = commit.parents[0]
    names = tuple(filter(is_changeset, repository.list_files((CHANGESETS,), parent)))
    before, after = repository.read_files(names, parent), repository.read_files(names, commit.id)
    return any(
        _names(name, content, package) and not _names(name, after.get(name), package)
        for name, content in before.items()
    )


def _names(path: str, content: bytes | None, package: str) -> bool:
    """True for a changeset of the package; what cannot be read is of none."""
    try:
        return content is not None and without_package(path, content, package) != content
    except ShiplineError:
        return False
