"""`shipline policy webhook`: the manifests by which a cluster asks policies."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from shipline.apps.cli.asking import Chosen, policy_options
from shipline.domain.errors import UsageError

if TYPE_CHECKING:
    from shipline.bootstrap import Application

CERTIFICATE_DAYS = 365
CONFIG_MAP_BYTES_MAX = 1024 * 1024


@click.command("webhook")
@policy_options
@click.option("--image", required=True, help="The image to run, which has shipline on its path.")
@click.option("--namespace", default="shipline-admission", show_default=True, help="Where to run it.")
@click.option("--cluster", is_flag=True, help="Let it read namespaces and pods, whose labels and images it looks up.")
@click.option(
    "--ca", "authority", type=click.Path(path_type=Path), help="The authority (PEM) of a certificate made elsewhere."
)
@click.option(
    "--fail",
    type=click.Choice(["closed", "open"]),
    default="closed",
    show_default=True,
    help="Refuse what cannot be checked, or let it in.",
)
@click.pass_obj
def webhook(  # noqa: PLR0913 - one parameter an option
    application: Application,
    *,
    policies: tuple[Path, ...],
    sets: tuple[str, ...],
    registries: tuple[str, ...],
    keys: tuple[Path, ...],
    image: str,
    namespace: str,
    cluster: bool,
    authority: Path | None,
    fail: str,
) -> None:
    """Print the manifests by which a cluster asks these policies (kubectl apply -f -), with a new certificate's key."""
    import yaml  # type: ignore[import-untyped]  # it ships no types

    from shipline.capabilities.gates import Webhook, policy_files, server_names, stand_ready, webhook_documents
    from shipline.clients.tls_certificates import issue

    chosen = Chosen(policies, sets, registries, keys)
    trusted = chosen.trusted(application)
    standing = stand_ready(chosen.standing(trusted))
    public = {f"key-{at}.pub": pem for at, pem in enumerate(trusted)}
    if authority is None:
        made = issue(server_names(namespace), now_us=application.clock.now_us(), days=CERTIFICATE_DAYS)
        trust, pair = made.authority, (made.certificate, made.private_key)
    else:
        trust, pair = _text(authority), None
    wanted = Webhook(
        image=image,
        namespace=namespace,
        files=_by_name(policy_files(policies)) | public,
        keys=tuple(public),
        sets=sets,
        registries=registries,
        authority=trust,
        certificate=pair,
        fails_open=fail == "open",
        looks_up=cluster,
        rules=standing.rules(),
    )
    click.echo(yaml.safe_dump_all(webhook_documents(wanted), sort_keys=False, allow_unicode=True), nl=False)


def _by_name(paths: tuple[Path, ...]) -> dict[str, str]:
    """Policies by the names of their files, as a ConfigMap keeps them."""
    files: dict[str, str] = {}
    for path in paths:
        if path.name in files:
            raise UsageError(f"two files of policies are called {path.name}", todo="name them differently")
        files[path.name] = _text(path)
    if sum(map(len, files.values())) > CONFIG_MAP_BYTES_MAX:
        raise UsageError(f"the policies are longer than the {CONFIG_MAP_BYTES_MAX} bytes that a ConfigMap takes")
    return files


def _text(path: Path) -> str:
    from shipline.capabilities.evidence import read_file

    return read_file(path, limit_bytes=CONFIG_MAP_BYTES_MAX).decode("utf-8", "replace")
