"""A pull request that takes the changes of a yanked release back, for people to look at and merge.

One commit on a branch of its own, upon what the protected branch is now: what came later stays. The release's own
commit is not reverted: a version that was is never given again, and the changelog goes on telling what it held.
"""

from __future__ import annotations

from dataclasses import dataclass

from shipline.capabilities.plans import Attribution
from shipline.capabilities.releases.footing import KEY_TRAILER, listed
from shipline.capabilities.releases.ground import ReleaseGround
from shipline.capabilities.releases.yank.before import Before
from shipline.domain.errors import ConflictError, RefusedError
from shipline.domain.release import Release
from shipline.domain.verdict import Answer
from shipline.engine.journal import runs_of
from shipline.ports.forge import Forge, PullRequest, Ref
from shipline.ports.registry import Finding, YankAnswer
from shipline.ports.repository import Commit, Stretch

REVERT = "revert pull request"
NAMED_MAX = 100


def check_revert(ground: ReleaseGround) -> Forge:
    """The forge. RefusedError where nothing can be proposed: that takes a forge, and a remote to push a branch to."""
    if ground.forge is None or not ground.remote:
        raise RefusedError(
            "there is nowhere to open a pull request that reverts it",
            why="no forge is configured" if ground.forge is None else "release.remote is not set",
            todo="set [forge], and remote in [release]; or yank it without --revert",
        )
    return ground.forge


def branch_of(release: Release) -> str:
    """The branch of the pull request: one for each release, always the same."""
    return f"shipline/revert-{release.tag}"


@dataclass(frozen=True, slots=True)
class RevertPlace:
    """The pull request. `time_us` is when it was asked for, so that the same commit is made again."""

    ground: ReleaseGround
    time_us: int
    name: str = REVERT

    def take_back(self, release: Release) -> YankAnswer | None:
        """Find it, or make its branch and open it. What a program cannot revert is left to a person."""
        forge = check_revert(self.ground)
        known = forge.open_pull_requests(head=branch_of(release))
        if known:
            return _opened(known[0])
        stretch = self._stretch(release)
        if stretch is None:
            return YankAnswer((), (), ("nothing is reverted: no release before it is known",))
        if not stretch.paths:
            return YankAnswer((), (), ("nothing is reverted: it changed no file but its own version",))
        target = self._target(forge, release)
        if target is None:
            return YankAnswer((), (f"revert its changes: no branch is known that holds {release.tag}",))
        return self._propose(forge, release, stretch, target)

    def _propose(self, forge: Forge, release: Release, stretch: Stretch, target: Ref) -> YankAnswer:
        key = f"revert:{release.package}:{release.version}"
        message = _message(release, self._commits(stretch))
        repository, tip = self.ground.repository, target.commit
        made = repository.revert_beside(tip, stretch, message, key=key, time_us=self.time_us)
        if made.commit is None:
            why = f"{listed(list(made.conflicts))} changed again on {target.name} since {release.version}"
            return YankAnswer((), (f"revert its changes: {why}",))
        if made.commit == tip:
            return YankAnswer((f"{target.name} holds nothing of its changes any more",))
        branch = branch_of(release)
        self._push(branch, made.commit, key)
        body = f"{message}\n\n{_words(release)}"
        title = message.partition("\n")[0]
        return _opened(forge.create_pull_request(head=branch, base=target.name, title=title, body=body))

    def look(self, release: Release) -> Finding:
        """Whether it is still open: a person merges it."""
        if self.ground.forge is None:
            return Finding(Answer.UNKNOWN, "no forge is configured any more, so it cannot be asked")
        found = self.ground.forge.open_pull_requests(head=branch_of(release))
        if found:
            return Finding(Answer.FAIL, f"#{found[0].number} is not merged yet", f"look at {found[0].url}")
        return Finding(Answer.UNKNOWN, "no pull request is open that reverts it")

    def _stretch(self, release: Release) -> Stretch | None:
        """What the release brought, but for its own commit: from the release before, in the package's own files."""
        before = Before(self.ground, release)
        since = before.previous()
        if since is None or before.package is None or release.commit is None:
            return None
        until = self._until(release, release.commit)
        owned = Attribution(self.ground.packages())
        changed = self.ground.repository.changed_paths(since, until)
        paths = tuple(path for path in changed if before.package.path in owned.owners((path,)))
        return Stretch(since, until, paths)

    def _until(self, release: Release, commit: str) -> str:
        """The commit that the release's own one sits on, or was merged into; `commit` where it has none of its own."""
        repository = self.ground.repository
        parents = next(iter(repository.log((), commit, limit=1))).parents
        key = f"{KEY_TRAILER}: release:{release.package}:{release.version}"
        brought = repository.log(parents[:1], commit, limit=NAMED_MAX)
        return parents[0] if parents and any(key in one.message.splitlines() for one in brought) else commit

    def _target(self, forge: Forge, release: Release) -> Ref | None:
        """The branch that holds the release, as the remote has it: the one that it was released from, else this one,
        else the main one."""
        with self.ground.store.begin() as tx:
            runs = runs_of(tx, f"release:{release.id}")
        recorded = runs[-1].input.get("branch") if runs else None
        names = (recorded, self.ground.repository.branch(), forge.default_branch())
        for name in dict.fromkeys(name for name in names if name):
            tip = self.ground.repository.fetch_branch(self.ground.remote, name)
            commit = str(release.commit)
            if tip is not None and self.ground.repository.merge_base((tip, commit)) == commit:
                return Ref(name, tip)
        return None

    def _commits(self, stretch: Stretch) -> tuple[Commit, ...]:
        """The commits that are taken back, the newest first."""
        paths = frozenset(stretch.paths)
        found = self.ground.repository.log((stretch.since,), stretch.until, changed_paths=True)
        return tuple(commit for commit in found if not paths.isdisjoint(commit.paths))

    def _push(self, branch: str, commit: str, key: str) -> None:
        """Create the branch. One that is there is ours by its key, or stays as it is: ConflictError."""
        repository, remote = self.ground.repository, self.ground.remote
        there = repository.fetch_branch(remote, branch)
        if there is None:
            repository.move_branch(remote, branch, commit, expected=None)
        elif f"{KEY_TRAILER}: {key}" not in next(iter(repository.log((), there, limit=1))).message.splitlines():
            raise ConflictError(
                f"{remote} has a branch {branch} that Shipline did not make",
                todo="look at it, and delete or rename it; then run this again",
            )


def _message(release: Release, commits: tuple[Commit, ...]) -> str:
    """The commit's message, which the next plan reads as a revert."""
    why = " ".join(release.yank_reason.split())
    lines = [f"This reverts commit {commit.id}." for commit in commits[:NAMED_MAX]]
    return "\n".join(
        (f"revert: take back {release.package} {release.version}", "", f"It was yanked: {why}", "", *lines)
    )


def _words(release: Release) -> str:
    return (
        f"The changes that came with {release.tag} are taken back, and what came later stays. Version files and"
        " changelog are left as they are: the next release gets a number of its own. Merge this, or close it and mend"
        " what was wrong."
    )


def _opened(pull: PullRequest) -> YankAnswer:
    return YankAnswer((f"#{pull.number} reverts its changes, for people to merge: {pull.url}",))
