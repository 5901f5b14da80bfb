"""`shipline up --admission`: policies over TLS, until it is told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from shipline.apps.admission.counts import Counts
from shipline.apps.admission.namespaces import Namespaces
from shipline.apps.admission.policies import LOOK_EVERY_S, Policies
from shipline.apps.admission.proving import Proofs
from shipline.apps.admission.web import PATH, Admission
from shipline.apps.listening import listening_socket
from shipline.apps.stopping import stopping_on_signals
from shipline.bootstrap.cluster_view import ClusterView
from shipline.capabilities.gates import ImageDemand, ImageProof, StandingPolicies
from shipline.domain.errors import ShiplineError, UsageError

STOP_TIMEOUT_S = 5
KEEP_ALIVE_S = 120
"""Longer than a cluster keeps a connection that it does not use (90 s): it shall not send into one that is closed."""
CONNECTIONS_MAX = 1000
AHEAD, AHEAD_S = 8, 60.0
"""So many images are asked about at once before anybody needs it; half of the workers are left for who does."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where to serve, and by which certificate. `client_ca` holds the authorities of those who may ask; None: anybody.

    Port 0 takes a free one. `fails_open` is whether what cannot be checked is let in.
    """

    host: str
    port: int
    certificate: Path
    private_key: Path
    client_ca: Path | None = None
    fails_open: bool = False


@dataclass(frozen=True, slots=True)
class Sources:
    """Where answers come from: `load` reads the policies, whose files are `watched`; `prove` asks registries about an
    image; `view` is the cluster, None where that is not asked."""

    load: Callable[[], StandingPolicies]
    watched: Callable[[], tuple[Path, ...]]
    prove: Callable[[ImageDemand], ImageProof]
    view: ClusterView | None = None


def serve(place: Place, sources: Sources) -> None:
    """Serve until SIGTERM or SIGINT. Prints one line, with the address, once it does.

    Raises what `load` raises, UsageError for a certificate that cannot be used, ShiplineError for a port that cannot
    be had.
    """
    counts = Counts()
    policies = Policies(sources.load, sources.watched, counts)
    context = _tls(place)
    listener = _listen(place.host, place.port)
    proofs = Proofs(sources.prove, time.monotonic, counts.proofs)
    view = sources.view
    namespaces = None if view is None else Namespaces(view.namespace, time.monotonic, counts.namespaces)
    web = Admission(
        policies,
        proofs,
        namespaces,
        counts,
        time.monotonic,
        fails_open=place.fails_open,
        wants_certificate=place.client_ca is not None,
    )
    try:
        for note in policies.standing.notes:
            _tell(f"note: {note.about}: {note.text}")
        with stopping_on_signals():
            _Server(web, context, place, listener, view).run(sockets=[listener])
    finally:
        proofs.close()
        if namespaces is not None:
            namespaces.close()
        listener.close()


class _Server(uvicorn.Server):
    """uvicorn, which says when it is ready and looks after the files meanwhile."""

    def __init__(
        self,
        web: Admission,
        context: ssl.SSLContext,
        place: Place,
        listener: socket.socket,
        view: ClusterView | None,
    ) -> None:
        config = uvicorn.Config(
            web,
            http=_Connection,
            log_config=None,
            access_log=False,
            lifespan="off",
            ws="none",
            server_header=False,
            timeout_keep_alive=KEEP_ALIVE_S,
            limit_concurrency=CONNECTIONS_MAX,
            timeout_graceful_shutdown=STOP_TIMEOUT_S,
            ssl_context_factory=lambda _config, _default: context,
        )
        super().__init__(config)
        self._web, self._context, self._place, self._listener, self._view = web, context, place, listener, view
        self._looking: list[asyncio.Task[None]] = []

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to serve, then say so."""
        await super().startup(sockets)
        if self.started:
            follow = [self._web.policies.follow(_tell), _follow_certificate(self._context, self._place)]
            if self._view is not None:
                follow.append(prove_what_runs(self._web, self._view))
            self._looking = [asyncio.create_task(each) for each in follow]
            name, port = self._listener.getsockname()[:2]
            host = f"[{name}]" if ":" in name else name
            count = self._web.policies.standing.count
            click.echo(f"Shipline asks {count} policies at https://{host}:{port}{PATH}")

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Look no more, then end."""
        for task in self._looking:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        await super().shutdown(sockets)


class _Connection(H11Protocol):
    """One that tells the application whether its peer has shown a certificate, which TLS has checked then."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as the base has it
        """Note it for every request of the connection."""
        super().connection_made(transport)
        self.app_state: dict[str, Any] = {**self.app_state, "certificate": bool(transport.get_extra_info("peercert"))}


