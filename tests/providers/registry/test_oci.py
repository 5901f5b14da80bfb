"""The OCI provider against Debian's docker-registry, and against registries that misbehave."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from shipline.clients.oci_artifact import ArtifactFile, OCIArtifact, write_artifact
from shipline.clients.oci_layout import layout_digest, layout_name
from shipline.clients.oci_registry import ACCEPT, OCIClient
from shipline.domain.errors import ConfigurationError, ConflictError, InvalidValue, RefusedError, UnavailableError
from shipline.domain.verdict import Answer
from shipline.ports.provider import ProviderContext
from shipline.ports.registry import Registry
from shipline.providers.registry.oci import OCIRegistry, OCISettings
from shipline.testing.conformance.registry import PACKAGE, ImageStoreConformance, RegistryConformance
from shipline.testing.fakes.clock import FakeClock
from tests.images import make_layout, packed
from tests.registries import RegistryMissing, Served, docker_registry, free_port, running

CONFIGURATION = """
version: 0.1
log: {{ level: error }}
storage:
  filesystem: {{ rootdirectory: {folder}/storage }}
  delete: {{ enabled: true }}
http:
  addr: 127.0.0.1:{port}
"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Served]:
    try:
        program = docker_registry()
    except RegistryMissing as missing:
        pytest.skip(str(missing))
    folder = tmp_path / "docker-registry"
    folder.mkdir()
    port = free_port()
    (folder / "config.yml").write_text(CONFIGURATION.format(folder=folder, port=port))
    with running([program, "serve", str(folder / "config.yml")], port, folder, path="/v2/") as served:
        yield served


@pytest.fixture
def context(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ProviderContext:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))
    return ProviderContext(root=tmp_path, state=tmp_path / "state", clock=FakeClock())


@pytest.fixture
def registry(server: Served, context: ProviderContext) -> OCIRegistry:
    return OCIRegistry(OCISettings(server.url, "team/{package}"), context)


def layout(folder: Path, version: str, content: str = "one", platforms: tuple[str, ...] = ("amd64", "arm64")) -> Path:
    return make_layout(
        folder / f"{version}-{content}" / layout_name(PACKAGE, version), content=content + version, platforms=platforms
    )


class TestOCIRegistry(RegistryConformance):
    """With all the tags that it may move."""

    prerelease = "1.1.0-rc.1"

    @pytest.fixture
    def registry(self, server: Served, context: ProviderContext) -> Registry:
        return OCIRegistry(OCISettings(server.url, "team/{package}", line_tags=True), context)

    @pytest.fixture
    def break_registry(self, server: Served) -> Callable[[], None]:
        return server.stop

    @pytest.fixture
    def files(self, tmp_path: Path) -> Callable[..., tuple[Path, ...]]:
        def make(version: str, content: str = "one") -> tuple[Path, ...]:
            made = tmp_path / f"{version}-{content}" / layout_name(PACKAGE, version)
            return (made if made.exists() else layout(tmp_path, version, content),)

        return make

    @pytest.fixture
    def identity(self) -> Callable[[Path], str]:
        return layout_digest


class TestOCIImageStore(ImageStoreConformance):
    @pytest.fixture
    def registry(self, server: Served, context: ProviderContext) -> OCIRegistry:
        return OCIRegistry(OCISettings(server.url, "team/{package}"), context)

    @pytest.fixture
    def image(self, tmp_path: Path) -> Callable[[str], Path]:
        made = layout(tmp_path, "1.0.0")
        return lambda _version: made


def test_every_platform_s_image_and_blob_is_there_under_its_digest(
    registry: OCIRegistry, server: Served, tmp_path: Path
) -> None:
    image = layout(tmp_path, "1.0.0")
    (file,) = registry.publish(PACKAGE, "1.0.0", (image,))
    assert file.digest == layout_digest(image)
    client = OCIClient(server.url, f"team/{PACKAGE}", 10.0)
    index = json.loads(client.manifest(str(file.digest))[1])
    assert [one["platform"]["architecture"] for one in index["manifests"]] == ["amd64", "arm64"]
    for one in index["manifests"]:
        document = json.loads(client.manifest(one["digest"])[1])
        for described in (document["config"], *document["layers"]):
            place = f"blobs/{described['digest']}"
            assert (
                client._send("GET", place).content
                == (image / "blobs" / described["digest"].replace(":", "/")).read_bytes()
            )


