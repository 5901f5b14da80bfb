"""`shipline up`: the engine and the page in one process, until it is told to stop."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

import click
import uvicorn
from starlette.types import ASGIApp

from shipline.apps.listening import listening_socket
from shipline.apps.server.live import Hub
from shipline.apps.server.site import Site
from shipline.apps.server.token import load_or_create_token
from shipline.apps.server.web import make_web
from shipline.apps.stopping import stopping_on_signals
from shipline.bootstrap.asked import Asked
from shipline.bootstrap.automations import hook_secrets
from shipline.bootstrap.compliance import required_coverages
from shipline.bootstrap.driven import verdict_token_of, wanted_image_of
from shipline.bootstrap.freezing import calendar_of, declare, lift
from shipline.bootstrap.hook_watch import watched_forge
from shipline.bootstrap.orders import DeploymentWish, RollbackWish, order_deployment, order_rollback
from shipline.bootstrap.reevaluating import waiving_of
from shipline.capabilities.releases import GivenReport, Receipt, Subject, receive_reports
from shipline.domain.errors import UsageError
from shipline.engine.ownership import owning

if TYPE_CHECKING:
    from shipline.bootstrap import Application
    from shipline.capabilities.automation import Foretold, Wish
    from shipline.capabilities.freezes import FreezeOrder
    from shipline.domain.actor import Actor
    from shipline.domain.freeze import Freeze
    from shipline.domain.rollout import Rollout

STOP_TIMEOUT_S = 5


def serve(application: Application, *, host: str, port: int) -> None:
    """Run the engine and serve the page on `host` until SIGTERM or SIGINT; port 0 takes a free one.

    Prints one line, with the address and its token, once it is serving. Raises UsageError for a host that is not
    loopback, ShiplineError for a port that cannot be had.
    """
    listener = listen(host, port)
    application.is_server = True
    try:
        site = site_of(application)
        token = load_or_create_token(application.state)
        hub = Hub()
        server = Server(make_web(site, token, hub), hub, lambda: _announce(listener, token))
        with _owning(application), stopping_on_signals():
            server.run(sockets=[listener])
    finally:
        listener.close()
        application.store.close()


def site_of(application: Application) -> Site:
    """What the page shows, and orders: whoever orders does it by the settings as they are then."""

    def deploy(wish: DeploymentWish, actor: Actor) -> Rollout:
        application.follow_settings()
        return order_deployment(application, wish, actor)

    def roll_back(wish: RollbackWish, actor: Actor) -> Rollout:
        application.follow_settings()
        return order_rollback(application, wish, actor)

    def receive(subject: Subject, report: GivenReport, actor: Actor) -> Receipt:
        application.follow_settings()
        return receive_reports(application.release_ground, lambda: application.engine, subject, (report,), actor)

    def foretell(wish: Wish) -> Foretold:
        application.follow_settings()
        return Asked(application).foretell(wish)

    def freeze(order: FreezeOrder, actor: Actor) -> Freeze:
        application.follow_settings()
        return declare(application, order, actor)

    return Site(
        name=application.root.name,
        store=application.store,
        engine=application.engine,
        clock=application.clock,
        environments=lambda: application.environments,
        deploy=deploy,
        roll_back=roll_back,
        calendar=partial(calendar_of, application),
        checklists=lambda: application.policy.checklists,
        stage_of=application.stage_of,
        verdict_token=partial(verdict_token_of, application.context),
        wanted_image=partial(wanted_image_of, application.context),
        compliance=partial(required_coverages, application),
        hook_secrets=partial(hook_secrets, application),
        watched_forge=partial(watched_forge, application),
        waiving=lambda: waiving_of(application.policy),
        receive=receive,
        foretell=foretell,
        freeze=freeze,
        lift=partial(lift, application),
    )


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens on a loopback address."""
    name = "127.0.0.1" if host == "localhost" else host
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        raise UsageError(f"{host[:80]!r} is not an address", todo="use 127.0.0.1 or ::1") from None
    if not address.is_loopback:
        raise UsageError(
            f"the page is not served on {host}: others could reach it",
            why="its one token is for the person at this machine; accounts are needed before others may come",
            todo="use 127.0.0.1, and a tunnel (ssh -L) from elsewhere",
        )
    return listening_socket(address, port, backlog=128)


class Server(uvicorn.Server):
    """uvicorn, which says when it is ready and ends the live pages before it waits for open connections."""

    def __init__(self, web: ASGIApp, hub: Hub, ready: Callable[[], None]) -> None:
        # No log configuration: uvicorn's own would print requests, and with them a token. Warnings still appear.
        config = uvicorn.Config(
            web,
            log_config=None,
            access_log=False,
            lifespan="off",
            ws="none",
            server_header=False,
            timeout_graceful_shutdown=STOP_TIMEOUT_S,
        )
        super().__init__(config)
        self.hub = hub
        self.ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to serve, then say so."""
        await super().startup(sockets)
        if self.started:
            self.ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the streams first: they would end by themselves only when their viewers leave."""
        await self.hub.close()
        await super().shutdown(sockets)


@contextmanager
def _owning(application: Application) -> Iterator[None]:
    with owning(application.runner()) as mine:
        if not mine:
            words = (
                "another process runs the engine: it is told what is said here, and this one takes over when it ends"
            )
            click.echo(words, err=True)
        yield


def _announce(listener: socket.socket, token: str) -> None:
    name, port = listener.getsockname()[:2]
    host = f"[{name}]" if ":" in name else name
    click.echo(f"Shipline is up: http://{host}:{port}/?token={token}")
