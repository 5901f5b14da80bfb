"""The npm provider against a real verdaccio."""

from __future__ import annotations

import base64
import contextlib
import functools
import gzip
import hashlib
import http.client
import io
import json
import shutil
import socket
import tarfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from shipline.domain.errors import ConfigurationError, ConflictError, InvalidValue, RefusedError, UnavailableError
from shipline.domain.verdict import Answer
from shipline.ports.provider import ProviderContext
from shipline.ports.registry import Registry
from shipline.providers.registry.npm import NPMRegistry, NPMSettings, tarball_name
from shipline.providers.registry.npm_client import diagnosed
from shipline.providers.registry.npm_project import check_manifest
from shipline.testing.conformance.registry import PACKAGE, RegistryConformance, digest
from shipline.testing.fakes.clock import FakeClock
from shipline.testing.histories import History
from tests.registries import RegistryMissing, Served, free_port, verdaccio

TOKEN = "NPM_TOKEN_OF_A_TEST"
CONFIGURATION = """
storage: {folder}/storage
auth:
  htpasswd:
    file: {folder}/htpasswd
    max_users: 5
    rounds: 4
uplinks: {{}}
packages:
  "**":
    access: $all
    publish: $authenticated
    unpublish: $authenticated
log: {{ type: stdout, format: pretty, level: warn }}
"""


def make_tarball(folder: Path, version: str, *, content: str = "one", name: str = PACKAGE, **more: object) -> Path:
    """A minimal npm package, as `npm pack` lays it out."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / tarball_name(name, version)
    manifest = json.dumps({"name": name, "version": version, "description": content, **more}).encode()
    with (
        path.open("wb") as raw,
        gzip.GzipFile(fileobj=raw, mode="wb", mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w") as tar,
    ):
        member = tarfile.TarInfo("package/package.json")
        member.size = len(manifest)
        tar.addfile(member, io.BytesIO(manifest))
    return path


@pytest.fixture(scope="module")
def program() -> Path:
    try:
        return verdaccio()
    except RegistryMissing as missing:
        pytest.skip(str(missing))


@dataclass
class Verdaccio:
    """One that outlives a test, since it takes seconds to start; another one where a test has stopped it."""

    program: Path
    folder: Path
    served: Served | None = None

    def empty(self) -> Served:
        """One that serves nothing."""
        for package in (self.folder / "storage").glob("[!.]*"):
            shutil.rmtree(package)
        if self.served is None or not self.served.runs:
            self.served = self._started()
        return self.served

    def _started(self) -> Served:
        (self.folder / "config.yaml").write_text(CONFIGURATION.format(folder=self.folder))
        (self.folder / "htpasswd").unlink(missing_ok=True)
        port, node = free_port(), shutil.which("node") or "node"
        command = [node, str(self.program), "--config", str(self.folder / "config.yaml")]
        return Served([*command, "--listen", f"127.0.0.1:{port}"], port, self.folder, path="/-/ping")


@pytest.fixture(scope="module")
def one_verdaccio(program: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Verdaccio]:
    made = Verdaccio(program, tmp_path_factory.mktemp("verdaccio"))
    yield made
    if made.served is not None:
        made.served.stop()


@pytest.fixture
def server(one_verdaccio: Verdaccio) -> Served:
    """Verdaccio that serves nothing; everybody reads, who has an account publishes."""
    return one_verdaccio.empty()


@pytest.fixture
def context(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ProviderContext:
    root = tmp_path / "repository"
    root.mkdir()
    # Nothing of this machine's npm: neither its credentials nor its cache.
    for name in ("userconfig", "globalconfig"):
        monkeypatch.setenv(f"NPM_CONFIG_{name.upper()}", str(tmp_path / name))
    monkeypatch.setenv("NPM_CONFIG_CACHE", str(tmp_path / "cache"))
    return ProviderContext(root=root, state=tmp_path / "state", clock=FakeClock())


@pytest.fixture
def registry(server: Served, context: ProviderContext, monkeypatch: pytest.MonkeyPatch) -> NPMRegistry:
    monkeypatch.setenv(TOKEN, account(server, "robin"))
    # The test of an installation is a test of its own: it costs a run of npm for every version.
    return made(server, context, install_test=False)


def made(server: Served, context: ProviderContext, **changes: object) -> NPMRegistry:
    given = {"registry_url": f"{server.url}/", "token_environment": TOKEN, "answer_timeout_s": 20.0, **changes}
    return NPMRegistry(NPMSettings(**given), context)  # type: ignore[arg-type]  # settings by name


@functools.cache
def account(server: Served, name: str) -> str:
    """The token of an account, as `npm adduser` gets it. One that has been made stays."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    body = json.dumps(
        {"name": name, "password": "a long enough one", "type": "user", "_id": f"org.couchdb.user:{name}"}
    )
    connection.request("PUT", f"/-/user/org.couchdb.user:{name}", body, {"Content-Type": "application/json"})
    token: str = json.loads(connection.getresponse().read())["token"]
    connection.close()
    return token