def test_a_tar_of_a_layout_is_the_same_image(registry: OCIRegistry, tmp_path: Path) -> None:
    image = layout(tmp_path, "1.0.0", platforms=("amd64",))
    tar = packed(image)
    assert layout_digest(tar) == layout_digest(image)
    assert registry.publish(PACKAGE, "1.0.0", (tar,))[0].digest == layout_digest(image)


def test_what_is_no_image_is_kept_beside_them_and_comes_back(
    registry: OCIRegistry, server: Served, tmp_path: Path
) -> None:
    """As `oras pull` and `helm pull` go about it: the manifest by its tag, then the layers by their digests."""
    policy, chart = tmp_path / "policy.json", tmp_path / "chart.tgz"
    policy.write_text("{}")
    chart.write_bytes(b"packed")
    config = ({"name": PACKAGE, "version": "2.0.0"}, "application/vnd.cncf.helm.config.v1+json")
    client = OCIClient(server.url, f"team/{PACKAGE}", 10.0)
    for version, file, artifact in (
        ("1.0.0", policy, OCIArtifact((ArtifactFile(policy, "application/json"),), "application/vnd.acme.v1")),
        ("2.0.0", chart, OCIArtifact((ArtifactFile(chart, "application/gzip", named=False),), config=config)),
    ):
        path = tmp_path / layout_name(PACKAGE, version)
        digest = write_artifact(artifact, path, epoch_s=1_700_000_000)
        assert registry.publish(PACKAGE, version, (path,))[0].digest == digest
        pulled = json.loads(client._send("GET", f"manifests/{version}", headers={"Accept": ACCEPT}).content)
        (layer,) = pulled["layers"]
        assert client._send("GET", f"blobs/{layer['digest']}").content == file.read_bytes()
        assert client._send("GET", f"blobs/{pulled['config']['digest']}").status_code == 200
        assert layer.get("annotations", {}).get("org.opencontainers.image.title") == (
            file.name if version == "1.0.0" else None
        )


