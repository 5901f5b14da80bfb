"""Running the git program: lists of arguments, a known environment, bounded errors without credentials.

Knows nothing of what the commands mean; `git.py` does.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

from shipline.domain.errors import MissingProgram, ShiplineError, UnavailableError

TIMEOUT_S = 600
CHUNK_BYTES = 1 << 18  # A processor keeps so much at hand; larger pieces take longer to be cut.
COMPLAINT_LENGTH_MAX = 600
COLOUR = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")
CREDENTIALS = re.compile(r"(?<=://)[^/\s]+(?=@)")

# A commit may hold a folder that git takes for a repository of its own, and runs what its configuration names.
# From: git-config(1), safe.bareRepository; git before 2.38 does not know it.
OWN_REPOSITORIES = ("-c", "safe.bareRepository=explicit")

# Set while git runs a hook; they would point our own git at another repository or index than the one asked for.
# From: `git rev-parse --local-env-vars`, git 2.39.
INHERITED = (
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_DIR",
    "GIT_GRAFT_FILE",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_PREFIX",
    "GIT_SHALLOW_FILE",
    "GIT_WORK_TREE",
)

# A user's settings that would change what we read: signatures in the log, another encoding.
PLAIN_LOG = ("-c", "log.showSignature=false", "log", "-z", "--encoding=UTF-8", "--no-color", "--no-notes")

# Hooks check what people commit: they may ask, rewrite the message or need tools that are not here. What Shipline
# commits was made by itself and is judged by the gates, so no hook runs (`--no-verify` would leave
# prepare-commit-msg, which could drop the key). The identity is the configured one, never one guessed from the host.
OWN_COMMIT = ("-c", f"core.hooksPath={os.devnull}", "-c", "user.useConfigOnly=true", "-c", "i18n.commitEncoding=UTF-8")


class GitFailed(ShiplineError):
    """git ended with an error. `complaint` is what it said, bounded, without credentials; `output` its output; `remote`
    what the other side of a push or fetch said, such as its hooks."""

    def __init__(self, action: str, complaint: str, output: str = "", remote: str = "") -> None:
        super().__init__(f"git could not {action}", why=complaint)
        self.complaint = complaint
        self.output = output
        self.remote = remote


def environment(extra: Mapping[str, str]) -> dict[str, str]:
    """The process's environment, so that git speaks English, never asks, and looks nowhere but where it is sent.

    Objects that stand in for others here (`git replace`) are left aside: nobody who fetches has them, and what is built
    must be what is pushed.
    """
    kept = {name: value for name, value in os.environ.items() if name not in INHERITED}
    own = {"LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0", "GIT_NO_REPLACE_OBJECTS": "1"}
    return kept | own | dict(extra)


def bounded(complaint: bytes) -> str:
    """What git said, on one line, without credentials in addresses and not longer than people read."""
    text = " ".join(complaint.decode("utf-8", "replace").split())
    return CREDENTIALS.sub("***", text)[-COMPLAINT_LENGTH_MAX:]


def said_by_remote(complaint: bytes) -> str:
    """What the remote said among it, on one line: its beginning, which says most, without what steers a terminal."""
    lines = COLOUR.sub("", complaint.decode("utf-8", "replace")).replace("\r", "\n").split("\n")
    said = " ".join(line.removeprefix("remote:") for line in lines if line.startswith("remote:"))
    text = CREDENTIALS.sub("***", " ".join("".join(sign if sign.isprintable() else " " for sign in said).split()))
    return text if len(text) <= COMPLAINT_LENGTH_MAX else f"{text[:COMPLAINT_LENGTH_MAX]}…"


def config_variables(pairs: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Settings as variables of git's environment, after those that are there (git-config(1), GIT_CONFIG_COUNT)."""
    before = os.environ.get("GIT_CONFIG_COUNT", "")
    start = int(before) if before.isascii() and before.isdigit() else 0
    lent: dict[str, str] = {}
    for number, (name, value) in enumerate(pairs, start=start):
        lent |= {f"GIT_CONFIG_KEY_{number}": name, f"GIT_CONFIG_VALUE_{number}": value}
    return {**lent, "GIT_CONFIG_COUNT": str(start + len(pairs))}


def _scratch() -> IO[bytes]:
    """A file without a name. Where Linux has them, as `tempfile.TemporaryFile` does, whose import takes longer than
    reading most of what git says."""
    try:
        descriptor = os.open(os.environ.get("TMPDIR") or "/tmp", os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, 0o600)  # noqa: S108 - it has no name there
    except (AttributeError, OSError):
        import tempfile  # noqa: PLC0415 - see above

        return cast("IO[bytes]", tempfile.TemporaryFile())
    return os.fdopen(descriptor, "w+b")


class GitCommand:
    """The git program in one folder."""

    def __init__(self, folder: Path) -> None:
        self._prefix: tuple[str, ...] = ("git", "--no-pager", "--literal-pathspecs", *OWN_REPOSITORIES)
        self._prefix += ("-C", str(folder))

    def run(self, action: str, *arguments: str, stdin: bytes = b"", environ: Mapping[str, str] | None = None) -> bytes:
        """Run git to its end and return its output; GitFailed says that it could not do `action`."""
        try:
            done = subprocess.run(
                [*self._prefix, *arguments],
                input=stdin,
                capture_output=True,
                check=False,
                timeout=TIMEOUT_S,
                env=environment(environ or {}),
            )
        except FileNotFoundError:
            raise MissingProgram("git", package="git") from None
        except subprocess.TimeoutExpired:
            raise UnavailableError(f"git took more than {TIMEOUT_S} s to {action}") from None
        if done.returncode != 0:
            output = done.stdout.decode("utf-8", "replace")
            raise GitFailed(action, bounded(done.stderr), output, said_by_remote(done.stderr))
        return done.stdout

    @contextmanager
    def output(self, action: str, *arguments: str, stdin: bytes = b"") -> Iterator[IO[bytes]]:
        """The output of git, after it has ended, in a file that nobody else sees: it may be larger than memory.

        A file is also faster: into a pipe git writes a history commit by commit, and each one wakes the reader, which
        costs more than the whole reading does.
        """
        with _scratch() as output:
            try:
                done = subprocess.run(
                    [*self._prefix, *arguments],
                    input=stdin,
                    stdout=output,
                    stderr=subprocess.PIPE,
                    check=False,
                    timeout=TIMEOUT_S,
                    env=environment({}),
                )
            except FileNotFoundError:
                raise MissingProgram("git", package="git") from None
            except subprocess.TimeoutExpired:
                raise UnavailableError(f"git took more than {TIMEOUT_S} s to {action}") from None
            if done.returncode != 0:
                raise GitFailed(action, bounded(done.stderr))
            output.seek(0)
            yield output

    def spooled(self, action: str, *arguments: str) -> Iterator[bytes]:
        """The same in large pieces."""
        with self.output(action, *arguments) as output:
            while piece := output.read(CHUNK_BYTES):
                yield piece