def put(server: Served, token: str, version: str, tarball: Path) -> None:
    """Publish PACKAGE with the tag `latest`, as `npm publish` asks for it, without npm."""
    content = tarball.read_bytes()
    dist = {
        "integrity": f"sha512-{base64.b64encode(hashlib.sha512(content).digest()).decode()}",
        "shasum": hashlib.sha1(content).hexdigest(),  # noqa: S324 - npm's own field, which registries want
        "tarball": f"{server.url}/{PACKAGE}/-/{tarball.name}",
    }
    stated = {"name": PACKAGE, "version": version, "_id": f"{PACKAGE}@{version}", "dist": dist}
    attached = {"content_type": "application/octet-stream", "data": base64.b64encode(content).decode()}
    body = {
        "_id": PACKAGE,
        "name": PACKAGE,
        "dist-tags": {"latest": version},
        "versions": {version: stated},
        "_attachments": {tarball.name: attached | {"length": len(content)}},
    }
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
    connection.request("PUT", f"/{PACKAGE}", json.dumps(body), headers)
    assert connection.getresponse().status == http.HTTPStatus.CREATED
    connection.close()


def packument(server: Served, name: str) -> dict[str, object]:
    """What the registry itself says, without npm in between."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    connection.request("GET", f"/{name.replace('/', '%2f')}")
    document: dict[str, object] = json.loads(connection.getresponse().read())
    connection.close()
    return document


class TestNPMRegistry(RegistryConformance):
    prerelease = "1.1.0-rc.1"

    @pytest.fixture
    def registry(self, registry: NPMRegistry) -> Registry:
        return registry

    @pytest.fixture
    def break_registry(self, server: Served) -> Callable[[], None]:
        return server.stop

    @pytest.fixture
    def files(self, tmp_path: Path) -> Callable[..., tuple[Path, ...]]:
        def make(version: str, content: str = "one") -> tuple[Path, ...]:
            return (make_tarball(tmp_path / f"{version}-{content}", version, content=content),)

        return make


def test_tags_follow_the_channels_and_latest_never_goes_back(
    registry: NPMRegistry, server: Served, tmp_path: Path
) -> None:
    """And a yank lets them name what was good before."""
    for version in ("1.0.0", "2.0.0"):
        put(server, account(server, "robin"), version, make_tarball(tmp_path / version, version))
    for version, channel in (
        ("1.0.1", "stable"),
        ("2.1.0-rc.1", "rc"),
        ("2.0.1", "stable"),
    ):
        registry.publish(PACKAGE, version, (make_tarball(tmp_path / version, version),), channel=channel)
    expected = {"latest": "2.0.1", "release-1.x": "1.0.1", "rc": "2.1.0-rc.1"}
    assert packument(server, PACKAGE)["dist-tags"] == expected
    answer = registry.yank(PACKAGE, "2.0.1", reason="loses\nquotes")
    assert "the tag latest names 2.0.0 again" in answer.done
    registry.yank(PACKAGE, "2.1.0-rc.1", reason="broken")
    document = packument(server, PACKAGE)
    assert document["dist-tags"] == {"latest": "2.0.0", "release-1.x": "1.0.1"}
    assert document["versions"]["2.0.1"]["deprecated"] == "loses quotes"  # type: ignore[index]  # JSON
    # What is deprecated is no version to go back to, unless somebody knows better.
    registry.yank(PACKAGE, "1.0.1", reason="broken")
    assert packument(server, PACKAGE)["dist-tags"]["release-1.x"] == "1.0.0"  # type: ignore[index]  # JSON


@pytest.mark.usefixtures("registry")
def test_a_scoped_package_is_published_and_installs(server: Served, context: ProviderContext, tmp_path: Path) -> None:
    """With the installation test, and seen by one that has not published it: the bytes are fetched and compared."""
    name = "@quotes/service"
    tarball = make_tarball(tmp_path, "1.0.0", name=name)
    assert tarball.name == "quotes-service-1.0.0.tgz"
    made(server, context, access="public").publish(name, "1.0.0", (tarball,))
    (file,) = made(server, context).find(name, "1.0.0")
    assert (file.name, file.digest) == (tarball.name, digest(tarball))
    with pytest.raises(ConflictError):
        made(server, context).publish(
            name, "1.0.0", (make_tarball(tmp_path / "two", "1.0.0", content="two", name=name),)
        )


def test_a_tarball_of_something_else_is_refused(registry: NPMRegistry, tmp_path: Path) -> None:
    tarball = make_tarball(tmp_path, "1.0.0")
    with pytest.raises(InvalidValue, match="no tarball of"):
        registry.publish(PACKAGE, "1.0.1", (tarball,))
    (finding,) = (one for one in registry.check(PACKAGE, "1.0.1", (tarball,)) if one.answer is Answer.FAIL)
    assert "no tarball of" in finding.words


def test_wrong_credentials_are_said_and_shown_to_nobody(
    server: Served, context: ProviderContext, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(TOKEN, "a-wrong-secret")
    registry = made(server, context)
    (finding,) = registry.check(PACKAGE, "1.0.0", ())
    assert finding.answer is Answer.FAIL
    # Not that there are none.
    assert "refused the credentials" in finding.words
    with pytest.raises(RefusedError) as caught:
        registry.publish(PACKAGE, "1.0.0", (make_tarball(tmp_path, "1.0.0"),))
    assert "a-wrong-secret" not in caught.value.diagnosis()
    monkeypatch.delenv(TOKEN)
    with pytest.raises(ConfigurationError, match="is not set"):
        registry.find(PACKAGE, "1.0.0")


@pytest.mark.parametrize("where", ["userconfig", "repository/.npmrc"])
def test_credentials_may_stand_in_npm_s_own_file(
    server: Served, context: ProviderContext, tmp_path: Path, where: str
) -> None:
    """The user's, or one that lies in the repository and is not of it, as CI jobs write it."""
    History(context.root)
    token = account(server, "ann")
    (tmp_path / where).write_text(f"registry={server.url}/\n//127.0.0.1:{server.port}/:_authToken={token}\n")
    registry = NPMRegistry(NPMSettings(), context)
    findings = registry.check(PACKAGE, "1.0.0", ())
    assert [finding.answer for finding in findings] == [Answer.PASS, Answer.PASS]
    assert "npm is ann" in findings[0].words
    assert len(registry.publish(PACKAGE, "1.0.0", (make_tarball(tmp_path, "1.0.0"),))) == 1