def test_a_large_layer_goes_in_pieces(registry: OCIRegistry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shipline.clients.oci_registry.CHUNK_BYTES_MAX", 1_000)
    monkeypatch.setattr("shipline.clients.oci_layout.CHUNK_BYTES", 700)
    image = make_layout(tmp_path / layout_name(PACKAGE, "1.0.0"), content="x" * 5_000, platforms=("amd64",))
    assert registry.publish(PACKAGE, "1.0.0", (image,))[0].digest == layout_digest(image)


def test_tags_follow_the_channels_and_go_back(registry: OCIRegistry, server: Served, tmp_path: Path) -> None:
    """`latest` never goes back to a maintenance release; on a yank it goes to what is known to be good."""
    client = OCIClient(server.url, f"team/{PACKAGE}", 10.0)
    digests = {}
    for version, channel in (
        ("1.0.0", "stable"),
        ("2.0.0", "stable"),
        ("1.0.1", "stable"),
        ("2.1.0-rc.1", "rc"),
        ("2.0.1", "stable"),
        ("2.0.2+build.1", "stable"),
    ):
        image = layout(tmp_path, version)
        digests[version] = layout_digest(image)
        registry.publish(PACKAGE, version, (image,), channel=channel)
        if version == "1.0.1":
            assert client.digest_of("latest") == digests["2.0.0"]
    assert client.digest_of("latest") == client.digest_of("2.0.2_build.1") == digests["2.0.2+build.1"]
    assert client.digest_of("rc") == digests["2.1.0-rc.1"]
    answer = registry.yank(PACKAGE, "2.0.2+build.1", reason="broken", back_to="2.0.0")
    assert answer.done == ("the tag latest names 2.0.0 again",)
    assert client.digest_of("latest") == digests["2.0.0"]
    registry.yank(PACKAGE, "2.0.0", reason="broken")
    assert client.digest_of("latest") == digests["1.0.1"]
    assert "no good version before it is known" in registry.yank(PACKAGE, "2.1.0-rc.1", reason="x").not_done[0]
    assert registry.verify_yank(PACKAGE, "2.1.0-rc.1").words.startswith("rc names it")


def test_tags_of_lines_follow_final_versions_and_go_back_within_their_line(
    registry: OCIRegistry, server: Served, context: ProviderContext, tmp_path: Path
) -> None:
    """Goal: who follows `1.4` or `1` gets each newer version of it, and goes on getting nothing that was taken back."""
    client = OCIClient(server.url, f"team/{PACKAGE}", 10.0)
    digests = {}
    silent, registry = registry, OCIRegistry(OCISettings(server.url, "team/{package}", line_tags=True), context)
    for version, by in (
        ("0.9.0", registry),
        ("1.2", silent),
        ("1.3.0", registry),
        ("1.4.0", registry),
        ("1.2.1", registry),
        ("1.4.1", registry),
        ("2.0.0-rc.1", registry),
        ("1.3.1", registry),
        ("2.0.0", registry),
    ):
        image = layout(tmp_path, version)
        digests[version] = layout_digest(image)
        by.publish(PACKAGE, version, (image,), channel="rc" if "rc" in version else "stable")
        assert version != "2.0.0-rc.1" or "2" not in client.tags()
    follow = {"0.9": "0.9.0", "1": "1.4.1", "1.4": "1.4.1", "1.3": "1.3.1", "2": "2.0.0", "2.0": "2.0.0"}
    follow["1.2"] = "1.2"  # A version, which never moves.
    assert {tag: client.digest_of(tag) for tag in follow} == {tag: digests[one] for tag, one in follow.items()}
    assert "0" not in client.tags()
    client.tag(digests["1.4.1"], "v1")  # As other tools set it.
    registry.yank(PACKAGE, "1.4.1", reason="broken", back_to="1.4.0")
    assert {tag: client.digest_of(tag) for tag in ("1", "1.4", "v1")} == dict.fromkeys(
        ("1", "1.4", "v1"), digests["1.4.0"]
    )
    # What was passed over is not taken up again, and no line goes to another.
    answer = registry.yank(PACKAGE, "1.4.0", reason="broken", back_to="1.3.1")
    assert client.digest_of("1") == client.digest_of("v1") == digests["1.3.1"]
    assert "1.4 still names 1.4.0" in answer.not_done[0]
    assert client.digest_of("1.4") == digests["1.4.0"]
    assert client.digest_of("2") == client.digest_of("latest") == digests["2.0.0"]
    assert registry.verify_yank(PACKAGE, "1.4.0").words.startswith("1.4 names it")


def test_a_version_s_tag_never_moves(registry: OCIRegistry, tmp_path: Path) -> None:
    registry.publish(PACKAGE, "1.0.0", (layout(tmp_path, "1.0.0"),))
    with pytest.raises(ConflictError, match=r"another team/quotes-service:1\.0\.0"):
        registry.publish(PACKAGE, "1.0.0", (layout(tmp_path, "1.0.0", content="two"),))


def test_a_layout_that_is_not_whole_is_pushed_nowhere(registry: OCIRegistry, tmp_path: Path) -> None:
    image = layout(tmp_path, "1.0.0")
    layer = next(path for path in (image / "blobs" / "sha256").iterdir() if path.read_bytes().startswith(b"one"))
    layer.write_bytes(b"something else")
    findings = registry.check(PACKAGE, "1.0.0", (image,))
    assert findings[-1].answer is Answer.FAIL
    with pytest.raises(InvalidValue, match="holds other bytes"):
        registry.publish(PACKAGE, "1.0.0", (image,))
    assert registry.find(PACKAGE, "1.0.0") == ()


class Guarded:
    """A registry that answers `/v2/` to a token alone, and gives one out at `/token` to robin."""

    def __init__(self, *, realm: str = "", status: int = 200) -> None:
        self.asked: list[tuple[str, str]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                given = self.headers.get("Authorization", "")
                outer.asked.append((self.path, given))
                if self.path.startswith("/token"):
                    right = given == f"Basic {base64.b64encode(b'robin:right').decode()}"
                    return self._say(200 if right else 401, {"token": "a.b.c"} if right else {})
                if given != "Bearer a.b.c":
                    return self._say(401, {}, realm or f"http://127.0.0.1:{self.server.server_port}/token")  # type: ignore[attr-defined]  # it has one
                return self._say(status, {"errors": [{"code": "UNKNOWN", "message": "no luck"}]})

            def _say(self, status: int, document: object, challenge: str = "") -> None:
                body = json.dumps(document).encode()
                self.send_response(status)
                if challenge:
                    said = f'Bearer realm="{challenge}",service="s",scope="repository:quotes:pull,push"'
                    self.send_header("WWW-Authenticate", said)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as in the base class
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True


@contextmanager
def guarded(*, realm: str = "", status: int = 200) -> Iterator[tuple[str, Guarded]]:
    made = Guarded(realm=realm, status=status)
    thread = threading.Thread(target=made.server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{made.server.server_port}", made
    finally:
        made.server.shutdown()
        thread.join()
        made.server.server_close()


def test_a_token_is_fetched_from_the_realm_with_the_client_s_own_credentials(
    context: ProviderContext, tmp_path: Path
) -> None:
    with guarded() as (url, made):
        host = url.removeprefix("http://")
        (tmp_path / "docker").mkdir()
        auth = base64.b64encode(b"robin:right").decode()
        (tmp_path / "docker" / "config.json").write_text(json.dumps({"auths": {host: {"auth": auth}}}))
        OCIRegistry(OCISettings(url), context)._client("quotes").ping()
        assert [path.partition("?")[0] for path, _ in made.asked] == ["/v2/", "/token", "/v2/"]


def test_wrong_credentials_are_refused_and_no_secret_is_shown(
    context: ProviderContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QUOTES_TOKEN", "a-wrong-secret")
    with guarded() as (url, _):
        registry = OCIRegistry(OCISettings(url, username="robin", password_environment="QUOTES_TOKEN"), context)
        with pytest.raises(RefusedError, match="refused the credentials") as caught:
            registry.check(PACKAGE, "1.0.0", ())
        assert "a-wrong-secret" not in caught.value.diagnosis()


@pytest.mark.parametrize("realm", ["http://example.org/token", "ftp://127.0.0.1/token", "nonsense"])
def test_credentials_go_to_no_realm_that_anybody_can_listen_to(context: ProviderContext, realm: str) -> None:
    with guarded(realm=realm) as (url, made):
        with pytest.raises(RefusedError, match="wants credentials sent to"):
            OCIRegistry(OCISettings(url), context).check(PACKAGE, "1.0.0", ())
        assert len(made.asked) == 1


def test_a_registry_in_trouble_may_be_asked_again(context: ProviderContext, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUOTES_TOKEN", "right")
    with guarded(status=503) as (url, _):
        registry = OCIRegistry(OCISettings(url, username="robin", password_environment="QUOTES_TOKEN"), context)
        with pytest.raises(UnavailableError, match="HTTP 503") as caught:
            registry.check(PACKAGE, "1.0.0", ())
        assert "no luck" in caught.value.why


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"url": "ftp://example.org"}, "not the http or https address"),
        ({"url": "https://example.org/team"}, "without a path"),
        ({"url": "https://robin:secret@example.org"}, "holds a user name"),
        ({"url": "https://example.org", "username": "robin"}, "belong together"),
        ({"url": "http://example.org", "username": "a", "password_environment": "B"}, "http address of another"),
        ({"url": "https://example.org", "repository": "Team/{package}"}, "cannot be an image's name"),
    ],
)
def test_settings_that_can_only_be_mistakes_are_refused(table: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message) as caught:
        OCISettings(**table)  # type: ignore[arg-type]  # a table as a user may write it
    assert "secret" not in caught.value.diagnosis()
