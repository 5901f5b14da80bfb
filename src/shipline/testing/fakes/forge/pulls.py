"""What a forge knows of pull requests and their reviews, and when it merges one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from shipline.ports.clock import Clock
from shipline.ports.forge.answers import Thread, ThreadKind
from shipline.ports.forge.guards import BranchRule
from shipline.ports.forge.hooks import HookEvent
from shipline.ports.forge.pulls import PullState
from shipline.ports.forge.reviews import MergeMethod, Opinion, Review, counted
from shipline.testing.fakes.forge.guard_model import Guards
from shipline.testing.fakes.forge.happenings import RefMoved
from shipline.testing.fakes.forge.protection import rule_for
from shipline.testing.fakes.forge.refs import Changed, Refs
from shipline.testing.fakes.forge.refusals import Refused
from shipline.testing.fakes.forge.tracker import TrackerModel


@dataclass
class ReviewSaid:
    """A review. `dismissed`: somebody has taken its weight."""

    key: int
    author: str
    opinion: Opinion
    commit: str
    dismissed: bool = False


@dataclass
class LineNote:
    """A comment on the lines `line` to `last_line` of a file, as `commit` has it."""

    key: int
    author: str
    commit: str
    path: str
    line: int
    last_line: int
    body: str


@dataclass
class Pull:
    """A pull request. `fork`: it comes from another repository."""

    number: int
    title: str
    body: str
    head: str
    base: str
    state: PullState = PullState.OPEN
    merge_commit: str | None = None
    labels: list[str] = field(default_factory=list)
    fork: bool = False
    author: str = ""
    assignees: list[str] = field(default_factory=list)
    updated_us: int = 0
    draft: bool = False
    head_commit: str = ""
    said: list[ReviewSaid] = field(default_factory=list)
    reviewers: list[str] = field(default_factory=list)
    line_notes: list[LineNote] = field(default_factory=list)


class PullModel(TrackerModel):
    """`protected` branches take no direct push, and merges with `approvals_needed` approvals; `protected_tags` are
    patterns. What `guards` say holds too. `tells_of` is which of the refs of one push the forge tells of."""

    def __init__(self, refs: Refs, clock: Clock | None = None) -> None:
        super().__init__(clock)
        self.refs = refs
        self.protected: set[str] = set()
        self.protected_tags: set[str] = set()
        self.guards = Guards()
        self.tells_of: Callable[[list[RefMoved]], list[RefMoved]] = list
        self.approvals_needed = 0
        self.pulls: dict[int, Pull] = {}

    def open_pull(self, head: str, base: str, title: str, body: str, *, fork: bool = False) -> Pull:
        """A new pull request; one a pair of branches."""
        for branch in (head, base):
            if not fork and self.refs.get(f"refs/heads/{branch}") is None:
                raise Refused("invalid", f"the branch {branch} does not exist")
        for pull in self.pulls.values():
            if (pull.head, pull.base, pull.state, pull.fork) == (head, base, PullState.OPEN, fork):
                raise Refused("duplicate", f"A pull request already exists for {head}.")
        made = Pull(self.next_key(), title, body, head, base, fork=fork)
        made.head_commit = self.refs.get(f"refs/heads/{head}") or ""
        made.author, made.updated_us = "stranger" if fork else self.account, self.now_us()
        self.pulls[made.number] = made
        self._note(f"open pull request {head}")
        self.tell(HookEvent.PULL_REQUEST, "opened", made)
        return made

    def change_pull(
        self,
        number: int,
        *,
        title: str | None = None,
        body: str | None = None,
        close: bool = False,
        reopen: bool = False,
    ) -> Pull:
        """Title, body, its end, or that it goes on; without its branch it cannot."""
        pull = self.pull(number)
        before = pull.state
        pull.title = pull.title if title is None else title
        pull.body = pull.body if body is None else body
        if close and pull.state is PullState.OPEN:
            pull.state = PullState.CLOSED
        if reopen and pull.state is PullState.CLOSED:
            if self.refs.get(f"refs/heads/{pull.head}") is None:
                raise Refused("invalid", "the branch was deleted")
            pull.state = PullState.OPEN
        self._touch(Thread.pull(number))
        self._note(f"change pull request {pull.head}")
        self.tell(HookEvent.PULL_REQUEST, "edited" if before is pull.state else "closed", pull)
        return pull

    def pull(self, number: int) -> Pull:
        """One by number."""
        if number not in self.pulls:
            raise Refused("missing", "Not Found")
        return self.pulls[number]

    def pushed(self, moves: list[RefMoved]) -> None:
        """Somebody has pushed these, together."""
        for move in self.tells_of(moves):
            self.tell(HookEvent.PUSH, "pushed", move)
        branches = {move.ref.removeprefix("refs/heads/") for move in moves}
        for pull in self.pulls.values():
            if pull.state is PullState.OPEN and not pull.fork and pull.head in branches:
                self._touch(Thread.pull(pull.number))
                self.tell(HookEvent.PULL_REQUEST, "synchronize", pull)

    def head_of(self, pull: Pull) -> str:
        """The commit of its head; that of one that is not open any more stays as it was."""
        if pull.state is PullState.OPEN and not pull.fork:
            pull.head_commit = self.refs.get(f"refs/heads/{pull.head}") or pull.head_commit
        return pull.head_commit

    def review(self, number: int, author: str, opinion: Opinion) -> ReviewSaid:
        """A person says something of it."""
        pull = self.pull(number)
        made = ReviewSaid(self.next_key(), author, opinion, self.head_of(pull))
        pull.said.append(made)
        self._touch(Thread.pull(number))
        return made

    def opinions(self, pull: Pull) -> tuple[Review, ...]:
        """What counts of it."""
        return counted(Review(one.author, one.opinion, one.commit) for one in pull.said if not one.dismissed)

    def ask_reviewers(self, number: int, names: list[str]) -> Pull:
        """These too; neither strangers nor its author."""
        pull = self.pull(number)
        for name in names:
            if name not in self.people or name == pull.author:
                raise Refused("invalid", f"Reviews may not be requested from {name}")
        pull.reviewers += [name for name in dict.fromkeys(names) if name not in pull.reviewers]
        self._touch(Thread.pull(number))
        self._note("ask for a review")
        return pull

    def note_line(self, number: int, note: LineNote) -> LineNote:
        """Somebody says something of lines: of the newest commit, and of a file that changes."""
        pull = self.pull(number)
        paths = {one.path for one in self.changes_of(pull)}
        if note.commit != self.head_of(pull) or note.path not in paths or not 1 <= note.line <= note.last_line:
            raise Refused("invalid", "line must be part of the diff")
        note.key = self.next_key()
        pull.line_notes.append(note)
        self._touch(Thread.pull(number))
        self._note("comment on a line")
        return note

    def changes_of(self, pull: Pull) -> list[Changed]:
        """The files that it changes."""
        base = self.refs.get(f"refs/heads/{pull.base}") or ""
        return self.refs.changes(base, self.head_of(pull))

    def blocked(self, pull: Pull) -> str:
        """Why it is not merged: `closed`, `draft`, `changes`, `approvals`, `checks` or `conflict`; "" for no reason."""
        opinions = self.opinions(pull)
        approvals = len([one for one in opinions if one.opinion is Opinion.APPROVED])
        if pull.state is not PullState.OPEN:
            return "closed"
        if pull.draft:
            return "draft"
        if any(one.opinion is Opinion.CHANGES_REQUESTED for one in opinions):
            return "changes"
        rule = self._rule_for(pull.base)
        needed = self.approvals_needed if pull.base in self.protected else 0
        if approvals < max(needed, 0 if rule is None else rule.approvals):
            return "approvals"
        if rule is not None and not set(rule.checks) <= self.passed(self.head_of(pull)):
            return "checks"
        return "" if self._merge_commit(pull, squash=False) else "conflict"

    def _rule_for(self, branch: str) -> BranchRule | None:
        return rule_for(branch, self.guards)

    def is_guarded(self, branch: str) -> bool:
        """Whether changes come to it by pull request alone."""
        rule = self._rule_for(branch)
        return branch in self.protected or (rule is not None and rule.pull_requests)

    def passed(self, commit: str) -> set[str]:
        """The checks whose newest word about a commit is good."""
        raise NotImplementedError

    def merge_on_request(self, number: int, head: str, method: MergeMethod) -> Pull:
        """Somebody merges it through the forge."""
        pull = self.pull(number)
        why = self.blocked(pull)
        if why:
            raise Refused("blocked", f"Pull Request is not mergeable: {why}")
        if head and head != self.head_of(pull):
            raise Refused("moved", "Head branch was modified. Review and try the merge again.")
        commit = self._merge_commit(pull, squash=method is not MergeMethod.MERGE)
        assert commit is not None
        self.merge(number, commit)
        self._note(f"merge pull request {pull.head}")
        return pull

    def _merge_commit(self, pull: Pull, *, squash: bool) -> str | None:
        base = self.refs.get(f"refs/heads/{pull.base}") or ""
        return self.refs.merged(base, self.head_of(pull), f"{pull.title} (#{pull.number})", squash=squash)

    def merge(self, number: int, commit: str) -> None:
        """A person has merged it: `commit` is what its base stands on now."""
        pull = self.pull(number)
        self.head_of(pull)
        name = f"refs/heads/{pull.base}"
        before = self.refs.get(name)
        self.refs.put(name, commit)
        pull.state, pull.merge_commit = PullState.MERGED, commit
        self._touch(Thread.pull(number))
        self.tell(HookEvent.PULL_REQUEST, "closed", pull)
        self.tell(HookEvent.PUSH, "pushed", RefMoved(name, before, commit))

    # --- what issues and pull requests have alike --------------------------------------------------------------

    def labels_of(self, thread: Thread) -> list[str]:
        """The labels of an issue or a pull request."""
        return super().labels_of(thread) if thread.kind is ThreadKind.ISSUE else self.pull(thread.number).labels

    def assignees_of(self, thread: Thread) -> list[str]:
        """Its assignees."""
        return super().assignees_of(thread) if thread.kind is ThreadKind.ISSUE else self.pull(thread.number).assignees

    def _all_labels(self) -> list[list[str]]:
        return super()._all_labels() + [pull.labels for pull in self.pulls.values()]

    def _touch(self, thread: Thread) -> None:
        super()._touch(thread)
        if thread.kind is ThreadKind.PULL:
            self.pull(thread.number).updated_us = self.now_us()
