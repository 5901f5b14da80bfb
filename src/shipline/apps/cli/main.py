"""`shipline`: finds the command, runs it, and turns whatever goes wrong into words and an exit code."""

from __future__ import annotations

import contextlib
import errno
import gc
import io
import os
import sys
from pathlib import Path
from typing import TextIO, cast

import click

from shipline import __version__
from shipline.apps.cli.lazy_group import LazyGroup
from shipline.domain.errors import ExitCode, ShiplineError, UsageError

# name -> (module, one line of help). The help stands here so that `shipline --help` imports no command.
COMMANDS: dict[str, tuple[str, str]] = {
    "plan": ("plan", "Show the next version of each package, and why."),
    "version": ("version", "Read, compare and find versions, and keep the files that state them in step."),
    "lint": ("lint", "Check commit messages: of a range, in a file, or a title."),
    "changeset": ("changeset", "Write changesets, and see whether one is missing."),
    "changelog": ("changelog", "Print the changelog of the next release, or of all."),
    "release": ("release", "Release what has changed: version, tag, build, proof, gates, publish."),
    "releases": ("releases", "List the releases, and what the gates said."),
    "yank": ("yank", "Take a published version back everywhere it went."),
    "backport": ("backport", "Bring a released hotfix, or any change, to another branch."),
    "deploy": ("deploy", "Bring a released version to an environment."),
    "promote": ("promote", "Bring to an environment what the one before it serves."),
    "rollback": ("rollback", "Bring an environment back to the version that it served before."),
    "env": ("env", "Show what each environment serves, and has served."),
    "rollout": ("rollout", "Watch a rollout, try its checks, or pause, resume, promote or abort it."),
    "drill": ("drill", "Rehearse the way back of an environment, and come forward again."),
    "rehearse": ("rehearse", "Let a canary fail on purpose, and send load, to try its analysis."),
    "down": ("down", "Stop everything that an environment runs on this machine."),
    "up": ("up", "Run the engine and the web page."),
    "scan": ("scan", "Run the scanners that are installed, and read what they report."),
    "automate": ("automate", "Do what an event of the forge asks for, in a CI job."),
    "remediate": ("remediate", "Do what rules ask for about findings, on the forge."),
    "assist": ("assist", "Ask an assistant for advice about a pull request."),
    "hooks": ("deliveries", "Show what the forge has told the server, and take it up once more."),
    "settings": ("settings", "Bring the repository's settings on the forge to what is said."),
    "sync": ("sync", "Keep issues, comments, labels and milestones of two forges alike."),
    "evidence": ("evidence", "Read test, coverage and other reports."),
    "approve": ("approve", "Say yes to a release, for a stage whose gate asks for it."),
    "waive": ("waive", "Accept findings for a time, with a reason and your signature."),
    "checklist": ("checklist", "Show and tick what has to be done for a release."),
    "calendar": ("calendar", "Show freezes, windows and release trains."),
    "freeze": ("freeze", "Close a stage for a time, or show and lift what was closed so."),
    "gate": ("gate", "Explain gates, and ask them about a release or about facts."),
    "compliance": ("compliance", "Show what a release keeps of SLSA, SSDF, SOC 2 and others."),
    "policy": ("policy", "Check Kubernetes manifests against policies."),
    "sign": ("sign", "Sign files, and images in a registry."),
    "attest": ("attest", "State something about a file or an image, signed."),
    "bundle": ("bundle", "Write all that proves a release into one file."),
    "sbom": ("sbom", "Compare SBOMs, find who contains a package, and put SBOMs beside images."),
    "advisories": ("advisories", "Examine shipped releases by what is known of vulnerabilities by now."),
    "verify": ("verify", "Prove an evidence bundle, a file or an image."),
    "simulate": ("simulate", "Imagine rollouts: how soon a bad version would be found."),
    "analyse": ("analyse", "Analyse canaries over standard input and output."),
    "retention": ("retention", "Show and remove what has been kept long enough."),
    "log": ("log", "Show, verify and prove the event log."),
    "incidents": ("incidents", "List incidents."),
    "metrics": ("metrics", "Show the five DORA figures."),
    "doctor": ("doctor", "Check this machine and the configuration."),
    "init": ("init", "Write a shipline.toml for this repository."),
    "import": ("import_", "Take over the settings of another release tool."),
    "schema": ("schema", "Print the JSON Schema of shipline.toml."),
}
TABLE = {name: (f"shipline.apps.cli.{module}:command", text) for name, (module, text) in COMMANDS.items()}


