"""The PyPI provider against a real pypiserver, and against servers that misbehave."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Self

import pytest

from shipline.domain.codec import from_json
from shipline.domain.errors import (
    ConfigurationError,
    ConflictError,
    InvalidValue,
    RefusedError,
    ShiplineError,
    UnavailableError,
)
from shipline.domain.verdict import Answer
from shipline.ports.provider import ProviderContext
from shipline.ports.registry import Registry
from shipline.providers.registry.pypi import PyPIRegistry, PyPISettings, PyPIStaging
from shipline.testing.conformance.registry import (
    PACKAGE,
    RegistryConformance,
    YankConformance,
    digest,
    make_distributions,
)
from shipline.testing.fakes.clock import FakeClock
from tests.registries import free_port, running

SERVER = """
import sys, wsgiref.simple_server, pypiserver
root, port, password, algorithm, uploads = sys.argv[1:6]
choices = dict(roots=[root], disable_fallback=True, hash_algo=algorithm or None)
if password:
    choices |= dict(authenticate=["update"], auther=lambda user, given: (user, given) == ("robot", password))
else:
    choices |= dict(authenticate=[], password_file=".")
application = pypiserver.app(**choices)
left = [int(uploads)]
def limited(environ, start_response):
    if environ["REQUEST_METHOD"] == "POST":
        if left[0] == 0:
            import os
            os._exit(9)
        left[0] -= 1
    return application(environ, start_response)
class Quiet(wsgiref.simple_server.WSGIRequestHandler):
    def log_message(self, *_):
        pass
server = wsgiref.simple_server.make_server("127.0.0.1", int(port), limited, handler_class=Quiet)
print(server.server_port, flush=True)
server.serve_forever()
"""


class Server:
    """pypiserver in a process of its own, on a loopback port that the kernel chose.

    `uploads` is how many POST requests it takes before it dies as if killed; -1 for all.
    """

    def __init__(self, root: Path, *, password: str = "", hash_algorithm: str = "sha256") -> None:
        root.mkdir(parents=True, exist_ok=True)
        self.root = root
        self._arguments = (password, hash_algorithm)
        self._process: subprocess.Popen[str] | None = None
        self.port = 0

    def start(self, *, uploads: int = -1) -> Server:
        command = [sys.executable, "-c", SERVER, str(self.root), str(self.port), *self._arguments, str(uploads)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())
        return self

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    @property
    def runs(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def settings(self, **changes: object) -> PyPISettings:
        address = f"http://127.0.0.1:{self.port}"
        given = {
            "upload_url": f"{address}/",
            "index_url": f"{address}/simple/",
            "anonymous": True,
            "install_test": False,
            **changes,
        }
        return PyPISettings(**given)  # type: ignore[arg-type]  # settings by name, as a table has them

    def names(self) -> set[str]:
        return {path.name for path in self.root.iterdir()}


@pytest.fixture
def context(tmp_path: Path) -> ProviderContext:
    root = tmp_path / "repository"
    root.mkdir()
    # What must never be run: the repository's own idea of twine.
    (root / "twine.py").write_text("raise SystemExit('the repository was run')\n")
    return ProviderContext(root=root, state=tmp_path / "state", clock=FakeClock())


@pytest.fixture(scope="module")
def one_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One that outlives a test, since most of what a test of one upload takes is its start."""
    server = Server(tmp_path_factory.mktemp("served"))
    yield server
    server.stop()


@pytest.fixture
def server(one_server: Server) -> Server:
    """A server that serves nothing; another one where a test has stopped it."""
    for path in one_server.root.iterdir():
        path.unlink()
    return one_server if one_server.runs else one_server.start()


class TestPyPIRegistry(RegistryConformance):
    @pytest.fixture
    def registry(self, server: Server, context: ProviderContext) -> Registry:
        return PyPIRegistry(server.settings(), context)

    @pytest.fixture
    def break_registry(self, server: Server) -> Callable[[], None]:
        return server.stop


class TestPyPIRegistryThatRemoves(YankConformance):
    """`yank` is looked at where something is yanked, and nowhere else."""

    @pytest.fixture
    def registry(self, server: Server, context: ProviderContext) -> Registry:
        return PyPIRegistry(server.settings(yank="remove"), context)


