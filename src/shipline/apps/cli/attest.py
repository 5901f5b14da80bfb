"""`shipline attest`: signed statements about files and images, in the formats of cosign."""

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


@click.command("attest")
@click.argument("thing", metavar="FILE|IMAGE")
@click.option(
    "--predicate", "predicate", required=True, type=click.Path(path_type=Path), help="A JSON file: what is stated."
)
@click.option(
    "--type",
    "kind",
    required=True,
    help="What kind of statement that is: cyclonedx, spdxjson, slsaprovenance1, vuln, openvex …, or a URI.",
)
@signing_options
@click.pass_obj
def command(  # noqa: PLR0913 - each is an option
    application: Application, thing: str, *, predicate: Path, kind: str, key: Path | None, variable: str, as_json: bool
) -> None:
    """State something about FILE (the statement is written beside it) or IMAGE (it is put into its registry).

    Signed is an in-toto statement with the predicate as it stands in the file. What it claims is up to who wrote it.
    """
    from shipline.bootstrap.signing import image_of
    from shipline.capabilities.evidence import (
        PREDICATE_BYTES_MAX,
        attest_file,
        attest_image,
        predicate_type_of,
        read_file,
    )

    what, predicate_type = file_or_image(thing), predicate_type_of(kind)
    content = read_file(predicate, limit_bytes=PREDICATE_BYTES_MAX)
    signer = signer_by(application, key, variable)
    if isinstance(what, Path):
        signed = attest_file(what, content, predicate_type, signer)
    else:
        attachments, image = image_of(what)
        if not as_json and (words := resolved_words(what, image)):
            click.echo(words)
        signed = attest_image(attachments, image, content, predicate_type, signer)
    if as_json:
        click.echo(json.dumps(document_of(signer, {thing: signed}), indent=2, ensure_ascii=False))
    else:
        show_signed(thing, signed)
