"""`shipline verify`: what an evidence bundle proves, offline; what signatures prove about a file or an image."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from shipline.apps.cli.wording import printable
from shipline.domain.errors import RefusedError, ShiplineError, UsageError

if TYPE_CHECKING:
    from shipline.bootstrap import Application
    from shipline.capabilities.evidence import Identity, PublicKey, Verification, Wanted
    from shipline.clients.image_names import ImageReference
    from shipline.store.notes import NotePublicKey

LOG_KEY_BYTES_MAX = 10_000


@click.command("verify")
@click.argument("thing", metavar="BUNDLE|FILE|IMAGE")
@click.option(
    "--key",
    "keys",
    multiple=True,
    type=click.Path(path_type=Path),
    help="A public key (PEM) that you trust; the project's own without it.",
)
@click.option("--artifact", "artifacts", multiple=True, type=click.Path(path_type=Path), help="A file to compare.")
@click.option(
    "--log-key",
    "log_key",
    metavar="KEY|FILE",
    help="The log's public key, for BUNDLE: its events must be in the log of this key.",
)
@click.option(
    "--signature",
    "signature",
    type=click.Path(path_type=Path),
    help="The signature or bundle of FILE; the one that lies beside it without this.",
)
@click.option("--type", "kind", default="", help="Prove a statement of this type, and not a signature.")
@click.option("--identity", "identity", default="", help="Signed by this identity, by a certificate, and not by a key.")
@click.option("--issuer", "issuer", default="", metavar="URL", help="With --identity: who vouched for it.")
@click.option(
    "--trusted-root",
    "root",
    type=click.Path(path_type=Path),
    help="With --identity: the root by which certificates and logs are checked.",
)
@click.option("--vsa", "vsa", is_flag=True, help="Prove by a verification summary that a release's gates said PASS.")
@click.option("--level", "level", metavar="LEVEL", default="", help="With --vsa: reached at least, SLSA_BUILD_LEVEL_1.")
@click.option("--resource", "resource", metavar="URI", default="", help="With --vsa: of exactly this package URL.")
@click.option("--json", "as_json", is_flag=True, help="Print the document shipline.verification/1.")
@click.pass_obj
def command(  # noqa: PLR0913 - each is an option
    application: Application,
    thing: str,
    *,
    keys: tuple[Path, ...],
    artifacts: tuple[Path, ...],
    log_key: str | None,
    signature: Path | None,
    kind: str,
    identity: str,
    issuer: str,
    root: Path | None,
    vsa: bool,
    level: str,
    resource: str,
    as_json: bool,
) -> None:
    """Say what a BUNDLE proves about a release, or signatures about a FILE or an IMAGE in a registry. Ends with 0 if
    all is proven, with 3 if not.

    The key inside a bundle is not trusted for being there: without --key and outside of the project, nothing is
    proven.
    """
    from shipline.apps.cli.things import own_public_keys
    from shipline.capabilities.evidence import SUMMARY, Wanted, predicate_type_of, read_file, read_public_key
    from shipline.domain.codec import to_json
    from shipline.domain.errors import ExitCode

    by = _identity(identity, issuer, root, keys)
    paths = () if by is not None else keys or own_public_keys(application)
    trusted = [read_public_key(read_file(path, limit_bytes=1024 * 1024)) for path in paths]
    # A summary that is merely stated, and may say FAILED, proves nothing that anybody wants to know.
    is_summary = vsa or (bool(kind) and predicate_type_of(kind) == SUMMARY)
    if (vsa and kind) or (not is_summary and (level or resource)):
        raise UsageError("--vsa stands for a --type, and --level and --resource need it")
    summary = Wanted(level, resource) if is_summary else None
    verification = _verify(_Question(thing, artifacts, log_key, signature, kind, summary, by), trusted)
    if summary is not None and verification.proven and not resource:
        words = "which package it is about was compared with nothing; name the one that you mean with --resource"
        verification = replace(verification, notes=(*verification.notes, words))
    if as_json:
        trust = {"trusted": [str(path) for path in paths]}
        document = {"schema": "shipline.verification/1"} | to_json(verification) | trust
        click.echo(json.dumps(document, indent=2, ensure_ascii=False))
    else:
        _show(verification, paths, by_key=by is None)
    raise SystemExit(ExitCode.DONE if verification.proven else ExitCode.REFUSED)


@dataclass(frozen=True, slots=True)
class _Question:
    """What is to be proven, as it was asked."""

    thing: str
    artifacts: tuple[Path, ...]
    log_key: str | None
    signature: Path | None
    kind: str
    summary: Wanted | None
    by: Identity | None


def _identity(identity: str, issuer: str, root: Path | None, keys: tuple[Path, ...]) -> Identity | None:
    """Who has to have signed, None where that is a matter of keys."""
    from shipline.capabilities.evidence import identity_of

    if not identity and not issuer and root is None:
        return None
    if root is None or keys:
        raise UsageError(
            "an identity is proven by a trusted root, and not by keys",
            todo="give --trusted-root FILE (`cosign trusted-root create` writes one), and no --key",
        )
    return identity_of(identity, issuer, root)


def _verify(asked: _Question, trusted: list[PublicKey]) -> Verification:
    from shipline.apps.cli.things import file_or_image
    from shipline.capabilities.evidence import SUMMARY, is_bundle, predicate_type_of, verify_bundle

    what = file_or_image(asked.thing)
    predicate_type = predicate_type_of(asked.kind) if asked.kind else "" if asked.summary is None else SUMMARY
    if isinstance(what, Path):
        plain = asked.signature is None and not predicate_type and asked.by is None
        if plain and (is_bundle(what) or not what.is_file()):  # What is not there is told as it is of a bundle.
            return verify_bundle(what, trusted, asked.artifacts, _log_key(asked.log_key))
        _refuse(asked.artifacts, "--artifact", "an evidence bundle")
        _refuse(asked.log_key, "--log-key", "an evidence bundle")
        return _verify_file(what, asked, predicate_type, trusted)
    _refuse(asked.artifacts, "--artifact", "an evidence bundle")
    _refuse(asked.log_key, "--log-key", "an evidence bundle")
    _refuse(asked.signature, "--signature", "a file")
    return _verify_image(what, predicate_type, trusted, asked)


def _log_key(given: str | None) -> NotePublicKey | None:
    """The log's key, in itself or in a file."""
    from shipline.capabilities.evidence import read_file
    from shipline.store.notes import NotePublicKey

    if given is None:
        return None
    path = Path(given)
    text = read_file(path, limit_bytes=LOG_KEY_BYTES_MAX).decode("utf-8", "replace") if path.is_file() else given
    return NotePublicKey.parse(text)