@click.group(
    cls=LazyGroup,
    table=TABLE,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="shipline")
@click.option("-C", "folder", metavar="PATH", default=".", type=click.Path(path_type=Path), help="Work in this folder.")
@click.pass_context
def cli(ctx: click.Context, folder: Path) -> None:
    """From merged commits to a released, proven, progressively delivered and reversible version."""
    if os.environ.get("NO_COLOR"):
        ctx.color = False
    try:
        start = folder.resolve(strict=True)
    except OSError as error:
        raise UsageError(
            f"the folder {folder} is not there" if str(folder) != "." else "the current folder is not there any more",
            why=error.strerror or "",
            todo="change to a folder that is, or name one with -C",
        ) from None
    if not start.is_dir():
        ctx.fail(f"{folder} is not a folder.")
    from shipline.bootstrap import Application

    ctx.obj = Application(start)


def main() -> None:
    """Run, and end the process with the exit code that says how it went. No traceback reaches a user."""
    try:
        # Click's own exits (usage errors, --help) keep their codes; ours come as exceptions. The program's name is
        # fixed: it names the variable of shell completion, however the program was started.
        code = cli.main(prog_name="shipline", standalone_mode=False)
    except ShiplineError as error:
        code = _report(error)
    except click.ClickException as error:
        code = _say(_shown(error), error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        code = _say("stopped; what was begun goes on from where it is when the command is run again", 130)
    except Exception as error:  # noqa: BLE001 - the last line of defence for people
        code = _report_unexpected(error)
    code = _flushed(code if isinstance(code, int) else 0)
    gc.freeze()  # Nor is there anything to be tidied up in a process that ends.
    sys.exit(code)


def _flushed(code: int) -> int:
    """Write out what is still buffered: a full disk is told here and in words, not by Python while it exits."""
    trouble = _flush(sys.stdout)
    if trouble is not None:
        code = int(ExitCode.FAILED) if isinstance(trouble, BrokenPipeError) else _report(_told_by_the_system(trouble))
    _flush(sys.stderr)  # Where nobody can be told, the exit code still says it.
    return code


def _flush(stream: TextIO | None) -> OSError | None:
    """Empty a stream's buffer; one that takes nothing is sent nowhere, and its trouble returned. None: was closed."""
    try:
        if stream is not None:
            stream.flush()
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), cast("TextIO", stream).fileno())
        return error
    return None


def _shown(error: click.ClickException) -> str:
    """A usage error as click words it."""
    text = io.StringIO()
    error.show(file=text)
    return text.getvalue().rstrip("\n")


def _report(error: ShiplineError) -> int:
    return _say(error.diagnosis(), int(error.exit_code))


def _report_unexpected(error: Exception) -> int:
    if os.environ.get("SHIPLINE_DEBUG"):
        raise error
    if isinstance(error, OSError):
        return _report(_told_by_the_system(error))
    return _say(
        f"something unexpected happened: {type(error).__name__}: {str(error)[:300]}\n"
        "  do:  run it again with SHIPLINE_DEBUG=1 to see where, and report it",
        int(ExitCode.FAILED),
    )


def _told_by_the_system(error: OSError) -> ShiplineError:
    """What the operating system refused, in words."""
    place = str(error.filename) if error.filename else "something"
    why = error.strerror or str(error)[:300]
    if error.errno in (errno.ENOSPC, errno.EFBIG, errno.EDQUOT):
        todo = "make room, then run this again: it goes on from where it is"
        return ShiplineError(
            "there is no room to write" + (f" {error.filename}" if error.filename else ""), why=why, todo=todo
        )
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        todo = "give yourself the permission, then run this again"
        return ShiplineError(f"{place} may not be used", why=why, todo=todo)
    todo = "see what is there, then run this again; SHIPLINE_DEBUG=1 shows where it happened"
    return ShiplineError(f"{place} cannot be used", why=why, todo=todo)


def _say(text: str, code: int) -> int:
    """Tell people; nothing of it may steer their terminal, or repeat a secret. Where nobody can be told, the exit code
    still says it."""
    from shipline.apps.cli.wording import printable
    from shipline.domain.secrecy import redacted

    with contextlib.suppress(OSError):
        click.echo(printable(redacted(text)), err=True)
    return code
