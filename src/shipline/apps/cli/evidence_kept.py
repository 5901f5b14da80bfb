"""`shipline evidence add`, `list` and `findings`: evidence about releases, in the record."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from shipline.apps.cli.approve import chosen_release
from shipline.apps.cli.judged import tell_reevaluated
from shipline.apps.cli.person import local_person
from shipline.domain.errors import ExitCode, UnknownName, UsageError

if TYPE_CHECKING:
    from shipline.bootstrap import Application
    from shipline.capabilities.releases import Ahead, FileReceipt, Findings, Receipt, StoredFinding
    from shipline.domain.gate import Waiver
    from shipline.domain.release import Release

FINDINGS_SHOWN = 50


@click.command("add")
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=click.Path(path_type=Path))
@click.option("--release", "version", required=True, metavar="VERSION", help="The version that they are about.")
@click.option("--package", metavar="NAME", help="Which package; the only one if there is only one.")
@click.option("--commit", metavar="REVISION", help="Of a version that is not released yet: from what; default: HEAD.")
@click.option("--format", "format_name", default="", help="Their format by name, where it is not to be found out.")
@click.option("--json", "as_json", is_flag=True, help="Print the document shipline.evidence-receipt/1.")
@click.pass_obj
def add(  # noqa: PLR0913 - one argument an option
    application: Application,
    *,
    files: tuple[Path, ...],
    version: str,
    package: str | None,
    commit: str | None,
    format_name: str,
    as_json: bool,
) -> None:
    """Keep the reports FILE... as evidence about a version, and ask its gates anew.

    Of each file all is kept or nothing; ends with 1 where one was refused.
    """
    from shipline.capabilities.releases import GivenReport, Subject, receipt_document, receive_reports

    subject = Subject(version, package, _commit(application, version, package, commit))
    given = [GivenReport(path, str(path), format_name) for path in files]
    receipt = receive_reports(application.release_ground, lambda: application.engine, subject, given, local_person())
    if as_json:
        click.echo(json.dumps(receipt_document(receipt), indent=2, ensure_ascii=False))
    else:
        _show(receipt)
    raise SystemExit(ExitCode.DONE if receipt.is_whole else ExitCode.FAILED)


def _commit(application: Application, version: str, package: str | None, named: str | None) -> str | None:
    """The commit that evidence is about where its version is not released yet; of one that is, it is the release's."""
    from shipline.capabilities.releases import matching_releases

    with application.store.begin() as tx:
        found = matching_releases(tx, version=version, package=package)
    if found and named is not None:
        raise UsageError(
            f"{found[0].package} {version} has begun, so its evidence is about its own commit",
            todo="leave out --commit",
        )
    if found:
        return None
    commit = application.repository.find_commit(named if named is not None else "HEAD")
    if commit is None:
        raise UnknownName(f"there is no commit {(named or 'HEAD')[:60]!r} here")
    return commit


def _show(receipt: Receipt) -> None:
    from shipline.apps.cli.wording import printable
    from shipline.capabilities.releases import Ahead

    about = receipt.about
    for file in receipt.files:
        for line in _lines(file):
            click.echo(printable(line))
    if isinstance(about, Ahead):
        click.echo(
            f"{about.package} {about.version} is not released yet: this counts once it is released from"
            f" {about.commit[:12]}"
        )
    if receipt.reevaluated is not None:
        tell_reevaluated(receipt.reevaluated)
    if receipt.not_judged is not None:
        click.echo(printable(f"its gates cannot be asked now: {receipt.not_judged.diagnosis()}"), err=True)


def _lines(file: FileReceipt) -> list[str]:
    """What became of a file, and what was counted in it."""
    if file.refused is not None:
        todo = [f"  do:  {file.refused.todo}"] if file.refused.todo else []
        why = f": {file.refused.why}" if file.refused.why else ""
        return [f"{file.name}: refused, nothing of it is kept: {file.refused.what}{why}", *todo]
    if file.report is None or file.kept is None:
        return []
    report, kept = file.report, file.kept
    word = "kept already" if kept.is_known else "kept"
    counted = ", ".join(f"{value:g} {name}" for name, value in report.summary.items() if isinstance(value, int | float))
    lines = [f"{file.name}: {word}, {report.kind.value} by {report.tool} ({report.format}): {counted}"]
    if kept.findings_new is not None:
        many = "1 finding" if kept.findings_new == 1 else f"{kept.findings_new} findings"
        lines.append(f"  {many} that no report of this version had listed")
    if kept.comparison is not None:
        figures = kept.comparison.summary.items()
        shown = ", ".join(f"{name} {value:.4g}" for name, value in figures if isinstance(value, int | float))
        lines.append(f"  beside {kept.comparison.base_version}: {shown}")
    return [*lines, *(f"  note: {note}" for note in report.notes)]


