"""`shipline version check` and `shipline version sync`: the files that state a version, kept in step."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from shipline.bootstrap import Application
    from shipline.capabilities.version_files import Edit, PackageCheck, Row
    from shipline.domain.version_file import VersionFile

PACKAGE = click.option("--package", "name", metavar="NAME", help="Only this package.")


@click.command(name="check")
@PACKAGE
@click.option("--json", "as_json", is_flag=True, help="Print the check as JSON, schema shipline.version-check/1.")
@click.pass_obj
def check(application: Application, *, name: str | None, as_json: bool) -> None:
    """Find version files that differ from the latest release, or from each other. Changes nothing."""
    from shipline.capabilities.version_files import check_document
    from shipline.domain.errors import ExitCode

    checks = application.version_checks(name)
    if as_json:
        click.echo(json.dumps(check_document(checks), indent=2, ensure_ascii=False))
    else:
        click.echo("\n\n".join(_block(each) for each in checks))
    if not all(each.ok for each in checks):
        raise click.exceptions.Exit(ExitCode.FAILED)


def _block(check: PackageCheck) -> str:
    from shipline.apps.cli.wording import printable

    truth = check.truth
    name = click.style(check.package.name, bold=True)
    says = f"{truth.version}, says the {truth.source} {truth.name}: {truth.why}" if truth.name else truth.why
    lines = [f"{name}  {printable(says)}", *(f"  {_line(row)}" for row in check.rows)]
    lines += [f"  {printable(note)}" for note in check.notes]
    if not check.rows:
        lines.append("  no file states a version")
    if truth.version is not None and any(not row.ok and not row.stated.problem for row in check.rows):
        lines.append("  `shipline version sync` mends what differs")
    return "\n".join(lines)


def _line(row: Row) -> str:
    from shipline.apps.cli.wording import printable

    places = ",".join(str(line) for line in dict.fromkeys(row.stated.lines))
    place = printable(f"{row.stated.file.path}:{places}" if places else row.stated.file.path)
    if row.ok:
        return f"{click.style('ok', fg='green')}       {place}"
    word = "unknown" if row.stated.problem else "differs"
    return f"{click.style(word, fg='red')}  {place}: {printable(row.problem)}"


@click.command(name="sync")
@click.option("--to", "to", metavar="VERSION", help="Write this version, and not the one that `version check` names.")
@click.option("--dry-run", is_flag=True, help="Write nothing; print what would change as a unified diff.")
@PACKAGE
@click.pass_obj
def sync(application: Application, *, to: str | None, dry_run: bool, name: str | None) -> None:
    """Write the true version into the version files that differ from it. Commits nothing."""
    from shipline.capabilities.version_files import edits_to, unified_diff, write_edits
    from shipline.domain.errors import NothingToDo

    root = application.repository.root()
    edits = edits_to(root, list(_wanted(application.version_checks(name), to)))
    if not edits:
        raise NothingToDo("all version files are in step")
    if dry_run:
        for edit in edits:
            _show(unified_diff(edit))
        return
    write_edits(root, edits)
    _tell(edits)


def _wanted(checks: Sequence[PackageCheck], to: str | None) -> Iterable[tuple[VersionFile, str]]:
    """Every version file that differs, or every one where a version was ordered, with what it is to state."""
    from shipline.capabilities.plans import scheme_named
    from shipline.domain.errors import ShiplineError, UsageError

    if to is not None and len(checks) > 1:
        names = ", ".join(each.package.name for each in checks)
        raise UsageError("--to is about one package, and there are several", todo=f"name one with --package: {names}")
    for each in checks:
        told = None if to is None else scheme_named(each.package.scheme).normalized(to)
        if to is not None and told is None:
            raise UsageError(f"{to[:80]!r} is no version of the scheme {each.package.scheme}")
        version = told or each.truth.version
        if version is None and each.rows:
            raise ShiplineError(
                f"nothing says which version of {each.package.name} is right",
                why=each.truth.why,
                todo="say it: shipline version sync --to VERSION",
            )
        yield from ((row.stated.file, str(version)) for row in each.rows if to is not None or not row.ok)


def _show(diff: bytes) -> None:
    """Print a diff as it is, so that others can apply it; on a terminal, nothing in it steers that."""
    import sys

    from shipline.apps.cli.wording import printable

    click.echo(printable(diff.decode("utf-8", "replace")) if sys.stdout.isatty() else diff, nl=False)


def _tell(edits: Sequence[Edit]) -> None:
    for edit in edits:
        click.echo(f"edited {edit.path}", err=True)
