"""A real Prometheus on loopback that scrapes a small service, for tests."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import httpx

from shipline.testing.fakes.loopback import LoopbackServer
from tests.machine import NO_TLS, SystemClock, free_port, wait_until

PROGRAM = shutil.which("prometheus")
USER, PASSWORD = "shipline", "test"
# The hash of PASSWORD that Prometheus' own guide shows, prometheus.io/docs/guides/basic-auth.
HASH = "$2b$12$hNf2lSsxfm0.i4a.1kVpSOVyBCfIB51VRjgBUyv6kdnyTlgWj81Ay"
WEB = f"basic_auth_users:\n  {USER}: {HASH}\n"
CONFIGURATION = """
global:
  scrape_interval: 1s
scrape_configs:
  - job_name: service
    static_configs:
      - targets: ["{target}"]
"""
# What the service says of itself, in Prometheus' text format.
EXPOSED = """\
service_failing_ratio 0.25
service_requests_total{copy="a",version="1.2.0"} 7
service_requests_total{copy="b",version="1.1.0"} 3
service_odd_total{version="1\\\\2\\"0"} 11
service_idle_total 0
"""


class Exposing(LoopbackServer):
    """A service that exposes what `text` gives, in Prometheus' text format."""

    def __init__(self, text: Callable[[], str]) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = text().encode()
                with suppress(ConnectionError):  # On a busy machine Prometheus may not wait.
                    self.send_response(200)
                    self.send_header("Content-Type", "text/plain; version=0.0.4")
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as in the base class
                pass

        super().__init__(Handler)

    @property
    def address(self) -> str:
        """host:port, as a scrape target is named."""
        return self.url.removeprefix("http://")


class Prometheus:
    """A Prometheus in `folder`, with `authentication` one that asks for USER and PASSWORD. It may be stopped and
    started again, and keeps what it has scraped. `scraped_us` is a moment at which all of EXPOSED is known."""

    def __init__(self, folder: Path, target: str, *, authentication: bool) -> None:
        self.folder = folder
        self.url = f"http://127.0.0.1:{free_port()}"
        self.scraped_us = 0
        self._auth = (USER, PASSWORD) if authentication else None
        self._process: subprocess.Popen[bytes] | None = None
        (folder / "prometheus.yml").write_text(CONFIGURATION.format(target=target))
        (folder / "web.yml").write_text(WEB if authentication else "")

    def start(self) -> None:
        """Start it if it does not run, and wait until it can answer about the service."""
        if self._process is not None:
            return
        assert PROGRAM is not None
        options = ("--config.file=prometheus.yml", "--web.config.file=web.yml", "--storage.tsdb.path=data")
        with (self.folder / "output").open("wb") as output:
            self._process = subprocess.Popen(
                [PROGRAM, *options, f"--web.listen-address={self.url.removeprefix('http://')}"],
                cwd=self.folder,
                stdout=output,
                stderr=output,
            )
        wait_until(self._knows_the_service, "Prometheus has scraped the service")
        self.scraped_us = self.scraped_us or SystemClock().now_us()

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _knows_the_service(self) -> bool:
        moment = {"time": str(self.scraped_us / 1_000_000)} if self.scraped_us else {}
        asked = {"query": "service_idle_total", **moment}
        try:
            answer = httpx.get(f"{self.url}/api/v1/query", params=asked, auth=self._auth, verify=NO_TLS)
        except httpx.HTTPError:
            return False
        return answer.status_code == 200 and bool(answer.json()["data"]["result"])


@contextmanager
def scraping(folder: Path, *, authentication: bool = False) -> Iterator[Prometheus]:
    """A started Prometheus, and the service that it scrapes."""
    with Exposing(lambda: EXPOSED) as service:
        made = Prometheus(folder, service.address, authentication=authentication)
        try:
            made.start()
            yield made
        finally:
            made.stop()
