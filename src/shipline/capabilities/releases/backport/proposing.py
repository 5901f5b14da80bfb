"""Bringing changes to another branch: look what it lacks, carry that over, and propose it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from shipline.capabilities.plans import Attribution
from shipline.capabilities.releases.backport.naming import Stretch, branch_commit, stretch_of
from shipline.capabilities.releases.backport.rules import (
    SortedOut,
    alike,
    branch_for,
    named_commit,
    oldest_first,
    sort_out,
    text_of,
    title_of,
    todo_by_hand,
)
from shipline.capabilities.releases.footing import listed
from shipline.domain.errors import (
    ConfigurationError,
    ConflictError,
    NothingToDo,
    RefusedError,
    ShiplineError,
    UsageError,
)
from shipline.domain.package import Package
from shipline.ports.forge import Forge, PullRequest
from shipline.ports.repository import Commit, Repository

COMMITS_MAX = 100


@dataclass(frozen=True, slots=True)
class BackportGround:
    """What a backport stands on. `remote` "": nothing can be pushed; `forge` None: no pull request is opened."""

    repository: Repository
    packages: Callable[[], tuple[Package, ...]]
    remote: str = ""
    forge: Forge | None = None


@dataclass(frozen=True, slots=True)
class BackportWish:
    """What somebody wants: `what` (a release, a branch, `A..B` or a commit) on the branch `target`. `package` says
    whose release it is, where several have that version. With `push` it is also proposed there."""

    what: str
    target: str
    package: str | None = None
    push: bool = False


@dataclass(frozen=True, slots=True)
class Backport:
    """What came of it. `branch` stands on `commit`; `found` says which commits are carried over and which are not.
    `pull` is None where none was opened."""

    branch: str
    commit: str
    found: SortedOut
    pull: PullRequest | None = None


def bring_back(ground: BackportGround, wish: BackportWish) -> Backport:
    """Make the branch, push it and open its pull request, as far as that is wished and not done already.

    NothingToDo where the target has all of it, or all is prepared. ConflictError where a person has to carry it over,
    or a branch of that name is somebody else's; then nothing is left behind. RefusedError for too many commits.
    """
    repository = ground.repository
    if repository.is_shallow():
        raise ShiplineError(
            "this is a shallow clone", why="what a branch has is told by its history", todo="git fetch --unshallow"
        )
    tip = _tip(ground, wish)
    stretch = stretch_of(repository, ground.packages(), wish.what, wish.package, tip)
    wanted = _wanted(ground, stretch)
    found = _lacking(repository, stretch, wanted, tip)
    branch = branch_for(stretch.name, wish.target)
    if not found.to_pick:
        raise NothingToDo(f"{wish.target} has all of {stretch.name} already", why=_there(found))
    commit, is_new = _prepared(ground, wish, stretch, found, tip)
    pull = None
    if wish.push and ground.forge is not None:
        known = ground.forge.open_pull_requests(head=branch, base=wish.target)
        if known and not is_new:
            raise NothingToDo(f"#{known[0].number} brings {stretch.name} to {wish.target} already: {known[0].url}")
        title, body = title_of(stretch.name, wish.target, found.to_pick), text_of(stretch.name, wish.target, found)
        pull = ground.forge.create_pull_request(head=branch, base=wish.target, title=title, body=body)
    elif not is_new:
        todo = "merge it" if wish.push else "merge it, or propose it: --push"
        raise NothingToDo(f"the branch {branch} brings {stretch.name} to {wish.target} already", todo=todo)
    return Backport(branch, commit, found, pull)


def _tip(ground: BackportGround, wish: BackportWish) -> str:
    """The commit of the target: on the remote where it is pushed there, else here."""
    if wish.push and not ground.remote:
        raise ConfigurationError("there is no remote to push to", todo="set remote in [release] in shipline.toml")
    if wish.push:
        tip = ground.repository.fetch_branch(ground.remote, wish.target)
    else:
        places = ("refs/heads", f"refs/remotes/{ground.remote or 'origin'}")
        found = (branch_commit(ground.repository, place, wish.target) for place in places)
        tip = next((commit for commit in found if commit is not None), None)
    if tip is None:
        where = f"on {ground.remote}" if wish.push else "here"
        raise UsageError(f"there is no branch {wish.target[:80]!r} {where}", todo="name the branch that lacks it")
    return tip


def _wanted(ground: BackportGround, stretch: Stretch) -> tuple[Commit, ...]:
    commits = oldest_first(tuple(ground.repository.log(stretch.since, stretch.until, changed_paths=True)))
    if stretch.package is not None:
        owned, path = Attribution(ground.packages()), stretch.package.path
        commits = tuple(one for one in commits if path in owned.owners(one.paths))
    if not commits:
        raise NothingToDo(f"{stretch.name} holds no changes")
    if len(commits) > COMMITS_MAX:
        raise RefusedError(
            f"{stretch.name} holds {len(commits)} commits, and {COMMITS_MAX} are the most that are carried over",
            why="so many changes are a merge, and not a backport",
            todo="merge it, or name fewer: A..B",
        )
    return commits


def _lacking(repository: Repository, stretch: Stretch, wanted: tuple[Commit, ...], tip: str) -> SortedOut:
    """Which of them the branch at `tip` lacks."""
    known = tuple(repository.log((stretch.until,), tip, changed_paths=True))
    beyond = {one.id for one in repository.log((*stretch.since, tip), stretch.until)}
    contained = {one.id for one in wanted} - beyond
    asked = alike(wanted, known)
    return sort_out(wanted, known, contained, repository.patch_ids(asked) if asked else {})


def _there(found: SortedOut) -> str:
    words = [
        f"{named_commit(one)}, as {same[:12]}" if same != one.id else named_commit(one) for one, same in found.there
    ]
    return "; ".join(words) if words else "it holds nothing but what a release made for itself"


def _prepared(
    ground: BackportGround, wish: BackportWish, stretch: Stretch, found: SortedOut, tip: str
) -> tuple[str, bool]:
    """The commit that the branch stands on, and whether it was made, or pushed, now. One that a person has made stays
    as it is: they have settled what conflicts."""
    repository, branch = ground.repository, branch_for(stretch.name, wish.target)
    there = repository.fetch_branch(ground.remote, branch) if wish.push else None
    known = there or repository.find_commit(f"refs/heads/{branch}")
    if known is not None and not _holds(repository, stretch, found, known):
        raise ConflictError(
            f"there is a branch {branch}, and it does not hold all of {stretch.name}",
            todo="end what was begun there, or delete it; then run this again",
        )
    commit = known or _picked(repository, wish, stretch, found, tip)
    if wish.push and there is None:
        repository.move_branch(ground.remote, branch, commit, expected=None)
    elif known is None:
        repository.start_branch(branch, commit)
    return commit, known is None or (wish.push and there is None)


def _holds(repository: Repository, stretch: Stretch, found: SortedOut, commit: str) -> bool:
    """True if nothing is lacking there, or what is would change nothing."""
    lacking = _lacking(repository, stretch, found.to_pick, commit).to_pick
    return repository.pick_beside(commit, tuple(one.id for one in lacking)).commit == commit


def _picked(repository: Repository, wish: BackportWish, stretch: Stretch, found: SortedOut, tip: str) -> str:
    made = repository.pick_beside(tip, tuple(one.id for one in found.to_pick))
    if made.commit is None:
        stopped = next(one for one in found.to_pick if one.id == made.stopped_at)
        paths = listed(list(made.conflicts))
        raise ConflictError(
            f"{stretch.name} does not go onto {wish.target} by itself, and nothing was changed",
            why=f"{named_commit(stopped)} and {wish.target} differ on {paths}",
            todo=todo_by_hand(branch_for(stretch.name, wish.target), tip, found.to_pick),
        )
    if made.commit == tip:
        raise NothingToDo(f"{wish.target} has all of {stretch.name} already", why="it would change nothing there")
    return made.commit