def test_killed_midway_the_second_publish_uploads_only_what_is_missing(
    tmp_path: Path, context: ProviderContext
) -> None:
    """The index dies after one of two uploads; when it is back, the first file is not sent again."""
    server = Server(tmp_path / "served").start(uploads=1)
    try:
        registry = PyPIRegistry(server.settings(), context)
        files = make_distributions(tmp_path / "dist", "1.0.0")
        with pytest.raises(UnavailableError):
            registry.publish(PACKAGE, "1.0.0", files)
        assert server.names() == {files[0].name}
        server.stop()
        # One more upload is taken: a second one would kill the index.
        server.start(uploads=1)
        served = registry.publish(PACKAGE, "1.0.0", files)
        assert {file.name: file.digest for file in served} == {path.name: digest(path) for path in files}
    finally:
        server.stop()


def test_wrong_credentials_are_refused_and_no_secret_is_shown(
    tmp_path: Path, context: ProviderContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = Server(tmp_path / "served", password="right-one").start()
    try:
        monkeypatch.setenv("QUOTES_TOKEN", "wrong-secret")
        settings = server.settings(anonymous=False, username="robot", password_environment="QUOTES_TOKEN")
        files = make_distributions(tmp_path / "dist", "1.0.0")
        with pytest.raises(RefusedError, match="refused the credentials") as caught:
            PyPIRegistry(settings, context).publish(PACKAGE, "1.0.0", files)
        assert "wrong-secret" not in caught.value.diagnosis()
        monkeypatch.setenv("QUOTES_TOKEN", "right-one")
        assert len(PyPIRegistry(settings, context).publish(PACKAGE, "1.0.0", files)) == 2
        monkeypatch.delenv("QUOTES_TOKEN")
        with pytest.raises(ConfigurationError, match="QUOTES_TOKEN"):
            PyPIRegistry(settings, context).publish(PACKAGE, "1.0.1", make_distributions(tmp_path / "next", "1.0.1"))
    finally:
        server.stop()


def test_without_credentials_twine_is_not_asked_to_prompt(
    server: Server, tmp_path: Path, context: ProviderContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    registry = PyPIRegistry(server.settings(anonymous=False), context)
    with pytest.raises(ConfigurationError, match="no credentials"):
        registry.publish(PACKAGE, "1.0.0", make_distributions(tmp_path / "dist", "1.0.0"))


def test_files_of_another_version_or_package_are_never_uploaded(
    server: Server, tmp_path: Path, context: ProviderContext
) -> None:
    registry = PyPIRegistry(server.settings(), context)
    files = make_distributions(tmp_path / "dist", "1.0.0")
    for package, version in ((PACKAGE, "1.0.1"), ("other", "1.0.0")):
        with pytest.raises(InvalidValue, match="is no wheel or sdist of"):
            registry.publish(package, version, files)
    assert server.names() == set()


def test_versions_are_compared_by_pep_440_and_names_by_pep_503(
    server: Server, tmp_path: Path, context: ProviderContext
) -> None:
    registry = PyPIRegistry(server.settings(), context)
    registry.publish("Quotes.Service", "1.0.0-rc.1", make_distributions(tmp_path / "dist", "1.0.0rc1"))
    assert len(registry.find("quotes_service", "1.0.0c1")) == 2


def test_an_index_that_states_no_digest_cannot_be_published_to(tmp_path: Path, context: ProviderContext) -> None:
    server = Server(tmp_path / "served", hash_algorithm="").start()
    try:
        files = make_distributions(tmp_path / "dist", "1.0.0")
        for path in files:
            (server.root / path.name).write_bytes(path.read_bytes())
        registry = PyPIRegistry(server.settings(), context)
        assert [file.digest for file in registry.find(PACKAGE, "1.0.0")] == [None, None]
        with pytest.raises(RefusedError, match="states no sha256"):
            registry.publish(PACKAGE, "1.0.0", files)
    finally:
        server.stop()


def test_yanking_says_what_a_person_must_do(server: Server, tmp_path: Path, context: ProviderContext) -> None:
    registry = PyPIRegistry(server.settings(), context)
    registry.publish(PACKAGE, "1.0.0", make_distributions(tmp_path / "dist", "1.0.0"))
    answer = registry.yank(PACKAGE, "1.0.0", reason="fails 5% of requests")
    assert answer.done == ()
    assert "yank 1.0.0 of quotes-service" in answer.by_hand[0]
    assert f"http://127.0.0.1:{server.port}/manage/project/quotes-service/releases/" in answer.by_hand[0]
    assert "fails 5% of requests" in answer.by_hand[0]


def test_removing_needs_credentials_where_uploading_does(
    tmp_path: Path, context: ProviderContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = Server(tmp_path / "served", password="right-one").start()
    try:
        for path in make_distributions(server.root, "1.0.0"):
            assert path.exists()
        with pytest.raises(RefusedError):
            PyPIRegistry(server.settings(yank="remove"), context).yank(PACKAGE, "1.0.0", reason="broken")
        monkeypatch.setenv("QUOTES_TOKEN", "right-one")
        settings = server.settings(
            yank="remove", anonymous=False, username="robot", password_environment="QUOTES_TOKEN"
        )
        answer = PyPIRegistry(settings, context).yank(PACKAGE, "1.0.0", reason="broken")
        assert answer.done[0].startswith("removed quotes_service-1.0.0")
        assert server.names() == set()
    finally:
        server.stop()


def test_installers_are_told_the_index_and_no_secret(server: Server, context: ProviderContext) -> None:
    settings = server.settings(anonymous=False, username="robot", password_environment="QUOTES_TOKEN")
    assert PyPIRegistry(settings, context).install_arguments() == ("--index-url", settings.index_url)


def test_what_is_published_can_be_installed(server: Server, tmp_path: Path, context: ProviderContext) -> None:
    """The ecosystem's own installer, with nothing but what the provider says."""
    registry = PyPIRegistry(server.settings(), context)
    registry.publish(PACKAGE, "1.0.0", make_distributions(tmp_path / "dist", "1.0.0"))
    command = [
        sys.executable,
        "-P",
        "-m",
        "pip",
        "install",
        "--disable-pip-version-check",
        "--no-deps",
        "--no-cache-dir",
    ]
    target = ["--target", str(tmp_path / "installed"), *registry.install_arguments(), f"{PACKAGE}==1.0.0"]
    subprocess.run([*command, *target], check=True, capture_output=True)
    assert (tmp_path / "installed" / "quotes_service-1.0.0.dist-info" / "METADATA").exists()


def test_the_index_may_come_from_the_configuration_of_pip(
    server: Server, context: ProviderContext, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    settings = server.settings(index_url="")
    monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{server.port}/simple/")
    assert PyPIRegistry(settings, context).find(PACKAGE, "1.0.0") == ()
    monkeypatch.delenv("PIP_INDEX_URL")
    file = tmp_path / "pip.conf"
    file.write_text(f"[global]\nindex-url = http://127.0.0.1:{server.port}/simple/\n")
    monkeypatch.setenv("PIP_CONFIG_FILE", str(file))
    assert PyPIRegistry(settings, context).find(PACKAGE, "1.0.0") == ()
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    with pytest.raises(ConfigurationError, match="not configured"):
        PyPIRegistry(settings, context).find(PACKAGE, "1.0.0")


def test_settings_are_read_strictly_from_a_table() -> None:
    table = {"upload_url": "http://127.0.0.1:1/", "yank": "remove", "answer_timeout_s": 5}
    assert from_json(PyPIRegistry.Settings, table).answer_timeout_s == 5.0
    with pytest.raises(InvalidValue, match="unknown field 'password'"):
        from_json(PyPIRegistry.Settings, {"password": "hunter2"})


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"index_url": "ftp://example.org/"}, "index_url is not an http"),
        ({"upload_url": "https://robot:secret@example.org/"}, "upload_url holds a user name"),
        ({"index_url": "http://[::1"}, "index_url is not an http"),
        ({"index_url": "http://example.org:99999/"}, "index_url is not an http"),
        ({"yank": "delete"}, "is not known"),
        ({"yank": "remove"}, "needs upload_url"),
        ({"username": "robot"}, "belong together"),
        ({"username": "robot", "password_environment": "X", "anonymous": True}, "anonymous"),
    ],
)
def test_settings_that_can_only_be_mistakes_are_refused(table: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message) as caught:
        PyPISettings(**table)  # type: ignore[arg-type]  # a table as a user may write it
    assert "secret" not in caught.value.diagnosis()


