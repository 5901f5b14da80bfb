"""`shipline compliance`: what a release keeps of a framework, and what shows it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from shipline.apps.cli.wording import inert, printable
from shipline.domain.errors import UsageError

if TYPE_CHECKING:
    from shipline.bootstrap import Application
    from shipline.capabilities.gates import Coverage
    from shipline.domain.release import Release


@click.group(name="compliance")
def command() -> None:
    """What releases keep of SLSA, NIST SSDF, SOC 2 and other frameworks."""


@command.command()
@click.argument("version")
@click.option("--framework", "name", metavar="NAME", help="scorecard, slsa, soc2, ssdf, or a .toml file.")
@click.option("--package", metavar="NAME", help="Which package; the only one if there is only one.")
@click.option("--json", "as_json", is_flag=True, help="Print the document shipline.compliance/1.")
@click.option(
    "--html", metavar="FILE", type=click.Path(path_type=Path), help="Write it as one page that needs no other."
)
@click.pass_obj
def report(  # noqa: PLR0913 - one argument an option
    application: Application, *, version: str, name: str | None, package: str | None, as_json: bool, html: Path | None
) -> None:
    """Show each control of a framework for VERSION, gaps first, with what shows it or what is missing. Without
    --framework it is the one that [compliance] requires."""
    from shipline.apps.cli.approve import chosen_release
    from shipline.bootstrap.compliance import framework_named, required_frameworks_of
    from shipline.capabilities.gates import coverage_document
    from shipline.capabilities.releases import coverages_of

    application.only_read()
    frameworks = required_frameworks_of(application) if name is None else (framework_named(name),)
    if len(frameworks) != 1:
        known = ", ".join(one.name for one in frameworks)
        raise UsageError(
            "say which framework",
            why=f"required are {known}" if known else "[compliance] requires none",
            todo="--framework scorecard, slsa, soc2, ssdf, or the path of a .toml file",
        )
    release = chosen_release(application, version, package)
    (coverage,) = coverages_of(application.release_ground, release, frameworks)
    if html is not None:
        from shipline.apps.server.compliance_page import compliance_page

        _write(html, compliance_page(release, coverage, application.clock))
        click.echo(printable(f"written: {html}"), err=True)
    if as_json:
        document = coverage_document(coverage, package=release.package, version=release.version)
        click.echo(inert(json.dumps(document, indent=2, ensure_ascii=False)))
    elif html is None:
        click.echo(printable("\n".join(_lines(release, coverage))))


def _write(path: Path, text: str) -> None:
    from shipline.capabilities.version_files import write_atomically

    write_atomically(path, text.encode())


def _lines(release: Release, coverage: Coverage) -> Iterator[str]:
    from shipline.capabilities.gates import ControlState

    counts = ", ".join(f"{coverage.count(state)} {WORDS[state.value]}" for state in ControlState)
    yield f"{coverage.framework.title}, {release.package} {release.version}: {coverage.answer.value} ({counts})"
    for one in coverage.controls:
        yield ""
        yield f"{WORDS[one.state.value].upper():<16}{one.control.id}: {one.control.title}"
        why = "because: " if one.state is ControlState.ORGANISATIONAL else "missing: "
        yield from _indented([f"{why}{words}" for words in one.missing])
        if one.missing and one.control.todo:
            yield from _indented([f"do:      {one.control.todo}"])
        for shown in one.shown:
            place = "" if shown.event_id is None else f" ({shown.event_id}, {_place(shown.place)})"
            yield from _indented([f"shown:   {shown.words}{place}"])


WORDS = {"gap": "open", "later": "when published", "met": "kept", "organisational": "organisational"}


def _indented(lines: Sequence[str]) -> Iterator[str]:
    yield from (f"                {line}" for line in lines)


def _place(place: int | None) -> str:
    return "no place in the log yet" if place is None else f"place {place} of the log"