@contextlib.contextmanager
def listening() -> Iterator[tuple[str, list[str]]]:
    """A host that notes who says what to it; its `HOST:PORT`, and what it was told."""
    told: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            told.append(f"{self.command} {self.path} {self.headers.get('Authorization')}")
            self.send_error(404)

        def do_PUT(self) -> None:
            self.do_GET()

        def do_CONNECT(self) -> None:
            self.do_GET()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as in the base class
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_port}", told
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.usefixtures("registry")
def test_a_commit_s_npmrc_sends_no_token_elsewhere(server: Served, context: ProviderContext, tmp_path: Path) -> None:
    """Neither that of the settings' registry, whatever is said of the package's scope, nor one of the environment."""
    name = "@quotes/service"
    with listening() as (place, told):
        npmrc = (
            f"registry=http://{place}/\n@quotes:registry=http://{place}/\nproxy=http://{place}\n"
            f"noproxy=\n//{place}/:_authToken=${{{TOKEN}}}\n"
        )
        History(context.root).commit("feat: x", {".npmrc": npmrc, "package.json": '{"private": true}'})
        registry = made(server, context, access="public")
        assert {one.answer for one in registry.check(name, "1.0.0", ())} == {Answer.PASS}
        registry.publish(name, "1.0.0", (make_tarball(tmp_path, "1.0.0", name=name),))
        registry.yank(name, "1.0.0", reason="broken")
        with pytest.raises(ConfigurationError, match=rf"names the registry http://{place}/, and npm is set to use"):
            NPMRegistry(NPMSettings(), context).find(name, "1.0.0")
        assert told == []
    assert packument(server, name)["dist-tags"] == {"latest": "1.0.0"}