class Misbehaving:
    """A tiny index: answers GET with `page` (`later` once somebody has uploaded), POST with `status`; hangs where
    told to."""

    def __init__(
        self, *, page: bytes = b"<html></html>", later: bytes | None = None, status: int = 200, hangs: str = ""
    ) -> None:
        self.posts = 0
        over = self._over = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if hangs == "GET":
                    over.wait()
                self._say(200, page if later is None or outer.posts == 0 else later)

            def do_POST(self) -> None:
                outer.posts += 1
                self.rfile.read(int(self.headers["Content-Length"]))
                if hangs == "POST":
                    over.wait()
                self._say(status, b"said by the index")

            def _say(self, status: int, body: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Type", "text/html")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as in the base class
                pass

            def handle(self) -> None:
                with contextlib.suppress(ConnectionError):  # The client gave up, as it should.
                    super().handle()

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def registry(self, context: ProviderContext, **changes: object) -> PyPIRegistry:
        address = f"http://127.0.0.1:{self._server.server_port}"
        given = {
            "upload_url": f"{address}/",
            "index_url": f"{address}/simple/",
            "anonymous": True,
            "install_test": False,
            **changes,
        }
        return PyPIRegistry(PyPISettings(**given), context)  # type: ignore[arg-type]  # settings by name


@pytest.mark.parametrize(
    ("status", "expected"),
    [(500, UnavailableError), (503, UnavailableError), (403, RefusedError), (400, ShiplineError), (409, ShiplineError)],
)
def test_what_the_index_answers_to_an_upload_decides_the_error(
    status: int, expected: type[ShiplineError], tmp_path: Path, context: ProviderContext
) -> None:
    with Misbehaving(status=status) as index:
        with pytest.raises(expected) as caught:
            index.registry(context).publish(PACKAGE, "1.0.0", make_distributions(tmp_path, "1.0.0"))
        assert caught.value.retryable is (expected is UnavailableError)


def test_an_index_that_never_answers_is_given_up(tmp_path: Path, context: ProviderContext) -> None:
    with Misbehaving(hangs="GET") as index, pytest.raises(UnavailableError, match="cannot be reached"):
        index.registry(context, answer_timeout_s=0.2).find(PACKAGE, "1.0.0")
    with Misbehaving(hangs="POST") as index, pytest.raises(UnavailableError, match="did not finish the upload"):
        index.registry(context, upload_timeout_s=2.0).publish(PACKAGE, "1.0.0", make_distributions(tmp_path, "1.0.0"))


def test_files_that_are_taken_and_not_served_are_waited_for_and_then_reported(
    tmp_path: Path, context: ProviderContext
) -> None:
    """The wait is on the context's clock: two minutes here take no time."""
    before_us = context.clock.now_us()
    with Misbehaving() as index:
        with pytest.raises(UnavailableError, match="does not serve it yet"):
            index.registry(context).publish(PACKAGE, "1.0.0", make_distributions(tmp_path, "1.0.0"))
        assert index.posts == 2
    assert context.clock.now_us() - before_us > 60_000_000


def test_yanked_files_are_seen_and_nothing_is_left_to_do(context: ProviderContext) -> None:
    page = b'<a href="../../f/quotes_service-1.0.0.tar.gz#sha256=%s" data-yanked="broken">x</a>' % (b"a" * 64)
    with Misbehaving(page=page) as index:
        answer = index.registry(context).yank(PACKAGE, "1.0.0", reason="broken")
    assert "yanked" in answer.done[0]


def test_a_file_that_another_upload_brought_meanwhile_is_no_failure(tmp_path: Path, context: ProviderContext) -> None:
    """An upload that outlived its killed parent wins the race: the index refuses ours, and serves the same bytes."""
    files = make_distributions(tmp_path, "1.0.0")
    page = "".join(f'<a href="{path.name}#sha256={digest(path).removeprefix("sha256:")}">x</a>' for path in files)
    with Misbehaving(later=page.encode(), status=400) as index:
        assert len(index.registry(context).publish(PACKAGE, "1.0.0", files)) == 2
        assert index.posts == 1


def test_two_files_of_one_name_are_refused(server: Server, tmp_path: Path, context: ProviderContext) -> None:
    files = [*make_distributions(tmp_path / "one", "1.0.0"), *make_distributions(tmp_path / "two", "1.0.0")]
    with pytest.raises(InvalidValue, match="same name"):
        PyPIRegistry(server.settings(), context).publish(PACKAGE, "1.0.0", tuple(files))


def test_a_conflict_names_both_digests(tmp_path: Path, context: ProviderContext) -> None:
    files = make_distributions(tmp_path, "1.0.0")
    page = f'<a href="{files[0].name}#sha256={"b" * 64}">x</a>'.encode()
    with Misbehaving(page=page) as index, pytest.raises(ConflictError) as caught:
        index.registry(context).publish(PACKAGE, "1.0.0", files)
    assert "sha256:" + "b" * 64 in caught.value.what
    assert digest(files[0]) in caught.value.what


def test_a_version_is_tried_on_the_staging_index_before_the_real_one_gets_it(
    server: Server, tmp_path: Path, context: ProviderContext
) -> None:
    """What cannot be installed from there goes no further."""
    staging = Server(tmp_path / "staging").start()
    try:
        address = f"http://127.0.0.1:{staging.port}"
        table = PyPIStaging(f"{address}/", f"{address}/simple/", anonymous=True)
        registry = PyPIRegistry(server.settings(staging=table), context)
        files = make_distributions(tmp_path / "dist", "1.0.0")
        registry.publish(PACKAGE, "1.0.0", files)
        assert staging.names() == server.names() == {path.name for path in files}
        broken = make_distributions(tmp_path / "dist", "1.0.1")
        with zipfile.ZipFile(broken[0], "a") as archive:
            archive.writestr("quotes_service-9.9.9.dist-info/METADATA", "Name: other\n")
        with pytest.raises(ShiplineError, match="cannot be installed from there"):
            registry.publish(PACKAGE, "1.0.1", broken)
        assert registry.find(PACKAGE, "1.0.1") == ()
    finally:
        staging.stop()


def test_what_was_published_is_installed_into_a_fresh_environment(
    server: Server, tmp_path: Path, context: ProviderContext
) -> None:
    """With its dependencies: one that is nowhere is found now, and not by the first user."""
    registry = PyPIRegistry(server.settings(install_test=True), context)
    registry.publish(PACKAGE, "1.0.0", make_distributions(tmp_path / "dist", "1.0.0"))
    needy = make_distributions(tmp_path / "dist", "1.0.1", content="x\nRequires-Dist: nowhere-to-be-found")
    with pytest.raises(ShiplineError, match="cannot be installed from there"):
        registry.publish(PACKAGE, "1.0.1", needy)
    assert len(registry.find(PACKAGE, "1.0.1")) == 2


def test_metadata_that_an_index_cannot_show_is_found_before(
    server: Server, tmp_path: Path, context: ProviderContext
) -> None:
    description = "x\nDescription-Content-Type: text/x-rst\n\n*broken\n====\n`a <"
    files = make_distributions(tmp_path / "dist", "1.0.0", content=description)
    findings = PyPIRegistry(server.settings(), context).check(PACKAGE, "1.0.0", files)
    assert [finding.words[:11] for finding in findings if finding.answer is Answer.FAIL] == ["twine check"]
    assert server.names() == set()


YANKING_SERVER = """
import asyncio, http.server, json, pathlib, sys
from simple_repository.components.local import LocalRepository
from simple_repository.components.yanking import YankRepository
from simple_repository.content_negotiation import Format
from simple_repository.serializer import serialize
top, port, marks, form = pathlib.Path(sys.argv[1]), int(sys.argv[2]), pathlib.Path(sys.argv[3]), Format(sys.argv[4])
class Marks:
    async def yanked_versions(self, project_page):
        return json.loads(marks.read_text())
    async def yanked_files(self, project_page):
        return {}
repository = YankRepository(LocalRepository(top), Marks())
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        page = asyncio.run(repository.get_project_page(self.path.strip("/").rpartition("/")[2]))
        body = serialize(page, form).encode()
        self.send_response(200)
        self.send_header("Content-Type", form.value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_):
        pass
http.server.HTTPServer(("127.0.0.1", port), Handler).serve_forever()
"""


@contextlib.contextmanager
def yanking_index(folder: Path, form: str) -> Iterator[tuple[str, Callable[[str, str], None]]]:
    """An index of what lies in `folder/files`, and what its owner calls to yank a version."""
    marks = folder / "marks.json"
    marks.write_text("{}")

    def mark(version: str, reason: str) -> None:
        marks.write_text(json.dumps({version: reason}))

    port = free_port()
    command = [sys.executable, "-c", YANKING_SERVER, str(folder / "files"), str(port), str(marks), form]
    with running(command, port, folder, path=f"/simple/{PACKAGE}/") as served:
        yield served.url, mark


@pytest.mark.parametrize(
    "form", ["application/vnd.pypi.simple.v1+json", "application/vnd.pypi.simple.v1+html", "text/html"]
)
def test_a_person_s_yank_is_seen_on_a_real_index(tmp_path: Path, context: ProviderContext, form: str) -> None:
    """Goal: the mark is looked for as it is really made. Method: an index whose owner marks versions by PEP 592."""
    make_distributions(tmp_path / "files" / PACKAGE, "1.0.0")
    with yanking_index(tmp_path, form) as (url, mark):
        registry = PyPIRegistry(PyPISettings(index_url=f"{url}/simple/", anonymous=True), context)
        assert len(registry.find(PACKAGE, "1.0.0")) == 2
        assert registry.yank(PACKAGE, "1.0.0", reason="broken").by_hand
        assert registry.verify_yank(PACKAGE, "1.0.0").answer is Answer.FAIL
        mark("1.0.0", "broken")
        assert all(file.yanked for file in registry.find(PACKAGE, "1.0.0"))
        assert registry.verify_yank(PACKAGE, "1.0.0").answer is Answer.PASS
        assert not registry.yank(PACKAGE, "1.0.0", reason="broken").by_hand
