"""`shipline up`: the engine and the web page, or policies at admission, until it is told to stop."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from shipline.apps.cli.asking import Chosen, policy_options
from shipline.domain.errors import UsageError

if TYPE_CHECKING:
    from shipline.bootstrap import Application

_FILE = click.Path(path_type=Path)
PAGE_PORT, ADMISSION_PORT = 8484, 8443


@dataclass(frozen=True, slots=True)
class _Answering:
    """How a cluster is answered, as far as it was said."""

    certificate: Path | None
    private_key: Path | None
    client_ca: Path | None
    fail: str | None
    cluster: bool


@click.command(name="up")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to serve on.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    help=f"The port; {PAGE_PORT}, or {ADMISSION_PORT} with --admission; 0: a free one.",
)
@click.option("--admission", is_flag=True, help="Answer a cluster's admission reviews over TLS; no page and no engine.")
@policy_options
@click.option("--cluster", is_flag=True, help="Look up namespaces' labels, and the images in use, in the cluster.")
@click.option("--certificate", type=_FILE, help="The certificate to serve by (PEM), with those between it and its CA.")
@click.option("--private-key", type=_FILE, help="Its private key (PEM).")
@click.option("--client-ca", type=_FILE, help="Answer those alone whose certificate is by one of these (PEM).")
@click.option("--fail", type=click.Choice(["closed", "open"]), help="Refuse what cannot be checked, or let it in.")
@click.pass_obj
def command(  # noqa: PLR0913 - one parameter an option
    application: Application,
    *,
    host: str,
    port: int | None,
    admission: bool,
    policies: tuple[Path, ...],
    sets: tuple[str, ...],
    registries: tuple[str, ...],
    keys: tuple[Path, ...],
    cluster: bool,
    certificate: Path | None,
    private_key: Path | None,
    client_ca: Path | None,
    fail: str | None,
) -> None:
    """Run the engine, and serve the web page with a token that is printed at start.

    With --admission, answer a cluster's questions by policies instead.
    """
    chosen = Chosen(policies, sets, registries, keys)
    secured = _Answering(certificate, private_key, client_ca, fail, cluster)
    if admission:
        _serve_admission(application, chosen, secured, host, ADMISSION_PORT if port is None else port)
        return
    if chosen != Chosen((), (), (), ()) or secured != _Answering(None, None, None, None, cluster=False):
        raise UsageError(
            "options of policies and certificates are for --admission", todo="add --admission, or leave them out"
        )
    from shipline.apps.cli.progress import speak_plainly
    from shipline.apps.server.serve import serve

    speak_plainly()
    serve(application, host=host, port=PAGE_PORT if port is None else port)


def _serve_admission(application: Application, chosen: Chosen, secured: _Answering, host: str, port: int) -> None:
    from functools import partial

    from shipline.apps.admission.serve import Place, Sources, serve
    from shipline.bootstrap.cluster_view import cluster_view
    from shipline.bootstrap.image_proofs import ADMISSION_TIMEOUT_S, prove
    from shipline.capabilities.gates import policy_files, stand_ready

    if secured.certificate is None or secured.private_key is None:
        raise UsageError(
            "a cluster asks over TLS alone, and there is no certificate",
            todo="name one with --certificate FILE --private-key FILE; `shipline policy webhook` makes such",
        )
    trusted = chosen.trusted(application)
    place = Place(host, port, secured.certificate, secured.private_key, secured.client_ca, secured.fail == "open")
    sources = Sources(
        load=lambda: stand_ready(chosen.standing(trusted)),
        watched=lambda: policy_files(chosen.policies),
        prove=partial(prove, timeout_s=ADMISSION_TIMEOUT_S),
        view=cluster_view() if secured.cluster else None,
    )
    serve(place, sources)