@pytest.mark.usefixtures("registry")
def test_the_settings_registry_beats_that_of_the_user_s_scope_and_of_the_manifest(
    server: Served, context: ProviderContext, tmp_path: Path
) -> None:
    """Goal: what `registry_url` says holds, for whichever npm. Method: let everything else name another host."""
    with listening() as (place, told):
        (tmp_path / "userconfig").write_text(f"@quotes:registry=http://{place}/\n//{place}/:_authToken=other\n")
        for name in ("@quotes/service", PACKAGE):
            registry = made(server, context, access="public", install_test=False)
            there = {"registry": f"http://{place}/"}
            registry.publish(name, "1.0.0", (make_tarball(tmp_path, "1.0.0", name=name, publishConfig=there),))
            assert packument(server, name)["dist-tags"] == {"latest": "1.0.0"}
        assert told == []


def test_a_commit_s_npmrc_that_names_the_registry_of_the_user_is_no_trouble(
    server: Served, context: ProviderContext, tmp_path: Path
) -> None:
    """Most projects' does; its other lines do not count."""
    (tmp_path / "userconfig").write_text(
        f"registry={server.url}/\n//127.0.0.1:{server.port}/:_authToken={account(server, 'ann')}\n"
    )
    npmrc = f'; ours\nregistry = "{server.url}"\n//127.0.0.1:{server.port}/:_authToken=${{NOBODY}}\n'
    History(context.root).commit("feat: x", {".npmrc": npmrc})
    registry = NPMRegistry(NPMSettings(install_test=False), context)
    assert len(registry.publish(PACKAGE, "1.0.0", (make_tarball(tmp_path / "dist", "1.0.0"),))) == 1


@pytest.mark.parametrize(
    ("configured", "error"),
    [
        ({"https-proxy": "http://127.0.0.1:9"}, RefusedError),
        ({"strict-ssl": False}, RefusedError),
        ({"@quotes:registry": "http://127.0.0.1:9/"}, RefusedError),
        ({"scope": "@quotes"}, RefusedError),
        ({"//127.0.0.1:9/:_authToken": "x"}, RefusedError),
        ({"registry": "http://127.0.0.1:9/"}, ConfigurationError),
    ],
)
def test_a_manifest_does_not_say_with_whom_npm_speaks(
    tmp_path: Path, configured: dict[str, object], error: type[Exception]
) -> None:
    tarball = make_tarball(tmp_path, "1.0.0", publishConfig=configured)
    with pytest.raises(error, match="publishConfig"):
        check_manifest(tarball, "https://npm.example.com/")


