"""Signatures both ways with software that others wrote: cosign, skopeo, npm's @sigstore/verify and openssl.

The registry is Debian's docker-registry, which keeps no list of referrers. cosign is 2.5, which reads and writes its
older formats and the bundles that cosign 3 writes by default; the statement that signs an image in cosign 3 is read
from the form that its documentation has.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from shipline.capabilities.evidence import SUMMARY, read_instance, sign_file_by_identity
from shipline.clients.oci_layout import open_layout
from shipline.clients.oci_registry import OCIClient
from shipline.domain.release import ReleaseStatus
from shipline.ports.provider import ProviderContext
from shipline.providers.registry.oci import OCIRegistry, OCISettings
from shipline.testing.fakes.signer import MemorySigner
from shipline.testing.world import World
from tests.capabilities.releases.release_world import ReleaseWorld
from tests.command import Said, run_shipline
from tests.debian13 import WitnessMissing, cosign, skopeo
from tests.images import make_layout
from tests.npm_packages import installed
from tests.registries import RegistryMissing, docker_registry_in

TYPE = "https://example.org/reviewed/v1"
TEST_RESULT = "https://in-toto.io/attestation/test-result/v0.1"
OFFLINE = ("--insecure-ignore-tlog=true",)
UNLOGGED = ("--tlog-upload=false", "--yes")
SCRIPT = Path(__file__).with_name("sigstore_verify.cjs")
NPM_VERIFY = "3.1.1"


@dataclass(frozen=True, slots=True)
class Place:
    """A folder with a key of cosign's, a file and a predicate, and a registry with one image of each tag asked for."""

    folder: Path
    client: OCIClient

    def image(self, tag: str) -> str:
        """The image of a tag, by its digest; made when it is asked for first."""
        digest = self.client.digest_of(tag)
        if digest is None:
            layout = make_layout(self.folder / f"layout-{tag}", content=tag, platforms=("amd64",))
            with open_layout(layout) as opened:
                digest = self.client.push(opened)
                self.client.tag(digest, tag)
        return f"{self.name}@{digest}"

    @property
    def name(self) -> str:
        """The image's name, without tag and digest."""
        return f"{self.client.url.removeprefix('http://')}/{self.client.repository}"

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        environment = os.environ | {"COSIGN_PASSWORD": "hunter2", "HOME": str(self.folder)}
        return subprocess.run(
            command, cwd=self.folder, env=environment, capture_output=True, text=True, timeout=60, check=False
        )

    def cosign(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self.run(*cosign(), *arguments)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("place")
    try:
        with docker_registry_in(folder / "registry") as served:
            found = Place(folder, OCIClient(served.url, "team/quotes", 10.0))
            assert found.cosign("generate-key-pair").returncode == 0
            (folder / "a.bin").write_bytes(b"hello")
            (folder / "other.bin").write_bytes(b"hellO")
            (folder / "predicate.json").write_text('{"by": "me"}')
            # Nothing is trusted but the key; without this, cosign asks for sigstore's own roots.
            root = {"mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1"}
            (folder / "root.json").write_text(json.dumps(root))
            yield found
    except (RegistryMissing, WitnessMissing) as missing:
        pytest.skip(str(missing))


def ours(place: Place, *arguments: str) -> Said:
    return run_shipline(place.folder, *arguments, extra={"COSIGN_PASSWORD": "hunter2"})


def test_cosign_verifies_the_files_that_we_sign(place: Place) -> None:
    """By the signature alone, and by the bundle; other bytes it does not. openssl does the same."""
    done = ours(place, "sign", "a.bin", "--key", "cosign.key")
    assert done.code == 0, done
    by = ("verify-blob", "--key", "cosign.pub", *OFFLINE)
    bundle = ("--bundle", "a.bin.sigstore.json", "--new-bundle-format", "--trusted-root", "root.json")
    for how in (("--signature", "a.bin.sig"), bundle):
        assert place.cosign(*by, *how, "a.bin").returncode == 0
        assert place.cosign(*by, *how, "other.bin").returncode != 0
    (place.folder / "a.der").write_bytes(base64.b64decode((place.folder / "a.bin.sig").read_bytes()))
    if shutil.which("openssl") is not None:
        command = ("openssl", "dgst", "-sha256", "-verify", "cosign.pub", "-signature", "a.der")
        assert place.run(*command, "a.bin").returncode == 0
        assert place.run(*command, "other.bin").returncode == 1


@pytest.mark.parametrize("newer", [False, True], ids=["older bundle", "bundle"])
def test_we_verify_the_files_that_cosign_signs(place: Place, *, newer: bool) -> None:
    """Its signature, and both of its bundles."""
    form = ("--new-bundle-format",) if newer else ("--output-signature", "theirs.sig")
    done = place.cosign("sign-blob", "--key", "cosign.key", *UNLOGGED, "--bundle", "theirs.json", *form, "a.bin")
    assert done.returncode == 0, done.stderr
    for name in ("theirs.json",) if newer else ("theirs.json", "theirs.sig"):
        assert ours(place, "verify", "a.bin", "--signature", name, "--key", "cosign.pub").code == 0
        assert ours(place, "verify", "other.bin", "--signature", name, "--key", "cosign.pub").code == 3


def test_cosign_verifies_what_we_state_of_a_file(place: Place) -> None:
    done = ours(place, "attest", "a.bin", "--predicate", "predicate.json", "--type", TYPE, "--key", "cosign.key")
    assert done.code == 0, done
    (bundle,) = place.folder.glob("a.bin.*reviewed*.sigstore.json")
    form = ("--bundle", bundle.name, "--new-bundle-format", "--trusted-root", "root.json")
    by = ("verify-blob-attestation", "--key", "cosign.pub", *OFFLINE, *form, "--type", TYPE)
    assert place.cosign(*by, "a.bin").returncode == 0
    assert place.cosign(*by, "other.bin").returncode != 0
    assert ours(place, "verify", "a.bin", "--type", TYPE, "--key", "cosign.pub").code == 0


def test_cosign_verifies_the_images_that_we_sign(place: Place) -> None:
    """And the statements about them, in both formats; what is not signed it does not."""
    image, key = place.image("ours"), ("--key", "cosign.key")
    assert ours(place, "sign", image, *key).code == 0
    assert ours(place, "attest", image, "--predicate", "predicate.json", "--type", TYPE, *key).code == 0
    by = ("--key", "cosign.pub", *OFFLINE)
    assert place.cosign("verify", *by, image).returncode == 0
    assert place.cosign("verify", *by, place.image("bare")).returncode != 0
    stated = ("verify-attestation", *by, "--type", TYPE)
    assert place.cosign(*stated, image).returncode == 0
    newer = place.cosign(*stated, "--new-bundle-format", "--trusted-root", "root.json", image)
    assert newer.returncode == 0, newer.stderr
    signature = ("verify-attestation", *by, "--new-bundle-format", "--trusted-root", "root.json")
    newest = place.cosign(*signature, "--type", "https://sigstore.dev/cosign/sign/v1", image)
    assert newest.returncode == 0, newest.stderr


@pytest.mark.parametrize("newer", [False, True], ids=["older", "bundle"])
def test_we_verify_what_cosign_puts_beside_an_image(place: Place, *, newer: bool) -> None:
    """Signatures and statements; then ours stand beside them, and cosign still finds its own."""
    image = place.image(f"theirs-{newer}")
    form = ("--new-bundle-format",) if newer else ()
    key = ("--key", "cosign.key", *UNLOGGED)
    if not newer:  # cosign 2 has no bundle for the signature of an image.
        assert place.cosign("sign", *key, image).returncode == 0
        assert ours(place, "verify", image, "--key", "cosign.pub").code == 0
    done = place.cosign("attest", *key, *form, "--predicate", "predicate.json", "--type", TYPE, image)
    assert done.returncode == 0, done.stderr
    assert ours(place, "verify", image, "--type", TYPE, "--key", "cosign.pub").code == 0
    assert ours(place, "verify", image, "--type", "vuln", "--key", "cosign.pub").code == 3
    assert ours(place, "sign", image, "--key", "cosign.key").code == 0
    assert ours(place, "verify", image, "--key", "cosign.pub").code == 0
    assert place.cosign("verify", "--key", "cosign.pub", *OFFLINE, image).returncode == 0


def test_an_attached_sbom_goes_both_ways(place: Place) -> None:
    """In cosign's older form: cosign reads ours, and we read what cosign put there."""
    (place.folder / "sbom.json").write_text('{"bomFormat": "CycloneDX"}')
    mine, theirs = place.image("sbom-ours"), place.image("sbom-theirs")
    assert ours(place, "sbom", "attach", mine, "sbom.json").code == 0
    assert place.cosign("download", "sbom", mine).stdout == '{"bomFormat": "CycloneDX"}'
    form = ("--type", "cyclonedx", "--input-format", "json")
    done = place.cosign("attach", "sbom", "--sbom", "sbom.json", *form, theirs)
    assert done.returncode == 0, done.stderr
    assert ours(place, "sbom", "fetch", theirs).out == '{"bomFormat": "CycloneDX"}'
    assert ours(place, "sbom", "fetch", place.image("bare")).code == 1


def test_skopeo_copies_what_we_sign_and_nothing_else(place: Place) -> None:
    """With a policy that asks for a signature under the name that is pulled: by tag, and by digest."""
    digest = place.image("pinned")
    place.image("tagged")
    tagged = f"{place.name}:tagged"
    for image in (digest, tagged):
        assert ours(place, "sign", image, "--key", "cosign.key").code == 0
    host = place.name.partition("/")[0]
    rule = {
        "type": "sigstoreSigned",
        "keyPath": str(place.folder / "cosign.pub"),
        "signedIdentity": {"type": "matchRepoDigestOrExact"},
    }
    policy = {"default": [{"type": "reject"}], "transports": {"docker": {host: [rule]}}}
    (place.folder / "policy.json").write_text(json.dumps(policy))
    (place.folder / "registries.d").mkdir()
    settings = f"docker:\n  {host}:\n    use-sigstore-attachments: true\n"
    (place.folder / "registries.d" / "here.yaml").write_text(settings)

    def copy(image: str, name: str) -> int:
        program = (*skopeo(), "--policy", "policy.json", "--registries.d", "registries.d")
        target = f"dir:{place.folder / name}"
        return place.run(*program, "copy", "--src-tls-verify=false", f"docker://{image}", target).returncode

    assert copy(digest, "by-digest") == 0
    assert copy(tagged, "by-tag") == 0
    assert copy(place.image("unsigned"), "none") != 0


def test_npm_verifies_our_bundles(place: Place, request: pytest.FixtureRequest) -> None:
    """Of a file's signature, and around a statement; with another key, or for other bytes, it does not."""
    modules = installed(request.config.cache.mkdir("npm"), "@sigstore/verify", NPM_VERIFY) / "node_modules"
    assert ours(place, "sign", "other.bin", "--key", "cosign.key").code == 0
    done = ours(place, "attest", "other.bin", "--predicate", "predicate.json", "--type", "vuln", "--key", "cosign.key")
    assert done.code == 0, done
    (place.folder / "stranger").mkdir()
    stranger = Place(place.folder / "stranger", place.client)
    assert stranger.cosign("generate-key-pair").returncode == 0

    def verified(bundle: str, key: str, *file: str) -> bool:
        return place.run("node", str(SCRIPT), str(modules), bundle, key, *file).stdout == "verified\n"

    assert verified("other.bin.sigstore.json", "cosign.pub", "other.bin")
    assert not verified("other.bin.sigstore.json", "cosign.pub", "a.bin")
    assert verified("other.bin.vuln.sigstore.json", "cosign.pub")
    for bundle in ("other.bin.sigstore.json", "other.bin.vuln.sigstore.json"):
        assert not verified(bundle, "stranger/cosign.pub", "other.bin")


@pytest.mark.parametrize("rekor", [1, 2])
def test_npm_verifies_what_an_identity_has_signed(tmp_path: Path, request: pytest.FixtureRequest, rekor: int) -> None:
    """By the instance's own root: certificate, its log's word, the public log's proof, and the time."""
    pytest.importorskip("sigstore", reason="needs the extra keyless")
    from shipline.testing.fakes.sigstore.instance import serving  # noqa: PLC0415 - with the extra alone

    modules = installed(request.config.cache.mkdir("npm"), "@sigstore/verify", NPM_VERIFY) / "node_modules"
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed, which makes the timestamps")
    file, root = tmp_path / "a.bin", tmp_path / "sigstore.json"
    file.write_bytes(b"what is released")
    with serving(tmp_path / "timestamps", rekor=rekor) as instance:
        root.write_bytes(instance.trust_config())
        token = instance.issuer.token("mia@example.org")
        sign_file_by_identity(file, token, read_instance(root.read_bytes()))

    def verified(subject: str, path: Path) -> bool:
        asked = (str(modules), f"{file}.sigstore.json", str(root), subject, instance.issuer.name, str(path))
        command = ("node", str(SCRIPT.with_name("sigstore_verify_identity.cjs")), *asked)
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False).stdout == "verified\n"

    assert verified("mia@example.org", file)
    assert not verified("ben@example.org", file)
    assert not verified("mia@example.org", root)


