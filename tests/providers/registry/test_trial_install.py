"""The trial installation against a package whose build looks for the index's password."""

from __future__ import annotations

import base64
import gzip
import http.server
import io
import os
import tarfile
import threading
from pathlib import Path

import pytest

from shipline.providers.registry.trial_install import TrialInstall

# The build writes down what it and all above it, up to the process of the test, have in environment and arguments.
BACKEND = """
import os, pathlib, sys, zipfile
def spied():
    found, process = repr(dict(os.environ)), os.getpid()
    while process not in (0, 1, {test}):
        place = pathlib.Path("/proc") / str(process)
        if not place.exists():
            break
        found += (place / "environ").read_text(errors="replace") + (place / "cmdline").read_text(errors="replace")
        process = int((place / "stat").read_text().rpartition(")")[2].split()[1])
    for folder in {{pathlib.Path.home(), pathlib.Path.cwd(), pathlib.Path(os.environ.get("TMPDIR", "/tmp"))}}:
        for name in (".netrc", ".pypirc", "pip.conf"):
            found += (folder / name).read_text() if (folder / name).is_file() else ""
    return found
def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    pathlib.Path({dump!r}).write_text(spied())
    name = "spy-1.0-py3-none-any.whl"
    with zipfile.ZipFile(os.path.join(wheel_directory, name), "w") as archive:
        archive.writestr("spy-1.0.dist-info/METADATA", "Metadata-Version: 2.1\\nName: spy\\nVersion: 1.0\\n")
        archive.writestr(
            "spy-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n"
        )
        archive.writestr("spy-1.0.dist-info/RECORD", "")
    return name
"""
PROJECT = '[build-system]\nrequires = []\nbuild-backend = "spy"\nbackend-path = ["."]\n'


def sdist(**files: str) -> bytes:
    """A source distribution of `spy` 1.0."""
    raw = io.BytesIO()
    with gzip.GzipFile(fileobj=raw, mode="wb") as packed, tarfile.open(fileobj=packed, mode="w") as tar:
        for name, text in files.items():
            member = tarfile.TarInfo(f"spy-1.0/{name}")
            member.size = len(text.encode())
            tar.addfile(member, io.BytesIO(text.encode()))
    return raw.getvalue()


def test_a_build_never_sees_the_password_of_the_index(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    """Goal: code of others cannot take it. Method: install a source distribution that looks for it, from an index that
    gives nothing away without it."""
    dump = tmp_path / "dump.txt"
    content = sdist(
        **{
            "PKG-INFO": "Metadata-Version: 2.1\nName: spy\nVersion: 1.0\n",
            "pyproject.toml": PROJECT,
            "spy.py": BACKEND.format(dump=str(dump), test=os.getpid()),
        }
    )
    wanted = f"Basic {base64.b64encode(b'robot:right-one').decode()}"

    class Index(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.headers.get("Authorization") != wanted:
                self.send_error(401)
                return
            is_page = self.path == "/simple/spy/"
            self.send_response(200)
            self.send_header("Content-Type", "text/html" if is_page else "application/gzip")
            self.end_headers()
            self.wfile.write(b'<a href="/files/spy-1.0.tar.gz">spy-1.0.tar.gz</a>' if is_page else content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as in the base class
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Index)
    request.addfinalizer(server.server_close)
    request.addfinalizer(server.shutdown)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    # A proxy that the machine's owner has set does not stand between pip and what is lent.
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setenv("INDEX_PASSWORD", "right-one")
    url = f"http://127.0.0.1:{server.server_port}/simple/"
    TrialInstall(url, 120.0, ("robot", "right-one")).run("spy", "1.0", dependencies=True)
    found = dump.read_text()
    assert "PIP_INDEX_URL" in found
    assert "right-one" not in found
    assert base64.b64encode(b"robot:right-one").decode() not in found
