"""The real server, on a free port of loopback, in a thread of the test process."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from shipline.apps.server.live import Hub
from shipline.apps.server.serve import Server, listen
from shipline.apps.server.site import Site
from shipline.apps.server.web import make_web

TOKEN = "t" * 43


@contextmanager
def serving(site: Site, hub: Hub | None = None) -> Iterator[str]:
    """Serve; gives the address."""
    used = Hub() if hub is None else hub
    listener = listen("127.0.0.1", 0)
    ready = threading.Event()
    server = Server(make_web(site, TOKEN, used), used, ready.set)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="server")
    thread.start()
    try:
        assert ready.wait(60), "the server did not start"
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        listener.close()
