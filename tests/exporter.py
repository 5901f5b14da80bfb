"""A small service that exposes counters of requests as Prometheus reads them, for tests, and a Prometheus over some."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx

from tests.machine import NO_TLS, free_port, wait_until
from tests.prometheus import PROGRAM, Exposing

BOUNDS = ("0.01", "0.1", "+Inf")
SCRAPE_S = 0.2
CONFIGURATION = "global: {scrape_interval: 200ms, scrape_timeout: 200ms}\nscrape_configs:\n"
JOB = "- job_name: {name}\n  static_configs: [{{targets: ['{target}'], labels: {{group: '{name}'}}}}]\n"


class Exporter(Exposing):
    """Counts requests by status, and their latency: each took 50 ms. A status is exposed once there was one."""

    def __init__(self) -> None:
        self.told = 0
        self._lock = threading.Lock()
        self._by_status: dict[int, int] = {200: 0}
        super().__init__(self.text)

    def serve(self, *, requests: int, errors: int) -> None:
        """As if these had been served. A scrape has the time of its beginning: none that has begun tells of them."""
        told = self.told
        wait_until(lambda: self.told > told, "a scrape")
        with self._lock:
            self._by_status[200] += requests - errors
            if errors:
                self._by_status[500] = self._by_status.get(500, 0) + errors

    def restart(self) -> None:
        """As a process that begins anew: at 0."""
        with self._lock:
            self._by_status = {200: 0}

    def text(self) -> str:
        """What is exposed."""
        with self._lock:
            by_status = dict(self._by_status)
            self.told += 1
        total = sum(by_status.values())
        lines = [f'http_requests_total{{code="{status}"}} {count}' for status, count in by_status.items()]
        up_to = {bound: 0 if bound == BOUNDS[0] else total for bound in BOUNDS}
        lines += [f'http_request_seconds_bucket{{le="{bound}"}} {count}' for bound, count in up_to.items()]
        return "\n".join(lines) + "\n"


@contextmanager
def scraped(folder: Path, targets: Mapping[str, str]) -> Iterator[str]:
    """A Prometheus that scrapes each target, by the name that its label `group` has, every SCRAPE_S; its address."""
    assert PROGRAM is not None
    folder.mkdir(parents=True, exist_ok=True)
    jobs = "".join(JOB.format(name=name, target=target) for name, target in targets.items())
    (folder / "prometheus.yml").write_text(CONFIGURATION + jobs)
    address = f"127.0.0.1:{free_port()}"
    options = ("--config.file=prometheus.yml", "--storage.tsdb.path=data", f"--web.listen-address={address}")
    with ExitStack() as stack:
        output = stack.enter_context((folder / "output").open("wb"))
        process = subprocess.Popen([PROGRAM, *options], cwd=folder, stdout=output, stderr=output)
        stack.callback(process.wait)
        stack.callback(process.kill)
        wait_until(lambda: _up(address) == len(targets), "Prometheus has scraped everybody")
        yield f"http://{address}"


def _up(address: str) -> int:
    try:
        answer = httpx.get(f"http://{address}/api/v1/query", params={"query": "sum(up)"}, verify=NO_TLS)
        return int(answer.json()["data"]["result"][0]["value"][1])
    except (httpx.HTTPError, LookupError, ValueError):
        return 0