@click.command("list")
@click.option("--release", "version", required=True, metavar="VERSION", help="The version.")
@click.option("--package", metavar="NAME", help="Which package; the only one if there is only one.")
@click.option("--json", "as_json", is_flag=True, help="Print the document shipline.evidence-list/1.")
@click.pass_obj
def list_(application: Application, *, version: str, package: str | None, as_json: bool) -> None:
    """List the evidence about a version, and what it shows beside the version before."""
    from shipline.apps.cli.wording import printable
    from shipline.capabilities.releases import EVIDENCE_SCHEMA, evidence_document, filed_ahead, matching_releases

    application.only_read()
    with application.store.begin() as tx:
        about: list[Release | Ahead] = [
            *matching_releases(tx, version=version, package=package),
            *filed_ahead(tx, version, package=package),
        ]
        documents = [evidence_document(tx, one) for one in {one.id: one for one in reversed(about)}.values()]
    if not documents:
        raise UnknownName(f"there is no evidence about {version[:60]!r}", todo="`shipline releases` lists releases")
    if as_json:
        found = {"schema": EVIDENCE_SCHEMA, "releases": documents}
        click.echo(json.dumps(found, indent=2, ensure_ascii=False))
        return
    for document in documents:
        state = "" if document["released"] else f", not released yet, about {document['commit'][:12]}"
        click.echo(printable(f"{document['package']} {document['version']}{state}"))
        for piece in document["evidence"]:
            click.echo(printable(f"  {piece['kind']:<12}{_piece(piece)}"))
        for one in document["compared"]:
            click.echo(printable(f"  {one['kind']:<12}beside {one['base_version']}: {_figures(one['summary'])}"))


def _piece(piece: dict[str, Any]) -> str:
    name = piece["name"] or piece["summary"].get("statement", "")
    figures = _figures(piece["summary"])
    return f"{name}, {piece['tool']} ({piece['format']})".removeprefix(", ") + (figures and f" {figures}")


def _figures(summary: dict[str, Any]) -> str:
    shown = {name: value for name, value in summary.items() if isinstance(value, int | float)}
    return ", ".join(f"{name} {value:.4g}" for name, value in shown.items())


@click.command("findings")
@click.option("--release", "version", required=True, metavar="VERSION", help="The version.")
@click.option("--package", metavar="NAME", help="Which package; the only one if there is only one.")
@click.option(
    "--severity",
    type=click.Choice(["critical", "high", "medium", "low", "info"]),
    help="Those of one severity; all if not given.",
)
@click.option("--json", "as_json", is_flag=True, help="Print all of them as the document shipline.findings/1.")
@click.pass_obj
def findings(
    application: Application, *, version: str, package: str | None, severity: str | None, as_json: bool
) -> None:
    """List the findings of a version, those that count first, and say which are waived, by whom and until when."""
    from shipline.apps.cli.wording import inert, printable
    from shipline.capabilities.releases import finding_pages, findings_document, findings_now

    application.only_read()
    ground, now_us = application.release_ground, application.clock.now_us()
    about = _about(application, version, package)
    with application.store.begin() as tx:
        now = findings_now(tx, ground.waiving, about, now_us)
    pages = finding_pages(application.store, about.id, severity)
    if as_json:
        for text in _document(findings_document(about, now), pages, now):
            click.echo(inert(text), nl=False)
        return
    figures = findings_document(about, now)["summary"]
    click.echo(", ".join(f"{count} {name}" for name, count in figures.items()))
    first: list[StoredFinding] = []
    total = 0
    for page in pages:
        first += page[: max(0, FINDINGS_SHOWN + len(now.waived) - len(first))]
        total += len(page)
    first.sort(key=lambda one: one.suppressed or one.fingerprint in now.waived)
    for one in first[:FINDINGS_SHOWN]:
        click.echo(printable(_finding(one, now.waived.get(one.fingerprint))))
    if total > FINDINGS_SHOWN:
        click.echo(f"and {total - FINDINGS_SHOWN} more, all with --json")


def _document(head: dict[str, Any], pages: Iterator[tuple[StoredFinding, ...]], now: Findings) -> Iterator[str]:
    """The document, a finding a line, some lines at a time."""
    from shipline.capabilities.releases import finding_document

    yield json.dumps(head, indent=2, ensure_ascii=False).removesuffix("\n}") + ',\n  "findings": ['
    between = "\n    "
    for page in pages:
        documents = (finding_document(one, now.waived.get(one.fingerprint)) for one in page)
        yield between + ",\n    ".join(json.dumps(each, ensure_ascii=False) for each in documents)
        between = ",\n    "
    yield "\n  ]\n}\n"


def _about(application: Application, version: str, package: str | None) -> Release | Ahead:
    from shipline.capabilities.releases import filed_ahead

    try:
        return chosen_release(application, version, package)
    except UnknownName:
        with application.store.begin() as tx:
            ahead = filed_ahead(tx, version, package=package, limit=1)
        if not ahead:
            raise
        return ahead[0]


def _finding(one: StoredFinding, waiver: Waiver | None) -> str:
    place = f"{one.path}:{one.line}" if one.path and one.line else one.path or one.package or ""
    if one.package:
        mended = f", mended in {one.fixed_version}" if one.fixed_version else ""
        place = f"{one.package}@{one.version}{mended}" if one.version else f"{place}{mended}"
    state = f"  waived by {waiver.owner} until {waiver.until}" if waiver is not None else ""
    state = "  the tool was told to pass it over" if one.suppressed else state
    return f"{one.fingerprint}  {one.severity:<9}{one.tool} {one.rule}  {place}  {one.title}{state}"
