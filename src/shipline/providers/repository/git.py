"""The Repository port over the git program.

Names from outside reach git as arguments of their own, behind `--end-of-options` or glued to a fixed prefix, and are
checked not to be options; there is no shell. Everything is read in git's NUL-separated forms.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from shipline.domain.errors import (
    ConflictError,
    InvalidValue,
    RefusedError,
    ShiplineError,
    UnavailableError,
    UsageError,
)
from shipline.ports.provider import ProviderContext
from shipline.ports.repository import TIME_US_MAX, Commit, LogEntry, Tag
from shipline.providers.repository.command import GitCommand, GitFailed

FILE_BYTES_MAX = 8 << 20
KEY_TRAILER = "Shipline-Key"
LOG_FORMAT = "%H%x00%P%x00%aN%x00%aE%x00%ct%x00%B"
LOG_FIELDS = 6
TAG_ARGUMENTS_MAX = 1000  # Names on one command line; a longer list is found among all tags.
TAG_FORMAT = (
    "%(refname:strip=2)%00%(objectname)%00%(*objectname)%00%(objecttype)%00%(*objecttype)%00%(creatordate:unix)"
)

# A user's settings that would change what we read: signatures in the log, another encoding.
PLAIN_LOG = ("-c", "log.showSignature=false", "log", "-z", "--encoding=UTF-8", "--no-color", "--no-notes")

# Hooks check what people commit: they may ask, rewrite the message or need tools that are not here. What Shipline
# commits was made by itself and is judged by the gates, so no hook runs (`--no-verify` would leave
# prepare-commit-msg, which could drop the key). The identity is the configured one, never one guessed from the host.
OWN_COMMIT = ("-c", f"core.hooksPath={os.devnull}", "-c", "user.useConfigOnly=true", "-c", "i18n.commitEncoding=UTF-8")


class GitRepository:
    """A git repository on disk, found from `context.root` or any folder above it."""

    api_version = 1

    @dataclass(frozen=True, slots=True)
    class Settings:
        """There is nothing to set."""

    def __init__(self, settings: Settings, context: ProviderContext) -> None:
        self._settings = settings
        self._git = GitCommand(context.root)
        self._root: Path | None = None
        self._resolved: set[str] = set()  # Ids that git has shown to be commits: they stay so.

    def root(self) -> Path:
        """The top of the work tree. Raises UsageError where there is no repository."""
        if self._root is None:
            try:
                top = self._git.run("find a repository", "rev-parse", "--show-toplevel")
            except GitFailed as failure:
                raise UsageError(
                    "this is not a git repository with a work tree",
                    why=failure.complaint,
                    todo="change to your project's folder, or make it a repository with `git init`",
                ) from None
            self._root = Path(os.fsdecode(top.removesuffix(b"\n")))
            self._git = GitCommand(self._root)
        return self._root

    def head(self) -> str | None:
        """The id of HEAD's commit, None in a repository without commits."""
        self.root()
        try:
            return self._resolve("HEAD")
        except InvalidValue:
            return None

    def find_commit(self, reference: str) -> str | None:
        """The commit that a branch or another reference stands on, None where there is none; `refs/…` is exact."""
        self.root()
        try:
            return self._resolve(reference)
        except InvalidValue:
            return None

    def branch(self) -> str | None:
        """The current branch, None when HEAD is detached."""
        self.root()
        try:
            return _text(self._git.run("read HEAD", "symbolic-ref", "--quiet", "--short", "HEAD"))
        except GitFailed:
            return None

    def is_shallow(self) -> bool:
        """True for a clone with a cut history, from which versions cannot be derived."""
        self.root()
        return self._git.run("read the repository", "rev-parse", "--is-shallow-repository").strip() == b"true"

    def dirty_paths(self) -> tuple[str, ...]:
        """Tracked paths that differ from HEAD; untracked files do not count."""
        self.root()
        entries = self._git.run("compare the work tree", "status", "-z", "--no-renames", "--untracked-files=no")
        return tuple(os.fsdecode(entry[3:]) for entry in entries.split(b"\0") if entry)

    def is_tracked(self, path: str) -> bool:
        """True if the index holds `path`, or anything below it."""
        self.root()
        return bool(self._git.run("look at what is tracked", "ls-files", "-z", "--", path))

    def tag_names(self) -> tuple[str, ...]:
        """The names of all tags, as git sorts them. Tags are not opened."""
        self.root()
        names = self._git.run("read the tags' names", "for-each-ref", "--format=%(refname:strip=2)", "refs/tags")
        return tuple(names.decode("utf-8", "replace").splitlines())

    def tags(self) -> tuple[Tag, ...]:
        """All tags that lead to a commit, newest first. Tags of tags are peeled; those of files are left out."""
        self.root()
        return self._tags("--sort=-creatordate", "refs/tags")

    def merged_tags(self, commit: str = "HEAD", *, names: tuple[str, ...] = ()) -> tuple[Tag, ...]:
        """The tags reachable from `commit`, newest first; with `names`, those of them that are named so."""
        asked = tuple(f"refs/tags/{name}" for name in names[: TAG_ARGUMENTS_MAX + 1])
        patterns = asked if 0 < len(asked) <= TAG_ARGUMENTS_MAX else ("refs/tags",)
        found = self._tags(f"--merged={self._resolve(commit)}", "--sort=-creatordate", *patterns)
        wanted = frozenset(names)
        return tuple(tag for tag in found if tag.name in wanted) if names else found

    def find_tag(self, name: str) -> Tag | None:
        """The tag of exactly this name, None where there is none."""
        self.root()
        # The name is a pattern to git: it may match more, never less, than the tag of this name.
        return next((tag for tag in self._tags(f"refs/tags/{name}") if tag.name == name), None)

    def log(
        self,
        since: tuple[str, ...],
        until: str = "HEAD",
        *,
        paths: tuple[str, ...] = (),
        changed_paths: bool = False,
        limit: int | None = None,
    ) -> Iterator[Commit]:
        """Commits reachable from `until` and from none of `since`, newest first, that touch `paths` (empty: all)."""
        self.root()
        count = () if limit is None else (f"--max-count={limit}",)
        names = ("--name-only", "--no-renames", "--diff-merges=off", "--no-relative") if changed_paths else ()
        revisions = (_revision(until), *(f"^{_revision(revision)}" for revision in since))
        separator = "%x00" if changed_paths else ""
        pieces = self._git.spooled(
            "read the history",
            *PLAIN_LOG,
            *names,
            *count,
            f"--format={separator}{LOG_FORMAT}",
            "--end-of-options",
            *revisions,
            "--",
            *paths,
        )
        return _commits_with_paths(pieces) if changed_paths else map(_commit, _entries(pieces))

    def log_entries(self, until: str = "HEAD") -> Iterator[LogEntry]:
        """All commits reachable from `until`, newest first, unread."""
        self.root()
        options = (f"--format={LOG_FORMAT}", "--end-of-options", _revision(until), "--")
        return _entries(self._git.spooled("read the history", *PLAIN_LOG, *options))

    def patch_ids(self, commits: tuple[str, ...]) -> dict[str, str]:
        """The patch-id of each commit that has one parent and changes something: equal for equal changes."""
        asked = "".join(f"{self._resolve(commit)}\n" for commit in commits)
        options = ("diff-tree", "--stdin", "--patch", "--no-ext-diff", "--no-textconv", "--no-color")
        patches = self._git.run("compare commits", *options, stdin=asked.encode())
        lines = self._git.run("compare commits", "patch-id", "--stable", stdin=patches).decode().splitlines()
        return {commit: patch for patch, commit in map(str.split, lines)}

    def private_folder(self) -> Path:
        """A folder among git's own files for what may be lost; it need not be there yet."""
        found = self._git.run("find git's own folder", "rev-parse", "--git-path", "shipline")
        return self.root() / os.fsdecode(found.removesuffix(b"\n"))

    def merge_base(self, commits: tuple[str, ...]) -> str | None:
        """A commit that all of `commits` contain, the newest there is; None where they have none in common."""
        self.root()
        try:
            revisions = map(_revision, dict.fromkeys(commits))
            return _text(self._git.run("compare commits", "merge-base", "--octopus", "--end-of-options", *revisions))
        except GitFailed as failure:
            if failure.complaint:
                raise
            return None

    def read_files(self, paths: tuple[str, ...], commit: str = "HEAD") -> dict[str, bytes]:
        """The contents of those of `paths` that are files in `commit`. More than 8 MiB in one: ShiplineError."""
        tree = self._resolve(commit)
        if any("\n" in path for path in paths):
            raise InvalidValue("a path with a line break cannot be read")
        asked = "".join(f"{tree}:{path}\n" for path in paths)
        answer = self._git.run("look at files", "cat-file", "--batch-check", "--buffer", stdin=os.fsencode(asked))
        found = [path for path, line in zip(paths, answer.splitlines(), strict=True) if _is_readable(path, line)]
        if not found:
            return {}
        wanted = "".join(f"{tree}:{path}\n" for path in found)
        output = self._git.run("read files", "cat-file", "--batch", "--buffer", stdin=os.fsencode(wanted))
        return dict(zip(found, _contents(output), strict=True))

    def list_files(self, folders: tuple[str, ...], commit: str = "HEAD") -> tuple[str, ...]:
        """The paths of all files of `commit` that lie below `folders`, "" for the root; a missing folder has none."""
        tree = self._resolve(commit)
        below = () if "" in folders else tuple(f"{folder}/" for folder in folders)
        if not folders:
            return ()
        names = self._git.run("list files", "ls-tree", "-r", "-z", "--full-tree", "--name-only", tree, "--", *below)
        return tuple(os.fsdecode(name) for name in names.split(b"\0") if name)

    def remote_address(self, name: str) -> str | None:
        """The address of the remote of this name, as the configuration has it; None where there is none."""
        self.root()
        try:
            return _text(self._git.run("read a remote", "config", "--get", f"remote.{name}.url"))
        except GitFailed:
            return None

    def export(self, commit: str, destination: Path) -> None:
        """Write the tree of `commit` into the empty folder `destination`; no .git, nothing from the work tree.

        Through an index of its own, since `git archive` leaves out what .gitattributes says to ignore on export.
        """
        tree = self._resolve(commit)
        if any(destination.iterdir()):
            raise InvalidValue(f"the folder {destination.name!r} is not empty")
        with tempfile.TemporaryDirectory() as scratch:
            index = {"GIT_INDEX_FILE": str(Path(scratch) / "index")}
            self._git.run("read the tree", "read-tree", tree, environ=index)
            prefix = f"--prefix={destination.resolve()}/"
            self._git.run("write the tree", "checkout-index", "--all", "--force", prefix, environ=index)

    def commit_paths(
        self, paths: tuple[str, ...], message: str, *, key: str, time_us: int, base: str | None = None
    ) -> str:
        """Commit exactly `paths` on the current branch; returns the commit's id.

        Idempotent by `key`, kept as a `Shipline-Key:` trailer: if HEAD carries it already, HEAD is returned. So it is
        when `paths` are as in HEAD. Other staged changes stay staged and uncommitted. Runs no hooks. With `base`, only
        upon that commit: ConflictError for a HEAD that is neither `base` nor our commit right above it. A path that is
        not there is deleted.
        """
        head = self.head()
        if not key.isprintable() or not key.strip() or not paths:
            raise InvalidValue("a release commit needs paths and a key of one line")
        if head is not None and (self._is_made(head, key, base) or not self._differs(paths)):
            return head
        self._check_identity()
        there = [path for path in paths if os.path.lexists(self.root() / path)]
        gone = [path for path in paths if path not in there]
        if there:
            self._git.run("add the release's files", "add", "--force", "--", *there)
        if gone:
            self._git.run("remove used up files", "rm", "--cached", "--quiet", "--ignore-unmatch", "--", *gone)
        self._git.run(
            "commit the release's files",
            *OWN_COMMIT,
            *("commit", "--quiet", "--only", "--no-verify", "--cleanup=verbatim", "--file=-"),
            "--",
            *paths,
            # A paragraph of its own: `git commit --trailer` takes lines that begin with # for comments and moves them.
            stdin=f"{message.rstrip()}\n\n{KEY_TRAILER}: {key}\n".encode(),
            environ=_dates(time_us),
        )
        return self._resolve("HEAD")

    def create_tag(self, name: str, commit: str, message: str, *, time_us: int, sign: bool = False) -> Tag:
        """Create an annotated tag. The same tag on the same commit changes nothing; elsewhere: ConflictError.

        With `sign` git signs it by its own `gpg.format` (openpgp, ssh or x509) and `user.signingKey`. RefusedError
        where it cannot. Without, `tag.gpgSign` of git's configuration still counts.
        """
        target = self._resolve(commit)
        known = self.find_tag(name)
        if known is not None and known.commit == target and (not sign or self._is_signed(name)):
            return known
        if known is not None and known.commit != target:
            raise ConflictError(
                f"the tag {name!r} exists on commit {known.commit[:12]}, not on {target[:12]}",
                todo="look at what that tag releases; delete it only if it was never pushed",
            )
        self._check_tag_name(name)
        self._check_identity()
        try:
            self._git.run(
                f"create the tag {name!r}",
                *OWN_COMMIT,
                *(
                    "tag",
                    "--sign" if sign else "--annotate",
                    "--cleanup=verbatim",
                    "--file=-",
                    *(("--force",) if known is not None else ()),
                ),
                *("--end-of-options", name, target),
                stdin=(message.rstrip("\n") + "\n").encode(),
                environ=_dates(time_us),
            )
        except GitFailed as failure:
            raise (_signing_error(name, failure.complaint) if sign else failure) from None
        made = self.find_tag(name)
        if made is None or made.commit != target:
            raise ConflictError(f"the tag {name!r} was changed by someone else while it was made")
        if sign and not self._is_signed(name):
            self.delete_tag(name)
            raise _signing_error(name, "git made it without a signature: the key that is configured cannot be used")
        return made

    def _is_signed(self, name: str) -> bool:
        """Git 2.39 makes an unsigned tag, and says that all is well, where a key for ssh is not there."""
        try:
            content = self._git.run("read a tag", "cat-file", "tag", f"refs/tags/{name}")
        except GitFailed:
            return False  # A lightweight tag has nothing to sign.
        return any(line.startswith(b"-----BEGIN ") and b"SIGN" in line for line in content.splitlines())

    def delete_tag(self, name: str) -> None:
        """Delete a local tag; nothing where there is none. For tags that were never pushed."""
        if self.find_tag(name) is not None:
            self._git.run(f"delete the tag {name!r}", "tag", "--delete", "--end-of-options", name)

    def push(self, remote: str, refs: tuple[str, ...]) -> None:
        """Push refs atomically, never by force. Idempotent. Rejected: ConflictError; unreachable: UnavailableError.

        The pre-push hook runs: git-lfs uploads with it. Refused credentials: RefusedError.
        """
        self.root()
        if remote.startswith("-") or any(ref.startswith(("-", "+", ":")) for ref in refs):
            raise InvalidValue("a remote or ref to push is an option, a forced push or a deletion")
        options = ("push", "--atomic", "--porcelain", "--no-follow-tags", "--end-of-options")
        try:
            self._git.run(f"push to {remote}", *options, remote, *refs)
        except GitFailed as failure:
            raise _push_error(remote, failure) from None

    def _resolve(self, revision: str) -> str:
        self.root()
        if revision in self._resolved:
            return revision
        try:
            options = ("rev-parse", "--verify", "--quiet", "--end-of-options")
            found = _text(self._git.run("find a commit", *options, f"{_revision(revision)}^{{commit}}"))
        except GitFailed:
            raise InvalidValue(f"there is no commit {revision[:80]!r} in this repository") from None
        self._resolved.add(found)
        return found

    def _tags(self, *selection: str) -> tuple[Tag, ...]:
        lines = self._git.run("read the tags", "for-each-ref", f"--format={TAG_FORMAT}", *selection)
        tags = (self._read_tag(line) for line in lines.decode("utf-8", "replace").split("\n") if line)
        return tuple(tag for tag in tags if tag is not None)

    def _read_tag(self, line: str) -> Tag | None:
        name, own, peeled, own_kind, kind, time_s = line.split("\0")
        if own_kind not in {"commit", "tag"}:
            return None
        try:
            commit = self._resolve(own) if kind not in {"", "commit"} else peeled or own
        except InvalidValue:
            return None  # A tag of a tag of a file.
        return Tag(name=name, commit=commit, time_us=_time_us(time_s))

    def _is_made(self, head: str, key: str, base: str | None) -> bool:
        """True if HEAD is the commit that was to be made; ConflictError if it can be neither that nor its parent."""
        if head == base:
            return False
        has_key = self._head_key() == key
        if base is not None and not (has_key and next(iter(self.log((), head))).parents == (base,)):
            raise ConflictError(
                f"HEAD is {head[:12]}, and the commit was to be made upon {base[:12]}",
                todo="find out who works in this repository at the same time, then run this again",
            )
        return has_key

    def _head_key(self) -> str:
        trailers = f"--format=%(trailers:key={KEY_TRAILER},valueonly)"
        return self._git.run("read HEAD", *PLAIN_LOG, "-1", trailers, "HEAD", "--").decode().strip("\0\n")

    def _differs(self, paths: tuple[str, ...]) -> bool:
        options = ("status", "-z", "--no-renames", "--untracked-files=all", "--ignored=matching")
        return bool(self._git.run("compare the work tree", *options, "--", *paths))

    def _check_identity(self) -> None:
        for variable in ("GIT_COMMITTER_IDENT", "GIT_AUTHOR_IDENT"):
            try:
                self._git.run("read the identity", "-c", "user.useConfigOnly=true", "var", variable)
            except GitFailed:
                raise UsageError(
                    "git does not know who commits here",
                    why="user.name or user.email is not configured",
                    todo='run `git config user.name "Your Name"` and `git config user.email you@example.com`',
                ) from None

    def _check_tag_name(self, name: str) -> None:
        refused = InvalidValue(f"{name[:80]!r} cannot be the name of a tag")
        if name.startswith("-"):
            raise refused
        try:
            self._git.run("check a tag's name", "check-ref-format", f"refs/tags/{name}")
        except GitFailed:
            raise refused from None


