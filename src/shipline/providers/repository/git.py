"""The Repository port over the git program.

Names from outside reach git as arguments of their own, behind `--end-of-options` or glued to a fixed prefix, and are
checked not to be options; there is no shell. Everything is read in git's NUL-separated forms.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from shipline.clients.git_command import OWN_COMMIT, PLAIN_LOG, GitCommand, GitFailed
from shipline.clients.git_errors import not_moving, push_error, signing_error
from shipline.domain.errors import ConflictError, InvalidValue, RefusedError, UsageError
from shipline.ports.provider import ProviderContext
from shipline.ports.repository import Commit, LogEntry, Merged, Picked, Reverted, Stretch, Tag
from shipline.providers.repository.attaching import attach, catch_up, start_branch
from shipline.providers.repository.contained import TAG_ARGUMENTS_MAX, contained, without_contained
from shipline.providers.repository.file_output import files_of
from shipline.providers.repository.git_folder import ASKED_OF_HEAD, branch_of_head, write_git_folder
from shipline.providers.repository.git_merge import merged
from shipline.providers.repository.git_pick import picked
from shipline.providers.repository.git_revert import changed_between, difference_of, reverted_tree
from shipline.providers.repository.log_output import commits_with_paths, log_entries, plain_commits, time_us_of
from shipline.providers.repository.mailmap import ENTRY_FORMAT, LOG_FORMAT, UNMAPPED_FORMAT, mapped
from shipline.providers.repository.on_remote import fetch_branch, fetch_commit, listed_on, push_moved_tag
from shipline.providers.repository.own_commit import KEY_TRAILER, check_commit, check_identity, dates, with_key

# Where what may be lost is kept among git's own files, and what is asked of every repository first.
PRIVATE = "shipline"
ABOUT_REPOSITORY = ("--is-shallow-repository", "--git-path", PRIVATE, "--show-toplevel")
NEWEST_FIRST = "--sort=-creatordate"
TAG_FORMAT = (
    "%(refname:strip=2)%00%(objectname)%00%(*objectname)%00%(objecttype)%00%(*objecttype)%00%(creatordate:unix)"
)


class GitRepository:
    """A git repository on disk, found from `context.root` or any folder above it."""

    api_version = 1

    @dataclass(frozen=True, slots=True)
    class Settings:
        """There is nothing to set."""

    def __init__(self, settings: Settings, context: ProviderContext) -> None:
        self._settings = settings
        self._start = context.root
        self._git = GitCommand(context.root)
        self._root: Path | None = None
        self._private = Path()
        self._is_whole = False  # What is whole stays so.
        self._listed_files: dict[str, dict[str, str]] = {}  # By commit, the ids of what files hold: git need not walk.
        self._resolved: set[str] = set()  # Ids that git has shown to be commits: they stay so.
        self._has_identity = False  # Where it is lost later, git itself refuses.

    def root(self) -> Path:
        """The top of the work tree. Raises UsageError where there is no repository."""
        if self._root is None:
            try:
                found = self._git.run("find a repository", "rev-parse", *ABOUT_REPOSITORY)
            except GitFailed as failure:
                raise UsageError(
                    "this is not a git repository with a work tree",
                    why=failure.complaint,
                    todo="change to your project's folder, or make it a repository with `git init`",
                ) from None
            shallow, _, found = found.partition(b"\n")
            folder, end, top = found.partition(f"/{PRIVATE}\n".encode())
            self._is_whole = shallow == b"false"
            self._private = self._start / os.fsdecode(folder + end.removesuffix(b"\n"))
            self._root = Path(os.fsdecode(top.removesuffix(b"\n")))
            self._git = GitCommand(self._root)
        return self._root

    def head(self) -> str | None:
        """The id of HEAD's commit, None in a repository without commits."""
        return self.find_commit("HEAD")

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
            return _text(branch_of_head(self._private) or self._git.run("read HEAD", *ASKED_OF_HEAD))
        except GitFailed:
            return None

    def attach(self, branch: str) -> None:
        """Put HEAD on a branch that is contained in its commit, or is not there yet. Touches no file."""
        attach(self, self._git, branch)

    def catch_up(self, remote: str, branch: str) -> str:
        """Bring the current branch forwards to where `remote` has it."""
        return catch_up(self, self._git, remote, branch)

    def is_shallow(self) -> bool:
        """True for a clone with a cut history, from which versions cannot be derived."""
        self.root()
        if not self._is_whole:
            self._is_whole = self._git.run("read the clone", "rev-parse", "--is-shallow-repository").strip() == b"false"
        return not self._is_whole

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
        # Three times as fast as `for-each-ref`, which makes an object of each and sorts what is in order.
        names = self._git.run("read the tags' names", "rev-parse", "--symbolic", "--tags")
        return tuple(names.decode("utf-8", "replace").split("\n")[:-1])

    def tag_listing(self) -> str:
        """All tags with the ids of what they name. Tags are not opened."""
        self.root()
        listing = self._git.run("read the tags", "for-each-ref", "--format=%(objectname) %(refname)", "refs/tags")
        return listing.decode("utf-8", "surrogateescape")

    def tags(self) -> tuple[Tag, ...]:
        """All tags that lead to a commit, newest first. Tags of tags are peeled; those of files are left out."""
        self.root()
        return self._tags(NEWEST_FIRST, "refs/tags")

    def merged_tags(self, commit: str = "HEAD", *, names: tuple[str, ...] = ()) -> tuple[Tag, ...]:
        """The tags reachable from `commit`, newest first; with `names`, those of them that are named so."""
        head, wanted = self._resolve(commit), frozenset(names)
        if 0 < len(names) <= TAG_ARGUMENTS_MAX:
            sure: tuple[Tag, ...] = ()
            left = names
        else:
            sure = self._tags(f"--merged={head}", NEWEST_FIRST, "refs/tags")
            left = tuple({*self.tag_names()} - {tag.name for tag in sure})
        others = self._named(left) if left else ()
        inside = contained(self._git, head, others)
        late = tuple(tag for tag in others if tag.commit in inside)
        found = sorted((*sure, *late), key=lambda tag: -tag.time_us) if sure and late else (*sure, *late)
        return tuple(tag for tag in found if not names or tag.name in wanted)

    def surely_merged_tags(self, commit: str, names: tuple[str, ...]) -> tuple[Tag, ...]:
        """Those of the tags of these names that git's own `--merged` lists."""
        return self._named(names, f"--merged={self._resolve(commit)}") if names else ()

    def _named(self, names: tuple[str, ...], *selection: str) -> tuple[Tag, ...]:
        """The tags of these names, newest first. To git each is also the beginning of longer ones."""
        wanted = frozenset(names)
        few = len(names) <= TAG_ARGUMENTS_MAX
        patterns = [f"refs/tags/{name}" for name in names] if few else ["refs/tags"]
        return tuple(tag for tag in self._tags(*selection, NEWEST_FIRST, *patterns) if tag.name in wanted)

    def find_tag(self, name: str) -> Tag | None:
        """The tag of exactly this name, None where there is none."""
        self.root()
        # The name is a pattern to git: it may match more, never less, than the tag of this name.
        return next((tag for tag in self._tags(f"refs/tags/{name}") if tag.name == name), None)

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
            f"--format={separator}{LOG_FORMAT if mailmap else UNMAPPED_FORMAT}",
            "--end-of-options",
            *revisions,
            "--",
            *paths,
        )
        found = commits_with_paths(pieces) if changed_paths else plain_commits(pieces)
        return iter(without_contained(self._git, list(found), since)) if since else found

    def log_entries(self, until: str = "HEAD") -> Iterator[LogEntry]:
        """All commits reachable from `until`, newest first, unread."""
        self.root()
        options = (f"--format={ENTRY_FORMAT}", "--end-of-options", _revision(until), "--")
        return log_entries(self._git.spooled("read the history", *PLAIN_LOG, *options))

    def patch_ids(self, commits: tuple[str, ...]) -> dict[str, str]:
        """The patch-id of each commit that has one parent and changes something: equal for equal changes."""
        asked = "".join(f"{self._resolve(commit)}\n" for commit in commits)
        options = ("diff-tree", "--stdin", "--patch", "--no-ext-diff", "--no-textconv", "--no-color")
        patches = self._git.run("compare commits", *options, stdin=asked.encode())
        lines = self._git.run("compare commits", "patch-id", "--stable", stdin=patches).decode().splitlines()
        return {commit: patch for patch, commit in map(str.split, lines)}

    def mapped_mails(self, mails: frozenset[str]) -> frozenset[str]:
        """The addresses as `.mailmap` has them."""
        return mapped(self._git, mails)

    def private_folder(self) -> Path:
        """A folder among git's own files for what may be lost; it need not be there yet."""
        self.root()
        return self._private

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
        known = self._listed_files.get(tree, {})
        asked = os.fsencode("".join(f"{known.get(path) or f'{tree}:{path}'}\n" for path in paths))
        with self._git.output("read files", "cat-file", "--batch", "--buffer", stdin=asked) as output:
            return dict(files_of(output, paths))

    def list_files(self, folders: tuple[str, ...], commit: str = "HEAD") -> tuple[str, ...]:
        """The paths of all files of `commit` that lie below `folders`, "" for the root; a missing folder has none."""
        tree = self._resolve(commit)
        below = () if "" in folders else tuple(f"{folder}/" for folder in folders)
        if not folders:
            return ()
        listed = os.fsdecode(self._git.run("list files", "ls-tree", "-r", "-z", "--full-tree", tree, "--", *below))
        entries = (entry.partition("\t") for entry in listed.split("\0"))
        found = {path: facts.rpartition(" ")[2] for facts, _, path in entries if path}
        self._listed_files.setdefault(tree, {}).update(found)
        return tuple(found)

    def remote_address(self, name: str) -> str | None:
        """The address of the remote of this name, as the configuration has it; None where there is none."""
        self.root()
        try:
            return _text(self._git.run("read a remote", "config", "--get", f"remote.{name}.url"))
        except GitFailed:
            return None

    def export(self, commit: str, destination: Path, *, tag: str = "") -> None:
        """Write the tree of `commit`, all of it: `git archive` leaves out what .gitattributes says to ignore."""
        tree = self._resolve(commit)
        if any(destination.iterdir()):
            raise InvalidValue(f"the folder {destination.name!r} is not empty")
        import tempfile  # noqa: PLC0415 - see clients.git_command

        with tempfile.TemporaryDirectory() as scratch:
            index = {"GIT_INDEX_FILE": str(Path(scratch) / "index")}
            self._git.run("read the tree", "read-tree", tree, environ=index)
            prefix = f"--prefix={destination.resolve()}/"
            self._git.run("write the tree", "checkout-index", "--all", "--force", prefix, environ=index)
        if tag:
            write_git_folder(self._git, destination, tree, tag)

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
        check_commit(paths, key)
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
            stdin=with_key(message, key),
            environ=dates(time_us),
        )
        return self._resolve("HEAD")

    def commit_beside(
        self, base: str, contents: Mapping[str, bytes | None], message: str, *, key: str, time_us: int
    ) -> str:
        """Commit `base` with the files in `contents` set or deleted, on top of it; no branch moves, no file is touched.

        Through an index of its own. The same call gives the same commit again, whoever is configured to commit.
        """
        parent = self._resolve(base)
        check_commit(tuple(contents), key)
        self._check_identity()
        import tempfile  # noqa: PLC0415 - see clients.git_command

        with tempfile.TemporaryDirectory() as scratch:
            index = {"GIT_INDEX_FILE": str(Path(scratch) / "index")}
            self._git.run("read the tree", "read-tree", parent, environ=index)
            for path, content in contents.items():
                mode = self._mode_of(path, parent)
                if content is None:
                    self._git.run("delete a file", "update-index", "--force-remove", "--", path, environ=index)
                    continue
                blob = _text(self._git.run("keep a file", "hash-object", "-w", "--stdin", stdin=content))
                entry = f"{mode},{blob},{path}"
                self._git.run("set a file", "update-index", "--add", "--cacheinfo", entry, environ=index)
            tree = _text(self._git.run("write the tree", "write-tree", environ=index))
        options = (*OWN_COMMIT, "commit-tree", tree, "-p", parent)
        return _text(
            self._git.run("commit the release's files", *options, stdin=with_key(message, key), environ=dates(time_us))
        )

    def _mode_of(self, path: str, commit: str) -> str:
        """The mode of a plain file in a commit, also of one that is not there yet."""
        folders = [str(folder) for folder in PurePosixPath(path).parents if str(folder) != "."]
        modes = {}
        for line in self._git.run("look at a file", "ls-tree", "-z", commit, "--", path, *folders).split(b"\0"):
            facts, _, name = line.partition(b"\t")
            modes[os.fsdecode(name)] = facts[:6].decode("ascii", "replace")
        if modes.get(path, "100644") not in ("100644", "100755") or any(
            modes.get(each) == "120000" for each in folders
        ):
            raise RefusedError(
                f"{path} is a link in commit {commit[:12]}, or lies behind one",
                why="a release edits plain files of the repository alone",
                todo="put a plain file in its place, or name the file itself in shipline.toml",
            )
        return modes.get(path, "100644")

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
                *(*OWN_COMMIT, "tag", "--sign" if sign else "--annotate", "--cleanup=verbatim", "--file=-"),
                *(*(("--force",) if known is not None else ()), "--end-of-options", name, target),
                stdin=(message.rstrip("\n") + "\n").encode(),
                environ=dates(time_us),
            )
        except GitFailed as failure:
            raise (signing_error(name, failure.complaint) if sign else failure) from None
        made = self.find_tag(name)
        if made is None or made.commit != target:
            raise ConflictError(f"the tag {name!r} was changed by someone else while it was made")
        if sign and not self._is_signed(name):
            self.delete_tag(name)
            raise signing_error(name, "git made it without a signature: the key that is configured cannot be used")
        return made

    def _is_signed(self, name: str) -> bool:
        """Git 2.39 makes an unsigned tag, and says that all is well, where a key for ssh is not there."""
        return any(line.startswith("-----BEGIN ") and "SIGN" in line for line in self.tag_message(name).splitlines())

    def tag_message(self, name: str) -> str:
        """What an annotated tag says, with its signature; "" for a lightweight one, and where there is none."""
        self.root()
        try:
            content = self._git.run("read a tag", "cat-file", "tag", f"refs/tags/{name}")
        except GitFailed:
            return ""
        return content.decode("utf-8", "replace").partition("\n\n")[2]

    def changed_paths(self, since: str, until: str) -> tuple[str, ...]:
        """The paths whose content, mode or presence differs between two commits; a rename is both of its names."""
        return tuple(changed_between(self._git, self._resolve(since), self._resolve(until)))

    def difference(self, since: str, until: str, path: str) -> str:
        """How one file differs, as git's unified diff from its first hunk on; nothing of the repository is run."""
        return difference_of(self._git, self._resolve(since), self._resolve(until), path)

    def revert_beside(self, base: str, stretch: Stretch, message: str, *, key: str, time_us: int) -> Reverted:
        """Take a stretch back on top of `base`, as one commit beside every branch. Runs no hooks."""
        parent = self._resolve(base)
        check_commit(stretch.paths, key)
        self._check_identity()
        checked = Stretch(self._resolve(stretch.since), self._resolve(stretch.until), stretch.paths)
        found = reverted_tree(self._git, parent, checked, OWN_COMMIT)
        if found.conflicts:
            return Reverted(None, found.conflicts)
        if found.tree == _text(self._git.run("read a commit", "rev-parse", f"{parent}^{{tree}}")):
            return Reverted(parent)
        options = (*OWN_COMMIT, "commit-tree", found.tree, "-p", parent)
        made = self._git.run("commit a revert", *options, stdin=with_key(message, key), environ=dates(time_us))
        return Reverted(_text(made))

    def pick_beside(self, base: str, commits: tuple[str, ...]) -> Picked:
        """Carry the changes of commits over to `base`, one after the other, beside every branch. Runs no hooks."""
        self._check_identity()
        return picked(self._git, self._resolve(base), tuple(map(self._resolve, commits)))

    def merge_beside(self, base: str, head: str, message: str, *, squash: bool = False) -> Merged:
        """Merge `head` into `base`, beside every branch. Runs no hooks."""
        return merged(self._git, self._resolve(base), self._resolve(head), message, squash=squash)

    def start_branch(self, name: str, commit: str) -> None:
        """Make a branch here that stands on `commit`; elsewhere already: ConflictError."""
        start_branch(self, self._git, name, self._resolve(commit))

    def tags_on(self, remote: str, names: tuple[str, ...] | None) -> dict[str, str]:
        """The commits of those of the tags that `remote` has ("": this repository), by name, peeled; None: of all."""
        if not remote:
            found = self.tags() if names is None else (self.find_tag(name) for name in names)
            return {tag.name: tag.commit for tag in found if tag is not None}
        asked = ("*",) if names is None else (f"{name}{end}" for name in names for end in ("", "^{}"))
        there = listed_on(self._git, remote, *(f"refs/tags/{name}" for name in asked))
        peeled = {name.removeprefix("refs/tags/").removesuffix("^{}"): there[name] for name in there}  # It comes later.
        return peeled if names is None else {name: peeled[name] for name in names if name in peeled}

    def move_tag(self, name: str, commit: str, *, remote: str, expected: str | None = None) -> None:
        """Make a lightweight tag stand on `commit`, here and on `remote` ("" for here alone), wherever it stood."""
        target = self._resolve(commit)
        self._check_tag_name(name)
        kind = self._git.run("read a tag", "for-each-ref", "--format=%(objecttype)", f"refs/tags/{name}").strip()
        if kind not in (b"", b"commit"):
            raise not_moving(name, "here")
        stands = self.tags_on(remote, (name,)).get(name, "")
        if expected is not None and stands not in (expected, target):
            moved = f"the tag {name!r} has moved to {stands or 'nowhere'} meanwhile"
            raise ConflictError(moved, todo="look at who did")
        if remote:
            push_moved_tag(self._git, name, target, remote)
        self._git.run(f"move the tag {name!r}", "tag", "--force", "--end-of-options", name, target)

    def delete_tag(self, name: str) -> None:
        """Delete a local tag; nothing where there is none. For tags that were never pushed."""
        if self.find_tag(name) is not None:
            self._git.run(f"delete the tag {name!r}", "tag", "--delete", "--end-of-options", name)

    def fetch_branch(self, remote: str, name: str) -> str | None:
        """The commit on which `remote` has the branch now, which is here then; None where it has none."""
        self.root()
        self._check_branch_name(name)
        return fetch_branch(self._git, self._has, remote, name)

    def fetch_commit(self, remote: str, commit: str) -> bool:
        """Have a commit of `remote` here; False where it hands that one out to nobody."""
        self.root()
        return fetch_commit(self._git, self._has, remote, commit)

    def move_branch(self, remote: str, name: str, commit: str, *, expected: str | None) -> None:
        """Make the branch of `remote` stand on `commit` if it still stands on `expected`. Runs no hook."""
        target = self._resolve(commit)
        self._check_branch_name(name)
        if remote.startswith("-"):
            raise InvalidValue("a remote's name is an option")
        lease = f"--force-with-lease=refs/heads/{name}:{'' if expected is None else _revision(expected)}"
        options = ("push", "--porcelain", "--no-verify", "--no-follow-tags", lease, "--end-of-options")
        try:
            self._git.run(f"push to {remote}", *options, remote, f"{target}:refs/heads/{name}")
        except GitFailed as failure:
            raise push_error(remote, failure) from None

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
            raise push_error(remote, failure) from None

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
        return Tag(name=name, commit=commit, time_us=time_us_of(time_s))

    def _is_made(self, head: str, key: str, base: str | None) -> bool:
        """True if HEAD is the commit that was to be made; ConflictError if it can be neither that nor its parent."""
        if head == base:
            return False
        has_key = key in self._head_keys()
        if base is not None and not (has_key and next(iter(self.log((), head, limit=1))).parents == (base,)):
            raise ConflictError(
                f"HEAD is {head[:12]}, and the commit was to be made upon {base[:12]}",
                todo="find out who works in this repository at the same time, then run this again",
            )
        return has_key

    def _head_keys(self) -> list[str]:
        trailers = f"--format=%(trailers:key={KEY_TRAILER},valueonly)"
        return self._git.run("read HEAD", *PLAIN_LOG, "-1", trailers, "HEAD", "--").decode().strip("\0\n").split("\n")

    def _differs(self, paths: tuple[str, ...]) -> bool:
        options = ("status", "-z", "--no-renames", "--untracked-files=all", "--ignored=matching")
        return bool(self._git.run("compare the work tree", *options, "--", *paths))

    def _check_identity(self) -> None:
        if not self._has_identity:
            check_identity(self._git)
        self._has_identity = True

    def _has(self, commit: str) -> bool:
        try:
            self._git.run("look for a commit", "cat-file", "-e", f"{_revision(commit)}^{{commit}}")
        except GitFailed:
            return False
        return True

    def _check_branch_name(self, name: str) -> None:
        try:
            self._git.run("check a branch's name", "check-ref-format", f"refs/heads/{name}")
        except GitFailed:
            raise InvalidValue(f"{name[:80]!r} cannot be the name of a branch") from None

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