def test_cosign_verifies_what_a_release_has_signed(place: Place, sqlite_url: str, tmp_path: Path) -> None:
    """Its image by the version's tag and every statement about it, its files and the statement about all of them."""
    world = World(7, tmp_path, url=sqlite_url)
    made = ReleaseWorld(world, tmp_path, imaged=True)
    settings = OCISettings(place.client.url, "team/released")
    made.images = OCIRegistry(settings, ProviderContext(tmp_path, tmp_path, world.clock))  # type: ignore[assignment]  # a real one
    assert made.released().status is ReleaseStatus.PUBLISHED
    world.close()
    (place.folder / "released.pub").write_text(MemorySigner().public_key_pem())
    by = ("--key", "released.pub", *OFFLINE)
    root, newer = ("--trusted-root", "root.json"), "--new-bundle-format"
    image = f"{place.client.url.removeprefix('http://')}/team/released:0.1.0"
    assert place.cosign("verify", *by, image).returncode == 0
    assert place.cosign("verify", "--key", "cosign.pub", *OFFLINE, image).returncode != 0
    for kind in ("slsaprovenance1", TEST_RESULT, SUMMARY):
        for form in ((), (newer, *root)):
            done = place.cosign("verify-attestation", *by, "--type", kind, *form, image)
            assert done.returncode == 0, (kind, done.stderr)
    assert ours(place, "verify", image, "--vsa", "--key", "released.pub").code == 0
    folder = tmp_path / "releases" / "quotes-0.1.0"
    wheel, signatures = folder / "dist" / "quotes-0.1.0-py3-none-any.whl", folder / "signatures"
    bundle = ("--bundle", str(signatures / f"{wheel.name}.sigstore.json"), newer, *root)
    assert place.cosign("verify-blob", *by, *bundle, str(wheel)).returncode == 0
    assert place.cosign("verify-blob", *by, *bundle, "a.bin").returncode != 0
    stated = ("--bundle", str(signatures / "quotes-0.1.0.slsaprovenance1.sigstore.json"), newer, *root)
    stating = ("verify-blob-attestation", *by, *stated, "--type", "slsaprovenance1")
    done = place.cosign(*stating, str(wheel))
    assert done.returncode == 0, done.stderr
    assert place.cosign(*stating, "a.bin").returncode != 0