@pytest.mark.parametrize(
    "name", ["package//package.json", "package/./package.json", "./package/package.json", "/package.json"]
)
def test_a_manifest_is_found_however_its_path_is_written(tmp_path: Path, name: str) -> None:
    """However npm comes to read it: it strips the first folder, and the file system reads the rest."""
    content = json.dumps({"publishConfig": {"strict-ssl": False}}).encode()
    path = tmp_path / "quotes-1.0.0.tgz"
    with tarfile.open(path, "w:gz") as tar:
        member = tarfile.TarInfo(name)
        member.size = len(content)
        tar.addfile(member, io.BytesIO(content))
    with pytest.raises(RefusedError, match="publishConfig"):
        check_manifest(path, None)


def test_a_manifest_may_say_how_it_is_published(tmp_path: Path) -> None:
    """And where, as long as it is where it goes anyway, or the settings say better."""
    plain = {"access": "public", "tag": "next", "provenance": True}
    check_manifest(make_tarball(tmp_path / "one", "1.0.0", publishConfig=plain), "https://npm.example.com/")
    same = plain | {"registry": "https://npm.example.com"}
    check_manifest(make_tarball(tmp_path / "two", "1.0.0", publishConfig=same), "https://npm.example.com/")
    check_manifest(make_tarball(tmp_path / "three", "1.0.0", publishConfig=same), None)
    (tmp_path / "none.tgz").write_bytes(b"no tarball")
    with pytest.raises(InvalidValue, match="no tarball"):
        check_manifest(tmp_path / "none.tgz", None)


def test_somebody_else_s_name_is_noticed(
    registry: NPMRegistry, server: Served, context: ProviderContext, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    registry.publish(PACKAGE, "1.0.0", (make_tarball(tmp_path, "1.0.0"),))
    monkeypatch.setenv(TOKEN, account(server, "mallory"))
    assert made(server, context).check(PACKAGE, "1.0.1", ())[1].answer is not Answer.FAIL


@pytest.mark.usefixtures("program")
@pytest.mark.parametrize("answers", [True, False], ids=["500", "hangs"])
def test_a_registry_in_trouble_may_be_asked_again(context: ProviderContext, *, answers: bool) -> None:
    """Nothing is lost, and it is given up in time."""
    with troubled(answers=answers) as url:
        registry = NPMRegistry(NPMSettings(registry_url=url, answer_timeout_s=2.0, program_timeout_s=20.0), context)
        with pytest.raises(UnavailableError) as caught:
            registry.find(PACKAGE, "1.0.0")
        assert "run this again" in caught.value.todo


@contextlib.contextmanager
def troubled(*, answers: bool) -> Iterator[str]:
    """A server that answers 500, or takes connections and never answers."""
    if answers:

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_error(500)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as in the base class
                pass

        with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
            thread = threading.Thread(target=server.serve_forever)
            thread.start()
            yield f"http://127.0.0.1:{server.server_port}/"
            server.shutdown()
            thread.join()
        return
    with socket.create_server(("127.0.0.1", 0)) as silent:
        yield f"http://127.0.0.1:{silent.getsockname()[1]}/"


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("E500", UnavailableError),
        ("E503", UnavailableError),
        ("E429", UnavailableError),
        ("ECONNREFUSED", UnavailableError),
        ("ERR_SOCKET_TIMEOUT", UnavailableError),
        ("E401", RefusedError),
        ("EOTP", RefusedError),
        ("ENEEDAUTH", ConfigurationError),
    ],
)
def test_a_code_of_npm_s_is_an_error_of_ours(code: str, kind: type[Exception]) -> None:
    assert type(diagnosed(code, "why")) is kind


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"registry_url": "ftp://example.org/"}, "not an http"),
        ({"registry_url": "https://robin:secret@example.org/"}, "holds a user name"),
        ({"access": "everybody"}, "is not known"),
        ({"token_environment": "X"}, "needs registry_url"),
    ],
)
def test_settings_that_can_only_be_mistakes_are_refused(table: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message) as caught:
        NPMSettings(**table)  # type: ignore[arg-type]  # a table as a user may write it
    assert "secret" not in caught.value.diagnosis()