async def prove_what_runs(web: Admission, view: ClusterView) -> None:
    """Ask about the images of all pods, a few at once: what is made anew of them then waits for no registry."""
    try:
        pods = await asyncio.to_thread(view.pods)
    except ShiplineError as error:
        _tell(f"the images in use are not asked about beforehand: {error.sentence()}")
        return
    demands = web.policies.standing.demands_of_pods(pods)
    for at in range(0, len(demands), AHEAD):
        await web.proofs.of(demands[at : at + AHEAD], within_s=AHEAD_S)
    if demands:
        _tell(f"{len(demands)} images in use were asked about")


async def _follow_certificate(context: ssl.SSLContext, place: Place) -> None:
    """Certificates are renewed: new connections get the new one. One that cannot be used changes nothing."""
    before = _changed(place)
    while True:
        await asyncio.sleep(LOOK_EVERY_S)
        now = _changed(place)
        if now == before:
            continue
        before = now
        try:
            _check_pair(place)
            context.load_cert_chain(place.certificate, place.private_key)
        except UsageError as error:
            _tell(f"the certificate has changed and cannot be used; the one from before goes on: {error.sentence()}")
        else:
            _tell("the certificate has changed, and new connections get the new one")


def _changed(place: Place) -> tuple[int, ...]:
    found = []
    for path in (place.certificate, place.private_key):
        with contextlib.suppress(OSError):
            about = path.stat()
            found += [about.st_ino, about.st_mtime_ns]
    return tuple(found)


def _tls(place: Place) -> ssl.SSLContext:
    context = _check_pair(place)
    if place.client_ca is not None:
        try:
            context.load_verify_locations(place.client_ca)
        except (OSError, ssl.SSLError):
            raise UsageError(f"{place.client_ca} holds no certificates of authorities that can be read") from None
        # Who asks whether it is well has none; reviews without one are refused.
        context.verify_mode = ssl.CERT_OPTIONAL
    return context


def _check_pair(place: Place) -> ssl.SSLContext:
    """A context with the pair. Made anew each time, so that a wrong one never gets into the context that serves."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(place.certificate, place.private_key, password=_no_password)
    except (OSError, ssl.SSLError, ValueError) as error:
        raise UsageError(
            f"{place.certificate} and {place.private_key} are no certificate with its private key",
            why=(error.strerror if isinstance(error, OSError) and not isinstance(error, ssl.SSLError) else "") or "",
            todo="give both in PEM, the key without a password; `shipline policy webhook` makes such",
        ) from None
    return context


def _no_password() -> str:
    """OpenSSL would ask the terminal for one."""
    return ""


def _listen(host: str, port: int) -> socket.socket:
    try:
        address = ipaddress.ip_address("127.0.0.1" if host == "localhost" else host)
    except ValueError:
        raise UsageError(f"{host[:80]!r} is not an address", todo="use 127.0.0.1, or 0.0.0.0 in a container") from None
    return listening_socket(address, port, backlog=512)


def _tell(words: str) -> None:
    """For the log: one line, nothing of which steers a terminal."""
    click.echo("".join(each if each.isprintable() else " " for each in words), err=True)