def _text(output: bytes) -> str:
    return output.decode("utf-8", "replace").strip()


def _revision(text: str) -> str:
    if text.startswith(("-", "^")) or not text.isprintable() or ".." in text:
        raise InvalidValue(f"{text[:80]!r} does not name a commit")
    return text


def _time_us(seconds: str) -> int:
    """Seconds as git has them in microseconds, kept to what Shipline's times can be.

    A commit may claim any time, and one far in the future must not make every release impossible.
    """
    return min(max(int(seconds or 0) * 1_000_000, 0), TIME_US_MAX)


def _dates(time_us: int) -> dict[str, str]:
    date = f"@{time_us // 1_000_000} +0000"
    return {"GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date}


def _is_readable(path: str, line: bytes) -> bool:
    _, _, facts = line.rpartition(b" blob ")
    if not facts.isdigit() or b" blob " not in line:
        return False
    if int(facts) > FILE_BYTES_MAX:
        raise ShiplineError(f"the file {path!r} is larger than {FILE_BYTES_MAX >> 20} MiB")
    return True


def _contents(output: bytes) -> Iterator[bytes]:
    """The contents in the output of `cat-file --batch`: each behind a line that ends with its size."""
    place = 0
    while place < len(output):
        start = output.index(b"\n", place) + 1
        end = start + int(output[place:start].rpartition(b" ")[2])
        yield output[start:end]
        place = end + 1


def _fields(pieces: Iterator[bytes]) -> Iterator[list[str]]:
    """The NUL-terminated fields of each piece; a field that is cut between two pieces comes with the later one."""
    rest = b""
    for piece in pieces:
        whole, found, tail = piece.rpartition(b"\0")
        if found:
            yield (rest + whole).decode("utf-8", "replace").split("\0")
            rest = tail
        else:
            rest += piece


def _entries(pieces: Iterator[bytes]) -> Iterator[LogEntry]:
    """Commits of LOG_FIELDS fields each."""
    open_fields: list[str] = []
    for fields in _fields(pieces):
        open_fields += fields
        complete = len(open_fields) - len(open_fields) % LOG_FIELDS
        cells = iter(open_fields[:complete])
        yield from map(LogEntry._make, zip(cells, cells, cells, cells, cells, cells, strict=True))
        del open_fields[:complete]


def _commit(entry: LogEntry) -> Commit:
    oid, parents, author, mail, _, message = entry
    return Commit(oid, tuple(parents.split()), author, mail, entry.time_us, message)


def _commits_with_paths(pieces: Iterator[bytes]) -> Iterator[Commit]:
    """Commits of an empty field, LOG_FIELDS fields and the paths; no path is empty, so the next empty field ends it."""
    record: list[str] = []
    for field in chain.from_iterable(_fields(pieces)):
        if field or len(record) <= LOG_FIELDS:
            record.append(field)
        else:
            yield _commit_with_paths(record)
            record = [field]
    if record:
        yield _commit_with_paths(record)


def _commit_with_paths(record: list[str]) -> Commit:
    _, oid, parents, author, mail, time_s, message, *paths = record
    # git puts a line break between the message and the first path.
    changed = (paths[0].removeprefix("\n"), *paths[1:]) if paths else ()
    return Commit(oid, tuple(parents.split()), author, mail, _time_us(time_s), message, changed)


def _signing_error(name: str, why: str) -> ShiplineError:
    return RefusedError(
        f"the tag {name!r} could not be signed",
        why=why,
        todo="see that git can sign here: `git config gpg.format` (openpgp or ssh), `git config user.signingKey`, and "
        "that the key asks for no passphrase",
    )


def _push_error(remote: str, failure: GitFailed) -> ShiplineError:
    rejected = " ".join(line for line in failure.output.splitlines() if line.startswith("!"))[:300]
    if rejected:
        return ConflictError(
            f"{remote} did not take the push",
            why=rejected.replace("\t", " "),
            todo="fetch, look at what is there, then run this again",
        )
    if any(word in failure.complaint for word in ("Authentication failed", "Permission denied", "could not read User")):
        return RefusedError(f"{remote} refused the credentials", why=failure.complaint)
    return UnavailableError(f"{remote} cannot be reached", why=failure.complaint)
