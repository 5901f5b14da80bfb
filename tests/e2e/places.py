"""Real places for end-to-end tests: a small Python project in git, and a package index on loopback."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from shipline.testing.histories import History
from tests.machine import free_port, get, wait_until

FILES = {
    "pyproject.toml": """\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "quo"
version = "0.1.0"

[tool.hatch.build.targets.wheel]
packages = ["src/quo"]
""",
    "src/quo/__init__.py": '"""Quotes."""\n',
}
SETTINGS = """\
[[build]]
provider = "python"
isolation = false
"""
REGISTRY = """\
[[registry]]
provider = "pypi"
upload_url = "http://127.0.0.1:{port}/"
index_url = "http://127.0.0.1:{port}/simple/"
anonymous = true
answer_timeout_s = 10.0
"""


def small_project(folder: Path, settings: str = SETTINGS) -> History:
    """A project with one releasable commit, and its settings committed."""
    history = History(folder)
    history.commit("feat: tell quotes", FILES | {"shipline.toml": settings})
    return history


class _Refusing(BaseHTTPRequestHandler):
    """An index that knows no project, and lets nobody upload."""

    def do_GET(self) -> None:
        self.send_error(404)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", "0")))
        self.send_error(403)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the standard library's name
        """Say nothing."""


@dataclass(frozen=True)
class PackageIndex:
    """A package index on loopback: pypiserver over a folder."""

    folder: Path
    port: int

    @property
    def settings(self) -> str:
        """The project's settings to publish here."""
        return SETTINGS + REGISTRY.format(port=self.port)

    def files(self) -> dict[str, int]:
        """What is there: the time of each file's last change, in nanoseconds."""
        return {path.name: path.stat().st_mtime_ns for path in self.folder.glob("quo*")}

    def uploads(self) -> int:
        """How many files were sent to it so far."""
        return self.folder.with_suffix(".log").read_text().count("POST / ")

    @contextmanager
    def running(self) -> Iterator[None]:
        """Serve while the block runs."""
        self.folder.mkdir(exist_ok=True)
        program = Path(sys.executable).with_name("pypi-server")
        options = ("run", "-v", "-i", "127.0.0.1", "-p", str(self.port), "-P", ".", "-a", ".", "--disable-fallback")
        with self.folder.with_suffix(".log").open("ab") as log:
            server = subprocess.Popen([str(program), *options, str(self.folder)], stdout=log, stderr=log)
        try:
            wait_until(lambda: server.poll() is not None or self._answers(), "the package index answers")
            assert server.poll() is None
            yield
        finally:
            server.terminate()
            server.wait()

    @contextmanager
    def refusing(self) -> Iterator[None]:
        """Answer in its place, and refuse every upload."""
        with ThreadingHTTPServer(("127.0.0.1", self.port), _Refusing) as server:
            thread = Thread(target=server.serve_forever)
            thread.start()
            try:
                yield
            finally:
                server.shutdown()
                thread.join()

    def _answers(self) -> bool:
        try:
            return get(f"127.0.0.1:{self.port}", "/simple/")[0] == 200
        except ConnectionRefusedError:
            return False


def package_index(folder: Path) -> PackageIndex:
    """An index that does not run yet, at a port of its own."""
    return PackageIndex(folder, free_port())
