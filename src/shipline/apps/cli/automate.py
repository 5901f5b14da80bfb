"""`shipline automate`: what a server does when the forge tells of something, done by a CI job."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from shipline.apps.cli import assist, automate_comments, automate_housekeeping, automate_milestones, automate_queue
from shipline.apps.cli.wording import printable
from shipline.domain.errors import ExitCode, NothingToDo, UsageError
from shipline.domain.strict_json import read_json

if TYPE_CHECKING:
    from shipline.bootstrap import Application
    from shipline.capabilities.automation import Command, ForgeEvent, Unknown

FILE_BYTES_MAX = 25 << 20
NOWHERE = "0" * 40


@click.group(name="automate", invoke_without_command=True)
@click.option("--event", "file", metavar="FILE", type=click.Path(path_type=Path), help="The payload, as a hook has it.")
@click.option("--forge", type=click.Choice(["github", "gitlab", "gitea"]), help="Whose it is.")
@click.option("--name", metavar="NAME", help="The event: push, pull_request ... GitLab's payloads say it themselves.")
@click.option("--dry-run", "dry_run", is_flag=True, help="Say what would be done, and do nothing.")
@click.pass_context
def command(
    context: click.Context, *, file: Path | None, forge: str | None, name: str | None, dry_run: bool
) -> int | None:
    """Do what `[automation]` asks for when this event comes.

    In a job of GitHub, GitLab, Gitea or Forgejo the options are found out from its variables.

    Exit codes: as for `shipline release`; 4 where the event leads to nothing.
    """
    if context.invoked_subcommand is not None:
        return None
    return _of_event(context.obj, _event(os.environ, file, forge, name), dry_run=dry_run)


command.add_command(automate_housekeeping.command)
command.add_command(automate_milestones.command)
command.add_command(automate_queue.command)


def _of_event(application: Application, event: ForgeEvent | Unknown, *, dry_run: bool) -> int:
    from shipline.bootstrap.automations import duties_of
    from shipline.capabilities.automation import Unknown, decide

    click.echo(printable(event.sentence), err=True)
    if isinstance(event, Unknown):
        raise NothingToDo("this event leads to nothing", why=event.why)
    duties = duties_of(application)
    commands = decide(event, duties)
    if not commands:
        why = "" if duties.release_branches else "release_on_push in [automation] is off, or not for this branch"
        raise NothingToDo("this event leads to nothing here", why=why)
    for each in commands:
        click.echo(printable(f"{each.kind} of {each.about}"), err=True)
    return _obey(application, commands, dry_run=dry_run)


def _obey(application: Application, commands: Sequence[Command], *, dry_run: bool) -> int:
    """Do what an event leads to, one after the other; what of it fails first says how this ends."""
    from shipline.apps.cli.release import ReleaseOptions, release
    from shipline.apps.cli.sync import sync
    from shipline.capabilities.automation import ASSISTANT, COMMENT, HOUSEKEEPING, MILESTONES, RELEASE, SYNC

    kinds = {each.kind for each in commands}
    code = int(ExitCode.DONE)
    if SYNC in kinds:
        code = sync(application, dry_run=dry_run)
    for each in commands:
        if each.kind == COMMENT:
            code = automate_comments.obey(application, each, dry_run=dry_run)
        if each.kind == ASSISTANT:
            assist.obey(application, each.about, dry_run=dry_run)
        if each.kind == HOUSEKEEPING:
            automate_housekeeping.keep(application, None, each.about, dry_run=dry_run)
    if MILESTONES in kinds:
        return code or automate_milestones.keep(application, dry_run=dry_run, releases=RELEASE in kinds)
    if RELEASE not in kinds:
        return code
    asked = ReleaseOptions((), None, None, only_pull_request=False, dry_run=dry_run, as_json=False)
    return code or release(application, asked)


def _event(
    variables: Mapping[str, str], file: Path | None, forge: str | None, name: str | None
) -> ForgeEvent | Unknown:
    """The event that the options name, or else the one that this job was started by."""
    from shipline.capabilities.automation import event_name, read_event

    kind = forge or _forge_of(variables)
    path = file or _file_of(variables)
    if path is None and kind == "gitlab" and variables.get("GITLAB_CI"):
        return _gitlab_job(variables)
    if path is None or not kind:
        raise UsageError(
            "there is no event to read",
            why="this is no CI job whose variables tell of one",
            todo="name its payload with --event FILE, and the forge with --forge",
        )
    try:
        with path.open("rb") as opened:
            data = opened.read(FILE_BYTES_MAX + 1)
    except OSError as error:
        raise UsageError(f"the event {path} cannot be read", why=error.strerror or "") from None
    document = read_json(data, what=f"the event {path}", limit_bytes=FILE_BYTES_MAX)
    called = name or event_name(kind, {}, document) or variables.get("GITHUB_EVENT_NAME", "")
    if not called:
        raise UsageError("the payload does not say which event it is", todo="name it with --name, such as push")
    return read_event(kind, called, document)


def _forge_of(variables: Mapping[str, str]) -> str:
    """Where this job runs. Gitea's and Forgejo's runners set GitHub's variables beside their own."""
    if variables.get("GITEA_ACTIONS") or variables.get("FORGEJO_ACTIONS"):
        return "gitea"
    if variables.get("GITHUB_ACTIONS"):
        return "github"
    return "gitlab" if variables.get("GITLAB_CI") else ""


def _file_of(variables: Mapping[str, str]) -> Path | None:
    """The payload on this job's disk: GitHub's, or what a pipeline of GitLab was triggered with.

    From: docs.github.com/actions/reference/workflows-and-actions/variables; docs.gitlab.com/ci/triggers.
    """
    found = variables.get("GITHUB_EVENT_PATH") or variables.get("TRIGGER_PAYLOAD")
    return Path(found) if found else None


def _gitlab_job(variables: Mapping[str, str]) -> ForgeEvent | Unknown:
    """What a pipeline of GitLab was started by, read by the same reader as a hook.

    From: docs.gitlab.com/ci/variables/predefined_variables, 18.5.
    """
    from shipline.capabilities.automation import Unknown, read_event

    after, before = variables.get("CI_COMMIT_SHA", ""), variables.get("CI_COMMIT_BEFORE_SHA", NOWHERE)
    if tag := variables.get("CI_COMMIT_TAG"):
        return read_event("gitlab", "tag_push", {"ref": f"refs/tags/{tag}", "before": NOWHERE, "after": after})
    if branch := variables.get("CI_COMMIT_BRANCH"):
        return read_event("gitlab", "push", {"ref": f"refs/heads/{branch}", "before": before, "after": after})
    return Unknown(f"a pipeline of the kind {variables.get('CI_PIPELINE_SOURCE', '')[:40]!r} tells of no push")
