"""The service of the target's conformance tests: host, port, version; how it behaves depends on the version."""

from __future__ import annotations

import os
import signal
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

BROKEN, MUTE, STUBBORN = "1.2.0", "1.3.0", "1.4.0"


class Service(BaseHTTPRequestHandler):
    """Healthy unless the version is the mute one; shows its environment's names, and a variable by its name."""

    def do_GET(self) -> None:
        """Answer."""
        named = os.environ.get(self.path[1:])
        body = ("\n".join(sorted(os.environ)) if named is None else named).encode()
        self.send_response(503 if sys.argv[3] == MUTE else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def main() -> None:
    """Serve, in the way of the version."""
    with Path("starts.txt").open("a") as starts:
        starts.write(f"{os.getpid()}\n")
    sys.stdout.write(f"serving {sys.argv[3]}\n")
    sys.stdout.flush()
    if sys.argv[3] == BROKEN:
        sys.exit("it is broken")
    if sys.argv[3] == STUBBORN:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    HTTPServer((sys.argv[1], int(sys.argv[2])), Service).serve_forever()


if __name__ == "__main__":
    main()
