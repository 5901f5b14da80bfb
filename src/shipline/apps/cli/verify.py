"""`shipline verify`: what an evidence bundle proves, offline."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from shipline.apps.cli.wording import printable

if TYPE_CHECKING:
    from shipline.bootstrap import Application
    from shipline.capabilities.evidence import Verification


@click.command("verify")
@click.argument("bundle", type=click.Path(path_type=Path))
@click.option(
    "--key",
    "keys",
    multiple=True,
    type=click.Path(path_type=Path),
    help="A public key (PEM) that you trust; the project's own without it.",
)
@click.option("--artifact", "artifacts", multiple=True, type=click.Path(path_type=Path), help="A file to compare.")
@click.option("--json", "as_json", is_flag=True, help="Print the document shipline.verification/1.")
@click.pass_obj
def command(
    application: Application, bundle: Path, keys: tuple[Path, ...], artifacts: tuple[Path, ...], *, as_json: bool
) -> None:
    """Say what BUNDLE proves about a release. Ends with 0 if all is proven, with 3 if not.

    The key inside a bundle is not trusted for being there: without --key and outside of the project, nothing is
    proven.
    """
    from shipline.capabilities.evidence import read_file, read_public_key, verify_bundle
    from shipline.domain.codec import to_json
    from shipline.domain.errors import ExitCode

    paths = keys or _own_keys(application)
    trusted = [read_public_key(read_file(path, limit_bytes=1024 * 1024)) for path in paths]
    verification = verify_bundle(bundle, trusted, artifacts)
    if as_json:
        trust = {"trusted": [str(path) for path in paths]}
        document = {"schema": "shipline.verification/1"} | to_json(verification) | trust
        click.echo(json.dumps(document, indent=2, ensure_ascii=False))
    else:
        _show(verification, paths)
    raise SystemExit(ExitCode.DONE if verification.proven else ExitCode.REFUSED)


def _own_keys(application: Application) -> tuple[Path, ...]:
    """The public half of the project's own signing key, if this is a project that has one. Makes no key."""
    from shipline.bootstrap import STATE_FOLDER
    from shipline.providers.signer.file import FileSigner

    if not application.settings.signer and not (application.root / STATE_FOLDER).is_dir():
        return ()
    signer = application.signer
    path = signer.public_path if isinstance(signer, FileSigner) else None
    return (path,) if path is not None and path.is_file() else ()


def _show(verification: Verification, paths: tuple[Path, ...]) -> None:
    for check in verification.checks:
        click.echo(f"{'ok' if check.ok else 'NOT OK':<8}{check.name}: {printable(check.words)}")
    for path in paths:
        click.echo(f"trusted {path}")
    for key in verification.keys:
        click.echo(f"signed  by the trusted key {key}")
    for note in verification.notes:
        click.echo(f"note    {note}")
    click.echo("proven" if verification.proven else "not proven")
    if not paths:
        click.echo("        name a key that you trust with --key FILE")
