"""What people sign and verify, as they name it: a file by its path, an image by its registry's name."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from shipline.apps.cli.wording import printable
from shipline.domain.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from shipline.bootstrap import Application
    from shipline.capabilities.evidence import Signed
    from shipline.clients.image_names import ImageReference
    from shipline.ports.attachments import Image
    from shipline.ports.signer import Signer

SCHEME = "oci://"
PASSWORD_VARIABLE = "COSIGN_PASSWORD"  # noqa: S105 - the variable's name, which is cosign's own


def signing_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of all commands that sign."""
    key = click.option(
        "--key", "key", type=click.Path(path_type=Path), help="A private key; the project's own signer without it."
    )
    variable = click.option(
        "--password-environment",
        "variable",
        metavar="NAME",
        default=PASSWORD_VARIABLE,
        help=f"The environment variable with the password of --key; {PASSWORD_VARIABLE} if not given.",
    )
    as_json = click.option("--json", "as_json", is_flag=True, help="Print the document shipline.signatures/1.")
    return key(variable(as_json(command)))


def file_or_image(text: str) -> Path | ImageReference:
    """What is meant. UsageError where it could be both, or an image's name is none.

    Folders may have dots as hosts have, so a file that is there is meant, unless the name has a tag or a digest, too:
    then somebody may have put it there to be proven in the image's stead.
    """
    from shipline.clients.image_names import image_reference

    found = image_reference(text.removeprefix(SCHEME))
    if text.startswith(SCHEME):
        if found is None:
            raise UsageError(
                f"{text[:200]!r} names no image",
                todo="write oci://REGISTRY/NAME@sha256:…, or with a tag: oci://REGISTRY/NAME:TAG",
            )
        return found
    if found is None:
        return Path(text)
    if Path(text).exists() and not {":", "@"} & set(text):
        return Path(text)
    if Path(text).exists():
        raise UsageError(
            f"{text[:200]!r} is a file, and may be an image in a registry",
            todo=f"write ./{text[:200]} for the file, or {SCHEME}{text[:200]} for the image",
        )
    return found


def signer_by(application: Application, key: Path | None, variable: str) -> Signer:
    """The signer for a key, or the project's own. UsageError where this is no project: no key is made by chance."""
    from shipline.bootstrap import STATE_FOLDER, build_provider
    from shipline.bootstrap.signing import signer_for_key
    from shipline.configuration.root import FILE_NAME
    from shipline.ports.provider import ProviderContext

    root = application.root
    if key is not None:
        return signer_for_key(
            key, variable, ProviderContext(root, root / STATE_FOLDER, application.clock), build_provider
        )
    if not (root / FILE_NAME).is_file() and not (root / STATE_FOLDER).is_dir():
        raise UsageError("this is no project, so it has no key of its own", todo="name a private key with --key FILE")
    return application.signer


def own_public_keys(application: Application) -> tuple[Path, ...]:
    """The public half of the project's own signing key, if this is a project that has one. Makes no key."""
    from shipline.bootstrap import STATE_FOLDER

    if not application.settings.signer and not (application.root / STATE_FOLDER).is_dir():
        return ()
    path = public_half(application.signer)
    return (path,) if path is not None and path.is_file() else ()


def trusted_keys(application: Application, paths: tuple[Path, ...]) -> tuple[str, ...]:
    """The public keys in the files, or else the project's own, in PEM. InvalidValue for a file that holds none."""
    from shipline.capabilities.evidence import read_file, read_public_key

    chosen = paths or own_public_keys(application)
    return tuple(read_public_key(read_file(path, limit_bytes=1024 * 1024)).pem for path in chosen)


def resolved_words(reference: ImageReference, image: Image) -> str:
    """What a tag was taken for, "" where the digest was named."""
    if reference.digest:
        return ""
    return f"{image.name}:{reference.asked} names {image.subject.digest} now"


def show_signed(thing: str, signed: Signed) -> None:
    """What was signed, and where the signatures are."""
    click.echo(f"signed  {printable(thing)} ({signed.digest})")
    for place in signed.written:
        click.echo(f"        {printable(place)}")
    for place in signed.kept:
        click.echo(f"        {printable(place)}: there already")


def public_half(signer: Signer) -> Path | None:
    """The file that a signer keeps the public half of its key in, None where it has none."""
    from shipline.providers.signer.cosign_key import CosignKeySigner
    from shipline.providers.signer.file import FileSigner

    return signer.public_path if isinstance(signer, FileSigner | CosignKeySigner) else None


def document_of(signer: Signer | None, signed: dict[str, Signed]) -> dict[str, Any]:
    """The document shipline.signatures/1. `signer` None: it was no key that signed."""
    things = [
        {"thing": thing, "digest": one.digest, "written": list(one.written), "kept": list(one.kept)}
        for thing, one in signed.items()
    ]
    public = None if signer is None else public_half(signer)
    named = None if public is None else str(public)
    key = "" if signer is None else signer.key_id()
    return {"schema": "shipline.signatures/1", "key": key, "public_key": named, "signed": things}
