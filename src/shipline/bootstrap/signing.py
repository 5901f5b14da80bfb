"""What signs and what it is put beside, wired: the project's signer, or one for a named key; images in registries."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shipline.domain.errors import UsageError

if TYPE_CHECKING:
    from shipline.capabilities.evidence import Formats
    from shipline.clients.image_names import ImageReference
    from shipline.ports.attachments import Attachments, Image
    from shipline.ports.provider import ProviderContext
    from shipline.ports.signer import Signer

ANSWER_TIMEOUT_S = 60.0


def signer_of(table: dict[str, Any], context: ProviderContext, build: Callable[..., Any]) -> Signer:
    """The signer that a `[signer]` table names. `build` makes a provider from its table."""
    built: Signer = build("signer", table, replace(context, read_secret=partial(_read, context)), default="file")
    return built


def formats_of(word: str) -> Formats | None:
    """The formats that `[release]` `signatures` names; None for none."""
    from shipline.capabilities.evidence import Formats

    return None if word == "none" else Formats(word)


def signer_for_key(path: Path, variable: str, context: ProviderContext, build: Callable[..., Any]) -> Signer:
    """The signer for one private key; the environment variable `variable` holds its password where it is encrypted.

    No key is made: UsageError where there is no such file.
    """
    import os

    from shipline.clients.cosign_keys import KEY_FILE_BYTES_MAX, is_encrypted

    try:
        with path.open("rb") as file:
            encrypted = is_encrypted(file.read(KEY_FILE_BYTES_MAX))
    except OSError as error:
        raise UsageError(f"the private key {path} cannot be read", why=error.strerror or str(error)) from None
    table: dict[str, Any] = {"provider": "cosign-key" if encrypted else "file", "key": str(path.absolute())}
    if encrypted and os.environ.get(variable) != "":  # Set to nothing, it says that there is no password.
        table["password"] = {"environment": variable}
    return signer_of(table, context, build)


def image_of(reference: ImageReference, *, timeout_s: float = ANSWER_TIMEOUT_S) -> tuple[Attachments, Image]:
    """The image that a reference names now, and what reads and writes what hangs on it; each answer of the registry
    within the time.

    A tag is resolved here, once: all that follows is about the digest. UsageError where there is no such image.
    """
    from shipline.clients.oci_attachments import OCIAttachments
    from shipline.clients.oci_credentials import client_credentials
    from shipline.clients.oci_registry import OCIClient
    from shipline.ports.attachments import Image

    name = reference.name
    client = OCIClient(name.registry_url, name.path, timeout_s, client_credentials(name.host))
    attachments = OCIAttachments(client)
    subject = attachments.resolve(reference.asked)
    if subject is None:
        raise UsageError(f"the registry {name.host} has no image {name.path} of {reference.asked}")
    return attachments, Image(str(name), reference.tag, subject)


def _read(context: ProviderContext, table: dict[str, Any]) -> str:
    from shipline.configuration.given import read_secret

    said, kind, settings = read_secret(table)
    secret: str = kind(settings, context).read(said.key)
    return secret
