"""What hangs on images, in Debian's docker-registry (which keeps no list of referrers) and in one that keeps it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import ClassVar

import pytest

from shipline.clients.image_names import ImageName, ImageReference, image_reference
from shipline.clients.oci_attachments import OCIAttachments
from shipline.clients.oci_layout import open_layout
from shipline.clients.oci_referrers import entry_of, referrers_tag, with_entry
from shipline.clients.oci_registry import OCIClient
from shipline.domain.errors import ConflictError, ShiplineError, UnavailableError
from shipline.ports.attachments import Attachments, Subject
from shipline.testing.conformance.attachments import AttachmentsConformance, PutImage, manifest_of
from shipline.testing.fakes.loopback import LoopbackServer
from tests.images import make_layout
from tests.registries import RegistryMissing, Served, docker_registry_in


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    try:
        with docker_registry_in(tmp_path_factory.mktemp("registry") / "served") as served:
            yield served
    except RegistryMissing as missing:
        pytest.skip(str(missing))


@pytest.fixture
def client(server: Served, request: pytest.FixtureRequest) -> OCIClient:
    """A repository for each test."""
    name = hashlib.sha256(request.node.nodeid.encode()).hexdigest()[:12]
    return OCIClient(server.url, f"team/{name}", 10.0)


class TestOCIAttachments(AttachmentsConformance):
    @pytest.fixture
    def attachments(self, client: OCIClient) -> Attachments:
        return OCIAttachments(client)

    @pytest.fixture
    def put_image(self, client: OCIClient, tmp_path: Path) -> PutImage:
        def put(tag: str) -> Subject:
            with open_layout(make_layout(tmp_path / tag, content=tag, platforms=("amd64",))) as layout:
                client.tag(client.push(layout), tag)
                return Subject(layout.root.media_type, layout.root.digest, layout.root.size)

        return put


def test_the_fallback_index_states_the_artifact_s_type_and_annotations() -> None:
    """Others look for bundles by them. What is listed already stays, in its order, whatever it is."""
    manifest = json.dumps({"artifactType": "a/b", "config": {"mediaType": "c/d"}, "annotations": {"x": "y"}}).encode()
    entry = entry_of(manifest)
    assert (entry["artifactType"], entry["annotations"], entry["size"]) == ("a/b", {"x": "y"}, len(manifest))
    assert entry_of(b'{"config": {"mediaType": "c/d"}}')["artifactType"] == "c/d"
    index = with_entry(b'{"manifests": [{"digest": "sha256:strange", "more": 1}]}', entry)
    assert index is not None
    assert [one["digest"] for one in json.loads(index)["manifests"]] == ["sha256:strange", entry["digest"]]
    assert with_entry(index, entry) is None
    with pytest.raises(ConflictError, match="something else"):
        with_entry(b'{"layers": []}', entry)


class _Racing(OCIAttachments):
    """Another writer takes each write of a tag back, `left` times."""

    left = 3

    def _write(self, tag: str, media_type: str, content: bytes) -> None:
        if self.left > 0:
            self.left -= 1
            raise UnavailableError("another writer")
        super()._write(tag, media_type, content)


def test_an_index_that_another_writer_moved_is_read_anew(client: OCIClient) -> None:
    """So that neither loses the other's entry; in the end it gives up."""
    attachments = _Racing(client)
    attachments.write_blob(b"{}")
    attachments.write_blob(b"one")
    subject = Subject("application/vnd.oci.image.manifest.v1+json", f"sha256:{'a' * 64}", 1)
    digest = attachments.write_referrer(subject, manifest_of(b"one", subject))
    assert attachments.referrers(subject.digest) == (digest,)
    assert attachments.tagged(referrers_tag(subject.digest)) is not None
    attachments.left = 99
    with pytest.raises(UnavailableError):
        attachments.write_referrer(subject, manifest_of(b"one", subject) + b" ")


class _Modern(BaseHTTPRequestHandler):
    """A registry with a list of referrers in pages, and a storage elsewhere for blobs."""

    asked: ClassVar[list[tuple[str, str]]] = []
    subject = f"sha256:{'b' * 64}"

    def do_GET(self) -> None:
        path = self.path
        self.asked.append((path, self.headers.get("Authorization", "")))
        if "/blobs/" in path:
            self._answer(307, b"", Location=f"/storage/{path.rpartition(':')[2]}")
        elif path.startswith("/storage/"):
            self._answer(200, b"blob")
        elif path.endswith("?page=2"):
            self._answer(200, json.dumps({"manifests": [{"digest": f"sha256:{'2' * 64}"}, "x"]}).encode())
        else:
            listed = json.dumps({"manifests": [{"digest": f"sha256:{'1' * 64}"}, {"digest": "no"}]}).encode()
            self._answer(200, listed, Link=f'<{path}?page=2>; rel="next"')

    def do_PUT(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.asked.append((self.path, ""))
        self._answer(201, b"", **{"OCI-Subject": self.subject})

    def _answer(self, code: int, body: bytes, **headers: str) -> None:
        self.send_response(code)
        for name, value in ({"Content-Length": str(len(body))} | headers).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class calls it so
        pass


def test_a_registry_with_a_list_of_its_own_is_asked_for_it() -> None:
    """All pages of it; then no tag is written. Blobs may lie elsewhere, and no credentials go there."""
    with LoopbackServer(_Modern) as served:
        client = OCIClient(served.url, "team/quotes", 10.0)
        client._token = "Bearer x"
        attachments = OCIAttachments(client)
        assert attachments.referrers(_Modern.subject) == (f"sha256:{'1' * 64}", f"sha256:{'2' * 64}")
        subject = Subject("application/vnd.oci.image.manifest.v1+json", _Modern.subject, 1)
        attachments.write_referrer(subject, manifest_of(b"one", subject))
        digest = f"sha256:{hashlib.sha256(b'blob').hexdigest()}"
        assert attachments.blob(digest, bytes_max=10) == b"blob"
        with pytest.raises(ShiplineError, match="other bytes"):
            attachments.blob(f"sha256:{'c' * 64}", bytes_max=10)
    assert not any("sha256-" in path for path, _ in _Modern.asked)
    assert {token for path, token in _Modern.asked if path.startswith("/storage/")} == {""}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("registry.example/a/b:1.0", ImageReference(ImageName("registry.example", "a/b"), "1.0")),
        ("localhost/a", ImageReference(ImageName("localhost", "a"))),
        (f"a:5000/b:1@sha256:{'0' * 64}", ImageReference(ImageName("a:5000", "b"), "1", f"sha256:{'0' * 64}")),
        ("dist/a.whl", None),
        ("./dist/a", None),
        ("registry.example/A", None),
        ("registry.example/a@sha256:00", None),
        ("registry.example/a:1\n", None),
        ("a.b/" + "c" * 500, None),
    ],
)
def test_an_image_is_named_with_its_registry(text: str, found: ImageReference | None) -> None:
    """Anything else is a file's name, or a mistake."""
    assert image_reference(text) == found