def _verify_file(path: Path, asked: _Question, predicate_type: str, trusted: list[PublicKey]) -> Verification:
    from shipline.capabilities.evidence import signature_beside, verify_file

    place = asked.signature or signature_beside(path, predicate_type=predicate_type)
    if place is None:
        raise UsageError(
            f"{path} is no evidence bundle, and no signature of it lies beside it",
            todo="name the file with the signature, or the bundle, with --signature FILE",
        )
    return verify_file(path, place, trusted, predicate_type=predicate_type, summary=asked.summary, by=asked.by)


def _verify_image(
    reference: ImageReference, predicate_type: str, trusted: list[PublicKey], asked: _Question
) -> Verification:
    from shipline.apps.cli.things import resolved_words
    from shipline.bootstrap.signing import image_of
    from shipline.capabilities.evidence import Thing, verify_image

    try:
        attachments, image = image_of(reference)
    except RefusedError as error:
        # Whether it is proven was not found out, which is another answer than no.
        raise ShiplineError(error.what, why=error.why, todo=error.todo) from None
    words = resolved_words(reference, image)
    thing = Thing(image.name, image.subject.digest, predicate_type, asked.by)
    return verify_image(attachments, thing, trusted, (words,) if words else (), asked.summary)


def _refuse(given: object, option: str, what: str) -> None:
    if given:
        raise UsageError(f"{option} is for {what}, and this is none")


def _show(verification: Verification, paths: tuple[Path, ...], *, by_key: bool) -> None:
    for check in verification.checks:
        click.echo(f"{'ok' if check.ok else 'NOT OK':<8}{check.name}: {printable(check.words)}")
    for path in paths:
        click.echo(f"trusted {path}")
    for key in verification.keys:
        click.echo(f"signed  by the trusted key {key}")
    for note in verification.notes:
        click.echo(f"note    {printable(note)}")
    click.echo("proven" if verification.proven else "not proven")
    if by_key and not paths:
        click.echo("        name a key that you trust with --key FILE")
