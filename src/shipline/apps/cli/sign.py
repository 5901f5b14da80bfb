"""`shipline sign`: signatures of files and images, in the formats of cosign."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from shipline.apps.cli.things import (
    document_of,
    file_or_image,
    public_half,
    resolved_words,
    show_signed,
    signer_by,
    signing_options,
)
from shipline.apps.cli.wording import printable
from shipline.domain.errors import UsageError

if TYPE_CHECKING:
    from shipline.bootstrap import Application
    from shipline.capabilities.evidence import Signed
    from shipline.clients.image_names import ImageReference
    from shipline.ports.signer import Signer


@click.command("sign")
@click.argument("things", nargs=-1, required=True, metavar="FILE|IMAGE...")
@click.option("--keyless", is_flag=True, help="By an identity and not by a key, at the instance that [keyless] names.")
@click.option(
    "--token-environment",
    "token",
    metavar="NAME",
    help="With --keyless: the environment variable with the identity token; SIGSTORE_ID_TOKEN if not given.",
)
@signing_options
@click.pass_obj
def command(  # noqa: PLR0913 - one argument an option
    application: Application,
    things: tuple[str, ...],
    key: Path | None,
    variable: str,
    *,
    keyless: bool,
    token: str | None,
    as_json: bool,
) -> None:
    """Sign each FILE (the signature is written beside it) and IMAGE (it is put into its registry).

    An image is named with its registry, best by its digest: REGISTRY/NAME@sha256:…; a tag is resolved once, and said.
    """
    meant = {thing: file_or_image(thing) for thing in things}
    if keyless or token is not None:
        if not keyless or key is not None:
            raise UsageError("--keyless is with --token-environment, and without --key")
        _sign_keyless(application, meant, token, as_json=as_json)
        return
    signer = signer_by(application, key, variable)
    signed = {}
    for thing, what in meant.items():
        signed[thing] = _sign(what, signer) if isinstance(what, Path) else _sign_image(what, signer, quiet=as_json)
        if not as_json:
            show_signed(thing, signed[thing])
    if as_json:
        click.echo(json.dumps(document_of(signer, signed), indent=2, ensure_ascii=False))
    elif (public := public_half(signer)) is not None:
        click.echo(printable(f"whoever is to verify that needs {public}, which is written beside the key"))


def _sign_keyless(
    application: Application, meant: dict[str, Path | ImageReference], variable: str | None, *, as_json: bool
) -> None:
    from shipline.bootstrap.keyless import TOKEN_VARIABLE, identity_token, instance_of
    from shipline.capabilities.evidence import sign_file_by_identity

    image = next((thing for thing, what in meant.items() if not isinstance(what, Path)), None)
    if image is not None:
        raise UsageError(f"{image[:200]} is an image, and by an identity files alone are signed")
    instance, token = instance_of(application), identity_token(variable or TOKEN_VARIABLE)
    made = {
        thing: sign_file_by_identity(what, token, instance) for thing, what in meant.items() if isinstance(what, Path)
    }
    if as_json:
        document = document_of(None, {thing: one.signed for thing, one in made.items()})
        identities = [{"subject": one.subject, "issuer": one.issuer} for one in made.values()]
        listed = [said | {"identity": who} for said, who in zip(document["signed"], identities, strict=True)]
        click.echo(json.dumps(document | {"signed": listed}, indent=2, ensure_ascii=False))
        return
    for thing, one in made.items():
        show_signed(thing, one.signed)
        click.echo(printable(f"        by {one.subject} ({one.issuer})"))


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
