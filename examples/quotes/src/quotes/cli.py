"""The command `quotes`."""

import argparse
import logging
import signal
from collections.abc import Sequence
from random import SystemRandom
from threading import Thread

from quotes import __version__
from quotes.server import Server
from quotes.service import Service


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT; give the exit code."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
    # Blocked before the first thread starts, so that every thread inherits it and only `sigwait` takes the signals.
    signals = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    try:
        server = Server((options.host, options.port), Service(SystemRandom()))
    except OSError as error:
        logging.error("cannot listen on %s port %d: %s", options.host, options.port, error.strerror)
        return 1
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    host, port = server.server_address[:2]
    print(f"quotes {__version__} listens on http://{host!s}:{port}/", flush=True)
    signal.sigwait(signals)
    server.close()
    thread.join()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="quotes", description="Tell quotes over HTTP.")
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=8080, help="the port, 0 for a free one (default: %(default)s)")
    parser.add_argument("--version", action="version", version=__version__)
    return parser
