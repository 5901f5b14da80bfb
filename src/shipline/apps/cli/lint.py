"""`shipline lint`: whether commit messages are as the rules want them, and what to write instead."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

from shipline.domain.errors import ExitCode, ShiplineError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from shipline.bootstrap import Application
    from shipline.capabilities.plans import Linted, Linter

MESSAGE_BYTES_MAX = 16 << 20


@click.command(name="lint")
@click.argument("source", metavar="[-]", required=False)
@click.option("--message-file", metavar="FILE", help="The message in this file.")
@click.option("--range", "span", metavar="A..B", help="The messages of the commits that B has and A has not.")
@click.option("--title", metavar="TEXT", help="This title, of a pull request.")
@click.option("--json", "as_json", is_flag=True, help="Print the problems as JSON, schema shipline.lint/1.")
@click.pass_obj
def command(application: Application, /, *, as_json: bool, **given: str | None) -> int:
    """Check commit messages: of a range, in a file, a title, or from standard input (-). Ends with 1 on errors."""
    chosen = [(name, value) for name, value in given.items() if value is not None]
    if len(chosen) != 1 or given["source"] not in (None, "-"):
        raise UsageError(
            "say what is to be checked, and one thing at a time",
            todo="give --message-file FILE, --range A..B, --title TEXT, or - for standard input",
        )
    found = list(_linted(application, application.linter, *chosen[0]))
    if as_json:
        from shipline.apps.cli.wording import json_text
        from shipline.capabilities.plans import lint_document

        click.echo(json_text(lint_document(found)))
    else:
        _show(found)
    return int(ExitCode.DONE if all(each.ok for each in found) else ExitCode.FAILED)


def _linted(application: Application, linter: Linter, kind: str, value: str) -> Iterator[Linted]:
    """The messages of the kind that was asked for."""
    if kind == "span":
        yield from _of_range(application, linter, value)
    elif kind == "title":
        yield linter.linted(" ".join(value.splitlines()))
    elif kind == "message_file":
        yield linter.linted(_from_file(application, application.start / value))
    else:
        yield linter.linted(_text(sys.stdin.buffer.read(MESSAGE_BYTES_MAX + 1), "standard input"))


def _show(found: list[Linted]) -> None:
    from shipline.capabilities.plans import lint_report

    blocks = [
        lint_report((each.oid or "")[:10], each.message.strip("\n").partition("\n")[0], each.problems, each.proposal)
        for each in found
        if each.problems
    ]
    if blocks:
        click.echo("\n".join(blocks))
    wrong = sum(not each.ok for each in found)
    warned = sum(each.ok and bool(each.problems) for each in found)
    count = f"{len(found)} message{'s' if len(found) != 1 else ''}"
    words = f"{count}, {wrong} to be mended" if wrong else f"{count}, all right"
    click.echo(f"{words}; {warned} with warnings" if warned else words, err=True)


def _of_range(application: Application, linter: Linter, span: str) -> Iterator[Linted]:
    since, dots, until = span.partition("..")
    if not dots or not since or until.startswith("."):
        raise UsageError(f"{span[:80]!r} is no range", todo="a range is A..B: the commits that B has and A has not")
    try:
        for commit in application.repository.log((since,), until or "HEAD"):
            yield linter.linted(commit.message, commit.id, is_merge=len(commit.parents) > 1)
    except ShiplineError as error:
        # Only now is it asked whether the ends are commits: nearly always they are.
        missing = [end for end in (since, until or "HEAD") if not _is_commit(application, end)]
        raise (UsageError(f"there is no commit {missing[0][:80]!r} in this repository") if missing else error) from None


def _is_commit(application: Application, revision: str) -> bool:
    from shipline.clients.git_command import GitCommand, GitFailed

    options = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    try:
        GitCommand(application.repository.root()).run("find a commit", *options)
    except GitFailed:
        return False
    return True


def _from_file(application: Application, path: Path) -> str:
    from shipline.capabilities.plans import kept_of_message

    try:
        with path.open("rb") as file:
            content = file.read(MESSAGE_BYTES_MAX + 1)
    except OSError as error:
        raise UsageError(f"{path} cannot be read", why=error.strerror or "") from None
    return kept_of_message(_text(content, str(path)), _git_settings(application), os.environ.get("GIT_EDITOR", ""))


def _git_settings(application: Application) -> str:
    """What git is set to do with comments; "" where nothing is set, or there is no repository."""
    from shipline.capabilities.plans import CLEANUP_SETTINGS
    from shipline.clients.git_command import GitCommand, GitFailed

    try:
        settings = GitCommand(application.start).run("read its settings", "config", "--get-regexp", CLEANUP_SETTINGS)
    except GitFailed:
        return ""
    return settings.decode("utf-8", "replace")


def _text(content: bytes, place: str) -> str:
    if len(content) > MESSAGE_BYTES_MAX:
        raise UsageError(f"{place} holds more than a message: over {MESSAGE_BYTES_MAX >> 20} MiB")
    return content.decode("utf-8", "replace").replace("\0", "").replace("\r\n", "\n").replace("\r", "\n")
