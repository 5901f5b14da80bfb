"""`shipline sbom`: compared, looked through, and beside images in a registry in cosign's older form."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from shipline.apps.cli.things import file_or_image, resolved_words
from shipline.apps.cli.wording import json_text, printable
from shipline.domain.errors import ExitCode, ShiplineError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shipline.bootstrap import Application
    from shipline.capabilities.advisories import Found
    from shipline.domain.release import Release
    from shipline.ports.attachments import Attachments, Image


@click.group("sbom")
def command() -> None:
    """What releases and images consist of.

    SBOMs beside images are not signed: `shipline attest` states one so that it can be proven.
    """


@command.command("diff")
@click.argument("before", metavar="V1")
@click.argument("after", metavar="V2")
@click.option("--json", "as_json", is_flag=True, help="Print the document shipline.sbom-diff/1.")
@click.pass_obj
def diff(application: Application, before: str, after: str, *, as_json: bool) -> None:
    """Show what changed from V1 to V2, each the file of an SBOM or a release: VERSION or PACKAGE@VERSION."""
    from shipline.bootstrap.bills import components_named
    from shipline.capabilities.evidence import bill_changes, diff_document

    application.only_read()
    changes = bill_changes(components_named(application, before), components_named(application, after))
    if as_json:
        click.echo(json_text(diff_document(before, after, changes)))
        return
    for one in changes:
        was, now = (", ".join(each) or "?" for each in (one.before, one.after))
        words = {"added": now, "removed": was}.get(one.change, f"{was} -> {now}")
        click.echo(printable(f"{one.change:<9}{one.package}  {words}"))
    if not changes:
        click.echo("they list the same")


@command.command("find")
@click.argument("package", metavar="PACKAGE[@RANGE]")
@click.option("--json", "as_json", is_flag=True, help="Print the document shipline.sbom-find/1.")
@click.pass_obj
def find(application: Application, package: str, *, as_json: bool) -> None:
    """Show which releases contain PACKAGE, a name or a package URL, and where they run. Ends with 4 where none does."""
    from shipline.capabilities.advisories import find_package, found_document, read_package

    application.only_read()
    asked = read_package(package)
    with application.store.begin() as tx:
        found, unlisted = find_package(tx, asked)
    if as_json:
        click.echo(json_text(found_document(asked, found, unlisted)))
    else:
        _show_found(found, unlisted)
    raise SystemExit(ExitCode.DONE if found else ExitCode.NOTHING_TO_DO)


def _show_found(found: Sequence[Found], unlisted: Sequence[Release]) -> None:
    for one in found:
        where = f"  runs in {', '.join(one.environments)}" if one.environments else ""
        doubt = "" if one.certain else "  (whether that version is meant cannot be told)"
        name = f"{one.release.package} {one.release.version}"
        click.echo(printable(f"{name}  contains {one.component.name} {one.component.version or '?'}{where}{doubt}"))
    if not found:
        click.echo("no release is known to contain it")
    if unlisted:
        names = ", ".join(f"{release.package} {release.version}" for release in unlisted[:5])
        more = f" and {len(unlisted) - 5} more" if len(unlisted) > 5 else ""
        click.echo(printable(f"note: nobody knows what these contain, as they have no SBOM on record: {names}{more}"))


@command.command("attach")
@click.argument("image")
@click.argument("file", type=click.Path(path_type=Path))
def attach(image: str, file: Path) -> None:
    """Put the SBOM in FILE (CycloneDX or SPDX) beside IMAGE, under the tag that ends with `.sbom`."""
    from shipline.capabilities.evidence import PREDICATE_BYTES_MAX, AttachedSBOM, attach_sbom, media_type_of, read_file

    document = read_file(file, limit_bytes=PREDICATE_BYTES_MAX)
    sbom = AttachedSBOM(media_type_of(document), document)
    attachments, found = _image(image)
    is_new = attach_sbom(attachments, found.subject, sbom)
    click.echo(f"{sbom.media_type} of {found.name}@{found.subject.digest}{'' if is_new else ': there already'}")


@command.command("fetch")
@click.argument("image")
@click.option("--media-type", "media_type", default="", help="Which one, where there are several.")
def fetch(image: str, media_type: str) -> None:
    """Write the SBOM that is attached to IMAGE to standard output, as it is. Nobody has signed it."""
    from shipline.capabilities.evidence import attached_sboms

    attachments, found = _image(image)
    sboms = attached_sboms(attachments, found.subject)
    fitting = [one for one in sboms if media_type in ("", one.media_type)]
    if not fitting:
        raise ShiplineError(f"no such SBOM is attached to {found.name}@{found.subject.digest}")
    if len(fitting) > 1:
        there = ", ".join(printable(one.media_type) for one in fitting)
        raise UsageError(f"several SBOMs are attached: {there}", todo="choose one with --media-type")
    click.echo(fitting[0].document, nl=False)


def _image(text: str) -> tuple[Attachments, Image]:
    from shipline.bootstrap.signing import image_of

    reference = file_or_image(text)
    if isinstance(reference, Path):
        raise UsageError(f"{text[:200]!r} names no image", todo="name it with its registry: REGISTRY/NAME@sha256:…")
    attachments, image = image_of(reference)
    if words := resolved_words(reference, image):
        click.echo(words, err=True)
    return attachments, image
