"""`shipline verify`: what an evidence bundle proves, offline."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from shipline.capabilities.evidence import Verification


@click.command("verify")
@click.argument("bundle", type=click.Path(path_type=Path))
@click.option("--key", "keys", multiple=True, type=click.Path(path_type=Path), help="A public key (PEM) you trust.")
@click.option("--artifact", "artifacts", multiple=True, type=click.Path(path_type=Path), help="A file to compare.")
@click.option("--json", "as_json", is_flag=True, help="Print the document shipline.verification/1.")
def command(bundle: Path, keys: tuple[Path, ...], artifacts: tuple[Path, ...], *, as_json: bool) -> None:
    """Say what BUNDLE proves about a release. Ends with 0 if all is proven, with 3 if not."""
    from shipline.capabilities.evidence import read_file, read_public_key, verify_bundle
    from shipline.domain.codec import to_json
    from shipline.domain.errors import ExitCode

    trusted = [read_public_key(read_file(key, limit_bytes=1024 * 1024)) for key in keys]
    verification = verify_bundle(bundle, trusted, artifacts)
    if as_json:
        document = {"schema": "shipline.verification/1"} | to_json(verification)
        click.echo(json.dumps(document, indent=2, ensure_ascii=False))
    else:
        _show(verification)
    raise SystemExit(ExitCode.DONE if verification.proven else ExitCode.REFUSED)


def _show(verification: Verification) -> None:
    for check in verification.checks:
        click.echo(f"{'ok' if check.ok else 'NOT OK':<8}{check.name}: {check.words}")
    for key in verification.keys:
        click.echo(f"        trusted key: {key}")
    for note in verification.notes:
        click.echo(f"note    {note}")
    click.echo("proven" if verification.proven else "not proven")
    if not verification.keys:
        click.echo("        name a key that you trust with --key FILE")
