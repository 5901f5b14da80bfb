"""The Repository port: what Shipline asks of a git repository on disk."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple, Protocol

API_VERSION = 1
TIME_US_MAX = 2**53 - 1  # RFC 8785, section 3.2.2.3: integers beyond it have no canonical form. It is in the year 2255.


class Commit(NamedTuple):
    """One commit as git has it. A tuple, since it is made in C: long histories have very many.

    `author` and `author_mail` are as `.mailmap` has them. `time_us` is the committer's time, kept to 0 to 2**53 - 1
    whatever the commit claims; `message` is raw.
    `paths` are the files that it changed against its only parent, relative to the root; empty where they were not
    asked for, and for merges.
    """

    id: str
    parents: tuple[str, ...]
    author: str
    author_mail: str
    time_us: int
    message: str
    paths: tuple[str, ...] = ()


class LogEntry(NamedTuple):
    """One commit as git prints it, its fields unread: for passes over a whole history, where each object counts.

    `parents` are ids with spaces between them; the other fields are as in Commit. A tuple, since it is made in C.
    """

    id: str
    parents: str
    author: str
    message: str


class Tag(NamedTuple):
    """A tag and the commit that it peels to; a tuple for the same reason.

    Names are hostile input: never put one in a shell string.
    """

    name: str
    commit: str
    time_us: int


class Stretch(NamedTuple):
    """What `paths` went through from the commit `since` to the commit `until`."""

    since: str
    until: str
    paths: tuple[str, ...]


class Reverted(NamedTuple):
    """What came of taking changes back. `commit` holds the result: the base itself where nothing of the changes is left
    in it, None where `conflicts`, paths that were changed again since, leave it to a person."""

    commit: str | None
    conflicts: tuple[str, ...] = ()


class Picked(NamedTuple):
    """What came of carrying changes over. `commit` holds them: the base itself where it had all of them, None where a
    person has to settle `conflicts`, the paths on which `stopped_at` and what it was to come upon disagree.

    `made` are the new commits, each by the id of the one whose change it has; those that change nothing are left out.
    """

    commit: str | None
    made: tuple[tuple[str, str], ...] = ()
    stopped_at: str = ""
    conflicts: tuple[str, ...] = ()


class Merged(NamedTuple):
    """What came of merging. `commit` holds the result: the base itself where it contained everything, None where both
    sides have changed `conflicts`, which a person has to settle."""

    commit: str | None
    conflicts: tuple[str, ...] = ()


class Repository(Protocol):
    """A git repository with a work tree. Errors: ShiplineError with what git said, bounded in length."""

    api_version: int

    def root(self) -> Path:
        """The top of the work tree. Raises UsageError where there is no repository."""
        ...

    def head(self) -> str | None:
        """The id of HEAD's commit, None in a repository without commits."""
        ...

    def find_commit(self, reference: str) -> str | None:
        """The commit that a branch or another reference stands on, None where there is none; `refs/…` is exact."""
        ...

    def branch(self) -> str | None:
        """The current branch, None when HEAD is detached."""
        ...

    def attach(self, branch: str) -> None:
        """Put a detached HEAD on a branch, which is made, or moved forwards to HEAD's commit. Touches no file.

        Idempotent. RefusedError where the branch has commits that HEAD has not, InvalidValue for what is no name.
        """
        ...

    def catch_up(self, remote: str, branch: str) -> str:
        """Bring the current branch, which has to be `branch`, and its work tree forwards to where `remote` has it, and
        the tags that are not here; returns the commit that HEAD is on then. What is ahead of the remote stays.

        Idempotent. RefusedError where HEAD is on another branch, where both have commits of their own, and where
        changes of the work tree would be lost. Other errors as for `push`.
        """
        ...

    def is_shallow(self) -> bool:
        """True for a clone with a cut history, from which versions cannot be derived."""
        ...

    def dirty_paths(self) -> tuple[str, ...]:
        """Tracked paths that differ from HEAD; untracked files do not count."""
        ...

    def is_tracked(self, path: str) -> bool:
        """True if git tracks `path`, or anything below it; relative to the root, a file or a folder."""
        ...

    def tag_names(self) -> tuple[str, ...]:
        """The names of all tags, in no order that means anything. The cheapest question about tags that there is."""
        ...

    def tag_listing(self) -> str:
        """All tags with the ids of what they name, as a text that is the same as long as no tag is another one.

        Nearly as cheap as `tag_names`.
        """
        ...

    def tags(self) -> tuple[Tag, ...]:
        """All tags that lead to a commit, newest first, whatever branch they are on. Costs no walk through history."""
        ...

    def merged_tags(self, commit: str = "HEAD", *, names: tuple[str, ...] = ()) -> tuple[Tag, ...]:
        """The tags reachable from `commit`, newest first; with `names`, those of them that are named so."""
        ...

    def surely_merged_tags(self, commit: str, names: tuple[str, ...]) -> tuple[Tag, ...]:
        """The same at less cost where the tags are near, without some where the clocks of commits were wrong."""
        ...

    def find_tag(self, name: str) -> Tag | None:
        """The tag of exactly this name, None where there is none."""
        ...

    def log(  # noqa: PLR0913 - each is named where it is given
        self,
        since: tuple[str, ...],
        until: str = "HEAD",
        *,
        paths: tuple[str, ...] = (),
        changed_paths: bool = False,
        limit: int | None = None,
        mailmap: bool = True,
    ) -> Iterator[Commit]:
        """Commits reachable from `until` and from none of `since`, newest first, that touch `paths` (empty: all).

        One pass over the history, to its end before the first commit comes; who needs only the first few says so by
        `limit`. `changed_paths` fills `Commit.paths`, which makes the reading about four times as
        costly. Without `mailmap`, authors are as the commits themselves name them.
        """
        ...

    def mapped_mails(self, mails: frozenset[str]) -> frozenset[str]:
        """The addresses as `.mailmap` has them; what it does not know, and what is no address, stays."""
        ...

    def private_folder(self) -> Path:
        """A folder among git's own files for what may be lost; it need not be there yet."""
        ...

    def merge_base(self, commits: tuple[str, ...]) -> str | None:
        """A commit that all of `commits` contain, the newest there is; None where they have none in common."""
        ...

    def log_entries(self, until: str = "HEAD") -> Iterator[LogEntry]:
        """All commits reachable from `until`, newest first, unread."""
        ...

    def patch_ids(self, commits: tuple[str, ...]) -> dict[str, str]:
        """The patch-id of each commit that has one parent and changes something: equal for equal changes."""
        ...

    def read_files(self, paths: tuple[str, ...], commit: str = "HEAD") -> dict[str, bytes]:
        """The contents of those of `paths` that are files in `commit`. More than 8 MiB in one: ShiplineError."""
        ...

    def list_files(self, folders: tuple[str, ...], commit: str = "HEAD") -> tuple[str, ...]:
        """The paths of all files of `commit` that lie below `folders`, "" for the root; a missing folder has none."""
        ...

    def remote_address(self, name: str) -> str | None:
        """The address of the remote of this name, as the configuration has it; None where there is none."""
        ...

    def export(self, commit: str, destination: Path, *, tag: str = "") -> None:
        """Write the tree of `commit` into the empty folder `destination`; no .git, nothing from the work tree.

        With `tag` there is a `.git` that has this tag alone, and HEAD on the commit: for tools that ask git for the
        version. It has no remote, and reads the objects of this repository.
        """
        ...

    def commit_paths(
        self, paths: tuple[str, ...], message: str, *, key: str, time_us: int, base: str | None = None
    ) -> str:
        """Commit exactly `paths` on the current branch; returns the commit's id.

        Idempotent by `key`, kept as a `Shipline-Key:` trailer, beside others that the message may have: if HEAD carries
        it already, HEAD is returned. With `base`, only upon that commit: a HEAD that is `base` is never taken for what
        was to be made, whatever its message says, and one that carries the key must have `base` as its only parent. Any
        other HEAD: ConflictError. A path that is not there is deleted.
        """
        ...

    def commit_beside(
        self, base: str, contents: Mapping[str, bytes | None], message: str, *, key: str, time_us: int
    ) -> str:
        """Commit `base` with the files in `contents` (path to content) set, on top of `base`; returns the commit's id.

        None deletes a file; nothing where there is none. No branch moves, and neither work tree nor index is touched.
        The same call gives the same commit again. The key is kept as `commit_paths` keeps it. RefusedError where a path
        is a link, or lies behind one.
        """
        ...

    def create_tag(self, name: str, commit: str, message: str, *, time_us: int, sign: bool = False) -> Tag:
        """Create an annotated tag. The same tag on the same commit changes nothing; elsewhere: ConflictError.

        With `sign` it is signed as the repository's own configuration says; RefusedError where it cannot be.
        """
        ...

    def tag_message(self, name: str) -> str:
        """What an annotated tag says, with its signature; "" for a lightweight one, and where there is none."""
        ...

    def changed_paths(self, since: str, until: str) -> tuple[str, ...]:
        """The paths whose content, mode or presence differs between two commits; a rename is both of its names."""
        ...

    def difference(self, since: str, until: str, path: str) -> str:
        """How one file differs between two commits: the hunks of a unified diff with three lines of context, "" where
        it does not, or is not text."""
        ...

    def revert_beside(self, base: str, stretch: Stretch, message: str, *, key: str, time_us: int) -> Reverted:
        """Take a stretch back on top of `base`, which contains its end, and keep what came later.

        No branch moves, and neither work tree nor index is touched. The same call gives the same commit again. The key
        is kept as `commit_paths` keeps it.
        """
        ...

    def pick_beside(self, base: str, commits: tuple[str, ...]) -> Picked:
        """Carry the changes of commits over to `base`, one after the other, each in a commit that says whose it is.

        A new commit has the author, the author's time and the message of the other one, and below it the line that
        `git cherry-pick -x` writes; its own time is that of the newer of both. No branch moves, and neither work tree
        nor index is touched. The same call gives the same commits again. InvalidValue for a merge.
        """
        ...

    def merge_beside(self, base: str, head: str, message: str, *, squash: bool = False) -> Merged:
        """Merge `head` into `base`, or with `squash` make one commit of it: what a forge's merge would make.

        No branch moves, and neither work tree nor index is touched. Its time is that of the newer of both, so the same
        call gives the same commit again.
        """
        ...

    def start_branch(self, name: str, commit: str) -> None:
        """Make a branch here that stands on `commit`. There on the same commit: nothing is done; elsewhere:
        ConflictError. Touches no file."""
        ...

    def tags_on(self, remote: str, names: tuple[str, ...] | None) -> dict[str, str]:
        """The commits of those of the tags that `remote` has ("": this repository), by name; None asks for all tags.

        Errors as for `push`.
        """
        ...

    def move_tag(self, name: str, commit: str, *, remote: str, expected: str | None = None) -> None:
        """Make a lightweight tag stand on `commit`, here and on `remote` ("" for here alone), wherever it stood; with
        `expected`, only from there ("": only if it is nowhere yet).

        Idempotent. An annotated tag of that name, here or there, is a release and is not moved: ConflictError; so is
        one that somebody else moved on the remote meanwhile. Unreachable: UnavailableError.
        """
        ...

    def delete_tag(self, name: str) -> None:
        """Delete a local tag; nothing where there is none. For tags that were never pushed."""
        ...

    def fetch_branch(self, remote: str, name: str) -> str | None:
        """The commit on which `remote` has the branch now, which is here then; None where it has none.

        Moves no branch of this repository. Errors as for `push`.
        """
        ...

    def fetch_commit(self, remote: str, commit: str) -> bool:
        """Have a commit of `remote` here, on whatever it stands there; False where it hands that one out to nobody.

        `commit` is a whole object id. Moves no branch. Errors as for `push`.
        """
        ...

    def move_branch(self, remote: str, name: str, commit: str, *, expected: str | None) -> None:
        """Make the branch of `remote` stand on `commit`, forwards or not, if it still stands on `expected` (None: if it
        is not there). Compare and swap, by git's lease; ConflictError where it does not. Other errors as for `push`."""
        ...

    def push(self, remote: str, refs: tuple[str, ...]) -> None:
        """Push refs atomically, never by force. Idempotent. Rejected: ConflictError; unreachable: UnavailableError."""
        ...
