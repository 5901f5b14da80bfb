"""The Mirror port over the git program: a bare repository of its own between two that are reached over HTTP.

What is fetched is kept below refs that are named by ids of objects, never by what the other side calls it: so no name
is a file here, two that differ in case alone are two, and `a` may become `a/b`. Nothing is ever checked out. Addresses
and tokens are handed over by git's environment; redirects are not followed, since the token would go along.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from threading import Lock

from shipline.clients.git_command import GitCommand, GitFailed, config_variables
from shipline.clients.git_errors import push_error
from shipline.domain.errors import RefusedError
from shipline.ports.forge.git import GitAccess
from shipline.ports.mirror import API_VERSION, REFS_MAX, Move, Pushed

KEPT = "refs/mirror/"
# What one fetch may bring. GitHub and GitLab advise against repositories of more than 5 GB.
PACK_BYTES_MAX = 6 << 30
BLOCK_BYTES = 512  # From: POSIX, `ulimit -f`.
# GitHub tells no hook of more than three tags, GitLab of more than three refs; a first copy need not be told.
TOLD_MAX, FEW_MAX, MANY_AT_ONCE = 3, 30, 200
SLOW_BYTES_S, SLOW_S = 1000, 60
_ID = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_LISTED = re.compile(r"refs/(?:heads|tags)/.+")
_REFUSED_LOGIN = re.compile(r"Authentication failed|could not read Username|The requested URL returned error: 40[13]")
# What is said when the program that takes in a pack dies, of its limit or of a pack that is none.
_CUT_OFF = ("invalid index-pack output", "index-pack failed", "died of signal 25", "File too large")
_STALE = ("stale info", "fetch first", "non-fast-forward", "already exists", "failed to update ref", "cannot lock ref")


class _Git(GitCommand):
    """Git with settings that stand in no file; what it writes is bounded where `writes_bounded`."""

    def __init__(self, folder: Path, variables: Mapping[str, str], *, writes_bounded: bool = False) -> None:
        super().__init__(folder)
        self._variables = variables
        if writes_bounded:
            limit = f'ulimit -f {PACK_BYTES_MAX // BLOCK_BYTES} 2>/dev/null; exec "$@"'
            self._prefix = ("sh", "-c", limit, "sh", *self._prefix)

    def run(self, action: str, *arguments: str, stdin: bytes = b"", environ: Mapping[str, str] | None = None) -> bytes:
        """As always."""
        return super().run(action, *arguments, stdin=stdin, environ={**self._variables, **(environ or {})})


class GitMirror:
    """`ends` say how each side is reached, anew for each call. The folder is made with the first one."""

    api_version = API_VERSION

    def __init__(self, folder: Path, ends: Mapping[str, Callable[[], GitAccess]]) -> None:
        self._place = folder / "mirror.git"
        self._ends = ends
        self._lock = Lock()

    def refs(self, side: str) -> dict[str, str]:
        """`git ls-remote`; peeled tags are left out."""
        url, git = self._reach(side)
        try:
            listed = git.run(f"list {side}", "ls-remote", "--refs", "--heads", "--tags", "--end-of-options", url)
        except GitFailed as failure:
            raise _reading_error(url, failure) from None
        found = {}
        for line in listed.decode("utf-8", "surrogateescape").split("\n"):
            oid, _, name = line.partition("\t")
            if _ID.fullmatch(oid) and _LISTED.fullmatch(name):
                found[name] = oid
        if len(found) > REFS_MAX:
            raise RefusedError(
                f"{url} has {len(found)} branches and tags, and {REFS_MAX} at most are carried",
                todo="delete what nobody needs, or mirror another way",
            )
        return found

    def fetch(self, side: str, wanted: Mapping[str, str]) -> frozenset[str]:
        """`git fetch`, below the id that each was seen on."""
        kept = self._kept()
        missing = {oid: ref for ref, oid in wanted.items() if oid not in kept}
        if missing:
            url, git = self._reach(side, writes_bounded=True)
            asked = "".join(f"+{ref}:{KEPT}{oid}\n" for oid, ref in missing.items())
            options = ("--quiet", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules", "--stdin")
            try:
                git.run(
                    f"fetch from {side}",
                    *("fetch", *options, "--end-of-options", url),
                    stdin=asked.encode("utf-8", "surrogateescape"),
                )
            except GitFailed as failure:
                raise _reading_error(url, failure) from None
            kept = self._kept()
        return frozenset(wanted.values()) & kept

    def _kept(self) -> frozenset[str]:
        """The ids that are here. One whose ref moved while it was fetched stands on another, and goes."""
        git = self._git()
        listed = git.run("list what is here", "for-each-ref", "--format=%(refname) %(objectname)", KEPT).decode()
        pairs = [line.split() for line in listed.splitlines()]
        wrong = [name for name, oid in pairs if name != f"{KEPT}{oid}"]
        self._drop(wrong)
        return frozenset(oid for name, oid in pairs if name not in wrong)

    def _drop(self, names: Collection[str]) -> None:
        if names:
            lines = "".join(f"delete {name}\n" for name in names)
            self._git().run("let go of objects", "update-ref", "--stdin", stdin=lines.encode())

    def contains(self, ancestor: str, descendant: str) -> bool:
        """`git merge-base --is-ancestor`."""
        try:
            self._git().run("compare histories", "merge-base", "--is-ancestor", ancestor, descendant)
        except GitFailed as failure:
            if failure.complaint:
                raise
            return False
        return True

    def push(self, side: str, moves: Collection[Move]) -> tuple[Pushed, ...]:
        """`git push` with a lease for each ref, a few refs at a time: else no hook would be told of them."""
        listed = list(moves)
        size = TOLD_MAX if len(listed) <= FEW_MAX else MANY_AT_ONCE
        return tuple(
            each for start in range(0, len(listed), size) for each in self._pushed(side, listed[start : start + size])
        )

    def _pushed(self, side: str, moves: list[Move]) -> Iterator[Pushed]:
        url, git = self._reach(side)
        leases = [f"--force-with-lease={move.ref}:{move.expected or ''}" for move in moves]
        specs = [f"{move.commit or ''}:{move.ref}" for move in moves]
        options = ("push", "--porcelain", "--no-verify", "--no-follow-tags", "--no-recurse-submodules", *leases)
        said, remote, failed = "", "", None
        try:
            said = git.run(f"push to {side}", *options, "--end-of-options", url, *specs).decode("utf-8", "replace")
        except GitFailed as failure:
            said, remote, failed = failure.output, failure.remote, failure
        lines = dict(_told(said))
        if failed is not None and not any(flag == "!" for flag, _ in lines.values()):
            raise _reading_error(url, failed)
        for move in moves:
            flag, summary = lines.get(move.ref, ("!", "nothing was said about it"))
            if flag != "!":
                yield Pushed(move.ref)
            elif any(word in summary for word in _STALE):
                yield Pushed(move.ref, moved=True)
            else:
                yield Pushed(move.ref, refused=f"{summary}: {remote}" if remote else summary)

    def forget(self, but: Collection[str]) -> None:
        """Objects go with the next tidying up of git's own."""
        kept = self._kept()
        self._drop([f"{KEPT}{oid}" for oid in sorted(kept - frozenset(but))])

    # --- git ---------------------------------------------------------------------------------------------------

    def _git(self) -> GitCommand:
        self._made()
        return _Git(self._place, {"GIT_DIR": str(self._place)})

    def _reach(self, side: str, *, writes_bounded: bool = False) -> tuple[str, GitCommand]:
        self._made()
        access = self._ends[side]()
        settings = [
            (f"http.{access.url}.extraHeader", ""),  # Others' are left out: two that let in are refused.
            (f"http.{access.url}.extraHeader", access.header),
            ("http.followRedirects", "false"),
            ("http.lowSpeedLimit", str(SLOW_BYTES_S)),
            ("http.lowSpeedTime", str(SLOW_S)),
            ("credential.helper", ""),  # None is asked: the token is ours.
            ("gc.autoDetach", "false"),
            ("fetch.unpackLimit", "1"),  # One file, whose size is bounded.
        ]
        variables = config_variables(settings) | {"GIT_DIR": str(self._place), "GIT_ALLOW_PROTOCOL": "http:https"}
        return access.url, _Git(self._place, variables, writes_bounded=writes_bounded)

    def _made(self) -> None:
        with self._lock:
            if (self._place / "HEAD").is_file() and (self._place / "config").is_file():
                return
            self._place.mkdir(mode=0o700, parents=True, exist_ok=True)
            options = ("init", "--quiet", "--bare", "--template=", "--end-of-options", str(self._place))
            GitCommand(self._place.parent).run("make a place for the mirror", *options)


def _told(said: str) -> Iterator[tuple[str, tuple[str, str]]]:
    """Lines of `git push --porcelain`: a flag, `from:to` and a summary, between tabs. From: git-push(1), OUTPUT."""
    for line in said.splitlines():
        parts = line.split("\t")
        if len(parts) >= 3:
            yield parts[1].partition(":")[2], (parts[0], " ".join(parts[2].split()))


def _reading_error(url: str, failure: GitFailed) -> Exception:
    """What a fetch or listing that failed means."""
    if _REFUSED_LOGIN.search(failure.complaint):
        return RefusedError(
            f"git may not do this at {url}",
            why=failure.complaint,
            todo="give the forge's token the right to read and write the repository's content",
        )
    if any(word in failure.complaint for word in _CUT_OFF):
        return RefusedError(
            f"what git brings from {url} is broken, or more than {PACK_BYTES_MAX >> 30} GiB at once",
            why=failure.complaint,
            todo="see that the repository can be cloned; leave out by `branches` and `tags` what need not be mirrored",
        )
    return push_error(url, failure)
