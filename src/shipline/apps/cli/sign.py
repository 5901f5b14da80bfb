"""`shipline sign`: signatures of files and images, in the formats of cosign."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from shipline.apps.cli.things import (
    document_of,
    file_or_image,
    resolved_words,
    show_signed,
    signer_by,
    signing_options,
)

if TYPE_CHECKING:
    from shipline.bootstrap import Application
    from shipline.capabilities.evidence import Signed
    from shipline.clients.image_names import ImageReference
    from shipline.ports.signer import Signer


@click.command("sign")
@click.argument("things", nargs=-1, required=True, metavar="FILE|IMAGE...")
@signing_options
@click.pass_obj
def command(
    application: Application, things: tuple[str, ...], key: Path | None, variable: str, *, as_json: bool
) -> None:
    """Sign each FILE (the signature is written beside it) and IMAGE (it is put into its registry).

    An image is named with its registry, best by its digest: REGISTRY/NAME@sha256:…; a tag is resolved once, and said.
    """
    meant = {thing: file_or_image(thing) for thing in things}
    signer = signer_by(application, key, variable)
    signed = {}
    for thing, what in meant.items():
        signed[thing] = _sign(what, signer) if isinstance(what, Path) else _sign_image(what, signer, quiet=as_json)
        if not as_json:
            show_signed(thing, signed[thing])
    if as_json:
        click.echo(json.dumps(document_of(signer.key_id(), signed), indent=2, ensure_ascii=False))


def _sign(path: Path, signer: Signer) -> Signed:
    from shipline.capabilities.evidence import sign_file

    return sign_file(path, signer)


def _sign_image(reference: ImageReference, signer: Signer, *, quiet: bool) -> Signed:
    from shipline.bootstrap.signing import image_of
    from shipline.capabilities.evidence import sign_image

    attachments, image = image_of(reference)
    if not quiet and (words := resolved_words(reference, image)):
        click.echo(words)
    return sign_image(attachments, image, signer)
