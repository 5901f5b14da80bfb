"""`shipline sbom`: SBOMs beside images in a registry, in cosign's older form."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from shipline.apps.cli.things import file_or_image, resolved_words
from shipline.apps.cli.wording import printable
from shipline.domain.errors import ShiplineError, UsageError

if TYPE_CHECKING:
    from shipline.capabilities.evidence import Image
    from shipline.ports.attachments import Attachments


@click.group("sbom")
def command() -> None:
    """SBOMs beside images. They are not signed: `shipline attest` states one so that it can be proven."""


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
