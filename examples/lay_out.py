"""Lay out the quotes service as a git repository with a history.

`quotes/` holds the tree at the end of the series `first`. `quotes-history/history.toml` says which commits lead to it
and which follow. A commit names the paths that it adds, or a patch beside `history.toml`. A patch of `first` is part
of `quotes/` already: it is taken back before the history begins, so that nothing is written down twice.

    lay_out.py DEST                 a new repository with the series `first`
    lay_out.py DEST --until good    the same, or that repository as it is now, with `good` on top

A series that a repository has already is left alone. The same arguments give the same commit ids.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

TREE = Path(__file__).parent / "quotes"
HISTORY = Path(__file__).parent / "quotes-history"


class LayOutError(Exception):
    """The repository cannot be laid out; the text is for people."""


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit. Either `paths` of the tree are added, or `patch`, a file of the history, is applied."""

    message: str
    before: timedelta
    """How long before `now` it was written."""
    paths: tuple[str, ...] = ()
    patch: Path | None = None

    @property
    def subject(self) -> str:
        """The first line of the message."""
        return self.message.partition("\n")[0]


@dataclass(frozen=True, slots=True)
class Writer:
    """Who commits, and the time that the history is told from."""

    name: str
    mail: str
    now: datetime


def read_history(folder: Path = HISTORY) -> dict[str, tuple[Commit, ...]]:
    """Read all series, in their order, by name."""
    with (folder / "history.toml").open("rb") as file:
        document = tomllib.load(file)
    return {
        series: tuple(
            Commit(
                message=entry["message"].strip() + "\n",
                before=timedelta(hours=entry["hours_before"]),
                paths=tuple(entry.get("paths", ())),
                patch=folder / entry["patch"] if "patch" in entry else None,
            )
            for entry in entries
        )
        for series, entries in document.items()
    }


def lay_out(destination: Path, *, until: str, writer: Writer) -> list[str]:
    """Bring `destination` up to the series `until`; give the names of the series that were added.

    Raises LayOutError for an unknown series, a folder that holds something else, and what git refuses.
    """
    history = read_history()
    if until not in history:
        raise LayOutError(f"there is no series {until!r}; known: {', '.join(history)}")
    wanted = list(history)[: list(history).index(until) + 1]
    if not (destination / ".git").is_dir():
        _start(destination, history[wanted[0]], writer)
    present = set(_git(destination, "log", "--format=%s", allow_failure=True).splitlines())
    added = [series for series in wanted if history[series][-1].subject not in present]
    for series in added:
        for commit in history[series]:
            _add(destination, commit, writer)
    return added


def _start(destination: Path, commits: Sequence[Commit], writer: Writer) -> None:
    """Make an empty repository whose work tree is the tree before the patches of the first series."""
    if destination.exists() and any(destination.iterdir()):
        raise LayOutError(f"{destination} is neither empty nor a repository")
    for path in _paths(commits):
        (destination / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(TREE / path, destination / path)
    _git(destination, "init", "--quiet", "--initial-branch=main", "--template=")
    # What is committed here later, by a release for example, needs an identity too.
    _git(destination, "config", "user.name", writer.name)
    _git(destination, "config", "user.email", writer.mail)
    for commit in reversed(commits):
        if commit.patch is not None:
            _git(destination, "apply", "--reverse", str(commit.patch))


def _paths(commits: Sequence[Commit]) -> Iterator[str]:
    return (path for commit in commits for path in commit.paths)


def _add(repository: Path, commit: Commit, writer: Writer) -> None:
    if commit.patch is None:
        _git(repository, "add", "--", *commit.paths)
    else:
        _git(repository, "apply", "--index", str(commit.patch))
    written_s = int((writer.now - commit.before).timestamp())
    # Written on a branch and merged later: a commit is never committed before its parent.
    parent_s = _git(repository, "log", "-1", "--format=%ct", allow_failure=True).strip() or "0"
    committed_s = max(written_s, int(parent_s))
    dates = {"GIT_AUTHOR_DATE": f"{written_s} +0000", "GIT_COMMITTER_DATE": f"{committed_s} +0000"}
    identity = {
        f"GIT_{role}_{key}": value
        for role in ("AUTHOR", "COMMITTER")
        for key, value in (("NAME", writer.name), ("EMAIL", writer.mail))
    }
    _git(repository, "commit", "--quiet", "--no-verify", f"--message={commit.message}", extra=dates | identity)


def _git(folder: Path, *arguments: str, extra: dict[str, str] | None = None, allow_failure: bool = False) -> str:
    """Run git in `folder`, free of the user's configuration; give its output."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    isolated = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "LC_ALL": "C"}
    try:
        result = subprocess.run(
            ["git", *arguments],
            cwd=folder,
            env=inherited | isolated | (extra or {}),
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError as error:
        raise LayOutError("the program 'git' is not installed; install the package 'git'") from error
    if result.returncode != 0 and not allow_failure:
        raise LayOutError(f"git {arguments[0]} failed: {result.stderr.strip()[:2000]}")
    return result.stdout


def main(arguments: Sequence[str] | None = None) -> int:
    """Lay out, and say what was added."""
    options = _parser().parse_args(arguments)
    writer = Writer(name=options.author_name, mail=options.author_mail, now=options.now)
    try:
        added = lay_out(options.destination.absolute(), until=options.until, writer=writer)
    except LayOutError as error:
        print(f"lay_out: {error}", file=sys.stderr)
        return 1
    print(f"{options.destination}: " + (f"added {', '.join(added)}" if added else "nothing to add"))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Lay out the quotes service as a git repository with a history.")
    parser.add_argument("destination", type=Path, help="a new or empty folder, or a repository made by this before")
    parser.add_argument("--until", default="first", help="the last series to add (default: %(default)s)")
    parser.add_argument("--now", type=_instant, default=_instant(None), help="RFC 3339 (default: the present)")
    parser.add_argument("--author-name", default="Robin Quote", help="(default: %(default)s)")
    parser.add_argument("--author-mail", default="robin@quotes.example", help="(default: %(default)s)")
    return parser


def _instant(text: str | None) -> datetime:
    """Read an instant; None is the present."""
    instant = datetime.now(UTC) if text is None else datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError("an instant needs a time zone, as in 2026-01-31T12:00:00Z")
    return instant


if __name__ == "__main__":
    raise SystemExit(main())
